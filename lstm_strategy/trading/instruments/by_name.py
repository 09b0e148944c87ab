"""Instruments by their name: from a table of settings, or from one line of text."""

import json
import re
from collections.abc import Mapping
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
        text: `KIND`, or `KIND:name=value,...`; for one market of many `MARKET=KIND:...`.

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
    settings = None if parts is None else _parse_settings(parts[3] or "")
    if parts is None or settings is None:
        raise TradingError(
            f"an instrument must be KIND or KIND:name=value,... with a kind of "
            f"{', '.join(INSTRUMENT_KINDS)}, got {text!r}. Give for example "
            "perpetual:taker_rate=0.0005,leverage=3."
        )
    return parts[1], build_instrument({**settings, "kind": parts[2]})


def _parse_settings(text: str) -> dict[str, Any] | None:
    pairs = [part.partition("=") for part in text.split(",") if part]
    if any(not (name.strip() and separator) for name, separator, _ in pairs):
        return None
    return {name.strip(): _read_value(value.strip()) for name, _, value in pairs}


def _read_value(text: str) -> Any:
    if text.casefold() == "none":
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text
