"""One run of a strategy on bars, and what it did as plain data.

Every strategy runs on the same terms: the bars before `start` are seen but not traded, the first
decision falls on the close of the first bar at or after `start`, orders fill at the next open, and
commission and slippage come from one `BrokerSettings`.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from inspect import isfunction
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd

from lstm_strategy.bars import (
    CheckedBars,
    bars_per_day,
    bars_per_year,
)
from lstm_strategy.errors import TradingError
from lstm_strategy.support import spell, suggest_names
from lstm_strategy.trading.backtrader_internals import declared_params, feed_name, param_values
from lstm_strategy.trading.cerebro.broker import BrokerSettings, choose_broker
from lstm_strategy.trading.cerebro.charges import (
    FUNDING_COLUMNS,
    LIQUIDATION_COLUMNS,
    ROLL_COLUMNS,
    funding_among,
    liquidations_table,
    payments_table,
    rolls_among,
)
from lstm_strategy.trading.cerebro.recorders import (
    EquityRecorder,
    FillRecorder,
    UnsizedOrderRecorder,
)
from lstm_strategy.trading.cerebro.run_bars import (
    AnyBars,
    RunBars,
    cut_to_run,
    first_number,
    money_by_market,
    sum_markets,
)
from lstm_strategy.trading.cerebro.terms import TermsWatch, terms_of
from lstm_strategy.trading.cerebro.trades import trades_by_market, trades_from_fills
from lstm_strategy.trading.cerebro.warm_up import WarmUp, acts_at_the_open
from lstm_strategy.trading.execution import (
    ORDER_KINDS,
    ExposureStrategy,
    PortfolioStrategy,
    TargetStrategy,
)
from lstm_strategy.trading.feed import BarsFeed

_SIZING_SETTINGS = ("band", "reserve", "lot_size")
_TIMING_SETTINGS = ("latency_bars", "execution_bars", "execution")


@dataclass(frozen=True, eq=False)
class BacktestRun:
    """What one run did. Each series is known at the close of its row, in the bars' own index.

    Attributes:
        name: How tables and legends call the run.
        equity: Cash plus position, in money; starts at `first_tradable` with the cash. Of a panel
            whose markets have one bar a day and close at different hours it has one value a day,
            the last one.
        exposure: Value of the position as a fraction of equity; NaN while equity is not above 0.
            Of a panel a table, one column a market.
        fills: One row an execution: signed `size` in units, `price`, `commission`,
            `slippage_cost` (against the bar's open, never negative), `value` (of the units, never
            negative), `insurance` (what the insurance fund of the exchange bore of a liquidation),
            and what of the commission was `spread` and what `impact`, in money; of a panel with its
            `symbol`.
        trades: One row a round trip, see `trades_from_fills`; of a panel with its `symbol`.
        costs: All commission and slippage, and what changes of contract cost, in money.
        order_counts: What became of the orders, see `TargetStrategy`.
        first_tradable: The bar of the first decision; its orders fill at the next open.
        bars_per_year: Annualises what is computed from `equity`: how many values it has in a
            year.
        params: The strategy's parameters; objects are named by their type.
        n_bars_left: Bars after the one on which the strategy ended the run; 0 where it ran them
            all.
        contribution: What each market of a panel has earned so far, in money, commission paid: one
            column a market. With the cash at the start its rows add up to the equity. None for
            one market.
        order_counts_by_market: What became of the orders of each market of a panel.
        funding: One row a payment of funding: the signed `size` that paid it, its `rate` and
            `mark` price, the `amount` in money, below 0 for what was received, and whether it
            settled within the bar (`is_within`) and not as it opened; of a panel with its `symbol`.
            What a short pays to borrow counts as well.
        rolls: One row a change of contract in which a position was held: its `size`, the `price` of
            the contract that was left, and the `amount` it cost; of a panel with its `symbol`.
        liquidations: One row a position that was closed because its margin was used up: the signed
            `size` of the position, the `price`, the `fee` beside the commission, and what of the
            loss the `insurance` fund bore, in money; of a panel with its `symbol`.
        market_notes: What the instruments say of the bars, one sentence each: where funding
            settles, and what of it is missing.
    """

    name: str
    equity: pd.Series
    exposure: pd.Series | pd.DataFrame
    fills: pd.DataFrame
    trades: pd.DataFrame
    costs: float
    order_counts: dict[str, int]
    first_tradable: pd.Timestamp
    bars_per_year: float
    params: dict[str, Any]
    n_bars_left: int = 0
    contribution: pd.DataFrame | None = None
    order_counts_by_market: dict[str, dict[str, int]] = field(default_factory=dict)
    funding: pd.DataFrame = field(default_factory=partial(pd.DataFrame, columns=FUNDING_COLUMNS))
    rolls: pd.DataFrame = field(default_factory=partial(pd.DataFrame, columns=ROLL_COLUMNS))
    liquidations: pd.DataFrame = field(
        default_factory=partial(pd.DataFrame, columns=LIQUIDATION_COLUMNS)
    )
    market_notes: tuple[str, ...] = ()

    @property
    def funding_paid(self) -> float:
        """All funding, in money; below 0 where more was received."""
        return float(self.funding["amount"].sum())

    @property
    def net_exposure(self) -> pd.Series:
        """Longs less shorts of all markets, as a fraction of equity."""
        return sum_markets(self.exposure)

    @property
    def gross_exposure(self) -> pd.Series:
        """Longs and shorts of all markets, as a fraction of equity."""
        return sum_markets(self.exposure.abs())


def run_cerebro(
    strategy: type[bt.Strategy],
    bars: AnyBars,
    *,
    start: Any = None,
    end: Any = None,
    broker: BrokerSettings | None = None,
    name: str | None = None,
    **params: Any,
) -> BacktestRun:
    """Return what a strategy did on bars.

    Args:
        strategy: Any strategy class of backtrader. One that defines `next_open` runs with
            `cheat_on_open`.
        bars: A frame, which is validated, or `CheckedBars`, which are not validated again; or a
            panel, whose markets are the datas of the strategy, named by their symbols.
        start: Where trading begins: whatever slices the index of the bars, such as "2013",
            "2013-05-02", a date or a Timestamp; without a timezone it is taken in the bars' own.
            Earlier bars warm the indicators up. If the strategy needs more of them, its first
            decision is later, and `first_tradable` of the result says when.
        end: The last bar, inclusive, in the same way.
        broker: What trading costs; `BrokerSettings()` by default.
        name: How tables and legends call the run; by default the name of the class.
        **params: Parameters of the strategy. A `TargetStrategy` takes its `band`, `reserve` and
            `lot_size`, and when and over how many bars its orders are worked, from `broker`
            otherwise, and every strategy that declares `bars_per_year` or `bars_per_day` takes it
            from the bars; of a panel from the dates of all, and a `PortfolioStrategy` takes those
            of each market as well where they differ.

    Raises:
        BarsError: If the bars aren't valid.
        TooFewBarsError: If there are fewer bars than the strategy's indicators need.
        TradingError: If a parameter is unknown or refused, if no bar lies at or after `start`, or
            if the strategy changed the terms of the broker or moved money by other than orders.

    Example:
        >>> from lstm_strategy import BASELINES, sample_bars
        >>> run = run_cerebro(BASELINES["SMA cross"], sample_bars("sp500"), start="2013")
        >>> run.first_tradable.date().isoformat(), run.order_counts["completed"]
        ('2013-01-02', 6)
    """
    cerebro = build_cerebro(strategy, bars, start=start, end=end, broker=broker, **params)
    return collect_run(_only_run(cerebro, strategy), name=name or strategy.__name__)


def run_for_chart(
    strategy: type[bt.Strategy],
    bars: AnyBars,
    *,
    start: Any = None,
    end: Any = None,
    broker: BrokerSettings | None = None,
    **params: Any,
) -> bt.Strategy:
    """Return the strategy after the run that `run_cerebro` makes, with observers for a chart.

    The arguments and errors are those of `run_cerebro`.

    Example:
        >>> from lstm_strategy import BASELINES, sample_bars
        >>> strategy = run_for_chart(BASELINES["MACD"], sample_bars("sp500"), end="2000")
        >>> [type(observer).__name__ for observer in strategy.getobservers()]
        ['Broker', 'BuySell', 'Trades']
    """
    cerebro = build_cerebro(
        strategy, bars, start=start, end=end, broker=broker, stdstats=True, **params
    )
    return _only_run(cerebro, strategy)


def _only_run(cerebro: bt.Cerebro, strategy: type[bt.Strategy]) -> bt.Strategy:
    strategies = cerebro.run()
    if not strategies:
        raise TradingError(
            f"{strategy.__name__} raised StrategySkipError, so nothing ran. Give it parameters "
            "with which it is willing to run."
        )
    breach = strategies[0].analyzers.terms_watch.breach
    if breach:
        raise TradingError(breach)
    n_bars = len(strategies[0].analyzers.equity_recorder.equity)
    if strategies[0].first_decided_bar is None or n_bars < 2:
        raise TradingError(
            f"{strategy.__name__} ended the run before its first decision or at the first bar, so "
            "there is nothing to measure. Let it call runstop later."
        )
    return strategies[0]


def build_cerebro(
    strategy: type[bt.Strategy],
    bars: AnyBars,
    *,
    start: Any = None,
    end: Any = None,
    broker: BrokerSettings | None = None,
    stdstats: bool = False,
    **params: Any,
) -> bt.Cerebro:
    """Return a Cerebro that is ready to run; the arguments and errors are those of `run_cerebro`.

    Args:
        strategy: Any strategy class of backtrader.
        bars: A frame, `CheckedBars` or a panel.
        start: Where trading begins.
        end: The last bar, inclusive.
        broker: What trading costs.
        stdstats: Whether backtrader's standard observers are added, which a chart needs.
        **params: Parameters of the strategy.

    Example:
        >>> from lstm_strategy import BASELINES, sample_bars
        >>> cerebro = build_cerebro(BASELINES["Buy and hold"], sample_bars("sp500"))
        >>> cerebro.broker.getcash()
        100000.0
    """
    if not (isinstance(strategy, type) and issubclass(strategy, bt.Strategy)):
        raise TradingError(
            f"strategy must be a class derived from backtrader.Strategy, got {strategy!r}. "
            "Pass the class itself, and its parameters by name."
        )
    broker = choose_broker(broker)
    run_bars, first_bar = cut_to_run(bars, start=start, end=end, keep=broker.counts_points)
    broker.check_markets(run_bars.markets)
    run_bars = run_bars.with_instruments(broker.instrument_of)
    _check_can_trade(strategy, run_bars)
    params = complete_params(strategy, params, broker, run_bars)
    # the audit finds strategies that use what they see at the open of a bar
    at_open = acts_at_the_open(strategy)
    cerebro = bt.Cerebro(stdstats=stdstats or _reads_observers(strategy), cheat_on_open=at_open)
    cerebro.broker = broker.build(run_bars.markets)
    for symbol, frame in run_bars.markets.items():
        cerebro.adddata(BarsFeed(CheckedBars(frame)), name=symbol or None)
    cerebro.broker.set_coo(at_open)  # as Cerebro would when it runs, and then it is a term
    cerebro.addstrategy(strategy, **params)
    first_date = first_number(run_bars.dates, first_bar)
    cerebro.addanalyzer(WarmUp, first_bar=first_bar, first_date=first_date, _name="warm_up")
    cerebro.addanalyzer(EquityRecorder, bars=run_bars, _name="equity_recorder")
    cerebro.addanalyzer(FillRecorder, bars=run_bars, _name="fill_recorder")
    cerebro.addanalyzer(UnsizedOrderRecorder, _name="unsized_recorder")
    terms = {feed_name(feed): terms_of(cerebro.broker, feed) for feed in cerebro.datas}
    cerebro.addanalyzer(TermsWatch, terms=terms, _name="terms_watch")
    return cerebro


def trades_one_market(strategy: type[bt.Strategy]) -> bool:
    """Whether a strategy of ours trades the first of its datas only, whatever others it is given.

    Args:
        strategy: The class.
    """
    return issubclass(strategy, TargetStrategy) and not issubclass(strategy, PortfolioStrategy)


def _check_can_trade(strategy: type[bt.Strategy], bars: RunBars) -> None:
    """Refuse many markets for a strategy that would trade the first of them only."""
    if trades_one_market(strategy) and len(bars.markets) > 1:
        first, *_ = bars.markets
        raise TradingError(
            f"{strategy.__name__} trades one market, and the panel has {len(bars.markets)}. Run it "
            f"on one, panel[{first!r}], or choose a PortfolioStrategy such as those of "
            "PORTFOLIO_BASELINES."
        )


def _reads_observers(strategy: type[bt.Strategy]) -> bool:
    """Whether a method of the user's asks for `self.stats`, which costs a fifth of the speed."""
    own = [each for each in strategy.__mro__ if not each.__module__.startswith("backtrader.")]
    methods = [method for each in own for method in vars(each).values() if isfunction(method)]
    return any("stats" in method.__code__.co_names for method in methods)


