"""Whether columns of funding and marks can be what they are called."""

import pandas as pd

from lstm_strategy.bars import funding_offence, stray_price
from lstm_strategy.errors import TradingError
from lstm_strategy.support import count_of, format_time

_FUNDING_COLUMNS = ("funding_rate", "funding_payment")


def check_rates(rates: pd.Series, *, symbol: str = "", is_sum: bool = False) -> None:
    """Refuse a column of funding rates that `lstm_strategy.bars.funding_offence` finds wrong.

    Args:
        rates: On the index of the bars, NaN where nothing settles.
        symbol: How the message calls the market.
        is_sum: Whether a rate is the sum of the settlements within its bar.

    Raises:
        TradingError: With the date and the remedy.

    Example:
        >>> check_rates(pd.Series([0.0001], pd.DatetimeIndex(["2024-01-02"]), name="funding_rate"))
    """
    offence = funding_offence(rates, name=_of(str(rates.name), symbol), is_sum=is_sum)
    if offence is not None:
        raise TradingError(offence)


def check_marks(marks: pd.Series, close: pd.Series, *, symbol: str = "") -> None:
    """Refuse mark prices of 0 and below, or of another market or unit than the closes.

    Args:
        marks: On the index of the bars, NaN where they are missing.
        close: Of the bars.
        symbol: How the message calls the market.

    Raises:
        TradingError: With the first date and the remedy.

    Example:
        >>> marks = pd.Series([0.0], pd.DatetimeIndex(["2024-01-02"]), name="mark")
        >>> check_marks(marks, marks + 5)
        Traceback (most recent call last):
        ...
        lstm_strategy.errors.TradingError: mark must be a price above 0 or missing, got 0 at \
2024-01-02 (1 such row). Replace what isn't a price by NaN; the close before is taken then.
    """
    is_bad = marks <= 0.0
    if is_bad.any():
        first = marks.index[is_bad.to_numpy()][0]
        raise TradingError(
            f"{_of(str(marks.name), symbol)} must be a price above 0 or missing, got "
            f"{marks[first]:g} at {format_time(first)} ({count_of(int(is_bad.sum()), 'such row')})"
            ". Replace what isn't a price by NaN; the close before is taken then."
        )
    offence = stray_price(marks, close, name=_of(str(marks.name), symbol))
    if offence is not None:
        raise TradingError(offence)


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
