"""A continuous series as one whose returns are those of whoever held the contracts."""

import numpy as np
import pandas as pd

from lstm_strategy.bars.futures.adjustment import CONTRACT_PRICE, find_adjustment, has_contract

_OTHER_PRICES = ("open", "high", "low")
# pandas hands it on to parts of the bars, whose first ones alone may not tell
_IN_PROPORTION = "is_in_proportion"


def proportional_bars(bars: pd.DataFrame) -> pd.DataFrame:
    """Turn bars that are back-adjusted by difference into bars with the same returns in proportion.

    A close that was adjusted by difference may be below 0, and its change over itself means
    nothing. What the holder of a contract worth P earned is the change of the close over P. So the
    close begins at the first price of a contract, and each later one is

        X[t] = X[t-1] * (1 + (close[t] - close[t-1]) / price[t-1]),

    with open, high and low of a bar by the same rule. All of it is known at the close of its row,
    and later bars change nothing. Bars without the column `price`, and those whose closes were
    adjusted by ratio, come back as they are, and so does what this function gives.

    Args:
        bars: Valid bars or some of their columns, the close among them, shape (n_bars, n_columns);
            they stay as they are.

    Returns:
        Bars of the same shape; all columns but the four prices are the same.

    Example:
        >>> close = [-10.0, -9.0, -11.0]
        >>> bars = pd.DataFrame({name: close for name in ("open", "high", "low", "close")})
        >>> proportional_bars(bars.assign(price=[50.0, 51.0, 49.0]))["close"].tolist()
        [50.0, 51.0, 49.0]
    """
    if bars.attrs.get(_IN_PROPORTION) or not has_contract(bars):
        return bars
    is_difference = find_adjustment(bars).by_difference
    if not is_difference.any():
        return bars
    close = bars["close"].to_numpy(np.float64)
    price = bars[CONTRACT_PRICE].to_numpy(np.float64)
    before = np.append(close[:1], close[:-1])
    worth = np.append(price[:1], np.where(is_difference[1:], price[:-1], close[:-1]))
    growth = 1 + (close - before) / worth
    growth[0] = price[0]
    values = np.cumprod(growth)
    values_before = np.append(values[:1], values[:-1])
    moved = {
        name: values_before * (1 + (bars[name].to_numpy(np.float64) - before) / worth)
        for name in _OTHER_PRICES
        if name in bars
    }
    seen = bars.assign(**moved, close=values)
    seen.attrs[_IN_PROPORTION] = True
    return seen