def collect_run(strategy: bt.Strategy, *, name: str) -> BacktestRun:
    """Return the result of a strategy that the Cerebro of `build_cerebro` has run.

    Args:
        strategy: What `run` of the Cerebro returned, in whatever mode.
        name: How tables and legends call the run.

    Example:
        >>> from lstm_strategy import BASELINES, sample_bars
        >>> cerebro = build_cerebro(BASELINES["Buy and hold"], sample_bars("sp500"))
        >>> collect_run(cerebro.run(runonce=False)[0], name="Hold").order_counts["completed"]
        1
    """
    bars = strategy.analyzers.equity_recorder.p.bars
    first = strategy.first_decided_bar - 1
    recorded = strategy.analyzers.equity_recorder
    index = bars.dates[: len(recorded.equity)]  # a strategy may end the run before its last bar
    equity = pd.Series(recorded.equity, index=index, name="equity")
    fills = strategy.analyzers.fill_recorder.frame(index)
    by_market = getattr(strategy, "order_counts_by_market", {}) if bars.is_panel else {}
    payments = payments_table(strategy.broker, bars.indexes)
    rolls = rolls_among(payments)
    counted = bars.counted(index[first:])
    return BacktestRun(
        name=name,
        equity=equity.iloc[first:][counted],
        fills=fills,
        costs=float(
            fills["commission"].sum() + fills["slippage_cost"].sum() + rolls["amount"].sum()
        ),
        order_counts=_order_counts(strategy, is_ruined=bool((equity.iloc[first:] <= 0).any())),
        first_tradable=index[first],
        bars_per_year=bars_per_year(index[bars.counted(index)]),
        params={key: _plain(value) for key, value in param_values(strategy).items()},
        n_bars_left=len(bars.dates) - len(index),
        order_counts_by_market={symbol: dict(counts) for symbol, counts in by_market.items()},
        funding=funding_among(payments),
        rolls=rolls,
        liquidations=liquidations_table(strategy.broker, bars.indexes),
        market_notes=bars.notes,
        **_holdings(strategy, bars, equity, fills, payments, first, counted),
    )


