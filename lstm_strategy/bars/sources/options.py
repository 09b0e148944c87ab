"""What may follow the name of a source: `?pace=0.5&history=200`."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from lstm_strategy.errors import BarsError
from lstm_strategy.support import suggest_names

_OPTIONS = re.compile(r"\?(\w+=[^&?]*(&\w+=[^&?]*)*)$")


def split_options(
    text: str, known: Mapping[str, Callable[[str], Any]]
) -> tuple[str, dict[str, Any]]:
    """Split what opens a source into its name and its options.

    Args:
        text: Such as `play:prices.csv?pace=0.5`.
        known: What reads the value of each option; it raises a ValueError that completes the
            sentence "pace must be …".

    Raises:
        BarsError: If an option isn't known, is given twice or has a value that it can't have.

    Example:
        >>> split_options("play:prices.csv?pace=0.5", {"pace": float})
        ('play:prices.csv', {'pace': 0.5})
    """
    found = _OPTIONS.search(text)
    if found is None:
        return text, {}
    options: dict[str, Any] = {}
    for pair in found[1].split("&"):
        name, _, value = pair.partition("=")
        if name not in known:
            raise BarsError(f"{text}: there is no option {name} here. {suggest_names(name, known)}")
        if name in options:
            raise BarsError(f"{text}: {name} is given twice. Keep one of them.")
        try:
            options[name] = known[name](value)
        except ValueError as error:
            raise BarsError(f"{text}: {name} must be {error}, got {value!r}.") from None
    return text[: found.start()], options


def read_count(value: str) -> int:
    """A whole number of at least 0."""
    if not re.fullmatch(r"\d{1,9}", value):
        raise ValueError("a whole number such as 500")
    return int(value)


def read_seconds(value: str) -> float:
    """A time in seconds, at least 0."""
    if not re.fullmatch(r"\d{1,9}(\.\d*)?|\.\d+", value):
        raise ValueError("a number of seconds such as 0.5")
    return float(value)


def read_share(value: str) -> float:
    """A share from 0 to 1."""
    if not re.fullmatch(r"0?\.\d+|[01](\.0*)?", value):
        raise ValueError("a share from 0 to 1 such as 0.01")
    return float(value)


def read_date(value: str) -> pd.Timestamp:
    """A date such as 2024 or 2024-05-02; one without a timezone is UTC."""
    if not re.fullmatch(r"\d{4}(-\d\d(-\d\d([T ]\d\d:\d\d(:\d\d)?)?)?)?", value):
        raise ValueError("a date such as 2024-05-02")
    try:
        return pd.Timestamp(value, tz="UTC")
    except ValueError:
        raise ValueError("a date such as 2024-05-02") from None


def read_switch(value: str) -> bool:
    """Yes or no."""
    if value not in ("yes", "no"):
        raise ValueError("yes or no")
    return value == "yes"
