"""Prices beside the last price: the mark of a perpetual, and its spot market."""

import pandas as pd

from lstm_strategy.support import count_of, format_time

_FARTHEST = 0.5  # of the close


def mark_at_open(bars: pd.DataFrame, mark: str = "mark") -> pd.Series:
    """The mark price at the moment at which each bar opens, as far as the bars know it.

    It is the mark of the row before, or the close of that row where it has none; of the first row
    it is the open.

    Args:
        bars: What `validate_bars` returns.
        mark: The column of mark prices, which the bars need not have.

    Returns:
        Money, shape (n_bars,), without NaN; known at the open of its row.

    Example:
        >>> bars = pd.DataFrame({"open": [9.0, 10, 12], "close": [10.0, 12, 11]})
        >>> mark_at_open(bars).tolist()
        [9.0, 10.0, 12.0]
        >>> mark_at_open(bars.assign(mark=[10.5, float("nan"), 11.0])).tolist()
        [9.0, 10.5, 12.0]
    """
    known = bars[mark].fillna(bars["close"]) if mark in bars.columns else bars["close"]
    return known.shift().fillna(bars["open"])


def stray_price(prices: pd.Series, close: pd.Series, *, name: str | None = None) -> str | None:
    """The first price that can't be one of the market whose close stands beside it, in words.

    A mark or a spot price more than half away from the close is a slip, or in another unit.

    Args:
        prices: On the index of the bars, NaN where they are missing.
        close: Of the bars.
        name: What the prices are called; the name of the series by default.

    Returns:
        A sentence with the date and the remedy; None where there is no such price.

    Example:
        >>> days = pd.to_datetime(["2024-01-01", "2024-01-02"])
        >>> close = pd.Series([10.0, 11.0], days)
        >>> stray_price(pd.Series([10.1, 11_000.0], days, name="mark"), close)
        'mark is 11000 at 2024-01-02, where the close is 11 (1 such row). It must be a price of \
the same market in the same unit, within half of the close: correct the column, or put NaN where \
it is wrong.'
        >>> stray_price(pd.Series([10.1, 11.2], days, name="mark"), close) is None
        True
    """
    is_far = ((prices - close).abs() > _FARTHEST * close.abs()).to_numpy()
    if not is_far.any():
        return None
    row = int(is_far.argmax())
    return (
        f"{name or prices.name} is {prices.iloc[row]:.6g} at {format_time(prices.index[row])}, "
        f"where the close is {close.iloc[row]:.6g} ({count_of(int(is_far.sum()), 'such row')}). "
        "It must be a price of the same market in the same unit, within half of the close: "
        "correct the column, or put NaN where it is wrong."
    )


def columns_beside_close(bars: pd.DataFrame) -> list[str]:
    """The extra columns that are prices of the market itself, such as its mark, by their values.

    Args:
        bars: Valid bars.

    Returns:
        The names of those whose numbers are above 0 and within half of the close on every row;
        whoever makes other bars of these moves them with the closes.

    Example:
        >>> bars = pd.DataFrame({"close": [10.0, 11], "mark": [10.1, 11], "rate": [0.1, 0.2]})
        >>> columns_beside_close(bars)
        ['mark']
    """
    extras = bars.columns.difference(["open", "high", "low", "close", "volume"], sort=False)
    return [
        str(name)
        for name in extras
        if (bars[name].dropna() > 0).all() and stray_price(bars[name], bars["close"]) is None
    ]
