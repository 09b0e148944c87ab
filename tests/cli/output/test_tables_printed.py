"""Tables on narrow terminals: names and sentences wrap, numbers never do."""

import re

import pytest
from rich.cells import cell_len

from lstm_strategy.cli.output import out
from lstm_strategy.cli.output.tables import ResultTable, print_table

NUMBERS = ["12.0%", "-33.1%", "1,234,567", "-0.012345", "2024-01-02"]


def small_table(name="Short-term reversal"):
    table = ResultTable(
        ["strategy", "CAGR", "max drawdown", "costs", "Sharpe ratio", "bar", "setting"],
        sentences=["setting"],
    )
    table.add_row(name, *NUMBERS, "lookback 40, units 32,32, learning_rate 0.0012")
    return table


@pytest.mark.parametrize("width", [20, 40, 60, 80, 140])
@pytest.mark.parametrize("name", ["LSTM", "Short-term reversal", "x" * 200, "策略" * 40])
def test_no_number_is_cut_and_no_line_is_too_long(monkeypatch, capsys, width, name):
    monkeypatch.setattr(out, "width", width)
    print_table(small_table(name))
    printed = capsys.readouterr().out
    assert set(NUMBERS) <= set(printed.split())
    assert {"lookback", "40,", "0.0012"} <= set(printed.split())
    assert max(map(out.measure, printed.splitlines()), key=lambda one: one.maximum).maximum <= width
    assert "…" not in printed


ODD_NAMES = ("x" * 200, "two\nlines", "$HOME", "שלום", "🚀 moon", "-dash", "it's", "../up", "a\tb")


def test_odd_names_leave_the_columns_aligned(monkeypatch, capsys):
    monkeypatch.setattr(out, "width", 60)
    table = ResultTable(["strategy", "CAGR"])
    for name in ODD_NAMES:
        table.add_row(name, "12.0%")
    print_table(table)
    lines = capsys.readouterr().out.splitlines()
    ends = [cell_len(line[: line.index("12.0%")]) for line in lines if "12.0%" in line]
    assert ends == [ends[0]] * len(ODD_NAMES)
    assert {cell_len(line) for line in lines} == {60}


def test_a_number_wider_than_the_terminal_is_printed_beyond_its_edge(monkeypatch, capsys):
    monkeypatch.setattr(out, "width", 10)
    print_table(small_table())
    assert set(NUMBERS) <= set(capsys.readouterr().out.split())


def test_every_block_names_the_rows(monkeypatch, capsys):
    monkeypatch.setattr(out, "width", 40)
    print_table(small_table("LSTM"))
    assert len(re.findall("^ LSTM", capsys.readouterr().out, re.MULTILINE)) == 3


@pytest.mark.parametrize("width", [20, 40, 60, 80])
def test_commands_print_the_same_numbers_at_every_width(results, monkeypatch, width):
    words = ("backtest", "bars.csv", "--strategy", "MACD")
    numbers = re.compile(r"-?\d[\d,]*\.\d+%?")
    expected = set(numbers.findall(results(*words)))
    monkeypatch.setattr(out, "width", width)
    monkeypatch.setenv("COLUMNS", str(width))
    assert set(numbers.findall(results(*words))) == expected
