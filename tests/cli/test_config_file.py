import sys
from pathlib import Path

import pytest

from lstm_strategy.cli.config_file import (
    Config,
    build_broker,
    build_forecaster,
    explain_failures,
    find_strategy,
    load_config,
)
from lstm_strategy.errors import SettingsError, TradingError, TrainingError
from lstm_strategy.trading.baselines.sma_cross import SMACross
from strategies import BASELINES

SMA_CROSS_FILE = Path(sys.modules[SMACross.__module__].__file__)
RSI = {"kind": "rsi", "length": 5}


def _written(tmp_path, text):
    path = tmp_path / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_a_file_every_table_is_empty():
    assert load_config(None) == Config(forecaster={}, broker={}, strategy={})


def test_the_tables_of_a_file_are_read(tmp_path):
    path = _written(
        tmp_path,
        "# größer\n[forecaster]\nunits = [8]\n[[forecaster.features]]\nkind = 'rsi'\nlength = 5\n"
        "[broker]\ncash = 500\n[strategy]\nlong_only = true\n",
    )
    assert load_config(path) == Config(
        forecaster={"units": [8], "features": [RSI]},
        broker={"cash": 500},
        strategy={"long_only": True},
    )


@pytest.mark.parametrize(
    "text", ["[model]", "broker = 3", "x = = 3", "[strategy]\nend = 3", "\xff"]
)
def test_a_file_that_can_not_be_used_is_refused_by_its_name(tmp_path, text):
    path = tmp_path / "settings.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(SettingsError, match=r"settings\.toml"):
        load_config(path)


def test_options_override_the_file_and_none_stands_for_not_given():
    config = Config(forecaster={"units": [8], "epochs": 7, "features": [RSI]})
    forecaster = build_forecaster(config, {"epochs": 2, "units": None, "preset": None})
    assert (forecaster.settings.units, forecaster.settings.epochs) == ((8,), 2)
    assert forecaster.features.names == ["RSI_5"]


def test_a_preset_on_the_command_line_overrides_the_features_of_the_file():
    forecaster = build_forecaster(Config(forecaster={"features": [RSI]}), {"preset": "default"})
    assert "NATR_14" in forecaster.features.names


def test_a_preset_may_stand_in_the_file():
    forecaster = build_forecaster(Config(forecaster={"preset": "default"}), {})
    assert "NATR_14" in forecaster.features.names


def test_a_preset_and_features_in_the_file_exclude_each_other():
    config = Config(forecaster={"preset": "default", "features": [RSI]})
    with pytest.raises(SettingsError, match="Keep one of them"):
        build_forecaster(config, {})


def test_an_unknown_argument_of_the_forecaster_is_named():
    with pytest.raises(TrainingError, match="lookbak"):
        build_forecaster(Config(forecaster={"lookbak": 3, "features": [RSI]}), {})


def test_broker_options_override_the_file():
    config = Config(broker={"cash": 500, "lot_size": 1})
    broker = build_broker(config, {"cash": 700.0, "commission_rate": None})
    assert (broker.cash, broker.lot_size, broker.commission_rate) == (700, 1, 0.001)


def test_an_unknown_broker_field_is_named():
    with pytest.raises(TradingError, match="csh"):
        build_broker(Config(broker={"csh": 3}), {})


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_is_found_by_its_name_in_any_case(name):
    assert find_strategy(name) == (BASELINES[name], {})
    assert find_strategy(name.upper()) == (BASELINES[name], {})


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("", {}),
        (":", {}),
        (":fast=5", {"fast": 5}),
        (":fast=-5,model='a:b,c',on=True", {"fast": -5, "model": "a:b,c", "on": True}),
    ],
    ids=["nothing", "empty", "one", "many"],
)  # fmt: skip
def test_a_class_of_a_file_comes_with_its_arguments(arguments, expected):
    strategy, params = find_strategy(f"{SMA_CROSS_FILE}:SMACross{arguments}")
    assert strategy.__name__ == "SMACross"
    assert strategy is not SMACross
    assert params == expected


def test_a_file_named_like_a_library_does_not_replace_it(tmp_path):
    import json

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
    with pytest.raises(SettingsError, match="must be name=value pairs with plain values"):
        find_strategy(f"{SMA_CROSS_FILE}:SMACross:{arguments}")


@pytest.mark.parametrize("text", ["Magic", "", "SMA cross:fast=5", "file.txt:Class", "file.py"])
def test_a_text_that_names_no_strategy_is_refused_with_the_choices(text):
    with pytest.raises(SettingsError, match=r"Buy and hold, SMA cross, .*Random entries; got"):
        find_strategy(text)


def test_a_file_that_raises_on_import_leaves_no_module_behind(tmp_path):
    (tmp_path / "broken.py").write_text("\n1 / 0\n")
    with pytest.raises(SettingsError, match=r"ZeroDivisionError: .*broken.py, line 2"):
        find_strategy(f"{tmp_path / 'broken.py'}:Mine")
    assert not any("broken" in name for name in sys.modules)


def test_only_failures_of_a_strategy_from_a_file_become_one_line():
    from_file, _ = find_strategy(f"{SMA_CROSS_FILE}:SMACross")
    with pytest.raises(SettingsError, match="SMACross raises KeyError: 'x'"), \
            explain_failures(from_file):  # fmt: skip
        raise KeyError("x")
    with pytest.raises(KeyError), explain_failures(SMACross):
        raise KeyError("x")


def test_errors_that_already_explain_themselves_stay_as_they_are():
    from_file, _ = find_strategy(f"{SMA_CROSS_FILE}:SMACross")
    with pytest.raises(TradingError, match="as it is"), explain_failures(from_file):
        raise TradingError("as it is")
