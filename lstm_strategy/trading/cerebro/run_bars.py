"""The bars that a run is made on: those of one market, or of a panel on the dates of all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
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
    has_contract,
    is_panel,
    lift_bars,
    proportional_markets,
    slice_panel,
)
from lstm_strategy.errors import TradingError
from lstm_strategy.support import gather_notes, list_shortly, spell
from lstm_strategy.trading.cerebro.charges import paid_by_date
from lstm_strategy.trading.clock import day_numbers
from lstm_strategy.trading.instruments import Instrument, has_funding

AnyBars = pd.DataFrame | CheckedBars | Mapping[str, pd.DataFrame]
"""Bars of one market, checked or not, or a panel."""


_IN_SHARES = (
    "Continuous futures are held as shares of equity, by the returns of their contracts: changes "
    'of contract cost nothing. With Future(multiplier=..., initial_margin=..., price="price") as '
    "the instrument they do."
)
_OF_EACH = ' That is one for all markets; instruments={"%s": Future(...)} gives a market its own.'
_WHOSE_PRICES = (
    " Where a series is adjusted by difference, prices and units of its trades are those of one "
    "that begins at the price of the first contract and has these returns: they stand in no file."
)


@dataclass(frozen=True, eq=False)
class RunBars:
    """Checked bars of one market or of many, on the dates on which any has a bar.

    Attributes:
        markets: The bars by symbol; those of one market under the name "".
        dates: Every date of the run, in order.
        instruments: What each market trades, by symbol, where it is one of our instruments.
    """

    markets: dict[str, pd.DataFrame]
    dates: pd.DatetimeIndex
    instruments: Mapping[str, Instrument] = field(default_factory=dict)

    def with_instruments(self, instrument_of: Callable[[str], Instrument | None]) -> "RunBars":
        """Return the same bars with what each market trades.

        Args:
            instrument_of: Returns what the market of a symbol trades; None where nobody said.
        """
        found = {symbol: instrument_of(symbol) for symbol in self.markets}
        return replace(self, instruments={name: each for name, each in found.items() if each})

    @property
    def notes(self) -> tuple[str, ...]:
        """What the instruments say of their bars, one sentence each, and how futures are held."""
        of_instruments = (
            (symbol, note)
            for symbol, instrument in self.instruments.items()
            for note in instrument.notes_on(self.markets[symbol])
        )
        return (*self._unpaid_rolls(), *self._unpaid_funding(), *gather_notes(of_instruments))

    def _unpaid_rolls(self) -> tuple[str, ...]:
        """That continuous futures are held without contracts, and what they must be held as."""
        in_shares = [
            symbol
            for symbol, frame in self.markets.items()
            if has_contract(frame) and not self._counts_points(symbol)
        ]
        if not in_shares:
            return ()
        of_each = _OF_EACH % in_shares[0] if self.is_panel else ""
        return (f"{_IN_SHARES}{of_each}{_WHOSE_PRICES}",)

    def _unpaid_funding(self) -> tuple[str, ...]:
        """That markets have funding, and nobody said that what is traded pays it."""
        symbols = [
            symbol
            for symbol, frame in self.markets.items()
            if symbol not in self.instruments and has_funding(frame)
        ]
        if not symbols:
            return ()
        names = f"{list_shortly(symbols)}: the" if symbols[0] else "The"
        return (
            f"{names} bars have funding rates, and no funding is paid: without an instrument a "
            "market is bought and sold as shares are. With Perpetual as the instrument it is paid; "
            "Spot says that there is none.",
        )

    @property
    def is_panel(self) -> bool:
        """Whether the markets have symbols."""
        return "" not in self.markets

    @cached_property
    def closes(self) -> pd.DataFrame:
        """The last close of each market at each date, one column a market; NaN before its first."""
        return self._on_all_dates(self.closes_by_market(until=self.dates[-1]))

    @cached_property
    def unit_values(self) -> pd.DataFrame:
        """What a unit of each market is worth at each date, in money; NaN before its first."""
        columns = {symbol: self.value_column_of(symbol) for symbol in self.markets}
        prices = self._on_all_dates(self._by_market(columns, until=self.dates[-1]))
        return prices.mul([self.multiplier_of(str(symbol)) for symbol in prices])

    def _on_all_dates(self, own: Mapping[str, pd.Series]) -> pd.DataFrame:
        columns = {symbol: prices.reindex(self.dates) for symbol, prices in own.items()}
        return pd.DataFrame(columns, index=self.dates).ffill()

    def _counts_points(self, symbol: str) -> bool:
        instrument = self.instruments.get(symbol)
        return instrument is not None and instrument.counts_points

    def multiplier_of(self, symbol: str) -> float:
        """Return what a point of the price is worth in money.

        Args:
            symbol: The market; "" for the only one.
        """
        instrument = self.instruments.get(symbol)
        return 1.0 if instrument is None else instrument.multiplier

    def value_column_of(self, symbol: str) -> str:
        """Return the column whose price times the multiplier is what a unit is worth.

        Args:
            symbol: The market; "" for the only one.
        """
        instrument = self.instruments.get(symbol)
        return "close" if instrument is None else instrument.price_column

    @cached_property
    def indexes(self) -> dict[str, pd.DatetimeIndex]:
        """The dates of each market's own bars, on the clock of `dates`."""
        return {
            symbol: _on_clock_of(self.dates, pd.DatetimeIndex(bars.index))
            for symbol, bars in self.markets.items()
        }

    def counted(self, index: pd.DatetimeIndex) -> np.ndarray:
        """Which dates of a run count in its equity curve, shape (n_dates,).

        All do, unless every market has one bar a day at the most and some close at other hours than
        others: then the first date counts, and the last one of each day.

        Args:
            index: Dates of the run that follow each other.
        """
        is_last: np.ndarray = ~_days_of(index).duplicated(keep="last")
        indexes = [pd.DatetimeIndex(bars.index) for bars in self.markets.values()]
        if is_last.all() or any(_days_of(own).has_duplicates for own in indexes):
            return np.ones(len(index), bool)
        is_last[:1] = True
        return is_last

    def closes_by_market(self, *, until: pd.Timestamp) -> dict[str, pd.Series]:
        """Return the closes of each market at its own bars, on the clock of `dates`.

        Args:
            until: The last date.
        """
        return self._by_market(dict.fromkeys(self.markets, "close"), until=until)

    def _by_market(
        self, columns: Mapping[str, str], *, until: pd.Timestamp
    ) -> dict[str, pd.Series]:
        return {
            symbol: pd.Series(bars[columns[symbol]].to_numpy(), self.indexes[symbol]).loc[:until]
            for symbol, bars in self.markets.items()
        }


