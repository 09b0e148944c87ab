"""A continuous series that was adjusted by ratio, in the points of its contracts."""

import numpy as np
import pandas as pd

from lstm_strategy.bars.futures.adjustment import CONTRACT_PRICE, find_adjustment, has_contract
from lstm_strategy.bars.futures.rolls import find_rolls

_PRICES = ["open", "high", "low", "close"]
# pandas hands it on to parts of the bars, whose first ones alone may not tell
_IN_POINTS = "is_in_points"


def points_bars(bars: pd.DataFrame) -> pd.DataFrame:
    """Turn bars that are adjusted by ratio into bars that are adjusted by difference.

    A point of a close that was adjusted by ratio isn't one of the contract, so nobody can say in
    money what it gains. The raw price beside it tells: within a contract the close now moves by as
    much as that price does. Where the contract changes, by what its holder earned: the return of
    the adjusted close times the price of the contract before. The close begins at the first price
    of a contract, and

        X[t] = X[t-1] + price[t] - price[t-1]                     within a contract,
        X[t] = X[t-1] + price[t-1] * (close[t] / close[t-1] - 1)  where it changes,

    with open, high and low as far from the close as they are from the price in the contract's own
    points. All of it is known at the close of its row. Bars without the column `price`, and those
    whose closes were adjusted by difference, come back as they are.

    Args:
        bars: Valid bars, shape (n_bars, n_columns); they stay as they are.

    Returns:
        Bars of the same shape; all columns but the four prices are the same. The close may be 0 or
        below, as with any series that is adjusted by difference.

    Example:
        >>> close = [50.0, 55.0, 44.0, 22.0]
        >>> bars = pd.DataFrame({name: close for name in ("open", "high", "low", "close")})
        >>> points_bars(bars.assign(price=[100.0, 110.0, 88.0, 50.0]))["close"].tolist()
        [100.0, 110.0, 88.0, 44.0]
    """
    if bars.attrs.get(_IN_POINTS) or not has_contract(bars):
        return bars
    close, price = (bars[name].to_numpy(np.float64) for name in ("close", CONTRACT_PRICE))
    if find_adjustment(bars).method == "difference" or np.array_equal(close, price):
        return bars
    earned = price[:-1] * (close[1:] / close[:-1] - 1)
    steps = np.where(find_rolls(bars)[1:], earned, np.diff(price))
    points = np.cumsum(np.append(price[:1], steps))
    worth = price / close  # what a point of the close is worth in points of the contract
    moved = {
        name: points + (bars[name].to_numpy(np.float64) - close) * worth
        for name in _PRICES
        if name in bars
    }
    seen = bars.assign(**moved)
    seen.attrs[_IN_POINTS] = True
    return seen
