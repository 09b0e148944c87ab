"""A continuous series as contracts are traded on it: in points, and above 0."""

import pandas as pd

from lstm_strategy.bars.futures.adjustment import CONTRACT_PRICE, has_contract

_PRICES = ["open", "high", "low", "close"]


def lift_bars(bars: pd.DataFrame) -> pd.DataFrame:
    """Lift a continuous series that reaches 0 by one constant, so that all its prices are above.

    Every change stays what it was, and so does every gain of a contract; the level of a
    back-adjusted series means nothing anyway.

    Args:
        bars: Valid bars; they stay as they are.

    Returns:
        The bars with their lowest low at the lowest price of a contract; as they are where they
        are above 0.

    Example:
        >>> close = [-10.0, -9.0, -11.0]
        >>> bars = pd.DataFrame({name: close for name in ("open", "high", "low", "close")})
        >>> lift_bars(bars.assign(price=[50.0, 51.0, 49.0]))["close"].tolist()
        [50.0, 51.0, 49.0]
    """
    if not has_contract(bars) or bars["low"].min() > 0:
        return bars
    return bars.assign(**bars[_PRICES] + (bars[CONTRACT_PRICE].min() - bars["low"].min()))
