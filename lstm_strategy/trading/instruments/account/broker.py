"""Backtrader's simulated broker, which knows what its instruments pay and when they are closed."""

import logging
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any

import backtrader as bt

from lstm_strategy.errors import TradingError
from lstm_strategy.trading.backtrader_internals import feed_name, strategies_of_last_run
from lstm_strategy.trading.instruments.account.closings import Closing, find_closings
from lstm_strategy.trading.instruments.account.liquidation import Holding
from lstm_strategy.trading.instruments.account.market import Market
from lstm_strategy.trading.instruments.account.records import (
    FillCost,
    FundingPayment,
    Liquidation,
)
from lstm_strategy.trading.instruments.funding import FundedScheme
from lstm_strategy.trading.instruments.impact import PriceChanges, square_root_impact
from lstm_strategy.trading.instruments.instrument import Instrument, InstrumentScheme
from lstm_strategy.trading.instruments.rolls import RollingScheme

_log = logging.getLogger(__name__)


class InstrumentBroker(bt.brokers.BackBroker):
    """The simulated broker of backtrader, with funding, margin and liquidation of derivatives.

    Everything that a `BackBroker` does it does as well. Beside that

    * margin is checked for shorts as for longs, and a position must not grow into a tier that
      doesn't allow its leverage;
    * limit orders of perpetuals that had to wait pay the maker fee, and none that had to wait
      cross the spread;
    * large orders pay what they move the price by (`impact`), and fill over several bars where
      they are more than their share of the volume (`participation`);
    * limit prices are whole ticks, and so are the fills of other orders, against whoever trades;
    * `funding_payment` is paid after the fills of its bar;
    * positions held into a bar whose mark at the open is beyond the liquidation price are closed
      at the open, before any order fills;
    * after the fills, a position whose mark gets there within the bar is closed at the first price
      beyond. Within a bar nobody knows what came first: an order of yours that fills on the bar
      counts as earlier, and the whole range of a bar as later than an entry on it.

    A position is closed by an order in the name of the strategy that last traded the market, with
    `order.info.is_liquidation`, and what was waiting there is cancelled. The strategy is notified.

    Args:
        instruments: By the names of the feeds; one instrument for all of them.
        **params: Those of `BackBroker`, such as `cash`.

    Attributes:
        liquidations: A `Liquidation` for each, in order.
        payments: A `FundingPayment` for each, in order; what rolls of futures cost is among them.
        fills: A `FillCost` for each fill of an order that isn't a liquidation, in order.

    Raises:
        TradingError: If something else than an instrument is given.

    Example:
        >>> from lstm_strategy import Perpetual
        >>> cerebro = bt.Cerebro()
        >>> cerebro.broker = InstrumentBroker({"BTC": Perpetual(leverage=3)}, cash=1_000)
        >>> cerebro.broker.getcash()
        1000
    """

    def __init__(self, instruments: Instrument | Mapping[str, Instrument], **params: Any) -> None:
        self.liquidations: list[Liquidation] = []
        self.payments: list[FundingPayment] = []
        self._markets: list[Market] | None = None
        self._margined: list[Market] = []
        self._remembering: list[Market] = []
        self._paying: list[Market] = []
        self._is_quiet = False  # nothing on this bar can be liquidated, and nothing has filled
        self.fills: list[FillCost] = []
        self._owners: dict[Any, Any] = {}
        self._used: dict[Any, tuple[float, float]] = {}  # of the volume of a bar, by feed
        self._changes: dict[Any, PriceChanges] = {}
        self._instruments: dict[str | None, Instrument] = {}
        super().__init__(**params)  # none are left: backtrader's metaclass takes them before
        given = instruments if isinstance(instruments, Mapping) else {"": instruments}
        for name, instrument in given.items():
            if not isinstance(instrument, Instrument):
                raise TradingError(
                    f"an InstrumentBroker trades instruments, got {instrument!r} for {name!r}. "
                    "Give a Spot, Future or Perpetual."
                )
            scheme = instrument.commission_info()
            if isinstance(scheme, FundedScheme):
                scheme.is_watched = True
                scheme.record = self._note_payment
            if isinstance(scheme, RollingScheme):
                scheme.record = partial(self._note_payment, is_roll=True)
            super().addcommissioninfo(scheme, name=name or None)
            self._instruments[name or None] = instrument
        if any(_needs_margin(instrument) for instrument in given.values()):
            self.p.shortcash = False  # a short sets margin aside instead of bringing cash
        if self.p.filler is None and any(each.participation for each in given.values()):
            self.p.filler = self._fill_of_volume

    def addcommissioninfo(self, comminfo: Any, name: str | None = None) -> None:
        """Add a commission scheme for a feed that has no instrument.

        Raises:
            TradingError: If it has one.
        """
        if name in self._instruments:
            raise TradingError(
                f"{name or 'every feed'} trades as {type(self._instruments[name]).__name__}, and "
                "a second commission scheme would replace its costs and margin. Leave "
                "setcommission and addcommissioninfo out, or give InstrumentBroker another "
                "instrument."
            )
        super().addcommissioninfo(comminfo, name=name)

    def setcommission(self, *args: Any, name: str | None = None, **kwargs: Any) -> None:
        """Set a commission for a feed that has no instrument, as `addcommissioninfo` does."""
        if name in self._instruments:
            self.addcommissioninfo(None, name=name)
        super().setcommission(*args, name=name, **kwargs)

    def submit(self, order: Any, check: bool = True) -> Any:
        """Take an order; a limit price becomes a whole number of ticks, no worse than asked."""
        instrument = getattr(self.getcommissioninfo(order.data), "instrument", None)
        if instrument is not None and order.exectype == bt.Order.Limit and instrument.tick_size:
            limit = instrument.round_price(order.created.price, is_buy=order.isbuy())
            order.created.price = limit
        return super().submit(order, check=check)

    def start(self) -> None:
        """Begin a run: with no position, no payment and no liquidation."""
        super().start()
        for scheme in self.comminfo.values():
            if isinstance(scheme, FundedScheme):
                scheme.known_marks.clear()
                scheme.n_missing_marks = 0
        self.liquidations, self.payments, self.fills = [], [], []
        self._owners, self._used, self._changes = {}, {}, {}
        self._markets = None

    def next(self) -> None:
        """Live through one bar."""
        if self._markets is None:
            self._find_markets()
        super().next()
        has_paid = bool(self._paying) and self._pay_after_fills()
        has_closed = not self._is_quiet and self._liquidate_within()
        if has_paid or has_closed:
            self._get_value()
        self._count_debts()
        for market in self._remembering:
            market.end_bar()
        for data, changes in self._changes.items():
            if self._has_new_bar(data):
                changes.add(data.close[0])

    def _find_markets(self) -> None:
        """Make a market of each feed with an instrument, once the feeds have their buffers."""
        self._markets = markets = [
            Market(data, scheme)
            for data in self.cerebro.datas
            if isinstance(scheme := self.getcommissioninfo(data), InstrumentScheme)
        ]
        self._margined = [market for market in markets if market.is_margined]
        self._remembering = [market for market in markets if market.has_to_remember]
        self._changes = {m.data: PriceChanges() for m in markets if m.scheme.instrument.impact}
        self._paying = [
            market
            for market in markets
            if isinstance(market.scheme, FundedScheme) and market.scheme.pays_within(market.data)
        ]

    def _process_order_history(self) -> None:
        # backtrader comes here after the funding and before the fills
        super()._process_order_history()
        self._is_quiet = self._is_all_out_of_reach()
        if not self._is_quiet:
            self._liquidate_at_open()

    def _is_all_out_of_reach(self) -> bool:
        positions, cash = self.positions, self.cash
        for market in self._margined:
            position = positions.get(market.data)
            if position and not market.is_out_of_reach(position, cash):
                return False
        return True

    def _has_new_bar(self, data: Any) -> bool:
        """Whether a feed is among those that woke the broker: the ones with the latest bar."""
        return bool(data.datetime[0] >= max(d.datetime[0] for d in self.cerebro.datas if len(d)))

    def _execute(
        self,
        order: Any,
        ago: int | None = None,
        price: float | None = None,
        cash: float | None = None,
        position: Any = None,
        dtcoc: float | None = None,
    ) -> Any:
        terms = {"cash": cash, "position": position, "dtcoc": dtcoc}
        scheme: Any = self.getcommissioninfo(order.data)
        is_ours = ago is not None and price is not None and isinstance(scheme, InstrumentScheme)
        if not is_ours:
            return super()._execute(order, ago=ago, price=price, **terms)
        self._owners[order.data] = order.owner
        self._is_quiet = False
        price = self._in_ticks(order, float(price or 0.0), scheme.instrument)
        if isinstance(scheme, FundedScheme) and self._grows_too_large(order, price, scheme):
            self._refuse(order, price, scheme.instrument)
            return None
        filled = order.executed.size
        with _charging(scheme, **self._charges(order, price, scheme)):
            result = super()._execute(order, ago=ago, price=price, **terms)
            self._note_fill(order, order.executed.size - filled, price, scheme)
        return result

    def _charges(self, order: Any, price: float, scheme: Any) -> dict[str, Any]:
        """What of a scheme is different for one fill."""
        instrument = scheme.instrument
        if _had_to_wait(order, price):
            return {"crosses_spread": False, "fee": getattr(instrument, "maker_rate", scheme.fee)}
        volume = order.data.volume[0]
        if not (instrument.impact and volume > 0.0):
            return {}
        size = abs(order.executed.remsize)
        if self.p.filler is not None:
            size = self.p.filler(order, price, 0)
        change = self._changes[order.data].size()
        points = square_root_impact(instrument.impact, change, size / volume)
        return {"impact_cost": points * instrument.multiplier}

    def _note_fill(self, order: Any, size: float, price: float, scheme: InstrumentScheme) -> None:
        """Write down what a fill took, and what it used of the bar's volume."""
        if not size:
            return
        data, instrument = order.data, scheme.instrument
        total = scheme.getcommission(size, price)
        spread = instrument.spread_cost_of(size, price) if scheme.crosses_spread else 0.0
        impact = abs(size) * scheme.impact_cost
        fee = total - spread - impact
        self.fills.append(
            FillCost(
                data.datetime.datetime(),
                len(data),
                feed_name(data),
                size,
                price,
                fee,
                spread,
                impact,
            )
        )
        if instrument.participation is not None:
            time, used = self._used.get(data, (0.0, 0.0))
            now = data.datetime[0]
            self._used[data] = now, abs(size) + (used if time == now else 0.0)

    def _fill_of_volume(self, order: Any, price: float, ago: int) -> float:
        """What of an order the volume of the bar lets fill, as backtrader's fillers answer."""
        del price
        data, wanted = order.data, abs(order.executed.remsize)
        instrument: Any = getattr(self.getcommissioninfo(data), "instrument", None)
        if instrument is None or instrument.participation is None:
            return float(wanted)
        time, used = self._used.get(data, (0.0, 0.0))
        volume = data.volume[ago]
        left = volume * instrument.participation - (used if time == data.datetime[0] else 0.0)
        if not left > 0.0:  # nor where the volume is missing
            return 0.0
        lot = instrument.lot_size
        return float(min(wanted, left if lot is None else math.floor(left / lot + 1e-9) * lot))

    def _in_ticks(self, order: Any, price: float, instrument: Instrument) -> float:
        """The price of a fill, rounded against whoever trades but for limits, within the bar."""
        if instrument.tick_size is None or order.exectype == bt.Order.Limit:
            return price
        rounded = instrument.round_price(price, is_buy=not order.isbuy())
        return float(min(max(rounded, order.data.low[0]), order.data.high[0]))

    def _count_debts(self) -> None:
        """Correct the value where a short has lost more than it was worth when it was sold.

        backtrader takes the size of what is left of it, which then is a debt. `adjbase` is the
        close here.
        """
        debt = 0.0
        if self.p.shortcash:
            return
        for data, position in self.positions.items():
            if position.size < 0.0 and position.adjbase > 2.0 * position.price:
                scheme = self.getcommissioninfo(data)
                left = position.size * (position.adjbase - 2.0 * position.price)
                debt += 2.0 * left / scheme.get_leverage() if scheme.stocklike else 0.0
        if debt:
            self._value += debt
            self._valuemkt += debt
            self._valuelever += debt
            self._fundval = self._value / self._fundshares

    def _grows_too_large(self, order: Any, price: float, scheme: Any) -> bool:
        instrument = scheme.instrument
        held = self.positions[order.data].size
        size = held + order.executed.remsize
        return bool(abs(size) > abs(held) and abs(size) * price >= instrument.largest_value)

    def _refuse(self, order: Any, price: float, instrument: Any) -> None:
        size = self.positions[order.data].size + order.executed.remsize
        _log.warning(
            "%s at %s: the order is refused, since it would bring the position to %s, and with a "
            "leverage of %g the maintenance tiers allow less than %s. Lower the leverage, or hold "
            "less.",
            feed_name(order.data) or "the data",
            order.data.num2date().isoformat(sep=" "),
            f"{abs(size) * price:,.2f}",
            instrument.leverage,
            f"{instrument.largest_value:,.2f}",
        )
        order.margin()
        self.notify(order)
        self._ococheck(order)
        self._bracketize(order, cancel=True)

    def _note_payment(
        self,
        data: Any,
        time: datetime,
        size: float,
        mark: float,
        rate: float,
        amount: float,
        *,
        is_roll: bool = False,
    ) -> None:
        self.payments.append(
            FundingPayment(time, len(data), feed_name(data), size, mark, rate, amount, is_roll)
        )

    def _pay_after_fills(self) -> bool:
        """Take what settled strictly inside the bar; whether it was anything."""
        paid = 0.0
        for market in self._paying:
            size = self.positions[market.data].size
            if size and self._has_new_bar(market.data):
                amount = market.scheme.payment_within(market.data, size)
                self.d_credit[market.data] += amount
                paid += amount
        self.cash -= paid
        self._is_quiet = self._is_quiet and not paid
        return bool(paid)

    def _liquidate_at_open(self) -> None:
        held, new = self._holdings(Market.at_open)
        prices = {market: market.data.open[0] for market in new}
        worst = {market: holding.mark for market, holding in held.items()}
        self._close_out(find_closings(held, worst, prices, self.cash))

    def _liquidate_within(self) -> bool:
        held, new = self._holdings(Market.at_close)
        prices = {market: market.data.close[0] for market in new}
        worst = {market: market.worst_for(holding.size) for market, holding in held.items()}
        return self._close_out(find_closings(held, worst, prices, self.cash, is_within=True))

    def _holdings(
        self, mark_of: Callable[[Market], float]
    ) -> tuple[dict[Market, Holding], list[Market]]:
        """The positions on margin at their marks of one moment, and the markets with a new bar."""
        held = {market: self.positions[market.data] for market in self._margined}
        held = {market: position for market, position in held.items() if position.size}
        new = [market for market in held if self._has_new_bar(market.data)]
        return {
            market: market.holding(
                position, (mark_of if market in new else Market.at_close)(market)
            )
            for market, position in held.items()
        }, new

    def _close_out(self, closings: dict[Market, Closing]) -> bool:
        """Close positions, each in the name of whoever traded its market last."""
        for market, closing in closings.items():
            self._cancel_orders(market.data)
            self.liquidations.append(self._record(market.data, closing))
            self._fill_closing(market, closing)
        return bool(closings)

    def _cancel_orders(self, data: Any) -> None:
        for order in [each for each in self.pending if each.data is data]:
            self.cancel(order)

    def _record(self, data: Any, closing: Closing) -> Liquidation:
        return Liquidation(
            datetime=data.datetime.datetime(),
            bar=len(data),
            symbol=feed_name(data),
            size=closing.holding.size,
            entry=self.positions[data].price,
            mark=closing.mark,
            price=closing.price,
            fee=closing.fee,
            insurance=closing.insurance,
        )

    def _fill_closing(self, market: Market, closing: Closing) -> None:
        data, size = market.data, closing.holding.size
        order = (self.sell if size > 0.0 else self.buy)(
            self._owners.get(data) or strategies_of_last_run(self.cerebro)[0],
            data,
            abs(size),
            exectype=bt.Order.Market,
            _checksubmit=False,
            is_liquidation=True,
        )
        self.orders.append(order)  # as of every order that is checked
        self.pending.remove(order)
        filler, self.p.filler = self.p.filler, None  # it is closed whole, whatever the volume
        charges = {"fee": 0.0, "crosses_spread": False, "impact_cost": closing.fee / abs(size)}
        with _charging(market.scheme, **charges, covered=closing.insurance):
            super()._execute(order, ago=0, price=closing.price)
        self.p.filler = filler


@contextmanager
def _charging(scheme: Any, **charges: Any) -> Iterator[None]:
    """Let a scheme charge something else for one fill."""
    before = {name: getattr(scheme, name) for name in charges}
    vars(scheme).update(charges)
    try:
        yield
    finally:
        vars(scheme).update(before)


def _had_to_wait(order: Any, price: float) -> bool:
    """Whether a limit order fills at its limit, since the bar opened on the other side of it."""
    if order.exectype != bt.Order.Limit or price != order.created.price:
        return False
    opened = order.data.open[0]
    return bool(opened > price if order.isbuy() else opened < price)


def _needs_margin(instrument: Instrument) -> bool:
    return instrument.maintenance_margin_of(1.0, 1.0) > 0.0
