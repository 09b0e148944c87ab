"""Markets of a panel that share no date with any other."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from lstm_strategy.bars.panel.panel import Panel, as_panel
from lstm_strategy.bars.read import LoadedBars
from lstm_strategy.bars.span import describe_span
from lstm_strategy.errors import BarsError

_TO_PLAIN_DATES = (
    "Give the bars of all plain dates (bars.set_axis(bars.index.tz_localize(None).normalize()))"
)
_TO_SAME_TIMES = "Bring the bars to the same times"


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
    for symbol in find_lone_markets(markets):
        raise BarsError(describe_lone_market(markets, symbol))


def find_lone_markets(panel: Mapping[str, pd.DataFrame]) -> list[str]:
    """The markets that share no date with any of the others; a single market is none of them.

    Args:
        panel: The panel.

    Raises:
        BarsError: If some markets have dates with a timezone and others without.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> bars = sample_bars("sp500")
        >>> find_lone_markets({"SP": bars["2010":], "NQ": bars["2010":], "OLD": bars[:"2009"]})
        ['OLD']
    """
    markets = as_panel(panel)
    if len(markets) < 2:
        return []
    every = markets.dates
    indexes = {symbol: pd.DatetimeIndex(bars.index) for symbol, bars in markets.items()}
    if every.tz is not None:
        indexes = {symbol: index.tz_convert(every.tz) for symbol, index in indexes.items()}
    places = {symbol: every.get_indexer(index) for symbol, index in indexes.items()}
    counts = np.bincount(np.concatenate(list(places.values())), minlength=len(every))
    return [symbol for symbol, own in places.items() if (counts[own] == 1).all()]


def drop_lone_markets(panel: Panel) -> Panel:
    """Leave out the markets that share no date with any other; `dropped` and `notes` say why.

    Args:
        panel: The panel.

    Raises:
        BarsError: If no market shares a date with another, or as `find_lone_markets` raises it.
    """
    lone = find_lone_markets(panel)
    if not lone:
        return panel
    if len(lone) == len(panel):
        raise BarsError(describe_lone_market(panel, lone[0]))
    why = {symbol: describe_lone_market(panel, symbol) for symbol in lone}
    kept = {s: LoadedBars(panel[s], ()) for s in panel if s not in why}
    note = f"dropped {len(lone)} of {len(panel)} markets: {' '.join(why.values()).rstrip('.')}"
    return Panel(kept, dropped={**panel.dropped, **why}, notes=(*panel.notes, note))


def describe_lone_market(panel: Mapping[str, pd.DataFrame], symbol: str) -> str:
    """Say why a market shares no date with any other, and what to do.

    Args:
        panel: The panel.
        symbol: The market.

    Returns:
        Sentences for a message: the days may be those of another market, at other times or in
        another zone, or they may be other days.

    Example:
        >>> days = pd.date_range("2024-01-01", periods=2)
        >>> stamps = {"A": days.tz_localize("UTC"), "B": days.tz_localize("America/New_York")}
        >>> panel = {symbol: pd.DataFrame(index=index) for symbol, index in stamps.items()}
        >>> print(describe_lone_market(panel, "A"))
        market A has no date in common with any other, though it has days in common with market B...
    """
    others = [name for name in panel if name != symbol]
    days = {name: _days_of(bars) for name, bars in panel.items()}
    near = next((name for name in others if days[symbol].isin(days[name]).any()), None)
    if near is None:
        beside = f", and market {others[0]} {_describe(panel[others[0]])}" if others else ""
        return (
            f"market {symbol} has no date in common with any other: "
            f"it {_describe(panel[symbol])}{beside}. Leave it out, or load the same dates of each."
        )
    are_daily = days[symbol].is_unique and days[near].is_unique
    return (
        f"market {symbol} has no date in common with any other, though it has days in common with "
        f"market {near}: its first bar is at {panel[symbol].index[0]}, and that of market {near} "
        f"at {panel[near].index[0]}. {_TO_PLAIN_DATES if are_daily else _TO_SAME_TIMES}, or leave "
        "it out."
    )


def _days_of(bars: pd.DataFrame) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(bars.index).tz_localize(None).normalize()


def _describe(bars: pd.DataFrame) -> str:
    times = pd.DatetimeIndex(bars.index)
    at = "" if (times == times.normalize()).all() else f" (the first at {times[0]:%H:%M})"
    return f"has {describe_span(bars)}{at}"
