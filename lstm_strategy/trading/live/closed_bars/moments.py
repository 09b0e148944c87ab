"""Times as milliseconds since 1970 in UTC, by which bars are told apart."""

import pandas as pd

from lstm_strategy.support import naive_utc_index
from lstm_strategy.trading.clock import day_numbers


def moment_of(time: pd.Timestamp) -> int:
    """Return a time as a moment.

    Args:
        time: In any timezone; one without counts as UTC.

    Example:
        >>> moment_of(pd.Timestamp("1970-01-01 01:00:01", tz="Europe/Berlin"))
        1000
    """
    return round(time.timestamp() * 1_000)


def moments_of(index: pd.DatetimeIndex) -> list[int]:
    """Return times as moments.

    Args:
        index: In any timezone; times without one count as UTC.

    Example:
        >>> moments_of(pd.DatetimeIndex(["1970-01-01 00:00:01"]))
        [1000]
    """
    return [round(int(time) / 1_000) for time in naive_utc_index(index).as_unit("us").asi8]


def day_number_of(moment: int) -> float:
    """Return a moment as backtrader keeps time.

    Example:
        >>> import backtrader as bt
        >>> bt.num2date(day_number_of(1_000)).isoformat()
        '1970-01-01T00:00:01'
    """
    return float(day_numbers(pd.DatetimeIndex([pd.Timestamp(moment, unit="ms")]))[0])
