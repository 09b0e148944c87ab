"""One bar at a time, as a stream gets it."""

import math
from collections.abc import Mapping

import pandas as pd

from lstm_strategy.bars.futures import CONTRACT_PRICE
from lstm_strategy.bars.validation.frame import validate_bars
from lstm_strategy.bars.validation.values import LARGEST_NUMBER


def check_bar(bar: Mapping[str, float], time: pd.Timestamp) -> None:
    """Refuse one bar that `validate_bars` would refuse, in a microsecond where there is nothing.

    Args:
        bar: Open, high, low, close, volume and any other columns, by name.
        time: Of the bar.

    Raises:
        BarsError: As `validate_bars` does.

    Example:
        >>> from lstm_strategy.errors import BarsError
        >>> bar = {"open": 10.0, "high": 9.0, "low": 9.0, "close": 9.0, "volume": 5.0}
        >>> try:
        ...     check_bar(bar, pd.Timestamp("2024-01-02"))
        ... except BarsError as error:
        ...     print(str(error).partition(" (")[0])
        high 9 is below open 10 at 2024-01-02
    """
    low, high, first, last = bar["low"], bar["high"], bar["open"], bar["close"]
    # beside the price of its contract, a continuous series may lie below 0
    least = -LARGEST_NUMBER if bar.get(CONTRACT_PRICE, 0.0) > 0 else 1 / LARGEST_NUMBER
    # in this form it is False where a price is NaN
    is_ordered = least <= low <= first <= high <= LARGEST_NUMBER and low <= last <= high
    if (
        is_ordered
        and 0 <= bar["volume"] <= LARGEST_NUMBER
        and not any(map(math.isinf, bar.values()))
    ):
        return
    validate_bars(pd.DataFrame([bar], index=pd.DatetimeIndex([time])))
