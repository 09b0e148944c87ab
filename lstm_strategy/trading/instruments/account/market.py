"""One market of an account: its marks bar by bar, its position, and what closing it costs."""

import math
from typing import Any

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
        data: The feed.
        scheme: The commission scheme of the broker for it.

    Attributes:
        is_new: Whether it has a bar that wasn't there when the broker last woke.
        is_margined: Whether positions need margin and can be liquidated.
    """

    def __init__(self, data: Any, scheme: InstrumentScheme) -> None:
        self.data, self.scheme = data, scheme
        self.is_new = False
        self.is_margined = isinstance(scheme, FundedScheme) or not scheme.stocklike
        lines = {name: getattr(data.lines, name) for name in data.getlinealiases()}
        self._mark = lines.get(getattr(scheme.instrument, "mark", None))
        if self._mark is None:
            lines = {}
        self._open, self._low, self._high = (
            lines.get(name) for name in ("mark_open", "mark_low", "mark_high")
        )
        self._n_bars = 0
        self._last_mark = math.nan
        self._last_close = math.nan

    def begin_bar(self) -> None:
        """See whether the market has a new bar."""
        n_bars = len(self.data)
        self.is_new = n_bars != self._n_bars
        self._n_bars = n_bars

    def end_bar(self) -> None:
        """Keep what the next bar goes by."""
        if not self.is_new:
            return
        self._last_mark = math.nan if self._mark is None else self._mark[0]
        self._last_close = self.data.close[0]
        if isinstance(self.scheme, FundedScheme):
            self.scheme.known_marks[self.data] = self._last_mark

    def at_open(self) -> float:
        """The mark as the bar opens; without a new bar that of the last close."""
        if not self.is_new:
            return self._last_close * self._last_premium()
        given = math.nan if self._open is None else self._open[0]
        return float(self.data.open[0] * self._last_premium() if math.isnan(given) else given)

    def at_close(self) -> float:
        """The mark as the bar closes."""
        return float(self.data.close[0] * self.premium())

    def worst_for(self, size: float) -> float:
        """The lowest mark of the bar for a long, the highest for a short."""
        line, price = (
            (self._low, self.data.low[0]) if size > 0.0 else (self._high, self.data.high[0])
        )
        given = math.nan if line is None else line[0]
        return float(price * self.premium() if math.isnan(given) else given)

    def price_at(self, mark: float, size: float) -> float:
        """Return the price at which a position is closed as the mark gets to where it is.

        Args:
            mark: The liquidation price, which the mark is beyond on this bar.
            size: What is held, in signed units.

        Returns:
            A price of the bar: the open where the mark was beyond already.
        """
        price, opened = mark / self.premium(), self.data.open[0]
        price = min(price, opened) if size > 0.0 else max(price, opened)
        return float(min(max(price, self.data.low[0]), self.data.high[0]))

    def premium(self) -> float:
        """The mark over the close, at the close of the bar."""
        mark = math.nan if self._mark is None else self._mark[0]
        return 1.0 if math.isnan(mark) else float(mark / self.data.close[0])

    def _last_premium(self) -> float:
        premium = self._last_mark / self._last_close
        return 1.0 if math.isnan(premium) else premium

    def holding(self, position: Any, mark: float) -> Holding:
        """Return a position as its margin sees it.

        Args:
            position: Of the broker in this market.
            mark: The mark price.
        """
        scheme = self.scheme
        is_settled = not scheme.stocklike  # gains are in cash up to the last close
        locked = scheme.getoperationcost(position.size, position.price) / scheme.get_leverage()
        base = position.adjbase if is_settled else position.price
        return Holding(scheme.instrument, position.size, base, locked, mark)

    def closing_fee(self, size: float, price: float) -> float:
        """Return what a liquidation costs, in money.

        Args:
            size: What is held, in signed units.
            price: At which it is closed.
        """
        fee = float(self.scheme.getcommission(size, price))
        rate = getattr(self.scheme.instrument, "liquidation_fee_rate", 0.0)
        return float(fee + rate * abs(size) * price)
