"""Where the training of a model ends, so that a backtest can begin after it."""

import pandas as pd

from lstm_strategy.errors import TradingError
from lstm_strategy.support import format_time, on_clock_of, spell


def training_end(model: object, bars: pd.DataFrame) -> pd.Timestamp | None:
    """Return the last bar that a model has learned from.

    Args:
        model: A forecaster, or a model of the user's own that may say when its training ended.
        bars: The bars whose clock is meant; a date without a timezone counts as UTC.

    Returns:
        A date on the clock of the bars; None where the model doesn't say.

    Example:
        >>> from types import SimpleNamespace
        >>> bars = pd.DataFrame(index=pd.date_range("2024-01-01", periods=3, tz="Asia/Tokyo"))
        >>> training_end(SimpleNamespace(training_end="2024-01-01 15:00"), bars)
        Timestamp('2024-01-02 00:00:00+0900', tz='Asia/Tokyo')
    """
    moment = getattr(model, "training_end", None)
    return None if moment is None else on_clock_of(bars.index, pd.Timestamp(moment))


def first_bar_after(moment: pd.Timestamp | None, bars: pd.DataFrame) -> pd.Timestamp | None:
    """Return the first bar later than a moment.

    Args:
        moment: The end of a training; None where there was none.
        bars: The bars, on the same clock.

    Returns:
        The date of the bar; None without a moment.

    Raises:
        TradingError: If no bar is later.

    Example:
        >>> bars = pd.DataFrame(index=pd.date_range("2024-01-01", periods=3))
        >>> first_bar_after(pd.Timestamp("2024-01-01 12:00"), bars)
        Timestamp('2024-01-02 00:00:00')
    """
    if moment is None:
        return None
    later = bars.index[bars.index > moment]
    if later.empty:
        raise TradingError(
            f"A backtest starts after the last training bar, which is {format_time(moment)}, but "
            f"the bars end at {format_time(bars.index[-1])}. Train on fewer bars or "
            f"load later ones; or choose a {spell('start')} to see an in-sample result, marked as "
            "such."
        )
    return pd.Timestamp(later[0])
