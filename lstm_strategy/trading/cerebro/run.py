"""One strategy, one set of bars, one Cerebro run → a plain result.

Every strategy runs on the same terms: the bars before ``start`` are seen but not traded, the
first decision falls on the close of the first bar at or after ``start``, orders fill at the next
open, and commission and slippage come from one `BrokerSettings`.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any, cast

import backtrader as bt
import pandas as pd

from lstm_strategy.bars import bars_per_year, bars_until, first_bar_number, validate_bars
from lstm_strategy.errors import TooFewBarsError, TradingError
from lstm_strategy.support import suggest_names
from lstm_strategy.trading.cerebro.broker import BrokerSettings
from lstm_strategy.trading.cerebro.recorders import _EquityRecorder, _FillRecorder
from lstm_strategy.trading.cerebro.trades import trades_from_fills
from lstm_strategy.trading.cerebro.warm_up import WarmUpCerebro, add_warm_up
from lstm_strategy.trading.execution import ORDER_KINDS, TargetStrategy
from lstm_strategy.trading.feed import BarsFeed

_SIZING_SETTINGS = ("band", "reserve", "lot_size")


@dataclass(frozen=True, eq=False)
class BacktestRun:
    """What one run did. Each series is known at the close of its row, in the bars' own index.

    name:            how tables and legends call the run
    equity:          cash plus position, in money; starts at ``first_tradable`` with the cash
    exposure:        position value as a fraction of equity (NaN while equity is not above 0)
    fills:           one row an execution: signed ``size`` in units, ``price``, ``commission`` and
                     ``slippage_cost`` (against the bar's open, never negative), in money
    trades:          one row a round trip, see `trades_from_fills`
    costs:           all commission and slippage, in money
    order_counts:    what became of the orders, see `TargetStrategy`
    first_tradable:  the bar of the first decision; its orders fill at the next open
    bars_per_year:   annualises what is computed from ``equity``
    params:          the strategy's parameters; objects are named by their type
    """

    name: str
    equity: pd.Series
    exposure: pd.Series
    fills: pd.DataFrame
    trades: pd.DataFrame
    costs: float
    order_counts: dict[str, int]
    first_tradable: pd.Timestamp
    bars_per_year: float
    params: dict[str, Any]


def run_cerebro(
    strategy: type[bt.Strategy],
    bars: pd.DataFrame,
    *,
    start: Any = None,
    end: Any = None,
    broker: BrokerSettings | None = None,
    name: str | None = None,
    **params: Any,
) -> BacktestRun:
    """Return what ``strategy`` (any backtrader strategy) did on ``bars``.

    ``start`` and ``end`` (inclusive) are whatever slices the index of the bars: "2013",
    "2013-05-02", a date, a Timestamp; without a timezone they are taken in the bars' own.
    Bars before ``start`` warm the indicators up. Should the strategy need more of them, its first
    decision is later than ``start`` and ``first_tradable`` says when. ``params`` go to the
    strategy; a `TargetStrategy` takes its ``band``, ``reserve`` and ``lot_size`` from ``broker``
    and every strategy that declares ``bars_per_year`` is told it.

    Raises:
        TooFewBarsError: fewer bars than the strategy's indicators need.
        TradingError: unknown parameters, or no bar at or after ``start``.
    """
    cerebro = build_cerebro(strategy, bars, start=start, end=end, broker=broker, **params)
    try:
        ran = cerebro.run()[0]
    except TradingError as error:
        if _lacks_bars(cerebro):
            raise TooFewBarsError(str(error)) from error
        raise
    return collect_run(ran, name=name or strategy.__name__)


def run_for_chart(
    strategy: type[bt.Strategy],
    bars: pd.DataFrame,
    *,
    start: Any = None,
    end: Any = None,
    broker: BrokerSettings | None = None,
    **params: Any,
) -> bt.Strategy:
    """Return the strategy after the run that `run_cerebro` makes, with observers for a chart."""
    cerebro = build_cerebro(
        strategy, bars, start=start, end=end, broker=broker, stdstats=True, **params
    )
    return cerebro.run()[0]


def build_cerebro(
    strategy: type[bt.Strategy],
    bars: pd.DataFrame,
    *,
    start: Any = None,
    end: Any = None,
    broker: BrokerSettings | None = None,
    stdstats: bool = False,
    **params: Any,
) -> bt.Cerebro:
    """Return a Cerebro that is ready to run; arguments and errors are those of `run_cerebro`."""
    if not (isinstance(strategy, type) and issubclass(strategy, bt.Strategy)):
        raise TradingError(
            f"strategy must be a class derived from backtrader.Strategy, got {strategy!r}. "
            "Pass the class itself, and its parameters by name."
        )
    broker = broker or BrokerSettings()
    bars = bars_until(validate_bars(bars), end)
    cerebro = WarmUpCerebro(stdstats=stdstats, first_bar=first_bar_number(bars, start))
    cerebro.adddata(BarsFeed(bars))
    cerebro.broker.setcash(broker.cash)
    cerebro.broker.setcommission(commission=broker.commission_rate)
    cerebro.broker.set_slippage_perc(
        broker.slippage_rate, slip_open=True, slip_limit=True, slip_match=True, slip_out=False
    )
    params = _complete_params(strategy, params, broker, bars)
    # mypy doesn't see that a class is hashable.
    cerebro.addstrategy(add_warm_up(cast(Any, strategy)), **params)
    cerebro.addanalyzer(_EquityRecorder, _name="equity_recorder")
    cerebro.addanalyzer(_FillRecorder, _name="fill_recorder")
    return cerebro


def collect_run(strategy: bt.Strategy, *, name: str) -> BacktestRun:
    """Return the result of a strategy that the Cerebro of `build_cerebro` has run."""
    bars = strategy.data.p.dataname
    index = pd.DatetimeIndex(bars.index)
    first = strategy.first_decided_bar - 1
    recorded = strategy.analyzers.equity_recorder
    equity = pd.Series(recorded.equity, index=index, name="equity").iloc[first:]
    fills = strategy.analyzers.fill_recorder.frame(index)
    return BacktestRun(
        name=name,
        equity=equity,
        exposure=pd.Series(recorded.exposure, index=index, name="exposure").iloc[first:],
        fills=fills,
        trades=trades_from_fills(fills, bars["close"]),
        costs=float(fills["commission"].sum() + fills["slippage_cost"].sum()),
        order_counts=_order_counts(strategy, is_ruined=bool((equity <= 0).any())),
        first_tradable=index[first],
        bars_per_year=bars_per_year(index),
        params={key: _plain(value) for key, value in strategy.p._getkwargs().items()},
    )


def _lacks_bars(cerebro: bt.Cerebro) -> bool:
    """Tell whether the strategy was refused for its warm-up; backtrader keeps what it has begun."""
    return any(
        max(getattr(strategy, "_minperiods", [0])) > len(strategy.data.p.dataname)
        for strategy in cerebro.runningstrats
    )


def _order_counts(strategy: Any, *, is_ruined: bool) -> dict[str, int]:
    if isinstance(strategy, TargetStrategy):
        return dict(strategy.order_counts)
    # The broker's own list: nobody is notified of an order sent on the last bar.
    orders = strategy.broker.orders
    ended = Counter(order.getstatusname().lower() for order in orders)
    alive = sum(order.alive() for order in orders)
    counts = {kind: ended[kind] for kind in ORDER_KINDS}
    return counts | {"unfilled_at_end": alive, "ruined": int(is_ruined)}


def _complete_params(
    strategy: Any, params: dict[str, Any], broker: BrokerSettings, bars: pd.DataFrame
) -> dict[str, Any]:
    """Return the parameters with what the strategy leaves to the broker and to the bars."""
    declared = strategy.params._getkeys()
    for name in params:
        if name not in declared:
            raise TradingError(
                f"{strategy.__name__} has no parameter {name!r}. {suggest_names(name, declared)}"
            )
    filled: dict[str, Any] = {}
    if "bars_per_year" in declared:
        filled["bars_per_year"] = bars_per_year(pd.DatetimeIndex(bars.index))
    # In somebody's own plain strategy "band" may mean anything.
    if issubclass(strategy, TargetStrategy):
        filled |= broker.model_dump(include=set(_SIZING_SETTINGS))
    return filled | params


def _plain(value: Any) -> Any:
    is_plain = value is None or isinstance(value, str | bool | int | float)
    return value if is_plain else type(value).__name__
