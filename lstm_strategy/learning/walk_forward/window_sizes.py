"""How long a fold is: a number of bars, or a time on the calendar."""

import re
from numbers import Integral
from typing import Any

import pandas as pd

from lstm_strategy.errors import TrainingError
from lstm_strategy.support import count_of, spell

Size = int | str | pd.offsets.BaseOffset
"""A number of bars, or a time: 250, "250 bars", "10 years", pd.DateOffset(years=10)."""

_UNITS = ("minute", "hour", "day", "week", "month", "year")
_SIZE_TEXT = re.compile(rf"(\d+)\s*(bar|{'|'.join(_UNITS)})s?", re.IGNORECASE)
_EXAMPLES = '250, "250 bars", "6 months" or "10 years"'


def parse_size(name: str, size: Any) -> int | pd.offsets.BaseOffset:
    """Return a size as a number of bars or as an offset on the calendar."""
    value = _parse_text(size) if isinstance(size, str) else size
    if isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= 1:
        return int(value)
    if isinstance(value, pd.offsets.BaseOffset) and _moves_forward(value):
        return value
    offset = " or a pandas offset" if spell(name) == name else ""
    raise TrainingError(
        f"{spell(name)} must be a size above zero such as {_EXAMPLES}{offset}, got "
        f"{format_size(size)}."
    )


def _parse_text(text: str) -> int | pd.offsets.BaseOffset | None:
    match = _SIZE_TEXT.fullmatch(text.strip())
    if match is None:
        return None
    number, unit = int(match[1]), match[2].lower()
    arguments: dict[str, Any] = {f"{unit}s": number}
    return number if unit == "bar" else pd.DateOffset(**arguments)


def _moves_forward(offset: pd.offsets.BaseOffset) -> bool:
    anchor = pd.Timestamp("2000-01-01")
    try:
        return bool(anchor + offset > anchor)
    except (OverflowError, ValueError):  # so far that the calendar ends
        return True


def spell_size(name: str, size: Any) -> str:
    """The argument of a size with its value, as its user gives it: in Python or as an option."""
    return spell(name, size) if isinstance(size, str) else f"{name}={size!r}"


def format_size(size: Any) -> str:
    """A size as its user wrote it."""
    return f'"{size}"' if isinstance(size, str) else repr(size)


def check_whole_bars(name: str, value: Any, *, least: int) -> None:
    """Refuse what isn't a whole number from `least` on."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise TrainingError(
            f"{name} must be a whole number of bars, at least {least}, got {value!r}."
        )


def check_room(sizes: dict[str, int | pd.offsets.BaseOffset], purge: int) -> None:
    """Refuse windows in bars that can't hold what must fit into them."""
    train, validation = sizes["train"], sizes.get("validation")
    taken, what = purge, f"the purge of {count_of(purge, 'bar')}"
    if isinstance(validation, int):
        if validation <= purge:
            raise TrainingError(
                f"{spell('validation')} must be above {what}, got {validation}. Widen it."
            )
        taken, what = purge + validation, f"the validation of {validation} bars plus {what}"
    if isinstance(train, int) and train <= taken:
        raise TrainingError(f"{spell('train')} must be above {what}, got {train}. Widen it.")
