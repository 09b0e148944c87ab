"""One market of an account: its marks bar by bar, its position, and what closing it costs."""

import math
from typing import Any

import numpy as np

from lstm_strategy.trading.backtrader_internals import (
    bar_number,
    keeps_bars,
    loaded_values,
    value_of,
)
from lstm_strategy.trading.instruments.account.liquidation import Holding
from lstm_strategy.trading.instruments.funding import FundedScheme
from lstm_strategy.trading.instruments.instrument import InstrumentScheme


class Market:
    """A feed, the commission scheme of its instrument, and what is known of its mark price.

    Bars have the mark at their close, if at all. Where the columns `mark_open`, `mark_low` and
    `mark_high` are there as well, they count. Otherwise the open goes with the premium of the mark
    over the close that the bar before had, and low and high with that of the bar itself; the
    premium is 1 where the mark is missing.

    Args:
        data: The feed, whose first bar has come.
        scheme: The commission scheme of the broker for it.

    Attributes:
        is_margined: Whether positions need margin and can be liquidated.
        is_isolated: Whether each has only its own margin to lose.
        has_to_remember: Whether the feed forgets the bar before, so that `end_bar` must keep it.
    """

    def __init__(self, data: Any, scheme: InstrumentScheme) -> None:
        self.data, self.scheme = data, scheme
        self.is_margined = isinstance(scheme, FundedScheme) or not scheme.stocklike
        instrument: Any = scheme.instrument
        self.is_isolated = getattr(instrument, "margin_mode", "cross") == "isolated"
        lines = {name: getattr(data.lines, name) for name in data.getlinealiases()}
        self._opens, self._highs, self._lows = lines["open"], lines["high"], lines["low"]
        self._closes = lines["close"]
        self._marks = lines.get(getattr(instrument, "mark", None))
        extras = lines if self._marks is not None else {}
        self._mark_opens = extras.get("mark_open")
        self._mark_lows, self._mark_highs = extras.get("mark_low"), extras.get("mark_high")
        self.has_to_remember = self._marks is not None and not keeps_bars(self._marks, 2)
        self._last = math.nan, math.nan
        self._position: tuple[float, float, float | None] = (0.0, 0.0, None)
        self._liquidation_price = math.nan
        self._worst = self._worst_marks()

    def end_bar(self) -> None:
        """Keep what the next bar goes by."""
        self._last = value_of(self._marks), value_of(self._closes)
        if isinstance(self.scheme, FundedScheme):
            self.scheme.known_marks[self.data] = value_of(self._marks)

    def at_open(self) -> float:
        """The mark as the bar opens."""
        if self._marks is None:
            return float(value_of(self._opens))
        given = math.nan if self._mark_opens is None else value_of(self._mark_opens)
        return float(value_of(self._opens) * self._last_premium() if math.isnan(given) else given)

    def at_close(self) -> float:
        """The mark as the bar closes."""
        return float(value_of(self._closes) * self.premium())

    def worst_for(self, size: float) -> float:
        """The lowest mark of the bar for a long, the highest for a short."""
        if size > 0.0:
            line, price = self._mark_lows, value_of(self._lows)
        else:
            line, price = self._mark_highs, value_of(self._highs)
        given = math.nan if line is None else value_of(line)
        return float(price * self.premium() if math.isnan(given) else given)

    def price_at(self, mark: float, size: float) -> float:
        """Return the price at which a position is closed as the mark gets to where it is.

        Args:
            mark: The liquidation price, which the mark is beyond on this bar.
            size: What is held, in signed units.

        Returns:
            A price of the bar: the open where the mark was beyond already.
        """
        price, opened = mark / self.premium(), value_of(self._opens)
        price = min(price, opened) if size > 0.0 else max(price, opened)
        return float(min(max(price, value_of(self._lows)), value_of(self._highs)))

    def premium(self) -> float:
        """The mark over the close, at the close of the bar."""
        if self._marks is None:
            return 1.0
        mark = value_of(self._marks)
        return 1.0 if math.isnan(mark) else float(mark / value_of(self._closes))

    def _last_premium(self) -> float:
        last = (
            self._last
            if self.has_to_remember
            else (value_of(self._marks, -1), value_of(self._closes, -1))
        )
        premium = last[0] / last[1]
        return 1.0 if math.isnan(premium) else float(premium)

    def is_out_of_reach(self, position: Any, margin: float | None = None) -> bool:
        """Return whether no mark of the bar gets to where a position is liquidated.

        This is the quick answer for the many bars on which nothing happens.

        Args:
            position: Of the broker in this market, isolated and not empty.
            margin: The money that backs it; what was set aside for it by default.
        """
        size = position.size
        held = size, position.price, margin
        if held != self._position:
            self._position = held
            instrument = self.scheme.instrument
            price = instrument.liquidation_price(size, position.price, margin=margin)
            self._liquidation_price = price
        price = self._liquidation_price
        if self._worst is not None:  # of a price that is NaN nothing is within reach
            bar = bar_number(self._closes)
            worst = self._worst[size < 0.0][bar]
            return not (worst <= price if size > 0.0 else worst >= price)
        if math.isnan(price):
            return True
        if size > 0.0:
            return self.worst_for(size) > price and self.at_open() > price
        return self.worst_for(size) < price and self.at_open() < price

    def _worst_marks(self) -> tuple[list[float], list[float]] | None:
        """The lowest and the highest mark of each bar, its open included; None where unknown.

        Worked out at once where all bars are loaded, since it is asked on every bar.
        """
        names = ["open", "high", "low", "close"]
        loaded = loaded_values(self.data, names) if self.is_margined else None
        if loaded is None:
            return None
        opens, highs, lows, closes = map(np.array, loaded)
        premium = _values_or(self._marks, closes) / closes
        marks_at_open = _values_or(self._mark_opens, opens * np.r_[1.0, premium[:-1]])
        lowest = np.minimum(marks_at_open, _values_or(self._mark_lows, lows * premium))
        highest = np.maximum(marks_at_open, _values_or(self._mark_highs, highs * premium))
        return lowest.tolist(), highest.tolist()

    def locked(self, position: Any) -> float:
        """Return the money that the broker set aside for a position.

        Args:
            position: Of the broker in this market.
        """
        cost = self.scheme.getoperationcost(position.size, position.price)
        return float(cost / self.scheme.get_leverage())

    def least_spare(self, position: Any) -> float:
        """Return what a position adds to a shared margin at the worst mark of the bar.

        Args:
            position: Of the broker in this market, not empty.
        """
        size = position.size
        worst = (min if size > 0.0 else max)(self.worst_for(size), self.at_open())
        return self.holding(position, worst).spare - self.closing_fee(size, worst)

    def holding(self, position: Any, mark: float) -> Holding:
        """Return a position as its margin sees it.

        Args:
            position: Of the broker in this market.
            mark: The mark price.
        """
        scheme = self.scheme
        is_settled = not scheme.stocklike  # gains are in cash up to the last close
        base = position.adjbase if is_settled else position.price
        return Holding(scheme.instrument, position.size, base, self.locked(position), mark)

    def closing_fee(self, size: float, price: float) -> float:
        """Return what a liquidation costs, in money.

        Args:
            size: What is held, in signed units.
            price: At which it is closed.
        """
        fee = float(self.scheme.getcommission(size, price))
        rate = getattr(self.scheme.instrument, "liquidation_fee_rate", 0.0)
        return float(fee + rate * abs(size) * price)


def _values_or(line: Any, otherwise: np.ndarray) -> np.ndarray:
    """What a loaded line has on all bars; something else where it is missing."""
    if line is None:
        return otherwise
    values = np.array(line.array)
    return np.where(np.isnan(values), otherwise, values)
