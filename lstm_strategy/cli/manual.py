"""The page of the documentation on every command, option and table of the configuration file."""

import re
from collections.abc import Iterable
from typing import Any

import typer

from lstm_strategy.cli.app import command_group
from lstm_strategy.cli.help import Entry, list_entries, read_manual, usage_of
from lstm_strategy.cli.settings import LiveTable

_INTRODUCTION = """# Command line

This page is made from the code: it says what `--help` says. `lstm-strategy --install-completion`
lets your shell complete commands, options and names; `python -m lstm_strategy` is the command too.
Results go to stdout; progress, notes and the names of written files go to stderr. The exit code is
0 if all went well, 1 if `audit` or `replay` found something, 2 after one line on a mistake in the
command, 130 if you interrupted it, and 143 if SIGTERM ended it.
"""
_CONFIGURATION = """## The configuration file

`--config FILE` takes TOML with the tables below; options on the command line override it. The
report of `compare` has such a file to copy, and `tune` writes one. Of several markets,
`[broker.instruments.NAME]` says what is traded in each; `[forecaster.target]` with its `name` holds
the settings of a target; `[space]` is for `tune` ([tuning](tuning.md)). The file that `live` takes
has `[live]` and `[limits]` beside them ([live trading](trade-live.md)).

```toml
[forecaster]
target = "policy"
units = [32, 16]
members = 5
preset = "momentum"

[broker]
cash = 50_000

[broker.instrument]
kind = "perpetual"
taker_rate = 0.0005
leverage = 3

[strategy]
long_only = true

[space]
lookback = [20, 60, 120]
learning_rate = {low = 0.001, high = 0.1, log = true}
```
"""


_BAR = "\\|"


def manual_page() -> str:
    """The page as Markdown.

    Example:
        >>> manual_page().splitlines()[0]
        '# Command line'
    """
    group = command_group()
    root = typer.Context(group, info_name="lstm-strategy")
    parts = [_INTRODUCTION, _describe_command(group, root, "For every command")]
    for name, command in group.commands.items():
        context = typer.Context(command, info_name=name, parent=root)
        parts.append(_describe_command(command, context, f"`{name}`"))
    return "\n".join([*parts, _CONFIGURATION, *_describe_tables()])


def _describe_command(command: Any, context: Any, title: str) -> str:
    manual = read_manual(command)
    lines = [f"## {title}", "", *(f"{paragraph}\n" for paragraph in manual.paragraphs)]
    lines += ["```sh", usage_of(command, context), "", *manual.examples, "```", ""]
    entries = [entry for entry in list_entries(command, context) if entry.term != "--help"]
    for panel in dict.fromkeys(entry.panel for entry in entries):
        lines += _table(panel, [entry for entry in entries if entry.panel == panel])
    return "\n".join(lines)


def _table(title: str, entries: Iterable[Entry]) -> list[str]:
    rows = (
        f"| `{entry.term.replace('|', _BAR)}` | {_cell(entry.text)} | {_cell(entry.default)} |"
        for entry in entries
    )
    return [f"| {title} | | default |", "|---|---|---|", *rows, ""]


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", _BAR).replace("*", "\\*")


def _describe_tables() -> list[str]:
    """The keys of each table, from the signatures and docstrings of what they become."""
    from lstm_strategy.learning.forecaster import LSTMForecaster
    from lstm_strategy.learning.training import ForecasterSettings
    from lstm_strategy.trading.cerebro import BrokerSettings
    from lstm_strategy.trading.instruments import INSTRUMENT_KINDS
    from lstm_strategy.trading.live import TradingLimits
    from lstm_strategy.trading.lstm import LSTMStrategy

    forecaster = {
        "preset": '"default"',
        "features": "those of the preset",
        **_defaults_of(ForecasterSettings),
    }
    strategy = {name: _plain(default) for name, default in LSTMStrategy.params._getitems()}
    strategy.pop("model", None)
    broker = _defaults_of(BrokerSettings)
    live_tables = [("[live]", LiveTable), ("[limits]", TradingLimits)]
    tables = [
        ("[forecaster]", forecaster, _read_docs(LSTMForecaster) | _PRESET_DOCS),
        ("[broker]", broker, _read_docs(BrokerSettings)),
        *(
            (f'[broker.instrument] with kind = "{kind}"', _defaults_of(each), _read_docs(each))
            for kind, each in INSTRUMENT_KINDS.items()
        ),
        ("[strategy]", strategy, _read_docs(LSTMStrategy)),
        *((title, _defaults_of(each), _read_docs(each)) for title, each in live_tables),
    ]
    return [line for table in tables for line in _describe_table(*table)]


_PRESET_DOCS = {
    "preset": "The name of a set of features, as for `--preset`.",
    "features": "Tables `[[forecaster.features]]`, each with a `kind` and its parameters.",
}


def _describe_table(title: str, defaults: dict[str, str], docs: dict[str, str]) -> list[str]:
    entries = [Entry(title, name, docs.get(name, ""), each) for name, each in defaults.items()]
    return [f"### `{title}`", "", *_table("key", entries)]


def _defaults_of(model: Any) -> dict[str, str]:
    return {
        name: "required" if field.is_required() else _plain(field.default)
        for name, field in model.model_fields.items()
    }


def _plain(default: Any) -> str:
    """A default as TOML writes it, in words where TOML has none."""
    if default is None:
        return "none"
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple):
        return f"[{', '.join(map(_plain, default))}]"
    if isinstance(default, str):
        return f'"{default}"'
    return str(getattr(default, "name", default))


def _read_docs(documented: Any) -> dict[str, str]:
    """What the docstrings of a class and its bases say of each argument or attribute."""
    docs: dict[str, str] = {}
    for base in reversed(documented.__mro__):
        for name, text in re.findall(
            r"^ {8}(\w+): ((?:.*\n)(?: {12}.*\n)*)", base.__doc__ or "", re.MULTILINE
        ):
            docs[name] = " ".join(text.split())
    return docs
