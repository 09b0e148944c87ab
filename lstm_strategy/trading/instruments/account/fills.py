"""The half of the account's broker that fills orders: fees, spread, impact, volume and ticks."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import backtrader as bt

from lstm_strategy.errors import TradingError
from lstm_strategy.trading.backtrader_internals import feed_name
from lstm_strategy.trading.instruments.account.records import FillCost
from lstm_strategy.trading.instruments.impact import PriceChanges, square_root_impact
from lstm_strategy.trading.instruments.instrument import Instrument, InstrumentScheme

_LIMITS = {bt.Order.Limit: "price", bt.Order.StopLimit: "pricelimit"}
"""Where an order has its limit, by the kind of the order."""


class FillingBroker(bt.brokers.BackBroker):
    """The simulated broker of backtrader, whose fills cost what their instruments say.

    Args:
        instruments: By the names of the feeds; one instrument for all of them.
        **params: Those of `BackBroker`.

    Attributes:
        instruments: By the names of the feeds; None for all others.
        fills: A `FillCost` for each fill of a strategy's order, in order.
    """

    def __init__(self, instruments: Instrument | Mapping[str, Instrument], **params: Any) -> None:
        self.fills: list[FillCost] = []
        self.instruments: dict[str | None, Instrument] = {}
        self._owners: dict[Any, Any] = {}  # whose order filled last, by feed
        self._used: dict[Any, tuple[float, float]] = {}  # of the volume of a bar, by feed
        self._has_impact = False
        self._changes: dict[Any, PriceChanges] = defaultdict(PriceChanges)
        super().__init__(**params)  # none are left: backtrader's metaclass takes them before
        self._usual_scheme = self.comminfo[None]
        given = instruments if isinstance(instruments, Mapping) else {"": instruments}
        for name, instrument in given.items():
            if not isinstance(instrument, Instrument):
                raise TradingError(
                    f"an InstrumentBroker trades instruments, got {instrument!r} for {name!r}. "
                    "Give a Spot, Future or Perpetual."
                )
            super().addcommissioninfo(instrument.commission_info(), name=name or None)
            self.instruments[name or None] = instrument
        self._has_impact = any(each.impact for each in given.values())
        if self.p.filler is None and any(each.participation for each in given.values()):
            self.p.filler = self._fill_of_volume

    def addcommissioninfo(self, comminfo: Any, name: str | None = None) -> None:
        """Add a commission scheme for a feed that has no instrument.

        Raises:
            TradingError: If it has one.
        """
        if name in self.instruments:
            raise TradingError(
                f"{name or 'every feed'} trades as {type(self.instruments[name]).__name__}, and "
                "a second commission scheme would replace its costs and margin. Leave "
                "setcommission and addcommissioninfo out, or give InstrumentBroker another "
                "instrument."
            )
        super().addcommissioninfo(comminfo, name=name)

    def setcommission(self, *args: Any, name: str | None = None, **kwargs: Any) -> None:
        """Set a commission for a feed that has no instrument, as `addcommissioninfo` does."""
        if name in self.instruments:
            self.addcommissioninfo(None, name=name)
        super().setcommission(*args, name=name, **kwargs)

    def _check_general_scheme(self) -> None:
        """Refuse a commission for feeds without an instrument where every feed has one."""
        has_one = None not in self.instruments and self.comminfo[None] is not self._usual_scheme
        if has_one and all(data._name in self.instruments for data in self.cerebro.datas):
            raise TradingError(
                "The commission scheme without a name is for feeds that have no instrument, and "
                "every feed here has one. Leave that setcommission or addcommissioninfo out, or "
                "give InstrumentBroker another instrument."
            )

    def submit(self, order: Any, check: bool = True) -> Any:
        """Take an order; a limit price becomes a whole number of ticks, no worse than asked."""
        instrument = getattr(self.getcommissioninfo(order.data), "instrument", None)
        name = _LIMITS.get(order.exectype)
        if instrument is not None and name is not None and instrument.tick_size:
            limit = instrument.round_price(getattr(order.created, name), is_buy=order.isbuy())
            setattr(order.created, name, limit)
        return super().submit(order, check=check)

    def start(self) -> None:
        """Begin a run: with no fill."""
        super().start()
        self._check_general_scheme()
        self.fills, self._owners, self._used = [], {}, {}
        self._changes = defaultdict(PriceChanges)

    def take_orders(self) -> None:
        """Accept what was sent since the last bar, as far as there is money for it."""
        while self._toactivate:
            self._toactivate.popleft().activate()
        if self.submitted and self.p.checksubmit:
            self.check_submitted()

    def fill_orders(self) -> None:
        """Try the waiting orders on this bar, as backtrader's broker does."""
        self.pending.append(None)  # what is sent meanwhile stands behind it
        while (order := self.pending.popleft()) is not None:
            if order.expire():
                self.notify(order)
                self._ococheck(order)
                self._bracketize(order, cancel=True)
                continue
            if order.active():
                self._try_exec(order)
            if order.alive():
                self.pending.append(order)
            elif order.status == bt.Order.Completed:
                self._bracketize(order)

    def has_new_bar(self, data: Any) -> bool:
        """Return whether a feed is among those that woke the broker, with the latest bar.

        Args:
            data: The feed.
        """
        return bool(data.datetime[0] >= max(d.datetime[0] for d in self.cerebro.datas if len(d)))

    @property
    def needs_every_bar(self) -> bool:
        """Whether it goes by bars before the first order: by the usual size of their changes."""
        return self._has_impact

    def note_changes(self) -> None:
        """Take the new closes for the usual size of their changes."""
        for data in self.cerebro.datas:
            if len(data) and self.has_new_bar(data):
                self._changes[data].add(data.close[0])

    def _execute(
        self, order: Any, ago: int | None = None, price: float | None = None, **terms: Any
    ) -> Any:
        scheme: Any = self.getcommissioninfo(order.data)
        is_ours = ago is not None and price is not None and isinstance(scheme, InstrumentScheme)
        if not is_ours:
            return super()._execute(order, ago=ago, price=price, **terms)
        self._owners[order.data] = order.owner
        price = self._in_ticks(order, float(price or 0.0), scheme.instrument)
        filled = order.executed.size
        with _charging(scheme, **self._charges(order, price, scheme)):
            result = super()._execute(order, ago=ago, price=price, **terms)
            self._note_fill(order, order.executed.size - filled, price, scheme)
        return result

    def fill_at(
        self, order: Any, price: float, charges: Mapping[str, Any], scheme: InstrumentScheme
    ) -> None:
        """Fill a whole order now, whatever the volume, at other charges than those of a fill.

        Args:
            order: That has been accepted.
            price: At which it fills.
            charges: Attributes of the scheme that hold for it.
            scheme: The commission scheme.
        """
        filler, self.p.filler = self.p.filler, None
        with _charging(scheme, **charges):
            super()._execute(order, ago=0, price=price)
        self.p.filler = filler

    def impact_of(self, order: Any, price: float) -> float:
        """Return what the size of an order would take, if it filled now, in money.

        Args:
            order: That waits.
            price: At which it would fill.
        """
        scheme = self.getcommissioninfo(order.data)
        if not self._has_impact or not isinstance(scheme, InstrumentScheme):
            return 0.0
        charges = self._charges(order, price, scheme)
        return float(abs(order.executed.remsize) * charges.get("impact_cost", 0.0))

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
        """The price of a fill, rounded against whoever trades, within the bar and any limit."""
        name = _LIMITS.get(order.exectype)
        if instrument.tick_size is None or (name is not None and price == order.data.open[0]):
            return price  # a limit order that gets the open itself pays what others paid
        rounded = instrument.round_price(price, is_buy=not order.isbuy())
        rounded = float(min(max(rounded, order.data.low[0]), order.data.high[0]))
        if name is None:
            return rounded
        limit = float(getattr(order.created, name))
        return min(rounded, limit) if order.isbuy() else max(rounded, limit)


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
