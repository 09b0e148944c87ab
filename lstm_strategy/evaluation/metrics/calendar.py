"""What an equity curve earned in each year and in each month."""

from typing import Any

import pandas as pd


def yearly_returns(equity: pd.Series) -> pd.Series:
    """Return what each calendar year earned.

    Args:
        equity: Account value at each close, on dates; years are those of its own clock.

    Returns:
        Fractions by year. The first runs from the first value of the curve, any other from the last
        value of the year before; years without a bar are left out. Together they compound to the
        total return. NaN where the account was ruined before the year began.

    Example:
        >>> days = pd.to_datetime(["2023-12-28", "2023-12-29", "2024-01-02"])
        >>> yearly_returns(pd.Series([100.0, 110.0, 99.0], days)).round(6).to_dict()
        {2023: 0.1, 2024: -0.1}
    """
    index = pd.DatetimeIndex(equity.index)
    return _returns_by(equity, index.year).rename_axis("year")


def monthly_returns(equity: pd.Series) -> pd.DataFrame:
    """Return what each calendar month earned.

    Args:
        equity: Account value at each close, on dates; months are those of its own clock.

    Returns:
        Fractions, one row a year and one column a month, 1 to 12; NaN for months without a bar.
        The first month runs from the first value of the curve, any other from the last value before
        it.

    Example:
        >>> days = pd.to_datetime(["2023-11-30", "2023-12-29", "2024-01-02"])
        >>> monthly_returns(pd.Series([100.0, 110.0, 99.0], days)).round(2)[[1, 12]]
        month    1    12
        year
        2023   NaN   0.1
        2024  -0.1   NaN
    """
    index = pd.DatetimeIndex(equity.index)
    months = _returns_by(equity, [index.year, index.month])
    months.index = months.index.set_names(["year", "month"])
    return months.unstack().reindex(columns=pd.RangeIndex(1, 13, name="month"))


def _returns_by(equity: pd.Series, keys: Any) -> pd.Series:
    """What each group of bars earned on the last value of the one before."""
    last = equity.groupby(keys).last()
    before = last.shift(fill_value=equity.iloc[0])
    returns: pd.Series = last / before.where(before > 0) - 1.0
    return returns
