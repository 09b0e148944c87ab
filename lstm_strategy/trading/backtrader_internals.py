"""What the package needs of backtrader beyond its documented interface, all in one place.

backtrader is no longer developed, yet names that begin with an underscore, and attributes that its
documentation leaves out, are no promise. Nothing here has a public counterpart; should one of them
change, this is the only module to look at. `BarsFeed` and `LSTMIndicator` also override hooks that
backtrader offers to the authors of feeds and indicators (`_load`, `_gettz`, `_plotlabel`), because
an override has to stand in its class.
"""

from array import array
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pandas as pd


def declared_params(owner: type) -> tuple[str, ...]:
    """Return the names of the parameters that a strategy or indicator class declares.

    Args:
        owner: A class with `params` of backtrader.

    Returns:
        The inherited names first, each class's own in the order in which it declares them.

    Example:
        >>> import backtrader as bt
        >>> declared_params(bt.indicators.RSI_Safe)[:2]
        ('period', 'movav')
    """
    params: Any = getattr(owner, "params", None)
    return tuple(params._getkeys())


def param_values(owner: Any) -> dict[str, Any]:
    """Return the parameters with which a strategy or indicator runs, by name.

    Args:
        owner: An object that backtrader has made.

    Returns:
        The very objects that `owner.p` holds, in the order of `declared_params`.

    Example:
        >>> import backtrader as bt
        >>> param_values(bt.sizers.FixedSize(stake=5))
        {'stake': 5, 'tranches': 1}
    """
    return {name: getattr(owner.p, name) for name in declared_params(type(owner))}


def minimum_period(strategy: Any) -> int:
    """Return how many bars a strategy needs before its first decision, the longest of its feeds'.

    Args:
        strategy: A strategy that Cerebro has begun to build. While its own `__init__` runs, or
            if that has failed, the period isn't known yet and counts as 1.

    Returns:
        The number, counted from 1, of the first bar on which backtrader calls `next`.

    Example:
        >>> import backtrader as bt
        >>> from lstm_strategy import BarsFeed, simulate_bars
        >>> cerebro = bt.Cerebro()
        >>> _ = cerebro.adddata(BarsFeed(simulate_bars("noise", 50).bars))
        >>> _ = cerebro.addstrategy(bt.strategies.MA_CrossOver, fast=5, slow=20)
        >>> minimum_period(cerebro.run()[0])
        21
    """
    return int(max([1, *getattr(strategy, "_minperiods", [])]))


def strategies_of_last_run(cerebro: Any) -> list[Any]:
    """Return the strategies that a Cerebro built in its last run, even if that run failed.

    Args:
        cerebro: Any Cerebro. When its `run` raises, this is the only way to its strategies.

    Returns:
        The strategies in the order in which they were added; an empty list before the first run.

    Example:
        >>> import backtrader as bt
        >>> strategies_of_last_run(bt.Cerebro())
        []
    """
    return list(getattr(cerebro, "runningstrats", []))


def is_optimisation(cerebro: Any) -> bool:
    """Return whether a Cerebro was given variants to try with `optstrategy`.

    Args:
        cerebro: Any Cerebro.

    Example:
        >>> import backtrader as bt
        >>> is_optimisation(bt.Cerebro())
        False
    """
    return bool(cerebro._dooptimize)


def exactbars_of(cerebro: Any) -> int:
    """Return the `exactbars` of a Cerebro's last run: above 0 if old bars were thrown away.

    Args:
        cerebro: A Cerebro that has run; an argument of `run` goes before its parameter.

    Example:
        >>> import backtrader as bt
        >>> from lstm_strategy import BarsFeed, simulate_bars
        >>> cerebro = bt.Cerebro()
        >>> _ = cerebro.adddata(BarsFeed(simulate_bars("noise", 50).bars))
        >>> _ = cerebro.addstrategy(bt.Strategy)
        >>> _ = cerebro.run(exactbars=-1)
        >>> exactbars_of(cerebro)
        -1
    """
    return int(cerebro._exactbars)


def compute_bar_by_bar(cerebro: Any) -> None:
    """Let the run that begins compute its indicators bar by bar.

    Args:
        cerebro: A Cerebro that has begun to run.
    """
    cerebro._disable_runonce()


def timeframe_of(feed: Any) -> int:
    """Return the `bt.TimeFrame` of a feed's bars, after any resampling.

    Args:
        feed: A feed of any kind.

    Example:
        >>> import backtrader as bt
        >>> from lstm_strategy import BarsFeed, simulate_bars
        >>> timeframe_of(BarsFeed(simulate_bars("noise", 50).bars)) == bt.TimeFrame.Days
        True
    """
    return int(feed._timeframe)


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


def index_behind(feed: Any) -> pd.DatetimeIndex | None:
    """Return the index of the frame whose bars a feed loads at the times that the index names.

    Args:
        feed: A data feed, or one that was resampled or cloned from another.

    Returns:
        Dates that rise; None where the feed loads something else than a frame on such dates, or
        takes them to be of another timezone.

    Example:
        >>> from lstm_strategy import BarsFeed, sample_bars
        >>> index_behind(BarsFeed(sample_bars().iloc[:3])).equals(sample_bars().index[:3])
        True
    """
    original = getattr(feed, "data", feed)  # a clone has the feed that it was cloned from
    index = getattr(getattr(original.p, "dataname", None), "index", None)
    is_usable = isinstance(index, pd.DatetimeIndex) and index.is_monotonic_increasing
    return index if is_usable and original.p.tzinput is None else None


