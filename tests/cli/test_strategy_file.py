"""The strategy that --strategy asks for."""

import json
import sys
from pathlib import Path

import pytest

from lstm_strategy import BASELINES
from lstm_strategy.cli.strategy_file import (
    explain_failures,
    find_strategies,
    find_strategy,
    name_strategy,
)
from lstm_strategy.errors import SettingsError, TradingError
from lstm_strategy.trading.baselines import EVERY_BASELINE

SMA_CROSS = BASELINES["SMA cross"]
SMA_CROSS_FILE = Path(sys.modules[SMA_CROSS.__module__].__file__)


@pytest.mark.parametrize("name", EVERY_BASELINE)
def test_a_baseline_is_found_by_its_name_in_any_case(name):
    assert find_strategy(name) == (EVERY_BASELINE[name], {})
    assert find_strategy(name.upper()) == (EVERY_BASELINE[name], {})
    assert name_strategy(name.upper()) == name


@pytest.mark.parametrize(
    "arguments, expected",
    [
        ("", {}),
        (":", {}),
        (":fast=5", {"fast": 5}),
        (":fast=-5,model='a:b,c',on=True", {"fast": -5, "model": "a:b,c", "on": True}),
    ],
    ids=["nothing", "empty", "one", "many"],
)
def test_a_class_of_a_file_comes_with_its_arguments(arguments, expected):
    strategy, params = find_strategy(f"{SMA_CROSS_FILE}:SMACross{arguments}")
    assert strategy.__name__ == "SMACross"
    assert strategy is not SMA_CROSS
    assert params == expected


def test_a_file_named_like_a_library_does_not_replace_it(tmp_path):
    (tmp_path / "json.py").write_text(SMA_CROSS_FILE.read_text())
    find_strategy(f"{tmp_path / 'json.py'}:SMACross")
    assert sys.modules["json"] is json


@pytest.mark.parametrize(
    "arguments",
    [
        "5",
        "fast=",
        "fast=slow",
        "fast=open('x')",
        "**{'fast': 5}",
        "fast=5)+dict(",
        "fast=5).x(y=6",
    ],
)
def test_arguments_that_are_not_plain_values_are_refused(arguments):
    with pytest.raises(SettingsError, match=r"plain values\. Text needs quotes, inside"):
        find_strategy(f"{SMA_CROSS_FILE}:SMACross:{arguments}")


@pytest.mark.parametrize("text", ["Magic", "", "SMA cross:fast=5", "file.txt:Class", "file.py"])
def test_a_text_that_names_no_strategy_is_refused_with_the_choices(text):
    with pytest.raises(
        SettingsError,
        match=r"Buy and hold, .*Random entries, or for several markets Equal weight, .*; got",
    ):
        find_strategy(text)


@pytest.mark.parametrize(("text", "meant"), [("MAC", "MACD"), ("sma-cross", "SMA cross")])
def test_a_misspelt_strategy_is_answered_with_the_one_that_was_meant(text, meant):
    with pytest.raises(SettingsError, match=f"no strategy '{text}'. Did you mean {meant}"):
        find_strategy(text)


def test_a_file_that_raises_on_import_leaves_no_module_behind(tmp_path):
    (tmp_path / "broken.py").write_text("\n1 / 0\n")
    with pytest.raises(SettingsError, match=r"ZeroDivisionError: .*broken.py, line 2"):
        find_strategy(f"{tmp_path / 'broken.py'}:Mine")
    assert not any("broken" in name for name in sys.modules)


def test_only_failures_of_a_strategy_from_a_file_become_one_line():
    from_file, _ = find_strategy(f"{SMA_CROSS_FILE}:SMACross")
    with (
        pytest.raises(SettingsError, match="SMACross raises KeyError: 'x'"),
        explain_failures(from_file),
    ):
        raise KeyError("x")
    with pytest.raises(KeyError), explain_failures(SMA_CROSS):
        raise KeyError("x")


def test_strategies_have_names_apart(tmp_path):
    mine = tmp_path / "mine.py"
    mine.write_text(f"{SMA_CROSS_FILE.read_text()}\n\nclass MACD(SMACross):\n    pass\n")
    asked = [f"{mine}:SMACross", f"{mine}:SMACross:fast=5", f"{mine}:MACD", "macd"]
    found = find_strategies(asked)
    assert list(found) == ["SMACross", "SMACross:fast=5", "MACD of mine.py", "MACD"]
    assert found["SMACross:fast=5"][1] == {"fast": 5}
    assert found["MACD"] == (BASELINES["MACD"], {})
    assert found["MACD of mine.py"][0].__name__ == "MACD"
    with pytest.raises(SettingsError, match=r"--strategy .*mine.py:MACD is there twice"):
        find_strategies([f"{mine}:MACD", f"{mine}:MACD"])


def test_errors_that_already_explain_themselves_stay_as_they_are():
    from_file, _ = find_strategy(f"{SMA_CROSS_FILE}:SMACross")
    with pytest.raises(TradingError, match="as it is"), explain_failures(from_file):
        raise TradingError("as it is")
