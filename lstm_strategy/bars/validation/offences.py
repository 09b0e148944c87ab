"""How the first bad bar among many is named."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from lstm_strategy.errors import BarsError
from lstm_strategy.support import count_of

PRICE_COLUMNS = ("open", "high", "low", "close")
BAR_COLUMNS = (*PRICE_COLUMNS, "volume")


class BadBarError(BarsError):
    """Bars with a bad one among them.

    Attributes:
        row: The position of the first bad bar.
        in_words: The message for whoever has no frame: without a line of Python.
    """

    def __init__(self, message: str, row: int, in_words: str = "") -> None:
        super().__init__(message)
        self.row = row
        self.in_words = in_words or message

    def __reduce__(self) -> tuple[type["BadBarError"], tuple[str, int, str]]:
        return BadBarError, (str(self), self.row, self.in_words)


def refuse(bad: np.ndarray, offence: Callable[[int], str], remedy: str, code: str = "") -> None:
    """Refuse the first bad bar by its offence and the remedy, with a line of Python if given."""
    if bad.any():
        row = int(bad.argmax())
        message = f"{offence(row)} ({count_rows(int(bad.sum()))}). {remedy}"
        raise BadBarError(f"{message[:-1]}: {code}." if code else message, row, message)


def refuse_values(
    columns: pd.DataFrame, is_bad: Callable[[np.ndarray], np.ndarray], remedy: str
) -> None:
    """Refuse the earliest bad value among the columns."""
    values = columns.to_numpy()
    bad = is_bad(values)
    if not bad.any():
        return
    place = int(bad[bad.any(axis=1).argmax()].argmax())
    name = columns.columns[place]
    refuse(
        bad[:, place],
        lambda row: (
            f"{name} is {format_value(values[row, place])} at {format_date(columns.index, row)}"
        ),
        remedy,
    )


def format_value(value: float) -> str:
    """A number as a message shows it."""
    return "NaN" if np.isnan(value) else f"{value:.15g}"


def count_rows(count: int) -> str:
    """The number of bad bars, in words."""
    return count_of(count, "such row")


def format_date(index: pd.Index, row: int) -> str:
    """A date, the short way when no bar of the index has a time of day."""
    if isinstance(index, pd.DatetimeIndex) and (index == index.normalize()).all():
        return f"{index[row]:%Y-%m-%d}"
    return str(index[row])
