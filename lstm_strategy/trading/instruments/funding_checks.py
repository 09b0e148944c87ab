"""Whether columns of funding and marks can be what they are called."""

from typing import Any

import numpy as np
import pandas as pd

from lstm_strategy.bars import bar_spacing, repeated_bars
from lstm_strategy.errors import TradingError
from lstm_strategy.support import count_of, format_time

HIGHEST_RATE = 0.1  # of the value in a settlement; exchanges cap it well below
_HIGHEST_TYPICAL_RATE = 0.002  # twenty times the usual 0.01%, a fifth of it written in percent
_INTERVAL = pd.Timedelta(hours=8)  # between the settlements of most markets
_FEWEST_RATES = 20  # that make a rate typical
_FUNDING_COLUMNS = ("funding_rate", "funding_payment")


def check_rate(
    rate: float, column: str, time: Any, *, symbol: str = "", n_times: float = 1
) -> None:
    """Refuse a funding rate that no exchange has.

    Args:
        rate: A fraction of the position's value.
        column: The name of its column.
        time: Of its bar.
        symbol: How the message calls the market.
        n_times: How many settlements the rate is the sum of.

    Raises:
        TradingError: With the date and the remedy.

    Example:
        >>> check_rate(0.0001, "funding_rate", "2024-01-02")
    """
    if abs(rate) > HIGHEST_RATE * n_times:
        raise TradingError(
            f"{_of(column, symbol)} must be a fraction of the position's value, at most "
            f"{HIGHEST_RATE * n_times:g} in size, got {rate:g} at {format_time(time)}. Divide the "
            "column by 100 if it is in percent, and correct the row if it alone is wrong."
        )


def check_rates(rates: pd.Series, *, symbol: str = "", is_sum: bool = False) -> None:
    """Refuse a column of funding rates in percent, or one that repeats rates between settlements.

    Args:
        rates: On the index of the bars, NaN where nothing settles.
        symbol: How the message calls the market.
        is_sum: Whether a rate is the sum of the settlements within its bar.

    Raises:
        TradingError: With the date and the remedy.
    """
    settled = rates.dropna()
    column = str(rates.name)
    n_times = 1.0
    if is_sum and len(rates) > 1:
        n_times = max(1.0, bar_spacing(pd.DatetimeIndex(rates.index)) / _INTERVAL)
    sizes = settled[settled != 0.0].abs()
    if len(sizes) >= _FEWEST_RATES and sizes.median() > _HIGHEST_TYPICAL_RATE * n_times:
        raise TradingError(
            f"{_of(column, symbol)} looks like percent: its typical size is {sizes.median():.3g} "
            f"from {format_time(sizes.index[0])} on, where fractions are about 0.0001. Divide the "
            "column by 100."
        )
    is_extreme = settled.abs() > HIGHEST_RATE * n_times
    if is_extreme.any():
        first = settled[is_extreme].index[0]
        check_rate(settled[first], column, first, symbol=symbol, n_times=n_times)
    if not is_sum:
        _check_not_repeated(settled, rates, symbol)


def _check_not_repeated(settled: pd.Series, rates: pd.Series, symbol: str) -> None:
    """Refuse rates that were filled forward, so that each would be paid many times."""
    step = repeated_bars(rates)
    if step > 1:
        raise TradingError(
            f"{_of(str(rates.name), symbol)} repeats every rate in runs of {step} bars or a "
            f"multiple, from {format_time(settled.index[0])} on, and each row would be paid. Keep "
            "the rate on the row at whose open it settles, and NaN on the others."
        )


def check_marks(marks: pd.Series, *, symbol: str = "") -> None:
    """Refuse mark prices of 0 and below.

    Args:
        marks: On the index of the bars, NaN where they are missing.
        symbol: How the message calls the market.

    Raises:
        TradingError: With the first date and the remedy.

    Example:
        >>> check_marks(pd.Series([0.0], pd.DatetimeIndex(["2024-01-02"]), name="mark"))
        Traceback (most recent call last):
        ...
        lstm_strategy.errors.TradingError: mark must be a price above 0 or missing, got 0 at \
2024-01-02 (1 row in all). Replace what isn't a price by NaN; the close before is taken then.
    """
    is_bad = marks <= 0.0
    if is_bad.any():
        first = marks.index[is_bad.to_numpy()][0]
        raise TradingError(
            f"{_of(str(marks.name), symbol)} must be a price above 0 or missing, got "
            f"{marks[first]:g} at {format_time(first)} ({count_of(int(is_bad.sum()), 'row')} in "
            "all). Replace what isn't a price by NaN; the close before is taken then."
        )


def count_missing_settlements(rates: pd.Series) -> tuple[int, Any]:
    """Return how many settlements a rhythm promises that aren't there, and where the first was due.

    The rhythm is the median of the seven intervals around each, so a market may change its own.

    Args:
        rates: On the index of the bars, NaN where nothing settles.

    Returns:
        The number, and the last settlement before the first gap; None where there is no gap.

    Example:
        >>> hours = pd.date_range("2024-01-01", periods=49, freq="h")
        >>> rates = pd.Series(0.0001, hours)[::8].drop("2024-01-02 08:00")
        >>> number, before = count_missing_settlements(rates)
        >>> number, str(before)
        (1, '2024-01-02 00:00:00')
    """
    times = pd.DatetimeIndex(rates.dropna().index)
    if len(times) < 4:
        return 0, None
    intervals = np.diff(times.asi8).astype(float)
    rhythm = pd.Series(intervals).rolling(7, center=True, min_periods=1).median().to_numpy()
    n_missing = np.maximum(np.round(intervals / rhythm) - 1.0, 0.0)
    if not n_missing.any():
        return 0, None
    return int(n_missing.sum()), times[int(n_missing.nonzero()[0][0])]


def has_funding(bars: pd.DataFrame) -> bool:
    """Whether bars have funding under the usual names, be it rates or payments.

    Args:
        bars: Bars of one market.

    Example:
        >>> rates = pd.DataFrame({"funding_rate": [float("nan"), 0.0001, float("nan")]})
        >>> has_funding(rates), has_funding(rates * 0.0), has_funding(rates[["funding_rate"]][:1])
        (True, False, False)
    """
    return bool(bars.filter(items=_FUNDING_COLUMNS).fillna(0.0).ne(0.0).any(axis=None))


def count_missing_marks(rates: pd.Series, marks: pd.Series) -> int:
    """Return at how many settlements the mark of the row before is missing.

    Args:
        rates: On the index of the bars, NaN where nothing settles.
        marks: On the same index.
    """
    before = marks.shift().iloc[1:]
    return int((before.isna() & rates.iloc[1:].notna()).sum())


def _of(column: str, symbol: str) -> str:
    return f"{column} of {symbol}" if symbol else column
