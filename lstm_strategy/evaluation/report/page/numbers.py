"""Numbers and dates as a page prints them, by one rule.

A number below zero has a hyphen before it, one above zero has nothing, and one that rounds to zero
has no sign; a difference (`CHANGE`) shows a plus as well. Shares and returns are percentages with
one decimal; costs and single trades, which are small, have two. Ratios have two decimals, p-values
three, and counts and money none, with commas between the thousands; only the money of a small
account has some. What is unknown is "n/a".
"""

import math
from collections.abc import Iterable
from typing import Any

import pandas as pd

from lstm_strategy.support import number_text

PERCENT = "{:.1%}"
SMALL_PERCENT = "{:.2%}"
CHANGE = "{:+.1%}"
RATIO = "{:.2f}"
P_VALUE = "{:.3f}"
WHOLE = "{:,.0f}"
_LARGE_ACCOUNT = 1_000


def date_texts(values: Iterable[Any], *, missing: str = "") -> list[str]:
    """Return dates as text, with the time of day, and seconds, where one of them has any.

    Example:
        >>> date_texts([pd.Timestamp("2024-01-02"), pd.NaT], missing="open")
        ['2024-01-02', 'open']
    """
    times = [pd.Timestamp(value) for value in values]
    known = [time for time in times if pd.notna(time)]
    form = "%Y-%m-%d"
    if any(time != time.normalize() for time in known):
        form += " %H:%M"
    if any(time != time.floor("min") for time in known):
        form += ":%S"
    return [missing if pd.isna(time) else time.strftime(form) for time in times]


def money_form(cash: float) -> str:
    """Return how money is printed beside an account that began with `cash`.

    Without decimals from 1,000 on; a smaller account, of a few bitcoins for instance, has those
    that a ten-thousandth of it needs.

    Example:
        >>> [money_form(cash).format(0.0123) for cash in (100_000, 1)]
        ['0', '0.0123']
    """
    if cash >= _LARGE_ACCOUNT:
        return WHOLE
    return f"{{:,.{max(4 - math.floor(math.log10(cash)), 0)}f}}"


def points_text(values: pd.Series, form: str = RATIO) -> str:
    """Return values and where they stand, in words.

    Example:
        >>> points_text(pd.Series({0: 1.2, 10: 0.8}))
        '1.20 at 0, 0.80 at 10'
    """
    return ", ".join(f"{number_text(value, form)} at {key}" for key, value in values.items())


def texts_of(values: Iterable[float], form: str = RATIO) -> list[str]:
    """Return numbers as text, "n/a" where there is none.

    Example:
        >>> texts_of([0.5, float("nan")], PERCENT)
        ['50.0%', 'n/a']
    """
    return [number_text(value, form) for value in values]