def zone_shown_by(feed: Any) -> Any:
    """Return the timezone in which a feed shows its dates; None where it is UTC or not known.

    Args:
        feed: A data feed that has been started.

    Example:
        >>> import backtrader as bt
        >>> zone_shown_by(bt.feeds.GenericCSVData(dataname="bars.csv")) is None
        True
    """
    return feed.lines.datetime._tz


def loads_unchanged_bars(feed: Any) -> bool:
    """Return whether nothing changes the bars of a feed while they load.

    Filters, resampling, a timezone of the input and Cerebro's `lookahead` do. Otherwise
    `fill_lines` may fill the lines in one step.
    """
    has_plain_lines = all(
        line.mode == line.UnBounded and not line.extension and not line.bindings
        for line in feed.lines.lines
    )
    has_bars_waiting = feed._barstack or feed._barstash
    return has_plain_lines and not (feed._filters or has_bars_waiting or feed._tzinput)


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


def without_cash_check() -> dict[str, bool]:
    """Return the argument of `buy` by which the simulated broker accepts one order unchecked.

    The public `set_checksubmit` would spare all orders.
    """
    return {"_checksubmit": False}


def list_order(order: Any, broker: Any) -> None:
    """Add an order to the simulated broker's list of all, which those without a cash check miss.

    Args:
        order: The order that was sent last.
        broker: The simulated broker.
    """
    if not (broker.orders and broker.orders[-1] is order):
        broker.orders.append(order)


def hold_until_next_bar(order: Any, feed: Any, fit: Callable[[], bool] | None = None) -> None:
    """Keep the simulated broker from filling an order before its feed has a new bar.

    A market order waits by itself. A limit order would fill on the bar on which it was sent
    whenever another feed wakes the broker first.

    Args:
        order: An order that has been sent.
        feed: Its feed.
        fit: What is asked whenever the order could fill, and may resize it; where it answers
            False, the order waits on.
    """
    order.active = partial(_may_fill, feed, feed.datetime[0], fit)


def _may_fill(feed: Any, time: float, fit: Callable[[], bool] | None) -> bool:
    return bool(feed.datetime[0] > time) and (fit is None or fit())


def resize_order(order: Any, size: float) -> None:
    """Change the size of a buy that the simulated broker is about to fill.

    Args:
        order: The order.
        size: What is left to buy of it, in units.
    """
    bought = order.executed.size
    order.size = order.created.size = bought + size
    order.executed.remsize = size


def feed_name(feed: Any) -> str:
    """Return the name under which a feed was added to Cerebro; "" for one without a name.

    Args:
        feed: A data feed.

    Example:
        >>> import backtrader as bt
        >>> feed_name(bt.feeds.GenericCSVData(dataname="bars.csv", name="SPY"))
        'SPY'
    """
    return str(feed._name or "")


def minimum_periods(strategy: Any) -> list[int]:
    """Return how many bars of each feed a strategy needs for the indicators on it.

    Args:
        strategy: A strategy that Cerebro has begun to run.

    Returns:
        One number for each feed, counted from 1, in the order of `strategy.datas`.

    Example:
        >>> import backtrader as bt
        >>> from lstm_strategy import BarsFeed, simulate_bars
        >>> cerebro = bt.Cerebro()
        >>> _ = cerebro.adddata(BarsFeed(simulate_bars("noise", 50).bars))
        >>> _ = cerebro.addstrategy(bt.strategies.MA_CrossOver, fast=5, slow=20)
        >>> minimum_periods(cerebro.run()[0])
        [21]
    """
    return [int(period) for period in strategy._minperiods]


def raise_minimum_period(strategy: Any, feed_number: int, n_bars: int) -> None:
    """Let a strategy wait for more bars of a feed than its indicators need.

    Args:
        strategy: A strategy that Cerebro has begun to run.
        feed_number: Which of its feeds, counted from 0.
        n_bars: The number of the first bar that will do, counted from 1.
    """
    strategy._minperiods[feed_number] = max(strategy._minperiods[feed_number], n_bars)


def start_feed(feed: Any) -> None:
    """Start a feed that another feed reads, as Cerebro starts its own.

    Args:
        feed: A feed that knows its Cerebro.
    """
    feed.reset()
    feed._start()


def check_filters(feed: Any, master: Any) -> None:
    """Let the resampler of a feed see whether its bar is over, though none has come.

    Args:
        feed: A feed that has been started.
        master: The feed whose time counts; None for the present time.
    """
    feed._check(forcedata=master)


def keep_two_bars(feed: Any) -> None:
    """Keep the last two bars of a feed at least, where `exactbars=1` would keep one."""
    for line in feed.lines.lines:
        line.minbuffer(2)


def shown_zone_of(feed: Any) -> Any:
    """Return the timezone that a feed was told to show or has found out; None for UTC.

    Args:
        feed: A feed that has been started.
    """
    return feed._tz
