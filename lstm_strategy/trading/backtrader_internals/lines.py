"""Lines: their values, and what they are computed from."""

from array import array
from collections.abc import Sequence
from typing import Any


def operands_of(indicator: Any) -> list[Any]:
    """Return what an indicator, or an operation on lines such as `a > b`, is computed from.

    Args:
        indicator: An indicator, or the object that backtrader makes of an operation on lines.

    Returns:
        Feeds, indicators, lines and plain numbers, some of them more than once.

    Example:
        >>> import backtrader as bt
        >>> from lstm_strategy import BarsFeed, simulate_bars
        >>> class Crossing(bt.Strategy):
        ...     def __init__(self):
        ...         self.average = bt.indicators.SMA(self.data, period=5)
        ...         self.is_above = self.data.close > self.average
        >>> cerebro = bt.Cerebro()
        >>> feed = cerebro.adddata(BarsFeed(simulate_bars("noise", 50).bars))
        >>> _ = cerebro.addstrategy(Crossing)
        >>> strategy = cerebro.run()[0]
        >>> any(strategy.average.line is operand for operand in operands_of(strategy.is_above))
        True
    """
    operation = [value for name, value in vars(indicator).items() if name in {"a", "b"}]
    return [*getattr(indicator, "datas", []), *getattr(indicator, "_datas", []), *operation]


def owner_of(indicator: Any) -> Any:
    """Return what an indicator was made in: a strategy, or another indicator.

    Args:
        indicator: An indicator that backtrader has made.

    Example:
        >>> import backtrader as bt
        >>> from lstm_strategy import BarsFeed, simulate_bars
        >>> class Averaged(bt.Strategy):
        ...     def __init__(self):
        ...         self.average = bt.indicators.SMA(self.data, period=5)
        >>> cerebro = bt.Cerebro()
        >>> feed = cerebro.adddata(BarsFeed(simulate_bars("noise", 50).bars))
        >>> _ = cerebro.addstrategy(Averaged)
        >>> strategy = cerebro.run()[0]
        >>> owner_of(strategy.average) is strategy
        True
    """
    return indicator._owner


def fill_lines(feed: Any, columns: Sequence["array[float]"]) -> None:
    """Give every line of a feed all of its values at once, in the order of its lines."""
    for line, column in zip(feed.lines.lines, columns, strict=True):
        line.array = column
    feed.home()


def keeps_bars(line: Any, n_bars: int) -> bool:
    """Return whether a line still holds so many of its last bars; under `exactbars=1` few do.

    A line that doesn't answers a question for an earlier bar with the present one.

    Args:
        line: A line of a feed.
        n_bars: The number, the present bar included.

    Example:
        >>> import backtrader as bt
        >>> keeps_bars(bt.feeds.GenericCSVData(dataname="bars.csv").close, 2)
        True
    """
    return bool(line.mode != line.QBuffer or line.maxlen >= n_bars)


def value_of(line: Any, ago: int = 0) -> float:
    """Return what a line has at its present bar, as `line[0]` does, in a fifth of the time.

    Args:
        line: A line of a feed.
        ago: -1 for the bar before, which the line must still hold (see `keeps_bars`).

    Example:
        >>> import backtrader as bt
        >>> from lstm_strategy import BarsFeed, simulate_bars
        >>> cerebro = bt.Cerebro()
        >>> feed = cerebro.adddata(BarsFeed(simulate_bars("noise", 50).bars))
        >>> _ = cerebro.addstrategy(bt.Strategy)
        >>> data = cerebro.run()[0].data
        >>> value_of(data.lines.close) == data.close[0]
        True
    """
    return line.array[line._idx + ago]  # type: ignore[no-any-return]


def bar_number(line: Any) -> int:
    """Return the number of the present bar in the array of a line, counted from 0.

    Args:
        line: A line of a feed that has loaded all of its bars.

    Example:
        >>> import backtrader as bt
        >>> from lstm_strategy import BarsFeed, simulate_bars
        >>> cerebro = bt.Cerebro()
        >>> _ = cerebro.adddata(BarsFeed(simulate_bars("noise", 50).bars))
        >>> _ = cerebro.addstrategy(bt.Strategy)
        >>> bar_number(cerebro.run()[0].data.lines.close)
        49
    """
    return line._idx  # type: ignore[no-any-return]


def loaded_values(feed: Any, names: Sequence[str]) -> list["array[float]"] | None:
    """Return all values of some lines of a feed; None where it hasn't loaded all of its bars.

    Args:
        feed: A feed at a bar.
        names: Of the lines.

    Example:
        >>> import backtrader as bt
        >>> loaded_values(bt.feeds.GenericCSVData(dataname="bars.csv"), ["close"]) is None
        True
    """
    lines = [getattr(feed.lines, name) for name in names]
    is_loaded = feed.buflen() > len(feed) > 0
    if not is_loaded or any(line.mode != line.UnBounded for line in lines):
        return None
    return [line.array for line in lines]
