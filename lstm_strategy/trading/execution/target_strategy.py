"""From a desired exposure to orders.

A strategy says which fraction of equity it wants to hold; `TargetStrategy` turns that into orders
that backtrader's broker can fill at the next open: never refused for lack of cash, never dropped
in silence.

How the orders are made, and why:

* A buy that opens or extends a long is a *collared market order*: a limit order at
  `close * (1 + reserve)`. Backtrader fills it at the next open whenever the open is not above
  the collar, and its size is what the cash can pay at the collar, commission included. A plain
  market order is sized at a price that nobody has seen yet, so a gap ends it in Margin.
* A buy that only reduces a short is a market order: whoever must get out may not be held up by a
  collar. It skips backtrader's cash check, which would forbid covering when it is needed most.
* Sells are market orders. The proceeds of a short sale count as cash in backtrader, which thus
  allows any size, so the size is limited here: exposure stays within one times equity.
"""

import math
from numbers import Real
from typing import Any

import backtrader as bt

from lstm_strategy.errors import TradingError
from lstm_strategy.trading.backtrader_internals import hold_until_next_bar, without_cash_check
from lstm_strategy.trading.execution.order_log import ORDER_KINDS, log
from lstm_strategy.trading.execution.parameters import (
    TargetParameters,
    check_params,
    default_params,
)
from lstm_strategy.trading.execution.sizing import affordable_size, whole_lots
from lstm_strategy.trading.execution.stops import Stops
from lstm_strategy.trading.execution.terms import RivalWatch, check_commission, note_settings


