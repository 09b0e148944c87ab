"""The bars that a run is made on: those of one market, or of a panel on the dates of all."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from lstm_strategy.bars import (
    CheckedBars,
    as_panel,
    bars_until,
    check_bars,
    first_bar_number,
    is_panel,
    proportional_bars,
    proportional_markets,
    slice_panel,
)
from lstm_strategy.errors import TradingError
from lstm_strategy.support import spell
from lstm_strategy.trading.clock import day_numbers

AnyBars = pd.DataFrame | CheckedBars | Mapping[str, pd.DataFrame]
"""Bars of one market, checked or not, or a panel."""


@dataclass(frozen=True, eq=False)
class RunBars:
    """Checked bars of one market or of many, on the dates on which any has a bar.

    Attributes:
        markets: The bars by symbol; those of one market under the name "".
        dates: Every date of the run, in order.
    """

    markets: dict[str, pd.DataFrame]
    dates: pd.DatetimeIndex

    @property
    def is_panel(self) -> bool:
        """Whether the markets have symbols."""
        return "" not in self.markets

    @cached_property
    def closes(self) -> pd.DataFrame:
        """The last close of each market at each date, one column a market; NaN before its first."""
        own = self.closes_by_market(until=self.dates[-1])
        columns = {symbol: close.reindex(self.dates) for symbol, close in own.items()}
        return pd.DataFrame(columns, index=self.dates).ffill()

    def closes_by_market(self, *, until: pd.Timestamp) -> dict[str, pd.Series]:
        """Return the closes of each market at its own bars, on the clock of `dates`.

        Args:
            until: The last date.
        """
        return {
            symbol: pd.Series(
                bars["close"].to_numpy(), _on_clock_of(self.dates, pd.DatetimeIndex(bars.index))
            ).loc[:until]
            for symbol, bars in self.markets.items()
        }


def cut_to_run(bars: AnyBars, *, start: Any, end: Any) -> tuple[RunBars, int]:
    """Return the bars of a run and the number, counted from 1, of the first date to trade.

    Args:
        bars: Bars of one market, which are validated unless they are checked, or a panel. A
            continuous series becomes one with the returns of its contracts in proportion.
        start: Where trading begins; None for the first date.
        end: The last date, inclusive; None for all.

    Raises:
        BarsError: If the bars aren't valid.
        TradingError: If the dates leave nothing to trade.
    """
    if is_panel(bars):
        panel = proportional_markets(as_panel(bars))
        every_date = pd.DataFrame(index=panel.dates)
        dates = pd.DatetimeIndex(bars_until(every_date, end).index)
        markets = dict(panel if end is None else slice_panel(panel, end=end))
    else:
        every_date = proportional_bars(check_bars(bars).frame)
        frame = bars_until(every_date, end)
        dates, markets = pd.DatetimeIndex(frame.index), {"": frame}
    first = first_bar_number(every_date, start)
    if first > len(dates):
        raise TradingError(
            f"{spell('start', str(start))} lies after {spell('end', str(end))}, so there is no "
            "bar to trade. Choose a later end or an earlier start."
        )
    return RunBars(markets, dates), first


def first_number(dates: pd.DatetimeIndex, number: int) -> float:
    """Return a date as backtrader has it, in days.

    Args:
        dates: The dates of a run.
        number: Which of them, counted from 1.
    """
    return float(day_numbers(dates[number - 1 : number])[0])


def money_by_market(fills: pd.DataFrame, closes: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the value of each position and what each market has earned, at each close, in money.

    Args:
        fills: Executions as `BacktestRun` has them, with their `symbol`.
        closes: The last close of each market at each date.

    Returns:
        Two tables on the dates of `closes`, one column a market: the value of the position, below
        0 for a short; and profit and loss so far, commission paid. The latter and the cash at the
        start add up to the equity.
    """
    values, earned = {}, {}
    bars = closes.index.get_indexer(fills.index)
    for symbol, close in closes.items():
        own = (fills["symbol"] == symbol).to_numpy()
        size, price, commission = fills.loc[own, ["size", "price", "commission"]].to_numpy().T
        n_dates = len(closes)
        units = np.bincount(bars[own], size, minlength=n_dates).cumsum()
        spent = np.bincount(bars[own], size * price + commission, minlength=n_dates).cumsum()
        values[symbol] = units * close.fillna(0.0).to_numpy()
        earned[symbol] = values[symbol] - spent
    return pd.DataFrame(values, closes.index), pd.DataFrame(earned, closes.index)


def sum_markets(exposure: pd.Series | pd.DataFrame) -> pd.Series:
    """Return the sum of the markets in a table; what is known of one market as it is.

    Args:
        exposure: Exposures by date, of a panel one column a market.

    Example:
        >>> sum_markets(pd.DataFrame({"SPY": [0.5], "QQQ": [-0.2]})).tolist()
        [0.3]
    """
    if isinstance(exposure, pd.Series):
        return exposure
    return exposure.sum(axis=1, skipna=False).rename("exposure")


def _on_clock_of(dates: pd.DatetimeIndex, index: pd.DatetimeIndex) -> pd.DatetimeIndex:
    return index if index.tz is None else index.tz_convert(dates.tz)
