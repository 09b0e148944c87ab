"""Several strategies on the same terms: bars, first bar, costs, sizing, fills.

Each strategy runs alone in a Cerebro of its own. The only thing a run can't know is when the others
have warmed up; where that differs, the early ones run again from the bar at which all can trade.
"""

import logging
from collections.abc import Mapping
from datetime import date

import pandas as pd

from lstm_strategy.errors import StrategyFailedError
from lstm_strategy.evaluation.backtests import BacktestResult, Failure, log_orders, run_jobs
from lstm_strategy.evaluation.comparison.comparison import Comparison
from lstm_strategy.evaluation.comparison.prepare import (
    PreparedComparison,
    StrategyEntry,
    prepare_comparison,
)
from lstm_strategy.trading.cerebro import BrokerSettings

log = logging.getLogger(__name__)


def compare(
    strategies: Mapping[str, StrategyEntry],
    bars: pd.DataFrame,
    *,
    start: str | date | None = None,
    end: str | date | None = None,
    broker: BrokerSettings | None = None,
    n_jobs: int | None = None,
) -> Comparison:
    """Run every strategy on the same bars from the same first bar.

    What became of the orders is logged once a strategy, as a warning where some did not fill as
    asked. A strategy that needs more bars than there are is left out with a warning, unless it has
    a model or no other strategy can run; the comparison names it in `left_out`.

    Args:
        strategies: Names to a strategy class or to a pair of class and parameters.
        bars: Open, high, low, close, volume and what the strategies read besides.
        start: The first bar to trade; by default the first after the latest training of a `model`
            among the parameters.
        end: The last bar, inclusive; all by default.
        broker: What trading costs; `BrokerSettings()` by default.
        n_jobs: The most processes; by default several where that is faster.

    Returns:
        The results by name, in the order given.

    Raises:
        BarsError: At the first bad bar.
        TradingError: If there is no strategy, or no bar is left to trade.
        ModelError: If there is no such model.
        StrategyFailedError: If a strategy raised, after all have run; the results of the others
            are in its `results`.

    Example:
        >>> from lstm_strategy import BASELINES, sample_bars
        >>> two = {name: BASELINES[name] for name in ("Buy and hold", "MACD")}
        >>> compare(two, sample_bars("sp500"), start="2016").table["trades"].to_dict()
        {'Buy and hold': 0, 'MACD': 29}
    """
    prepared = prepare_comparison(strategies, bars, start=start, end=end, broker=broker)
    return run_comparison(prepared, n_jobs=n_jobs)


def run_comparison(prepared: PreparedComparison, *, n_jobs: int | None = None) -> Comparison:
    """Run what was prepared; see `compare`.

    Args:
        prepared: What `prepare_comparison` gave.
        n_jobs: The most processes; by default several where that is faster.

    Returns:
        The results by name, in the order given.

    Raises:
        StrategyFailedError: If a strategy raised, after all have run.

    Example:
        >>> from lstm_strategy import BASELINES, sample_bars
        >>> from lstm_strategy.evaluation.comparison import prepare_comparison
        >>> prepared = prepare_comparison({"MACD": BASELINES["MACD"]}, sample_bars("sp500"))
        >>> run_comparison(prepared).judged_name
        'MACD'
    """
    outcomes = _run_from_the_same_bar(prepared, n_jobs)
    left_out = _find_dispensable(prepared, outcomes)
    for name, reason in left_out.items():
        log.warning("%s is left out of the comparison: %s", name, reason)
    results = _results_among(outcomes)
    for result in results.values():
        log_orders(result)
    failures = {n: failed for n, failed in _failures_among(outcomes).items() if n not in left_out}
    if failures:
        raise _log_failures(failures, results)
    return Comparison(results, prepared.broker, left_out, prepared=prepared)


def _run_from_the_same_bar(
    prepared: PreparedComparison, n_jobs: int | None
) -> dict[str, BacktestResult | Failure]:
    """Every job's result, those that began before the last one was warm run again from its bar."""
    outcomes = run_jobs(prepared.jobs, prepared.bars, n_jobs)
    beginnings = {name: r.first_tradable for name, r in _results_among(outcomes).items()}
    if len(set(beginnings.values())) <= 1:
        return outcomes
    slowest = max(beginnings, key=lambda name: beginnings[name])
    first = beginnings[slowest]
    early = [
        job.from_bar(first) for job in prepared.jobs if beginnings.get(job.name, first) < first
    ]
    log.info(
        "%s can trade only from %s on; %d other strategies start there too, for equal terms.",
        slowest,
        first,
        len(early),
    )
    return outcomes | run_jobs(early, prepared.bars, n_jobs)


def _find_dispensable(
    prepared: PreparedComparison, outcomes: Mapping[str, BacktestResult | Failure]
) -> dict[str, str]:
    """Name and reason of the strategies that lack bars, where the others can do without them."""
    failures = _failures_among(outcomes)
    if len(failures) == len(outcomes):
        return {}
    return {
        name: failure.message
        for name, failure in failures.items()
        if failure.lacks_bars and name not in prepared.models
    }


def _results_among(outcomes: Mapping[str, BacktestResult | Failure]) -> dict[str, BacktestResult]:
    return {name: each for name, each in outcomes.items() if isinstance(each, BacktestResult)}


def _failures_among(outcomes: Mapping[str, BacktestResult | Failure]) -> dict[str, Failure]:
    return {name: each for name, each in outcomes.items() if isinstance(each, Failure)}


def _log_failures(
    failures: Mapping[str, Failure], results: Mapping[str, BacktestResult]
) -> StrategyFailedError:
    """Log every failure, and return the error that names the first."""
    for name, failure in failures.items():
        log.error("Strategy %s failed: %s", name, failure.details or failure.message)
    name, failure = next(iter(failures.items()))
    others = ""
    if len(failures) > 1:
        n_strategies = len(failures) + len(results)
        others = f" ({len(failures)} of {n_strategies} strategies failed.)"
    return StrategyFailedError(
        f"Strategy {name} failed: {failure.message}{others} Fix it or leave it out.", results
    )