class TargetStrategy(bt.Strategy):
    """Hold the fraction of equity that `target_exposure` asks for, decided once per bar of data0.

    Override `target_exposure`. It is asked at the close of each bar of data0, and the orders that
    follow fill at the next open. A subclass with an `__init__` of its own calls
    `super().__init__()` first, and likewise in `start`, `stop` and `notify_order`.

    With several datas the strategy still decides once per bar of data0. Under `replaydata` the
    last answer given within a bar counts, because only then is the bar complete; backtrader shows
    that by starting the next bar, so the order leaves on its first tick and fills on the second.
    `target_exposure` is then asked on unfinished bars too: keep state in `target` or in lines
    rather than in attributes that each call changes.

    Args:
        long_only: Whether exposures below 0 become 0 (False).
        band: Differences between target and exposure up to this fraction of equity aren't
            traded (0.1).
        reserve: A buy pays up to `close * (1 + reserve)`, and cash is kept for that (0.01).
        lot_size: The smallest tradable number of units (1e-6); 1 for whole shares.
        stop_loss_atr: A close this many ATRs (of the time of entry) beyond the entry price closes
            the position; it stays closed until the target changes its sign or is 0. None, the
            default, for no such stop.
        trailing_stop_atr: The same from the best close since the entry, with the present ATR.
        atr_length: Bars of the average true range (14).
        bars_per_year: For strategies that annualise or count months (252).
        bars_per_day: For strategies that count days (1). `run_backtest` takes both from the bars.

    Attributes:
        target: The last exposure that the strategy decided on, 0 before the first. A rule that
            holds on until an exit returns it, which repeats an order that did not fill.
        order_counts: What became of the orders, by kind: `completed`; `margin` and `rejected`
            (refused by the broker); `expired` (not filled by the next bar's close, then decided
            again); `too_small` (not even one lot); `unsized` (left to backtrader's default sizer,
            which this class never does); `unfilled_at_end`; and `ruined` (equity at or below
            zero: everything is closed, for good). The first of each trouble in a run is also
            logged as a warning with its remedy.

    Raises:
        TradingError: If a parameter is out of range, if an answer is not a number, or if the
            instrument is traded on margin, with a multiplier or with leverage (futures), so that
            exposure is not size times price.

    Example:
        >>> class BuyTheDip(TargetStrategy):
        ...     def target_exposure(self):
        ...         return 1.0 if self.data.close[0] < self.data.open[0] else 0.0
        >>> from lstm_strategy import BarsFeed, simulate_bars
        >>> cerebro = bt.Cerebro()
        >>> _ = cerebro.adddata(BarsFeed(simulate_bars("noise", 100).bars))
        >>> _ = cerebro.addstrategy(BuyTheDip, band=0.2)
        >>> cerebro.run()[0].order_counts["completed"] > 10
        True
    """

    params: Any = default_params(TargetParameters)

    def __init__(self) -> None:
        if isinstance(self.datas[0], bt.Strategy):  # the owner stands in for the data
            raise TradingError(
                f"{type(self).__name__} can't be made inside another strategy, where backtrader "
                "gives it no data. Derive from it instead, or add it to a Cerebro of its own; in "
                "a strategy of your own, use LSTMIndicator."
            )
        check_params(TargetParameters, self.p)
        self.order_counts: dict[str, int] = dict.fromkeys(ORDER_KINDS, 0)
        self.target = 0.0
        self._order: Any = None
        self._rivals: RivalWatch | None = None
        self._bars_decided = 0
        self._replayed_answer: float | None = None
        has_stops = self.p.stop_loss_atr is not None or self.p.trailing_stop_atr is not None
        self._stops = Stops(
            bt.indicators.ATR(period=self.p.atr_length) if has_stops else None,
            stop_loss_atr=self.p.stop_loss_atr,
            trailing_stop_atr=self.p.trailing_stop_atr,
        )

    def target_exposure(self) -> float:
        """Return the desired fraction of equity in data0 at the close of this bar.

        Returns:
            A number in -1..1; values beyond are clipped. NaN means no opinion: the present
            position stays.
        """
        raise NotImplementedError(f"{type(self).__name__} must define target_exposure()")

    def start(self) -> None:
        """Refuse what could only go wrong later."""
        if not hasattr(self, "order_counts"):
            raise TradingError(
                f"{type(self).__name__}.__init__ must call super().__init__() first, and does not."
            )
        check_commission(self.broker.getcommissioninfo(self.data))
        self._rivals = RivalWatch(self, TargetStrategy)
        note_settings(self)

    def next(self) -> None:
        """Decide once a bar of data0, however often backtrader calls."""
        bars_seen = len(self.data)
        if not self.data.replaying:
            if bars_seen > self._bars_decided:
                self._bars_decided = bars_seen
                self._act_on(self._answer())
            return
        # The answer to the last call within a bar is the one given on the complete bar.
        if self._replayed_answer is not None and bars_seen > self._bars_decided:
            self._act_on(self._replayed_answer)
        self._bars_decided = bars_seen
        self._replayed_answer = self._answer()

    def notify_order(self, order: Any) -> None:
        """Count how each order ended."""
        if order.status == order.Completed:
            self.order_counts["completed"] += 1
        elif order.status == order.Margin:
            remedy = "Does another strategy spend the same cash? Give each its own Cerebro."
            self._report("margin", f"the order for {order.size:g} was refused for cash. {remedy}")
        elif order.status == order.Rejected:
            self._report(
                "rejected", f"the broker rejected the order for {order.size:g}; see its messages."
            )
        elif order.status == order.Expired:
            self._report("expired", f"the order for {order.size:g} expired; it is decided again.")

    def stop(self) -> None:
        """Count an order that the end of the run left unfilled."""
        if self._rivals is not None:
            self._rivals.look()
        if self._order is not None and self._order.alive():
            self._report(
                "unfilled_at_end",
                f"the order for {self._order.size:g} sent at the last close never met an open. "
                "End the run a bar later to see its fill.",
                # Under exactbars=1 the data has no present bar left by now.
                decided_at=self._order.created.dt,
            )

    def _answer(self) -> float:
        """What target_exposure asks for, checked and clipped; NaN for no opinion."""
        asked = self.target_exposure()
        if not isinstance(asked, Real) or math.isinf(asked):
            raise TradingError(
                f"target_exposure must return a number in -1..1, or NaN for no opinion; "
                f"{type(self).__name__} returned {asked!r} at {self._date()}. "
                "Return float(...) of one value, such as float(self.indicator[0])."
            )
        if math.isnan(asked):
            return math.nan
        return min(1.0, max(0.0 if self.p.long_only else -1.0, float(asked)))

    def _act_on(self, target: float) -> None:
        """Send the order, if any, that moves the position to the target."""
        if self._rivals is not None:
            self._rivals.look()
        close = self._close()
        if not self._withdraw_stale_order():
            return
        self._stops.follow(self.position, close)
        if not math.isnan(target):
            self.target = target
        equity = self.broker.getvalue()
        if self._is_ruined(equity):
            self._send(-self.position.size, close)
            return
        exposure = self.position.size * close / equity
        target = self._stops.target_after(target, self.position, close)
        if math.isnan(target):
            # No opinion is no licence to run a losing short beyond one times equity.
            target = max(-1.0, min(1.0, exposure))
        if self._is_worth_trading(target, exposure):
            self._send(self._order_size(target, equity, close), close)

    def _close(self) -> float:
        close = float(self.data.close[0])
        if not close > 0.0 or math.isinf(close):
            raise TradingError(
                f"close must be a price above 0 to size an order, got {close} at {self._date()}. "
                "Check the bars with lstm_strategy.validate_bars."
            )
        return close

    def _withdraw_stale_order(self) -> bool:
        """Withdraw what has not filled since the last decision; False while a broker dawdles."""
        order = self._order
        if order is None or not order.alive():
            return True
        self.cancel(order)
        if order.alive():
            return False
        self._report(
            "expired",
            f"the order for {order.size:g} at {order.created.price:g} did not fill on this bar "
            f"and is decided again. Raise reserve (now {self.p.reserve:g}) to follow wider gaps.",
        )
        return True

    def _is_ruined(self, equity: float) -> bool:
        if equity <= 0.0 and not self.order_counts["ruined"]:
            self._report(
                "ruined",
                f"equity fell to {equity:,.2f} with {self.position.size:g} units held; all is "
                "closed and nothing is traded any more. Ask for smaller short exposures.",
            )
        return self.order_counts["ruined"] > 0

    def _is_worth_trading(self, target: float, exposure: float) -> bool:
        if target * exposure < 0.0 or abs(exposure) > 1.0 + self.p.band:
            return True
        if target == 0.0:
            return exposure != 0.0
        return bool(abs(target - exposure) > self.p.band)

    def _order_size(self, target: float, equity: float, close: float) -> float:
        """The signed units to trade, which cash can pay and lots allow."""
        present: float = self.position.size
        wanted = whole_lots(target * equity / close, self.p.lot_size)
        size = wanted - present
        if wanted > 0.0 and size > 0.0:
            size = min(size, self._affordable_lots(close))
            # Where cash doesn't reach beyond the short, the short is at least covered.
            size = max(size, -present)
        if abs(size) < 0.5 * self.p.lot_size and wanted != 0.0:
            size = 0.0
        if size == 0.0 and present == 0.0:
            self._report_too_small(target, equity, close)
        return size

    def _affordable_lots(self, close: float) -> float:
        cash, lot_size = float(self.broker.getcash()), float(self.p.lot_size)
        units = affordable_size(cash, self._dearest_fill(close), self._commission_of_buy)
        # Strictly down: a tolerance here could spend a lot's worth of cash that isn't there.
        return math.floor(units / lot_size) * lot_size

    def _dearest_fill(self, close: float) -> float:
        """The highest price that a collared buy can end up paying."""
        collar = self._collar(close)
        if self._is_simulated() and self.broker.p.slip_out:
            # The one setting that lets slippage go beyond a limit.
            collar = collar * (1.0 + self.broker.p.slip_perc) + self.broker.p.slip_fixed
        return collar

    def _collar(self, close: float) -> float:
        return close * (1.0 + float(self.p.reserve))

    def _commission_of_buy(self, size: float, price: float) -> float:
        """The commission as backtrader charges it: covering and buying each for itself."""
        commission = self.broker.getcommissioninfo(self.data).getcommission
        covered = min(size, max(0.0, -self.position.size))
        return float(sum(commission(part, price) for part in (covered, size - covered) if part))

    def _report_too_small(self, target: float, equity: float, close: float) -> None:
        lot, collar = self.p.lot_size, self._dearest_fill(close)
        needed = max(lot * close / abs(target), lot * collar + self._commission_of_buy(lot, collar))
        self._report(
            "too_small",
            f"target of {target:g} asks for {target * equity / close:.4g} units but lot_size is "
            f"{lot:g}. Raise cash above {needed:,.2f} or lower lot_size.",
        )

    def _send(self, size: float, close: float) -> None:
        """Send one order of the whole size (signed units); nothing for 0."""
        if size < 0.0:
            self._order = self.sell(size=-size)
        elif 0.0 < size <= -self.position.size:
            unchecked = without_cash_check() if self._is_simulated() else {}
            self._order = self.buy(size=size, **unchecked)
        elif size > 0.0:
            self._order = self.buy(size=size, price=self._collar(close), exectype=bt.Order.Limit)
            if self._is_simulated():
                hold_until_next_bar(self._order, self.data)

    def _is_simulated(self) -> bool:
        return isinstance(self.broker, bt.brokers.BackBroker)

    def _report(self, kind: str, message: str, *, decided_at: float | None = None) -> None:
        """Count a trouble of this kind; the first one in a run is logged with its date."""
        self.order_counts[kind] += 1
        if self.order_counts[kind] == 1:
            log.warning("%s at %s: %s", type(self).__name__, self._date(decided_at), message)

    def _date(self, number: float | None = None) -> str:
        """A date that backtrader stores as a number, that of the present bar by default."""
        return str(self.data.num2date(number).isoformat(sep=" "))