def _holdings(
    strategy: Any,
    bars: RunBars,
    equity: pd.Series,
    fills: pd.DataFrame,
    payments: pd.DataFrame,
    first: int,
    counted: np.ndarray,
) -> dict[str, Any]:
    """Exposure and trades, and of a panel what each market earned."""
    if not bars.is_panel:
        recorded = strategy.analyzers.equity_recorder
        exposure = pd.Series(recorded.exposure, index=equity.index, name="exposure")
        closes = bars.markets[""]["close"].iloc[: len(equity)]
        trades = trades_from_fills(
            fills, closes, payments=payments, multiplier=bars.multiplier_of("")
        )
        return {"exposure": exposure.iloc[first:], "trades": trades}
    values, earned = money_by_market(bars, fills, payments, pd.DatetimeIndex(equity.index))
    held = values.div(equity.where(equity > 0), axis=0)
    return {
        "exposure": held.iloc[first:][counted],
        "contribution": earned.iloc[first:][counted],
        "trades": trades_by_market(
            fills,
            bars.closes_by_market(until=equity.index[-1]),
            payments=payments,
            multipliers={symbol: bars.multiplier_of(symbol) for symbol in bars.markets},
        ),
    }


def _order_counts(strategy: Any, *, is_ruined: bool) -> dict[str, int]:
    if isinstance(strategy, ExposureStrategy):
        return dict(strategy.order_counts)
    # The broker's own list: nobody is notified of an order sent on the last bar.
    orders = strategy.broker.orders
    ended = Counter(order.getstatusname().lower() for order in orders)
    alive = sum(order.alive() for order in orders)
    counts = {kind: ended[kind] for kind in ORDER_KINDS}
    unsized = strategy.analyzers.unsized_recorder.n_orders
    return counts | {
        "unsized": unsized,
        "unfilled_at_end": alive,
        "liquidated": len(getattr(strategy.broker, "liquidations", ())),
        "ruined": int(is_ruined),
    }


