"""How often bars come: the spacing between them and how many make a year."""

import numpy as np
import pandas as pd

from lstm_strategy.errors import BarsError

_DAYS_OF_A_STOCK_YEAR = 252
_DAYS_OF_A_YEAR = 365
_USUAL_SLOW_RATES = (52, 26, 12, 4, 2, 1)


def bar_spacing(index: pd.DatetimeIndex) -> pd.Timedelta:
    """The median time between neighbouring bars.

    Nights, weekends and gaps widen single steps only, so that hourly stock bars give one hour and
    daily ones give one day.

    Args:
        index: The index of validated bars, which rises; at least two bars.

    Raises:
        BarsError: If `index` isn't a `DatetimeIndex` or has fewer than two bars.

    Example:
        >>> bar_spacing(pd.date_range("2024-01-05", periods=3, freq="B"))
        Timedelta('2 days 00:00:00')
        >>> bar_spacing(pd.date_range("2024-01-01", periods=9, freq="B"))
        Timedelta('1 days 00:00:00')
    """
    if not isinstance(index, pd.DatetimeIndex):
        raise BarsError(
            f"the index of bars must be a DatetimeIndex, got {type(index).__name__}. "
            "Pass bars.index of bars from load_bars."
        )
    if len(index) < 2:
        raise BarsError(
            f"at least 2 bars are needed to see how often bars come, got {len(index)}. "
            "Load more history."
        )
    # In the unit of the index: nanoseconds end in the year 2262.
    return pd.Timedelta(np.median(np.diff(index.asi8)), unit=index.unit)


def bars_per_year(index: pd.DatetimeIndex) -> float:
    """How many bars a year has, the factor that annualises returns and volatility.

    Daily and intraday bars: the median number of bars on a traded day, times 365 traded days
    when weekends are traded and 252 when they aren't. Slower bars: 52 (weekly), 26, 12
    (monthly), 4 (quarterly), 2 or 1 by their median spacing. Days are those of the index's own
    timezone. Half days, holidays and gaps don't move the result.

    Weekends count as traded when bars fall on most of the Saturdays and Sundays that the index
    spans; Sunday evenings alone, as in currencies and futures, still make a 252-day year.

    Args:
        index: The index of validated bars, which rises; at least two bars.

    Raises:
        BarsError: If `index` isn't a `DatetimeIndex` or has fewer than two bars.

    Example:
        >>> bars_per_year(pd.date_range("2024-01-01", periods=5, freq="D"))
        252.0
        >>> bars_per_year(pd.date_range("2024-01-01", periods=7 * 24, freq="h"))
        8760.0
    """
    spacing_days = bar_spacing(index) / pd.Timedelta(days=1)
    days, counts = _count_by_day(index)
    if spacing_days >= 1.5 and not _follows_business_days(days):
        return _slow_bars_per_year(spacing_days)
    return _bars_a_day(counts) * _days_per_year(days)


def bars_per_day(index: pd.DatetimeIndex) -> float:
    """How many bars come on a day on which the market trades; below 1 for bars longer than a day.

    A year has 365 such days when weekends are traded and 252 when they aren't, or when bars are too
    long to tell.

    Args:
        index: The index of validated bars, which rises; at least two bars.

    Raises:
        BarsError: If `index` isn't a `DatetimeIndex` or has fewer than two bars.

    Example:
        >>> bars_per_day(pd.date_range("2024-01-01", periods=7 * 24, freq="h"))
        24.0
        >>> round(bars_per_day(pd.date_range("2024-01-01", periods=90, freq="W")) * 5, 1)
        1.0
    """
    days, _ = _count_by_day(index)
    is_slow = bar_spacing(index) >= pd.Timedelta(days=1.5)
    return bars_per_year(index) / (_DAYS_OF_A_STOCK_YEAR if is_slow else _days_per_year(days))


def _days_per_year(days: np.ndarray) -> int:
    return _DAYS_OF_A_YEAR if _trades_weekends(days) else _DAYS_OF_A_STOCK_YEAR


def _count_by_day(index: pd.DatetimeIndex) -> tuple[np.ndarray, np.ndarray]:
    """The traded days of the index's own timezone, and the number of bars on each."""
    wall_clock = index.tz_localize(None)
    return np.unique(wall_clock.to_numpy().astype("datetime64[D]"), return_counts=True)


def _follows_business_days(days: np.ndarray) -> bool:
    """Whether bars are daily, seen even in a span so short that a weekend is the median step."""
    return bool(np.median(np.busday_count(days[:-1], days[1:])) == 1)


def _bars_a_day(counts: np.ndarray) -> float:
    if len(counts) <= 2:
        return float(counts.max())
    # The first and the last day may have been cut in the middle of the session.
    return float(np.median(counts[1:-1]))


def _trades_weekends(days: np.ndarray) -> bool:
    span = np.arange(days[0], days[-1] + 1)
    n_weekend_days = np.count_nonzero(~np.is_busday(span))
    n_traded = np.count_nonzero(~np.is_busday(days))
    return bool(n_weekend_days and n_traded / n_weekend_days >= 0.7)


def _slow_bars_per_year(spacing_days: float) -> float:
    rate = 365.25 / spacing_days
    usual = min(_USUAL_SLOW_RATES, key=lambda candidate: abs(candidate - rate) / candidate)
    return float(usual) if abs(usual - rate) / usual <= 0.12 else rate
