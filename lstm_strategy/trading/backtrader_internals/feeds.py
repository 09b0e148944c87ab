"""Feeds: their names, times and zones, and how they begin."""

from typing import Any

import pandas as pd


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
