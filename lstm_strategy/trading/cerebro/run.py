"""One run of a strategy on bars.

Every strategy runs on the same terms: the bars before `start` are seen but not traded, the first
decision falls on the close of the first bar at or after `start`, orders fill at the next open, and
commission and slippage come from one `BrokerSettings`.
"""

from inspect import isfunction
from typing import Any

import backtrader as bt

from lstm_strategy.bars import CheckedBars
from lstm_strategy.errors import TradingError
from lstm_strategy.trading.backtrader_internals import feed_name
from lstm_strategy.trading.cerebro.broker import BrokerSettings, choose_broker
from lstm_strategy.trading.cerebro.outcome import BacktestRun, collect_run
from lstm_strategy.trading.cerebro.params import complete_params
from lstm_strategy.trading.cerebro.recorders import (
    EquityRecorder,
    FillRecorder,
    UnsizedOrderRecorder,
)
from lstm_strategy.trading.cerebro.run_bars import AnyBars, RunBars, cut_to_run, first_number
from lstm_strategy.trading.cerebro.terms import TermsWatch, terms_of
from lstm_strategy.trading.cerebro.warm_up import WarmUp, acts_at_the_open
from lstm_strategy.trading.execution import PortfolioStrategy, TargetStrategy
from lstm_strategy.trading.feed import BarsFeed


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
