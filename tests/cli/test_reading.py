"""How the bars are read, and what is said of it."""

from pathlib import Path

import pytest
from made_up import random_walk

from lstm_strategy import load_bars


@pytest.fixture
def two_markets(here):
    """A file of bars of two markets under names of its own."""
    names = {"open": "o_perp", "high": "h_perp", "low": "l_perp", "close": "c_perp"}
    bars = random_walk(500)
    lines = []
    for symbol in ("AAA", "BBB"):
        frame = bars.rename(columns=names).assign(Symbol=symbol).rename_axis("Date")
        lines += frame.to_csv(header=not lines).splitlines()
    Path("two.csv").write_text("\n".join(lines))
    return ",".join(f"{name}={column}" for name, column in names.items())


def test_a_market_and_its_columns_are_chosen_and_what_is_left_out_is_said(
    results, model_folder, two_markets
):
    words = ("forecast", "two.csv", "--model", model_folder, "--out")
    shown = results(*words, "chosen", "--symbol", "BBB", "--columns", two_markets)
    assert "two.csv: left out the column Symbol." in shown
    results("forecast", "bars.csv", "--model", model_folder, "--out", "plain")
    assert Path("chosen/forecast.csv").read_text().replace("Date", "datetime", 1) == Path(
        "plain/forecast.csv"
    ).read_text().replace("Date", "datetime", 1)


@pytest.mark.parametrize("columns", ["open", "open=", "=o_perp", "open=a,close"])
def test_columns_that_name_nothing_are_refused(refusal, columns):
    message = refusal("backtest", "bars.csv", "--strategy", "MACD", "--columns", columns)
    assert f"--columns takes NAME=COLUMN, joined by commas, got '{columns}'" in message


def test_a_repair_is_wanted_by_an_option_and_said(results, refusal, here):
    bars = random_walk(500)
    bars.iloc[50, bars.columns.get_loc("close")] *= 100
    bars.to_csv("bad.csv")
    assert "--repair" in refusal("backtest", "bad.csv", "--strategy", "MACD")
    shown = results("backtest", "bad.csv", "--strategy", "MACD", "--repair")
    assert "bad.csv: 1 row with prices more than 1% outside high and low was dropped" in shown
    assert len(load_bars("bad.csv", repair=True)) == 499


def test_one_market_of_a_folder_is_chosen_and_several_are_counted(results, refusal, here):
    results("simulate", "noise", "--assets", 7, "--bars", 60, "--out", "sim")
    message = refusal("backtest", "sim", "--strategy", "Buy and hold")
    assert "one market is wanted here, and sim holds 7 (A01, A02, A03, A04, A05, …)" in message
    assert "Choose one: --symbol A01." in message
    words = ("backtest", "sim", "--symbol", "a02", "--strategy", "Buy and hold", "--out")
    assert "oracle" not in results(*words, "chosen")
    results("backtest", "sim/A02.csv", "--strategy", "Buy and hold", "--out", "file")
    assert Path("chosen/equity.csv").read_bytes() == Path("file/equity.csv").read_bytes()
    message = refusal("backtest", "sim", "--symbol", "B1", "--strategy", "Buy and hold")
    assert message == (
        "error: there is no market 'B1' among the 7 of the source. "
        "Known: A01, A02, A03, A04, A05, A06, A07.\n"
    )
