"""Backtrader's simulated broker, which knows what its instruments pay and when they are closed."""

import logging
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

import backtrader as bt

from lstm_strategy.errors import TradingError
from lstm_strategy.support import suggest_names
from lstm_strategy.trading.backtrader_internals import (
    feed_name,
    strategies_of_last_run,
    value_of,
)
from lstm_strategy.trading.instruments.account.closings import Closing, find_closings
from lstm_strategy.trading.instruments.account.fills import FillingBroker
from lstm_strategy.trading.instruments.account.liquidation import Holding
from lstm_strategy.trading.instruments.account.market import Market
from lstm_strategy.trading.instruments.account.records import (
    FundingPayment,
    Liquidation,
)
from lstm_strategy.trading.instruments.funding import FundedScheme
from lstm_strategy.trading.instruments.instrument import Instrument, InstrumentScheme
from lstm_strategy.trading.instruments.rolls import RollingScheme
from lstm_strategy.trading.instruments.spot import BorrowScheme

_log = logging.getLogger(__name__)

_ROUNDING = 1e-9  # of an amount


class InstrumentBroker(FillingBroker):
    """The simulated broker of backtrader, with funding, margin and liquidation of derivatives.

    Everything that a `BackBroker` does it does as well. Beside that

    * margin is checked for shorts as for longs, and a position must not grow into a tier that
      doesn't allow its leverage;
    * limit orders of perpetuals that had to wait pay the maker fee, and none that had to wait
      cross the spread;
    * large orders pay what they move the price by (`impact`), and fill over several bars where
      they are more than their share of the volume (`participation`);
    * limit prices are whole ticks, and so are fills, against whoever trades up to the limit;
    * what a commission scheme of your own charges for holding a position is listed as a payment;
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
        self._by_contract: dict[Any, Any] = {}  # the prices of contracts beside adjusted series
        self._is_after_fills = False
        self._is_quiet = False  # nothing on this bar can be liquidated, and nothing has filled
        super().__init__(instruments, **params)
        for scheme in self.comminfo.values():
            if isinstance(scheme, FundedScheme):
                scheme.is_watched = True
                scheme.record = self._note_payment
            if isinstance(scheme, BorrowScheme):
                scheme.record = self._note_payment
            if isinstance(scheme, RollingScheme):
                scheme.record = partial(self._note_payment, is_roll=True)
        if any(each.maintenance_margin_of(1.0, 1.0) for each in self.instruments.values()):
            self.p.shortcash = False  # a short sets margin aside instead of bringing cash
        self._sets_aside = not self.p.shortcash

    def get_value(self, datas: Any = None, mkt: bool = False, lever: bool = False) -> float:
        """Return what the account is worth; of some feeds, what their positions are worth.

        A position on margin is worth its size times the price, below 0 for a short, which is what
        `order_target_percent` of backtrader counts with.
        """
        if datas is None and not (mkt or lever):
            return self._value  # type: ignore[no-any-return]
        if datas and all(isinstance(self.getcommissioninfo(d), FundedScheme) for d in datas):
            return float(sum(self.positions[data].size * data.close[0] for data in datas))
        return float(super().get_value(datas=datas, mkt=mkt, lever=lever))

    getvalue = get_value

    def start(self) -> None:
        """Begin a run: with no position, no payment and no liquidation."""
        super().start()
        for scheme in self.comminfo.values():
            if isinstance(scheme, FundedScheme):
                scheme.known_marks.clear()
                scheme.n_missing_marks = 0
        self.liquidations, self.payments, self._markets = [], [], None

    def next(self) -> None:
        """Live through one bar: what is paid at its open, its fills, its close, liquidations."""
        if self._markets is None:
            self._find_markets()
        self.take_orders()
        self._pay_at_open()
        if self._userhist:
            self._process_order_history()
        self._is_quiet = self._is_all_out_of_reach()
        if not self._is_quiet:
            self._liquidate_at_open()
        if self.pending:
            self.fill_orders()
        self._settle_at_close()
        self._get_value()
        has_paid = bool(self._paying) and self._pay_after_fills()
        is_safe = self._is_quiet or self._is_all_out_of_reach()  # also with what has filled
        has_closed = not is_safe and self._liquidate_within()
        if has_paid or has_closed:
            self._get_value()
        if self._has_debts():
            self._count_debts()
        for market in self._remembering:
            market.end_bar()
        if self._has_impact:
            self.note_changes()

    def _find_markets(self) -> None:
        """Make a market of each feed with an instrument, once the feeds have their buffers."""
        names = [feed_name(data) for data in self.cerebro.datas]
        for name in self.instruments:
            if name is not None and name not in names:
                raise TradingError(
                    f"InstrumentBroker has an instrument for {name!r}, and no feed is called so. "
                    f"{suggest_names(name, names)} Add the feed under that name: "
                    f"cerebro.adddata(feed, name={name!r})."
                )
        self._markets = markets = [
            Market(data, scheme)
            for data in self.cerebro.datas
            if isinstance(scheme := self.getcommissioninfo(data), InstrumentScheme)
        ]
        self._margined = [market for market in markets if market.is_margined]
        self._remembering = [market for market in markets if market.has_to_remember]
        self._by_contract = {
            market.data: getattr(market.data.lines, column)
            for market in markets
            if (column := market.scheme.instrument.price_column) != "close"
        }
        self._paying = [
            market
            for market in markets
            if isinstance(market.scheme, FundedScheme) and market.scheme.pays_within(market.data)
        ]

    def _pay_at_open(self) -> None:
        """Take what positions pay before the fills, which their commission schemes say.

        A perpetual isn't asked on a bar on which nothing settles, since the time of the bar, which
        it would be told, takes longer to work out than all else here.
        """
        paid = 0.0
        for data, position in self.positions.items():
            if not position:
                continue
            scheme = self.getcommissioninfo(data)
            if type(scheme) is FundedScheme and not scheme.settles_at_open(data):
                continue
            time = data.datetime.datetime()
            n_before = len(self.payments)
            amount = scheme.get_credit_interest(data, position, time)
            if amount:
                self._note_unlisted(data, time, position, amount, n_before)
            self.d_credit[data] += amount
            paid += amount
            position.datetime = time
        self.cash -= paid

    def _settle_at_close(self) -> None:
        """Bring the gains of futures into cash, and note the close that positions are worth."""
        for data, position in self.positions.items():
            if position:
                scheme, close = self.getcommissioninfo(data), value_of(data.lines.close)
                self.cash += scheme.cashadjust(position.size, position.adjbase, close)
                position.adjbase = close

    def _is_all_out_of_reach(self) -> bool:
        """Whether nothing on this bar can be liquidated, even if all marks are worst at once."""
        positions, cash = self.positions, self.cash
        shares_margin, spare = False, cash
        kept = 1.0 if cash >= 0.0 else 1.0 + cash / self._isolated_margin()
        for market in self._margined:
            position = positions.get(market.data)
            if not position:
                continue
            if not market.is_isolated:
                shares_margin = True
                spare += market.least_spare(position)
                continue
            margin = None if kept == 1.0 else kept * market.locked(position)
            if not market.is_out_of_reach(position, margin):
                return False
        return not shares_margin or spare > 0.0

    def _isolated_margin(self) -> float:
        """What is set aside for isolated positions, out of which comes what the cash lacks."""
        held = ((market, self.positions.get(market.data)) for market in self._margined)
        return sum(m.locked(each) for m, each in held if each and m.is_isolated) or math.inf

    def _try_exec(self, order: Any) -> None:
        if order.data not in self._by_contract:
            super()._try_exec(order)
            return
        # slippage is a share of the contract's price, whatever the level of an adjusted series
        rate, opened = self.p.slip_perc, order.data.open[0]
        price = self._by_contract[order.data][0] + opened - order.data.close[0]
        self.p.slip_perc = rate * price / opened if opened else 0.0
        try:
            super()._try_exec(order)
        finally:
            self.p.slip_perc = rate

    def _execute(
        self, order: Any, ago: int | None = None, price: float | None = None, **terms: Any
    ) -> Any:
        if ago is not None and price is not None:
            self._is_quiet = False
            scheme = self.getcommissioninfo(order.data)
            if isinstance(scheme, FundedScheme) and self._grows_too_large(order, price, scheme):
                self._refuse(order, price, scheme.instrument)
                return None
        return super()._execute(order, ago=ago, price=price, **terms)

    def _has_debts(self) -> bool:
        """Whether a short that set margin aside has lost more than it was worth when sold."""
        if self._sets_aside:
            for position in self.positions.values():
                if position.size < 0.0 and position.adjbase > 2.0 * position.price:
                    return True
        return False

    def _count_debts(self) -> None:
        """Correct the value where a short has lost more than it was worth when it was sold.

        backtrader takes the size of what is left of it, which then is a debt. `adjbase` is the
        close here.
        """
        debt = 0.0
        for data, position in self.positions.items():
            scheme = self.getcommissioninfo(data)
            left = position.size * ((position.adjbase or 0.0) - 2.0 * position.price)
            if position.size < 0.0 and left < 0.0 and scheme.stocklike:
                debt += 2.0 * left / scheme.get_leverage()
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
            FundingPayment(
                *(time, len(data), feed_name(data), size, mark, rate, amount, is_roll),
                is_within=self._is_after_fills,
            )
        )

    def _note_unlisted(
        self, data: Any, time: datetime, position: Any, amount: float, n_before: int
    ) -> None:
        """List what a scheme of somebody's own charges and doesn't list itself."""
        rest = amount - sum(payment.amount for payment in self.payments[n_before:])
        if abs(rest) > _ROUNDING * abs(amount):
            price = position.adjbase or position.price
            value = position.size * price * self.getcommissioninfo(data).p.mult
            rate = rest / value if value else math.nan
            self._note_payment(data, time, position.size, price, rate, rest)

    def _pay_after_fills(self) -> bool:
        """Take what settled strictly inside the bar; whether it was anything."""
        paid, self._is_after_fills = 0.0, True
        for market in self._paying:
            size = self.positions[market.data].size
            if size and self.has_new_bar(market.data):
                amount = market.scheme.payment_within(market.data, size)
                self.d_credit[market.data] += amount
                paid += amount
        self._is_after_fills = False
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
        new = [market for market in held if self.has_new_bar(market.data)]
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
        charges = {
            "fee": 0.0,
            "crosses_spread": False,
            "impact_cost": closing.fee / abs(size),
            "covered": closing.insurance,
        }
        self.fill_at(order, closing.price, charges, market.scheme)
