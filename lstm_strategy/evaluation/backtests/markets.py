"""The bars of one market or of many, as backtests take them: checked once."""

from collections.abc import Mapping

import pandas as pd

from lstm_strategy.bars import CheckedBars, Panel, as_panel, check_bars, is_panel

CheckedMarkets = CheckedBars | Panel
"""Bars that have been checked: of one market, or of a panel."""


def check_markets(bars: pd.DataFrame | Mapping[str, pd.DataFrame]) -> CheckedMarkets:
    """Check the bars of one market, or those of every market of a panel.

    Args:
        bars: Bars, or a panel of them by symbol.

    Raises:
        BarsError: At the first bad bar; a message about a panel names the market.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> check_markets({"SP": sample_bars("sp500")})
        Panel(1 market: SP)
    """
    if not is_panel(bars):
        return check_bars(bars)
    panel = as_panel(bars)
    for _ in panel.values():  # each is read and checked as it is first looked at
        pass
    return panel


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
