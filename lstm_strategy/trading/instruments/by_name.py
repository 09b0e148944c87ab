"""Instruments by their name: from a table of settings, or from one line of text."""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from lstm_strategy.errors import TradingError
from lstm_strategy.support import suggest_names
from lstm_strategy.trading.instruments.future import Future
from lstm_strategy.trading.instruments.instrument import Instrument
from lstm_strategy.trading.instruments.perpetual import Perpetual
from lstm_strategy.trading.instruments.spot import Spot

INSTRUMENT_KINDS: dict[str, type[Instrument]] = {
    "spot": Spot,
    "future": Future,
    "perpetual": Perpetual,
}
"""The instruments by the name that text and tables give them."""


def build_instrument(settings: Any) -> Instrument:
    """Return an instrument from its `kind` and its settings, as a file has them.

    Args:
        settings: A mapping with `kind`, one of "spot", "future" and "perpetual".

    Raises:
        TradingError: If there is no such kind, or a setting is unknown or out of range.

    Example:
        >>> build_instrument({"kind": "perpetual", "leverage": 3}).leverage_at(100.0)
        3.0
    """
    if not isinstance(settings, Mapping) or "kind" not in settings:
        raise TradingError(
            f"an instrument needs its kind, one of {', '.join(INSTRUMENT_KINDS)}, got "
            f'{settings!r:.80}. Give kind = "perpetual" and its settings.'
        )
    kind = str(settings["kind"])
    if kind not in INSTRUMENT_KINDS:
        raise TradingError(
            f"there is no instrument {kind!r}. {suggest_names(kind, INSTRUMENT_KINDS)}"
        )
    arguments: dict[str, Any] = {name: each for name, each in settings.items() if name != "kind"}
    return INSTRUMENT_KINDS[kind](**arguments)


def parse_instrument(text: str) -> tuple[str, Instrument]:
    """Return an instrument from one line, and the market that it is for.

    Args:
        text: `KIND`, or `KIND:name=value,...`; for one market of many `MARKET=KIND:...`. Tiers are
            in brackets: `maintenance_margin_rate=((0,0.004),(50000,0.005))`.

    Returns:
        The name of the market, "" where none is named; and the instrument.

    Raises:
        TradingError: If the line can't be read, or a setting is unknown or out of range.

    Example:
        >>> market, perpetual = parse_instrument("BTC=perpetual:taker_rate=0.0004,leverage=3")
        >>> market, perpetual.taker_rate
        ('BTC', 0.0004)
    """
    kinds = "|".join(INSTRUMENT_KINDS)
    parts = re.fullmatch(rf"()({kinds})(?::(.*))?", text) or re.fullmatch(
        rf"(.+?)=({kinds})(?::(.*))?", text
    )
    if parts is None:
        kind = text.partition(":")[0].rpartition("=")[2]
        nearest = suggest_names(kind, INSTRUMENT_KINDS)
        if nearest.startswith("Did"):
            raise TradingError(f"there is no instrument {kind!r}. {nearest}")
        raise TradingError(
            f"an instrument must be KIND or KIND:name=value,... with a kind of "
            f"{', '.join(INSTRUMENT_KINDS)}, got {text!r}. Give for example "
            "perpetual:taker_rate=0.0005,leverage=3."
        )
    return parts[1], build_instrument({**_parse_settings(parts[3] or "", text), "kind": parts[2]})


def _parse_settings(settings: str, text: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for part in filter(None, map(str.strip, _split(settings))):
        name, separator, value = map(str.strip, part.partition("="))
        if not (name and separator):
            raise TradingError(
                f"an instrument's settings must be name=value, joined by commas, got {part!r} in "
                f"{text!r}. Give for example perpetual:taker_rate=0.0005,leverage=3."
            )
        if name in values:
            raise TradingError(f"{name} is given twice in {text!r}. Give it once.")
        values[name] = _read_value(value)
    return values


def _split(settings: str) -> Iterator[str]:
    """The parts between the commas that no bracket encloses."""
    start, depth = 0, 0
    for place, letter in enumerate(settings):
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and depth == 0:
            yield settings[start:place]
            start = place + 1
    yield settings[start:]


def _read_value(text: str) -> Any:
    if text.casefold() == "none":
        return None
    for read in (json.loads, ast.literal_eval):
        with suppress(ValueError, SyntaxError):
            return read(text)
    return text
