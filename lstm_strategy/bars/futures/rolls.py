"""Where the contract of a continuous series changes."""

import numpy as np
import pandas as pd

from lstm_strategy.bars.futures.adjustment import CONTRACT_PRICE, find_adjustment, has_contract
from lstm_strategy.bars.futures.months import CONTRACT_MONTH

_SLACK = 1e-5  # as a share of the price: what single precision leaves of one
_UNITS_OF_ROUNDING = 1.5  # in the last place of the prices
_MOST_DECIMALS = 7


def find_rolls(bars: pd.DataFrame) -> np.ndarray:
    """Find the bars by whose close the contract has changed.

    It has where the close and the price of the contract move apart, by difference or by ratio as
    the series was adjusted, by more than their rounding, or where the month in `contract` is
    another one.

    Args:
        bars: Bars with the columns close and price.

    Returns:
        Shape (n_bars,), True where another contract is held than at the bar before.

    Example:
        >>> bars = pd.DataFrame({"close": [-5.0, -4.0, -2.0], "price": [100.0, 101.0, 110.0]})
        >>> find_rolls(bars).tolist()
        [False, False, True]
    """
    is_roll = np.zeros(len(bars), bool)
    if not has_contract(bars):
        return is_roll
    found = find_adjustment(bars)
    close, price = (bars[name].to_numpy(np.float64) for name in ("close", CONTRACT_PRICE))
    apart = found.off if found.method == "difference" else found.off_by_ratio
    for row in np.flatnonzero(apart > _SLACK) + 1:
        closes, prices = close[row - 1 : row + 1], price[row - 1 : row + 1]
        worth = prices if found.method == "difference" else closes
        rounding = _UNITS_OF_ROUNDING * last_place(*closes, *prices) / worth[0]
        is_roll[row] = apart[row - 1] > rounding
    if CONTRACT_MONTH in bars:
        month = bars[CONTRACT_MONTH].ffill()
        is_roll |= ((month != month.shift()) & month.notna() & month.shift().notna()).to_numpy()
    return is_roll


def is_roll_between(closes: tuple[float, float], prices: tuple[float, float]) -> bool:
    """Whether the contract of a series adjusted by difference changes between two bars.

    Args:
        closes: The close before and the present one.
        prices: The prices of the contracts held at them.

    Example:
        >>> is_roll_between((-5.0, -4.0), (100.0, 101.0))
        False
        >>> is_roll_between((-4.0, -2.0), (101.0, 110.0))
        True
    """
    apart = abs((closes[1] - closes[0]) - (prices[1] - prices[0]))
    if apart <= _SLACK * prices[0]:
        return False
    return apart > _UNITS_OF_ROUNDING * last_place(*closes, *prices)


def last_place(*values: float) -> float:
    """The unit in the last place of the numbers, as they are written.

    Example:
        >>> last_place(1.5, 2.25), last_place(3.0)
        (0.01, 1.0)
    """
    decimals = 0
    for value in values:
        while decimals < _MOST_DECIMALS and abs(round(value, decimals) - value) > 1e-9 * abs(value):
            decimals += 1
    return float(10.0**-decimals)
