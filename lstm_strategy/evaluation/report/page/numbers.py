"""Numbers and dates as a page prints them."""

from collections.abc import Iterable
from typing import Any

import pandas as pd


def date_texts(values: Iterable[Any], *, missing: str = "") -> list[str]:
    """Return dates as text, with the time of day where one of them has any.

    Example:
        >>> date_texts([pd.Timestamp("2024-01-02"), pd.NaT], missing="open")
        ['2024-01-02', 'open']
    """
    times = [pd.Timestamp(value) for value in values]
    has_hours = any(pd.notna(time) and time != time.normalize() for time in times)
    form = "%Y-%m-%d %H:%M" if has_hours else "%Y-%m-%d"
    return [missing if pd.isna(time) else time.strftime(form) for time in times]


def number_text(value: float, form: str = "{:.2f}") -> str:
    """Return a number as text, "n/a" where there is none."""
    return "n/a" if pd.isna(value) else form.format(value)


def points_text(values: pd.Series, form: str = "{:.2f}") -> str:
    """Return values and where they stand, in words.

    Example:
        >>> points_text(pd.Series({0: 1.2, 10: 0.8}))
        '1.20 at 0, 0.80 at 10'
    """
    return ", ".join(f"{number_text(value, form)} at {key}" for key, value in values.items())
