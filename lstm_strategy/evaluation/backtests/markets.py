"""The bars of one market or of many, as backtests take them: checked once."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from lstm_strategy.bars import (
    CheckedBars,
    Panel,
    as_panel,
    check_bars,
    is_panel,
    proportional_bars,
    proportional_markets,
)
from lstm_strategy.trading.cerebro import BrokerSettings, choose_broker

CheckedMarkets = CheckedBars | Panel
"""Bars that have been checked: of one market, or of a panel."""


def check_markets(
    bars: pd.DataFrame | Mapping[str, pd.DataFrame], broker: BrokerSettings | None = None
) -> CheckedMarkets:
    """Check the bars of one market, or those of every market of a panel.

    A continuous series that was adjusted by difference becomes one with the returns of its
    contracts in proportion, so that a share of equity can be held of it; but for a market that
    trades contracts, whose gains are points.

    Args:
        bars: Bars, or a panel of them by symbol.
        broker: What markets trade; shares of equity by default.

    Raises:
        BarsError: At the first bad bar; a message about a panel names the market.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> check_markets({"SP": sample_bars("sp500")})
        Panel(1 market: SP)
    """
    keep = None if broker is None else choose_broker(broker).counts_points
    if not is_panel(bars):
        checked = check_bars(bars)
        frame = proportional_markets(checked.frame, keep=keep)
        return checked if frame is checked.frame else CheckedBars(frame)
    return proportional_markets(
        as_panel(bars), keep=keep
    )  # each is read and checked as it is looked at


def markets_frame(bars: CheckedMarkets) -> pd.DataFrame | Panel:
    """Return checked bars as forecasters take them: a frame, or the panel itself."""
    return bars.frame if isinstance(bars, CheckedBars) else bars


def dates_frame(bars: CheckedMarkets) -> pd.DataFrame:
    """Return something on the dates of the bars: the bars of one market, or nothing but the dates.

    Args:
        bars: Checked bars.

    Returns:
        A frame on every date on which a market has a bar.
    """
    return bars.frame if isinstance(bars, CheckedBars) else pd.DataFrame(index=bars.dates)


def market_close(bars: pd.DataFrame | CheckedMarkets) -> pd.Series:
    """Return what "the market" closed at: the close, or of a panel an index of all markets.

    Args:
        bars: Bars of one market, or a panel.

    Returns:
        The closes; of a panel the growth of 1 by the mean return of the markets that have a close
        before and at each date, on all dates.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> bars = sample_bars("sp500")[:"1999"]
        >>> market = market_close(check_markets({"SP": bars}))
        >>> bool(abs(market.iloc[-1] - bars["close"].iloc[-1] / bars["close"].iloc[0]) < 1e-9)
        True
    """
    if isinstance(bars, CheckedBars | pd.DataFrame):
        frame = bars.frame if isinstance(bars, CheckedBars) else bars
        return proportional_bars(frame)["close"]
    bars = proportional_markets(bars)
    zone = bars.dates.tz
    closes = pd.DataFrame(
        {symbol: _on_zone(frame["close"], zone) for symbol, frame in bars.items()}, bars.dates
    ).ffill()
    moves = closes.pct_change(fill_method=None).mean(axis=1).fillna(0.0)
    return (1.0 + moves).cumprod().rename("close")


def _on_zone(close: pd.Series, zone: Any) -> pd.Series:
    return close if zone is None else close.tz_convert(zone)