def complete_params(
    strategy: type[bt.Strategy],
    params: dict[str, Any],
    broker: BrokerSettings,
    bars: RunBars,
) -> dict[str, Any]:
    """Return the parameters, with what the strategy leaves to the broker and to the bars.

    Args:
        strategy: A strategy class.
        params: What was given.
        broker: The terms.
        bars: The bars of the run.

    Raises:
        TradingError: If the strategy has no parameter of a name, or can't keep to the terms.
    """
    declared = declared_params(strategy)
    for name in params:
        if name not in declared:
            raise TradingError(
                f"{strategy.__name__} has no parameter {name!r}. {suggest_names(name, declared)}"
            )
    filled: dict[str, Any] = {}
    for name, measure in (("bars_per_year", bars_per_year), ("bars_per_day", bars_per_day)):
        if name in declared and name not in params:
            filled[name] = measure(bars.dates)
            if issubclass(strategy, PortfolioStrategy):
                filled[f"{name}_by_market"] = _measure_markets(measure, bars, filled[name])
    # In somebody's own plain strategy "band" may mean anything.
    if issubclass(strategy, ExposureStrategy):
        filled |= broker.model_dump(include=set(_SIZING_SETTINGS))
    return filled | _timing_params(strategy, broker) | params


def _timing_params(strategy: type[bt.Strategy], broker: BrokerSettings) -> dict[str, Any]:
    """When orders leave and over how many bars, as far as a strategy lets others say it."""
    declared = declared_params(strategy) if issubclass(strategy, ExposureStrategy) else ()
    for name in ("latency_bars", "execution_bars"):
        usual = BrokerSettings.model_fields[name].default
        if name not in declared and getattr(broker, name) != usual:
            others = "TargetStrategy" if declared else "TargetStrategy or PortfolioStrategy"
            raise TradingError(
                f"{strategy.__name__} sends its orders by itself, so {spell(name)} of "
                f"{getattr(broker, name)} wouldn't change them. Leave it out, or derive the "
                f"strategy from {others}."
            )
    return {name: getattr(broker, name) for name in _TIMING_SETTINGS if name in declared}


def _measure_markets(
    measure: Callable[[pd.DatetimeIndex], float], bars: RunBars, of_all: float
) -> dict[str, float] | None:
    """How many bars each market has in a span; None where it is as many as there are dates."""
    indexes = {symbol: pd.DatetimeIndex(frame.index) for symbol, frame in bars.markets.items()}
    counts = {symbol: measure(index) for symbol, index in indexes.items() if len(index) > 1}
    return counts if any(count != of_all for count in counts.values()) else None


def _plain(value: Any) -> Any:
    is_plain = value is None or isinstance(value, str | bool | int | float)
    return value if is_plain else type(value).__name__
