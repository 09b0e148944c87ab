"""Markets of a panel that share no date with any other."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from lstm_strategy.bars.panel.panel import as_panel
from lstm_strategy.bars.span import describe_span
from lstm_strategy.errors import BarsError


def check_common_dates(panel: Mapping[str, pd.DataFrame]) -> None:
    """Refuse a panel with a market that shares no date with any of the others.

    Nothing of such a market can be compared with the others at one date: it may be stamped with
    other times of day, or come from other years.

    Args:
        panel: The panel; a single market is never refused.

    Raises:
        BarsError: Naming the first such market, or if some markets have dates with a timezone and
            others without.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> bars = sample_bars("sp500")
        >>> check_common_dates({"SP": bars, "NQ": bars["2010":]})
        >>> check_common_dates({"SP": bars[:"2009"], "NQ": bars["2010":]})
        Traceback (most recent call last):
        lstm_strategy.errors.BarsError: market SP has no date in common with any other: ...
    """
    markets = as_panel(panel)
    if len(markets) < 2:
        return
    every = markets.dates
    indexes = {symbol: pd.DatetimeIndex(bars.index) for symbol, bars in markets.items()}
    if every.tz is not None:
        indexes = {symbol: index.tz_convert(every.tz) for symbol, index in indexes.items()}
    places = {symbol: every.get_indexer(index) for symbol, index in indexes.items()}
    counts = np.bincount(np.concatenate(list(places.values())), minlength=len(every))
    for symbol, own in places.items():
        if (counts[own] == 1).all():
            other = next(name for name in markets if name != symbol)
            raise BarsError(
                f"market {symbol} has no date in common with any other: "
                f"it {_describe(markets[symbol])}, and market {other} {_describe(markets[other])}. "
                "Leave it out, or load the same dates of each."
            )


def _describe(bars: pd.DataFrame) -> str:
    times = pd.DatetimeIndex(bars.index)
    at = "" if (times == times.normalize()).all() else f" (the first at {times[0]:%H:%M})"
    return f"has {describe_span(bars)}{at}"
