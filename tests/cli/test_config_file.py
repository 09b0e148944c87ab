"""A TOML file of settings, and options that override it."""

import re
from pathlib import Path

import pytest

from lstm_strategy.cli.settings import Config, build_broker, build_forecaster, load_config
from lstm_strategy.errors import SettingsError, TradingError, TrainingError

RSI = {"kind": "rsi", "length": 5}


def test_without_a_file_every_table_is_empty():
    assert load_config(None) == Config(forecaster={}, broker={}, strategy={}, space={})


def test_the_tables_of_a_file_are_read(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text(
        "# größer\n[forecaster]\nunits = [8]\n[[forecaster.features]]\nkind = 'rsi'\nlength = 5\n"
        "[broker]\ncash = 500\n[strategy]\nlong_only = true\n",
        encoding="utf-8",
    )
    assert load_config(path) == Config(
        forecaster={"units": [8], "features": [RSI]},
        broker={"cash": 500},
        strategy={"long_only": True},
    )


BAD_FILES = {
    "isn't TOML": ("cash = = 3", "isn't valid TOML: .*line 1.* Correct it"),
    "isn't text": ("\xff", "isn't valid TOML"),
    "nested deep": ("a = " + "[" * 100_000, "nested too deep"),
    "a million digits": (f"[broker]\ncash = {'9' * 10**6}", "isn't valid TOML"),
    "a megabyte": ("#" * 2**20 + "\n", "can't be read: it is larger than"),
    "unknown table": ("[model]", r"the tables \[forecaster\], .* got model = {}. Rename"),
    "a value for a table": ("broker = 3", r"takes the tables .*, got broker = 3. Rename"),
    "a start in the strategy": (
        "[strategy]\nstart = '2013'",
        r"start in \[strategy\] isn't a parameter of a strategy. Remove it; --start",
    ),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_file_that_cannot_be_used_is_refused_by_its_name(tmp_path, case):
    text, message = BAD_FILES[case]
    path = tmp_path / "bad.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(SettingsError, match=rf"--config .*bad\.toml.*{message}"):
        load_config(path)


BAD_VALUES = {
    "unknown key": ("[forecaster]\nlookbak = 3", "lookbak"),
    "unknown broker field": ("[broker]\ncsh = 3", "csh.*cash"),
    "broker field of text": ("[broker]\ncash = 'lots'", "cash.*number.*'lots'"),
    "unknown feature": ("[[forecaster.features]]\nkind = 'rsy'", "'rsy'.*rsi"),
    "features and preset": (
        "[forecaster]\npreset = 'trend'\nfeatures = []",
        "has both preset and features. Keep one",
    ),
}


@pytest.mark.parametrize("case", BAD_VALUES)
def test_a_command_refuses_a_bad_value_in_one_line(refusal, case):
    text, message = BAD_VALUES[case]
    Path("bad.toml").write_text(text)
    assert re.search(message, refusal("compare", "bars.csv", "--config", "bad.toml"))


def test_options_override_the_file_and_none_stands_for_not_given():
    config = Config(forecaster={"units": [8], "epochs": 7, "features": [RSI]})
    forecaster = build_forecaster(config, {"epochs": 2, "units": None, "preset": None})
    assert (forecaster.settings.units, forecaster.settings.epochs) == ((8,), 2)
    assert forecaster.features.names == ["RSI_5"]


@pytest.mark.parametrize(
    "table, options",
    [({"features": [RSI]}, {"preset": "default"}), ({"preset": "default"}, {})],
    ids=["overrides the features of the file", "stands in the file"],
)
def test_a_preset_chooses_the_features(table, options):
    forecaster = build_forecaster(Config(forecaster=table), options)
    assert "NATR_14" in forecaster.features.names


def test_numbers_in_quotes_are_read_as_numbers():
    config = Config(
        forecaster={"epochs": "5", "dropout": "0.25", "units": ["8"], "mirror": "false"}
    )
    settings = build_forecaster(config, {}).settings
    assert (settings.epochs, settings.dropout, settings.units) == (5, 0.25, (8,))
    assert settings.mirror is False


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


def test_instruments_are_tables_of_the_broker_that_the_option_overrides():
    config = Config(
        broker={
            "instrument": {"kind": "spot", "commission_rate": 0.002},
            "instruments": {"BTC": {"kind": "perpetual", "leverage": 2}},
        }
    )
    broker = build_broker(config, {"instrument": ["ETH=perpetual:leverage=3", "spot"]})
    assert broker.describe_instruments() == (
        "BTC: perpetual, leverage 2, taker fee 0.05%; ETH: perpetual, leverage 3, taker fee 0.05%; "
        "others: spot, commission 0.10%"
    )
