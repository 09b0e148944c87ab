"""Desired exposure → orders.

A strategy says which fraction of equity it wants to hold; `TargetStrategy` turns that into orders
that backtrader's broker can fill at the next open: never refused for want of cash, never dropped
in silence.

How the orders are made, and why:

* A buy that opens or extends a long is a *collared market order*: a limit order at
  ``close * (1 + reserve)``. Backtrader fills it at the next open whenever the open is not above
  the collar, and its size is what the cash can pay at the collar, commission included. A plain
  market order is sized at a price that nobody has seen yet, so a gap ends it in Margin.
* A buy that only reduces a short is a market order: whoever must get out may not be held up by a
  collar. It skips backtrader's cash check, which would forbid covering when it is needed most.
* Sells are market orders. The proceeds of a short sale count as cash in backtrader, which thus
  allows any size, so the size is limited here: exposure stays within one times equity.
"""

import logging
import math
from collections.abc import Callable
from functools import partial
from numbers import Integral, Real
from typing import Any

import backtrader as bt
import numpy as np

from lstm_strategy.errors import TradingError
from lstm_strategy.trading.execution.sizing import affordable_size, whole_lots
from lstm_strategy.trading.execution.stops import Stops

log = logging.getLogger(__name__)

ORDER_KINDS = (
    "completed",
    "margin",
    "rejected",
    "expired",
    "too_small",
    "unfilled_at_end",
    "ruined",
)


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool | np.bool_)


def _is_number(value: Any) -> bool:
    if not isinstance(value, Real) or _is_bool(value):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond every float
        return False


def _is_above_zero(value: Any) -> bool:
    return _is_number(value) and value > 0


_POSITIVE = (_is_above_zero, "a number above 0")
_POSITIVE_OR_NONE = (lambda v: v is None or _is_above_zero(v), "a number above 0, or None")
_PARAM_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "long_only": (_is_bool, "True or False"),
    "band": (lambda v: _is_number(v) and v >= 0, "a number at least 0"),
    "reserve": (lambda v: _is_number(v) and 0 <= v < 1, "a number at least 0 and below 1"),
    "lot_size": _POSITIVE,
    "stop_loss_atr": _POSITIVE_OR_NONE,
    "trailing_stop_atr": _POSITIVE_OR_NONE,
    "atr_length": (
        lambda v: _is_above_zero(v) and isinstance(v, Integral),
        "a whole number of bars, at least 1",
    ),
    "bars_per_year": _POSITIVE,
}