def cut_to_run(
    bars: AnyBars, *, start: Any, end: Any, keep: Callable[[str], bool] | None = None
) -> tuple[RunBars, int]:
    """Return the bars of a run and the number, counted from 1, of the first date to trade.

    Args:
        bars: Bars of one market, which are validated unless they are checked, or a panel. A
            continuous series becomes one with the returns of its contracts in proportion.
        keep: Whether a market is traded in points, by its symbol: then it only is above 0.
        start: Where trading begins; None for the first date.
        end: The last date, inclusive; None for all.

    Raises:
        BarsError: If the bars aren't valid.
        TradingError: If the dates leave nothing to trade.
    """
    if is_panel(bars):
        panel = proportional_markets(as_panel(bars), keep=keep)
        every_date = pd.DataFrame(index=panel.dates)
        dates = pd.DatetimeIndex(bars_until(every_date, end).index)
        markets = dict(panel if end is None else slice_panel(panel, end=end))
        markets = {symbol: lift_bars(frame) for symbol, frame in markets.items()}
    else:
        every_date = proportional_markets(check_bars(bars).frame, keep=keep)
        frame = bars_until(every_date, end)
        dates, markets = pd.DatetimeIndex(frame.index), {"": lift_bars(frame)}
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


def money_by_market(
    bars: RunBars, fills: pd.DataFrame, payments: pd.DataFrame, dates: pd.DatetimeIndex
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the value of each position and what each market has earned, at each close, in money.

    Args:
        bars: The bars of a panel.
        fills: Executions as `BacktestRun` has them, with their `symbol`.
        payments: For holding positions, with their `symbol`.
        dates: The dates of the run, the first of those of the bars.

    Returns:
        Two tables on the dates, one column a market: the value of the position, below 0 for a
        short; and profit and loss so far, commission, funding and rolls paid. The latter and the
        cash at the start add up to the equity.
    """
    values, earned = {}, {}
    n_dates = len(dates)
    places = dates.get_indexer(fills.index)
    closes, unit_values = bars.closes.iloc[:n_dates], bars.unit_values.iloc[:n_dates]
    for symbol, close in closes.items():
        own = (fills["symbol"] == symbol).to_numpy()
        point = bars.multiplier_of(str(symbol))
        columns = ["size", "price", "commission", "insurance"]
        size, price, commission, insurance = fills.loc[own, columns].to_numpy().T
        units = np.bincount(places[own], size, minlength=n_dates).cumsum()
        paid = size * price * point + (commission - insurance)
        spent = np.bincount(places[own], paid, minlength=n_dates).cumsum()
        spent += paid_by_date(payments[payments["symbol"] == symbol], dates).cumsum()
        values[symbol] = units * unit_values[symbol].fillna(0.0).to_numpy()
        earned[symbol] = units * (close.fillna(0.0).to_numpy() * point) - spent
    return pd.DataFrame(values, dates), pd.DataFrame(earned, dates)


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


def _days_of(index: pd.DatetimeIndex) -> pd.DatetimeIndex:
    return index.tz_localize(None).normalize()


def _on_clock_of(dates: pd.DatetimeIndex, index: pd.DatetimeIndex) -> pd.DatetimeIndex:
    return index if index.tz is None else index.tz_convert(dates.tz)
