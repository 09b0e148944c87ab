"""From a desired exposure in one market to orders.

A strategy says which fraction of equity it wants to hold; `TargetStrategy` turns that into orders
that backtrader's broker can fill at the next open: never refused for lack of cash, never dropped
in silence. `MarketOrders` says how they are made, and why. A short sale is limited here: exposure
stays within `max_leverage` times equity.
"""

import math
from collections import deque
from numbers import Real
from typing import Any

import backtrader as bt

from lstm_strategy.errors import TradingError
from lstm_strategy.trading.execution.exposure_strategy import ExposureStrategy, advise_on_answer
from lstm_strategy.trading.execution.orders import is_worth_trading
from lstm_strategy.trading.execution.parameters import TargetParameters, default_params
from lstm_strategy.trading.execution.stops import Stops
from lstm_strategy.trading.execution.working import WorkedOrder


class TargetStrategy(ExposureStrategy):
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
        max_leverage: The largest exposure, long or short, in multiples of equity (1); smaller ones
            stay as they are asked for. Above 1 the broker needs an instrument on margin that allows
            it, such as `Perpetual(leverage=3)`.
        band: Differences between target and exposure up to this fraction of equity aren't
            traded (0.1).
        reserve: A buy pays up to `close * (1 + reserve)`, and cash is kept for that (0.01).
        lot_size: The smallest tradable number of units (1e-6); 1 for whole shares.
        stop_loss_atr: A close this many ATRs (of the time of entry) beyond the entry price closes
            the position; it stays closed until the target changes its sign or is 0. None, the
            default, for no such stop.
        trailing_stop_atr: The same from the best close since the entry, with the present ATR.
        atr_length: Bars of the average true range (14).
        latency_bars: Bars from a decision to the close at which its order leaves (0, so the same
            close). The order is sized when it leaves. Exits by stops come late as well.
        execution_bars: Opens over which an order is worked (1, so the whole at the next one). A
            decision that differs from the one being worked by more than `band`, changes its sign
            or asks for an exit takes its place; what is left is then worked anew.
        execution: How it is worked: "twap" in equal slices, so that the mean price is that of the
            opens, or "vwap" in slices that follow the volume of the same times of earlier days
            ("twap"). Slices fill at opens, as all orders do.
        bars_per_year: For strategies that annualise or count months (252).
        bars_per_day: For strategies that count days (1). `run_backtest` takes both from the bars.

    Attributes:
        target: The last exposure that the strategy decided on, 0 before the first. A rule that
            holds on until an exit returns it, which repeats an order that did not fill.
        order_counts: What became of the orders, by kind: `completed`; `margin` and `rejected`
            (refused by the broker); `expired` (not filled by the next bar's close, then decided
            again); `too_small` (not even one lot, or below the smallest order
            value of the instrument); `unsized` (left to backtrader's default sizer,
            which this class never does); `unfilled_at_end`; `cut` (made smaller, since the cash
            for its margin was gone when it filled); `liquidated` (the exchange closed a position
            whose margin was used up); and `ruined` (equity at or below zero: everything is closed,
            for good). The first of each trouble in a run is also
            logged as a warning with its remedy.

    Raises:
        TradingError: If a parameter is out of range, if an answer is not a number, if
            `max_leverage` is more than the instrument allows, or if the broker's commission scheme
            has a margin, a multiplier or leverage and isn't that of an instrument of ours.

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
        (self._market,) = self._begin(TargetParameters, self.datas[:1])
        self.target = 0.0
        self._bars_decided = 0
        self._replayed_answer: float | None = None
        # decisions whose orders have yet to leave
        self._late_targets = deque([math.nan] * self.p.latency_bars)
        self._worked = (
            WorkedOrder(self._market, self.p.execution_bars, by_volume=self.p.execution == "vwap")
            if self.p.execution_bars > 1
            else None
        )
        has_stops = self.p.stop_loss_atr is not None or self.p.trailing_stop_atr is not None
        self._stops = Stops(
            bt.indicators.ATR(period=self.p.atr_length) if has_stops else None,
            stop_loss_atr=self.p.stop_loss_atr,
            trailing_stop_atr=self.p.trailing_stop_atr,
        )

    def target_exposure(self) -> float:
        """Return the desired fraction of equity in data0 at the close of this bar.

        Returns:
            A number in -1..1, or up to `max_leverage` either way; values beyond are clipped. NaN
            means no opinion: the present position stays.
        """
        raise NotImplementedError(f"{type(self).__name__} must define target_exposure()")

    def next(self) -> None:
        """Decide once a bar of data0, however often backtrader calls."""
        if self._live_feeds and self._waits_for_live_bars():
            return
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

    def _answer(self) -> float:
        """What target_exposure asks for, checked and clipped; NaN for no opinion."""
        asked = self.target_exposure()
        if not isinstance(asked, Real) or math.isinf(asked):
            raise TradingError(
                f"target_exposure must return a number in -1..1, or NaN for no opinion; "
                f"{type(self).__name__} returned {asked!r} at "
                f"{self.data.num2date().isoformat(sep=' ')}. "
                f"{advise_on_answer(asked)}"
            )
        if math.isnan(asked):
            return math.nan
        most = float(self.p.max_leverage)
        return min(most, max(0.0 if self.p.long_only else -most, float(asked)))

    def _act_on(self, target: float) -> None:
        """Send the order, if any, that moves the position to the target."""
        if self._rivals is not None:
            self._rivals.look()
        market, position = self._market, self.position
        close = market.close()
        if not market.withdraw_stale_order():
            return
        self._stops.follow(position, close)
        if not math.isnan(target):
            self.target = target
        equity, most = self.broker.getvalue(), float(self.p.max_leverage)
        if self._is_ruined(equity):
            market.send(-position.size, close)
            return
        exposure = market.exposure(equity)
        target = self._stops.target_after(target, position, close)
        if self._late_targets:
            self._late_targets.append(target)
            target = self._late_targets.popleft()
        if self._worked is not None:
            self._worked.see_bar()
        if abs(exposure) <= most + self.p.band and self._worked is not None:
            size = self._worked.next_slice(target, exposure, equity, band=self.p.band)
            market.send(size, close)
            return
        if math.isnan(target):
            # No opinion is no licence to run a losing position beyond the largest exposure.
            target = max(-most, min(most, exposure))
        if abs(exposure) > most + self.p.band or is_worth_trading(target, exposure, self.p.band):
            market.send(market.order_size(target, equity, close), close)

    def _is_ruined(self, equity: float) -> bool:
        if equity <= 0.0 and not self.order_counts["ruined"]:
            self._report(
                self.data,
                "ruined",
                f"equity fell to {equity:,.2f} with {self.position.size:g} units held; all is "
                "closed and nothing is traded any more. Ask for smaller short exposures.",
            )
        return self.order_counts["ruined"] > 0
