"""The page of the documentation on the command line."""

import re
import tomllib

import pytest

from lstm_strategy import Perpetual
from lstm_strategy.cli.app import command_group
from lstm_strategy.cli.manual import manual_page
from lstm_strategy.cli.settings import build_broker, build_forecaster, load_config
from lstm_strategy.learning.training import ForecasterSettings
from lstm_strategy.trading.cerebro import BrokerSettings


@pytest.fixture(scope="module")
def page():
    return manual_page()


def rows_below(page, title):
    """The cells of each row between a heading and the next."""
    section = page.partition(f"{title}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(.+?)` \| (.*) \| (.*) \|$", section, re.MULTILINE)
    return {name.replace("\\|", "|"): (text, default) for name, text, default in rows}


@pytest.mark.parametrize("command", command_group().commands.values(), ids=lambda c: c.name)
def test_every_option_of_every_command_is_on_the_page(page, command):
    rows = rows_below(page, f"## `{command.name}`")
    written = {word for term in rows for word in re.split(r"[ ,]+", term)}
    options = {option for param in command.params for option in param.opts if option[0] == "-"}
    assert options <= written
    assert all(text and default for text, default in rows.values())
    assert f"\nlstm-strategy {command.name} " in page


@pytest.mark.parametrize(
    ("table", "names"),
    [
        ("[forecaster]", [*ForecasterSettings.model_fields, "preset", "features"]),
        ("[broker]", list(BrokerSettings.model_fields)),
        ('[broker.instrument] with kind = "perpetual"', ["taker_rate", "leverage", "funding"]),
        ("[strategy]", ["long_only", "min_signal", "stop_loss_atr", "max_leverage"]),
    ],
)
def test_every_key_of_the_configuration_file_is_explained(page, table, names):
    section = page.partition(f"### `{table}`\n")[2].partition("\n### ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", section, re.MULTILINE))
    assert set(names) <= rows.keys()
    assert all(rows[name].strip() for name in names)


def test_the_example_of_a_configuration_file_is_one_that_commands_take(page, tmp_path):
    example = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)[0]
    file = tmp_path / "settings.toml"
    file.write_text(example)
    config = load_config(file)
    assert config.space == tomllib.loads(example)["space"]
    assert build_forecaster(config, {}).settings.units == (32, 16)
    assert isinstance(perpetual := build_broker(config, {}).instrument, Perpetual)
    assert perpetual.leverage == 3