class TargetStrategy(bt.Strategy):
    """Hold the fraction of equity that `target_exposure` asks for, decided once a bar of data0.

    Override `target_exposure`. It is asked at the close of each bar of data0 and the orders that
    follow fill at the next open. A subclass with an ``__init__`` of its own calls
    ``super().__init__()`` first, and likewise in ``start``, ``stop`` and ``notify_order``.

    ``target`` is the last exposure that the strategy decided on (0 before the first): rules that
    hold on until an exit return it, which repeats an order that did not fill. ``order_counts``
    says what became of the orders: a dict of ``completed``, ``margin``, ``rejected``, ``expired``
    (not filled by the next bar's close, then decided anew), ``too_small`` (not even one lot),
    ``unfilled_at_end`` and ``ruined`` (equity at or below zero: everything is closed, for good).
    The first of each trouble in a run is also logged as a warning with its remedy.

    With several datas the strategy still decides once a bar of data0. Under ``replaydata`` the
    last answer given within a bar counts, because only then is the bar complete; backtrader shows
    that by starting the next bar, so the order leaves on its first tick and fills on the second.
    ``target_exposure`` is then asked on unfinished bars too: keep state in ``target`` or in
    lines rather than in attributes that each call changes.

    Raises `TradingError` for a parameter out of range, for an answer that is not a number, and for
    instruments traded on margin (futures), whose exposure is not size times price.
    """

    params: tuple[tuple[str, Any], ...] = (
        ("long_only", False),  # clip the exposure at 0 from below
        ("band", 0.1),  # fraction of equity: smaller differences are not traded
        ("reserve", 0.01),  # a buy pays up to close * (1 + reserve), and cash is kept for that
        ("lot_size", 1e-6),  # smallest tradable unit; 1 for whole shares
        ("stop_loss_atr", None),  # exit at a close this many ATRs (of the entry) beyond the entry
        ("trailing_stop_atr", None),  # the same from the best close since entry, with today's ATR
        ("atr_length", 14),  # bars
        ("bars_per_year", 252),  # for strategies that annualise
    )

    def __init__(self) -> None:
        self._check_params()
        self.order_counts: dict[str, int] = dict.fromkeys(ORDER_KINDS, 0)
        self.target = 0.0
        self._order: Any = None
        self._bars_decided = 0
        self._replayed_answer: float | None = None
        atr = bt.indicators.ATR(period=self.p.atr_length) if self._has_stops() else None
        self._stops = Stops(
            atr,
            stop_loss_atr=self.p.stop_loss_atr,
            trailing_stop_atr=self.p.trailing_stop_atr,
        )

    def target_exposure(self) -> float:
        """Return the desired fraction of equity in data0, in -1..1, at the close of this bar.

        Values beyond -1..1 are clipped. NaN means no opinion: the present position stays.
        """
        raise NotImplementedError(f"{type(self).__name__} must define target_exposure()")

    def start(self) -> None:
        """Refuse what could only go wrong later."""
        if not hasattr(self, "order_counts"):
            raise TradingError(
                f"{type(self).__name__}.__init__ must call super().__init__() first, and does not."
            )
        if not self.broker.getcommissioninfo(self.data).stocklike:
            raise TradingError(
                "TargetStrategy trades instruments paid in full, and the broker's commission "
                "scheme has a margin (futures). Use broker.setcommission without margin."
            )

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
            self._count("margin", f"the order for {order.size:g} was refused for cash. {remedy}")
        elif order.status == order.Rejected:
            self._count(
                "rejected", f"the broker rejected the order for {order.size:g}; see its messages."
            )
        elif order.status == order.Expired:
            self._count("expired", f"the order for {order.size:g} expired; it is decided anew.")

    def stop(self) -> None:
        """Count an order that the end of the run left unfilled."""
        if self._order is not None and self._order.alive():
            self._count(
                "unfilled_at_end",
                f"the order for {self._order.size:g} sent at the last close never met an open. "
                "End the run a bar later to see its fill.",
                # Under exactbars=1 the data has no present bar left by now.
                decided_at=self._order.created.dt,
            )

    def _check_params(self) -> None:
        for name, (is_met, rule) in _PARAM_RULES.items():
            value = getattr(self.p, name)
            if not is_met(value):
                raise TradingError(f"{name} must be {rule}, got {value!r}.")

    def _has_stops(self) -> bool:
        return self.p.stop_loss_atr is not None or self.p.trailing_stop_atr is not None

    def _answer(self) -> float:
        """Return what target_exposure asks for, checked and clipped; NaN for no opinion."""
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
        close = self._close()
        if not self._stale_order_is_gone():
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

    def _stale_order_is_gone(self) -> bool:
        """Withdraw what has not filled since the last decision; False while a broker dawdles."""
        order = self._order
        if order is None or not order.alive():
            return True
        self.cancel(order)
        if order.alive():
            return False
        self._count(
            "expired",
            f"the order for {order.size:g} at {order.created.price:g} did not fill on this bar "
            f"and is decided anew. Raise reserve (now {self.p.reserve:g}) to follow wider gaps.",
        )
        return True

    def _is_ruined(self, equity: float) -> bool:
        if equity <= 0.0 and not self.order_counts["ruined"]:
            self._count(
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
        return abs(target - exposure) > self.p.band

    def _order_size(self, target: float, equity: float, close: float) -> float:
        """Return the signed units to trade, which cash can pay and lots allow."""
        present = self.position.size
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
        cash, price = self.broker.getcash(), self._dearest_fill(close)
        units = affordable_size(cash, price, self._commission_of_buy)
        # Strictly down: a tolerance here could spend a lot's worth of cash that isn't there.
        return math.floor(units / self.p.lot_size) * self.p.lot_size

    def _dearest_fill(self, close: float) -> float:
        """Return the highest price that a collared buy can end up paying."""
        collar = self._collar(close)
        if self._is_simulated() and self.broker.p.slip_out:
            # The one setting that lets slippage go beyond a limit.
            return collar * (1.0 + self.broker.p.slip_perc) + self.broker.p.slip_fixed
        return collar

    def _collar(self, close: float) -> float:
        return close * (1.0 + self.p.reserve)

    def _commission_of_buy(self, size: float, price: float) -> float:
        """Return the commission as backtrader charges it: covering and buying each for itself."""
        commission = self.broker.getcommissioninfo(self.data).getcommission
        covered = min(size, max(0.0, -self.position.size))
        return sum(commission(part, price) for part in (covered, size - covered) if part)

    def _report_too_small(self, target: float, equity: float, close: float) -> None:
        lot, collar = self.p.lot_size, self._dearest_fill(close)
        needed = max(lot * close / abs(target), lot * collar + self._commission_of_buy(lot, collar))
        self._count(
            "too_small",
            f"target of {target:g} asks for {target * equity / close:.4g} units but lot_size is "
            f"{lot:g}. Raise cash above {needed:,.2f} or lower lot_size.",
        )

    def _send(self, size: float, close: float) -> None:
        """Send one order of the whole size (signed units); nothing for 0."""
        if size < 0.0:
            self._order = self.sell(size=-size)
        elif 0.0 < size <= -self.position.size:
            self._order = self.buy(size=size, **self._unchecked())
        elif size > 0.0:
            self._order = self.buy(size=size, price=self._collar(close), exectype=bt.Order.Limit)
            if self._is_simulated():
                # A market order waits for a new bar, a limit order would fill on this very bar
                # when another data wakes the broker first.
                self._order.active = partial(_bar_is_newer, self.data, self.data.datetime[0])

    def _unchecked(self) -> dict[str, bool]:
        return {"_checksubmit": False} if self._is_simulated() else {}

    def _is_simulated(self) -> bool:
        return isinstance(self.broker, bt.brokers.BackBroker)

    def _count(self, kind: str, message: str, *, decided_at: float | None = None) -> None:
        self.order_counts[kind] += 1
        if self.order_counts[kind] == 1:
            log.warning("%s at %s: %s", type(self).__name__, self._date(decided_at), message)

    def _date(self, number: float | None = None) -> str:
        """Return a date that backtrader stores as a number, that of the present bar by default."""
        return self.data.num2date(number).isoformat(sep=" ")


def _bar_is_newer(data: Any, decided_at: float) -> bool:
    return data.datetime[0] > decided_at
