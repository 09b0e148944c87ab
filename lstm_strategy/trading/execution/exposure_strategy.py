"""What strategies of exposures have in common: checks at the start, and a count of every order."""

import logging
from collections.abc import Sequence
from functools import partial
from numbers import Real
from typing import Any

import backtrader as bt

from lstm_strategy.errors import TradingError
from lstm_strategy.trading.execution.order_log import ORDER_KINDS, log
from lstm_strategy.trading.execution.orders import MarketOrders, has_filled
from lstm_strategy.trading.execution.parameters import check_params
from lstm_strategy.trading.execution.terms import (
    RivalWatch,
    check_commission,
    check_leverage,
    check_tiers,
    note_settings,
)
from lstm_strategy.trading.settings import TradingSettings

_FILLED = (bt.Order.Completed, bt.Order.Partial)


def advise_on_answer(asked: object) -> str:
    """Return what to do about an exposure that isn't a finite number, as a sentence.

    Example:
        >>> advise_on_answer(float("inf"))
        'Look for a division by zero in the model or the indicator that it comes from.'
    """
    if isinstance(asked, Real):
        return "Look for a division by zero in the model or the indicator that it comes from."
    return "Return float(...) of one value, such as float(self.indicator[0])."


class ExposureStrategy(bt.Strategy):
    """The base of `TargetStrategy` and `PortfolioStrategy`; derive from one of these.

    Attributes:
        order_kinds: What can become of an order.
        order_counts: How many orders ended in which way, and other troubles, by kind.
    """

    order_kinds: tuple[str, ...] = ORDER_KINDS

    def _begin(self, settings: type[TradingSettings], datas: Sequence[Any]) -> list[MarketOrders]:
        """Check the parameters, and return what holds the orders of each feed to trade."""
        if isinstance(self.datas[0], bt.Strategy):  # the owner stands in for the data
            raise TradingError(
                f"{type(self).__name__} can't be made inside another strategy, where backtrader "
                "gives it no data. Derive from it instead, or add it to a Cerebro of its own; in "
                "a strategy of your own, use LSTMIndicator."
            )
        check_params(settings, self.p)
        self.order_counts: dict[str, int] = dict.fromkeys(self.order_kinds, 0)
        self._rivals: RivalWatch | None = None
        # feeds that say when their bars come live: there is no order before
        self._live_feeds = [data for data in datas if hasattr(type(data), "may_trade")]
        self._orders_by_market = [
            MarketOrders(self, data, partial(self._report, data)) for data in datas
        ]
        return self._orders_by_market

    def start(self) -> None:
        """Refuse what could only go wrong later."""
        if not hasattr(self, "order_counts"):
            raise TradingError(
                f"{type(self).__name__}.__init__ must call super().__init__() first, and does not."
            )
        for market in self._orders_by_market:
            check_commission(self.broker.getcommissioninfo(market.data))
            market.begin()
        self._check_leverage()
        self._rivals = RivalWatch(self, ExposureStrategy)
        note_settings(self)

    def _check_leverage(self) -> None:
        """Refuse a largest exposure that no instrument allows."""
        instruments = {
            self._name_market(market.data): market.money.instrument
            for market in self._orders_by_market
        }
        check_leverage(type(self).__name__, self.p.max_leverage, instruments)
        equity = float(self.broker.getvalue())
        for name, instrument in instruments.items():
            check_tiers(instrument, most_held=equity * self._largest_exposure_of(name), market=name)

    def _largest_exposure_of(self, name: str) -> float:
        """The largest exposure that a market may have."""
        return float(self.p.max_leverage)

    def _waits_for_live_bars(self) -> bool:
        """Whether a live feed still gives its history, or isn't to be traded on."""
        return not all(feed.may_trade for feed in self._live_feeds)

    def traded_datas(self) -> list[Any]:
        """Return the feeds whose positions this strategy takes for its own."""
        return [market.data for market in getattr(self, "_orders_by_market", [])]

    def notify_order(self, order: Any) -> None:
        """Count how each order ended, and what the exchange closed."""
        if order.info.is_liquidation:
            if order.status == order.Completed:
                words = (
                    f"the position of {-order.size:g} was liquidated at {order.executed.price:g}, "
                    "since its margin was used up. Ask for smaller exposures, or give the "
                    "instrument a lower leverage."
                )
                self._report(order.data, "liquidated", words)
        elif order.status in _FILLED and has_filled(order):
            self._count(order.data, "completed")
        elif order.status == order.Margin:
            remedy = "Does another strategy spend the same cash? Give each its own Cerebro."
            words = f"the order for {order.size:g} was refused for cash. {remedy}"
            self._report(order.data, "margin", words)
        elif order.status == order.Rejected:
            words = f"the broker rejected the order for {order.size:g}; see its messages."
            self._report(order.data, "rejected", words)
        elif order.status == order.Expired:
            words = f"the order for {order.size:g} expired; it is decided again."
            self._report(order.data, "expired", words)

    def stop(self) -> None:
        """Count the orders that the end of the run left unfilled."""
        if self._rivals is not None:
            self._rivals.look()
        for market in self._orders_by_market:
            market.note_unfilled()

    def _report(
        self, data: Any, kind: str, message: str, *, decided_at: float | None = None
    ) -> None:
        """Count a trouble of this kind; the first one in a run is logged with its date."""
        self._count(data, kind)
        if self.order_counts[kind] == 1:
            when = data.num2date(decided_at).isoformat(sep=" ")
            # many runs end with an order that has no next open, and that calls for nothing
            level = logging.INFO if kind == "unfilled_at_end" else logging.WARNING
            log.log(level, "%s at %s: %s%s", type(self).__name__, when, self._front(data), message)

    def _count(self, data: Any, kind: str) -> None:
        self.order_counts[kind] += 1

    def _front(self, data: Any) -> str:
        """What says which market a message is about; "" where there is only one."""
        name = self._name_market(data)
        return f"market {name}: " if name else ""

    def _name_market(self, data: Any) -> str:
        """What a market is called; "" where there is only one."""
        return ""
