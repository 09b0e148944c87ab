"""Whether a strategy keeps to the terms of its run: the stated costs, and no money from outside."""

from operator import attrgetter
from typing import Any

import numpy as np
import pandas as pd

from lstm_strategy.support import format_time, spell
from lstm_strategy.trading.backtrader_internals import declared_params, feed_name, param_values
from lstm_strategy.trading.cerebro.charges import paid_by_date, payments_table
from lstm_strategy.trading.cerebro.recorders import Recorder
from lstm_strategy.trading.cerebro.run_bars import money_by_market

_FUND_SETTINGS = {"fundmode", "fundstartval"}  # how backtrader's own analyzers count, no more
_ROUNDING = 1e-9  # of the money, the position and the price


def terms_of(broker: Any, feed: Any) -> dict[str, Any]:
    """Return what decides how a broker fills the orders for a feed and what it takes for them.

    Args:
        broker: The simulated broker of a Cerebro.
        feed: The feed that is traded.

    Example:
        >>> import backtrader as bt
        >>> cerebro = bt.Cerebro()
        >>> terms = terms_of(cerebro.broker, bt.feeds.GenericCSVData(dataname="bars.csv"))
        >>> terms["cash"], terms["commission"], terms["coc"]
        (10000.0, 0.0, False)
    """
    scheme = broker.getcommissioninfo(feed)
    settings = param_values(broker) | param_values(scheme)
    kept = {name: value for name, value in settings.items() if name not in _FUND_SETTINGS}
    instrument = getattr(scheme, "instrument", None)
    return {**kept, "commission scheme": type(scheme).__name__, "instrument": instrument}


class TermsWatch(Recorder):
    """Finds a strategy that changes what its broker was told, or moves money by other than orders.

    The terms are looked at when the run begins and ends and whenever an order is heard of, the
    equity of all bars once at the end. It needs the `EquityRecorder` and the `FillRecorder`.

    Args:
        terms: The stated terms of each feed by name, see `terms_of`.

    Attributes:
        breach: The first thing that was changed, in words with the remedy; "" where nothing was.
    """

    params = (("terms", None),)

    def __init__(self) -> None:
        self.breach = ""
        self._seen: dict[Any, Any] = {}
        self._read = attrgetter(*declared_params(type(self.strategy.broker)))

    def start(self) -> None:
        """Look at what the strategy did to the broker while it was made."""
        for data in self.strategy.datas:
            self._check_terms(data)

    def notify_order(self, order: Any) -> None:
        """Look at the terms on which an order is taken, and at the prices that it is filled at."""
        data = order.data
        self._check_terms(data)
        low, high = data.low[0], data.high[0]
        for fill in order.executed.iterpending():
            is_traded = low * (1 - _ROUNDING) <= fill.price <= high * (1 + _ROUNDING)
            if not (is_traded or self.breach):
                self.breach = (
                    f"{type(self.strategy).__name__} has an order of "
                    f"{data.num2date().isoformat(sep=' ')} filled at {fill.price:g}, which "
                    f"lies outside of the bar ({low:g} to {high:g}). Leave "
                    "broker.add_order_history out of the strategy, and let it send orders."
                )

    def stop(self) -> None:
        """Look at the terms a last time, and at what the orders explain of the equity."""
        for data in self.strategy.datas:
            self._check_terms(data)
        equity = np.array(self.strategy.analyzers.equity_recorder.equity)
        explained, moved, dates = self._explain(len(equity))
        is_off = np.abs(equity - explained) > _ROUNDING * moved
        if is_off.any() and not self.breach:
            bar = int(is_off.argmax())
            self.breach = (
                f"{type(self.strategy).__name__} changed its account by other than orders: at "
                f"{format_time(dates[bar])} it has {equity[bar]:,.2f}, and "
                f"its orders explain {explained[bar]:,.2f}; the rest would count as profit or "
                "loss. Leave broker.add_cash and set_cash out of the strategy, and give it all of "
                f"its money at the start as {spell('cash')}."
            )

    def _explain(self, n_bars: int) -> tuple[np.ndarray, np.ndarray, pd.DatetimeIndex]:
        """The equity that the fills explain, and the money that moved, at the date of each bar."""
        recorders = self.strategy.analyzers
        cash = next(iter(self.p.terms.values()))["cash"]
        bars = recorders.equity_recorder.p.bars
        dates = bars.dates[:n_bars]
        payments = payments_table(self.strategy.broker, bars.indexes)
        if bars.is_panel:
            fills = recorders.fill_recorder.frame(dates)
            values, earned = money_by_market(bars, fills, payments, dates)
            moved = cash + (values - earned).abs().sum(axis=1) + values.abs().sum(axis=1)
            return (cash + earned.sum(axis=1)).to_numpy(), moved.to_numpy(), dates
        spent, units = recorders.fill_recorder.totals(n_bars)
        spent = spent + paid_by_date(payments, dates).cumsum()
        worth = units * (np.array(recorders.equity_recorder.closes) * bars.multiplier_of(""))
        return cash - spent + worth, cash + np.abs(spent) + np.abs(worth), bars.dates

    def _check_terms(self, data: Any) -> None:
        broker = self.strategy.broker
        scheme = broker.getcommissioninfo(data)
        # of an order there are three notifications, so what has been seen already is quick
        seen = self._read(broker.p), scheme, vars(scheme.p).copy()
        if self.breach or seen == self._seen.get(data):
            return
        self._seen[data] = seen
        stated, now = self.p.terms[feed_name(data)], terms_of(broker, data)
        for name in now:
            if name not in stated or now[name] != stated[name]:
                self.breach = (
                    f"{type(self.strategy).__name__} changed the terms of its run: {name} of the "
                    f"broker is {now[name]!r} instead of {stated.get(name)!r}, and strategies are "
                    "compared on the same terms. Leave the broker alone in the strategy; what a "
                    f"run can be given is {spell('cash')}, {spell('commission_rate')} and "
                    f"{spell('slippage_rate')}, and nothing else."
                )
                return
