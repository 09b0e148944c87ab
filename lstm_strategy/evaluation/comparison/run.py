"""Several strategies on the same terms: bars, first bar, costs, sizing, fills.

Each strategy runs alone in a Cerebro of its own. The only thing a run can't know is when the others
have warmed up; where that differs, the early ones run again from the bar at which all can trade.
"""

import logging
import math
from collections.abc import Container, Mapping
from datetime import date
from typing import Any

import pandas as pd

from lstm_strategy.errors import StrategyFailedError, TradingError
from lstm_strategy.evaluation.backtests import (
    BacktestResult,
    Failure,
    log_note,
    log_orders,
    run_jobs,
)
from lstm_strategy.evaluation.comparison.comparison import Comparison
from lstm_strategy.evaluation.comparison.prepare import (
    PreparedComparison,
    StrategyEntry,
    prepare_comparison,
)
from lstm_strategy.support import explain_arguments
from lstm_strategy.trading.baselines import EVERY_BASELINE
from lstm_strategy.trading.cerebro import BrokerSettings

log = logging.getLogger(__name__)

Outcomes = dict[str, BacktestResult | Failure]
_SMALLEST_SHARE = 0.5
"""Of the bars that the judged strategy can trade, for a baseline that needs longer to warm up."""


@explain_arguments(TradingError)
def compare(
    strategies: Mapping[str, StrategyEntry],
    bars: pd.DataFrame | Mapping[str, pd.DataFrame],
    *,
    start: str | date | None = None,
    end: str | date | None = None,
    broker: BrokerSettings | None = None,
    n_jobs: int | None = None,
) -> Comparison:
    """Run every strategy on the same bars from the same first bar.

    What became of the orders is logged once a strategy, as a warning where some did not fill as
    asked. A strategy that needs more or shorter bars than there are is left out with a warning,
    unless it has a model or no other strategy can run, and so is a baseline that would take half of
    the bars from a model, or that does the same as another; the comparison names it in `left_out`.

    Args:
        strategies: Names to a strategy class or to a pair of class and parameters.
        bars: Open, high, low, close, volume and what the strategies read besides; or a panel of
            such bars by symbol, whose markets are the datas of every strategy.
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
    outcomes = run_jobs(prepared.jobs, prepared.bars, n_jobs)
    left_out = _find_unsuited(prepared, outcomes) | _find_late(prepared, outcomes)
    outcomes |= _run_from_the_same_bar(prepared, _without(outcomes, left_out), n_jobs)
    left_out |= _find_twins(prepared, _without(outcomes, left_out))
    for name, reason in left_out.items():
        log.warning("%s is left out of the comparison. %s", name, reason)
    kept = _without(outcomes, left_out)
    results, failures = _results_among(kept), _failures_among(kept)
    for result in results.values():
        log_note(result)
        log_orders(result)
    if failures:
        raise _log_failures(failures, results)
    return Comparison(results, prepared.broker, left_out, prepared=prepared)


def _run_from_the_same_bar(
    prepared: PreparedComparison, outcomes: Outcomes, n_jobs: int | None
) -> Outcomes:
    """The jobs that began before the last one was warm, run again from its bar."""
    beginnings = {name: r.first_tradable for name, r in _results_among(outcomes).items()}
    if len(set(beginnings.values())) <= 1:
        return {}
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
    return run_jobs(early, prepared.bars, n_jobs)


def _find_unsuited(prepared: PreparedComparison, outcomes: Outcomes) -> dict[str, str]:
    """Name and reason of the strategies that the bars don't suit, where others can do without."""
    failures = _failures_among(outcomes)
    if len(failures) == len(outcomes):
        return {}
    return {
        name: failure.message
        for name, failure in failures.items()
        if failure.is_unsuited and name not in prepared.models
    }


def _find_late(prepared: PreparedComparison, outcomes: Outcomes) -> dict[str, str]:
    """Name and reason of the baselines that would take too many bars from what is judged."""
    n_bars = {name: len(result.equity) for name, result in _results_among(outcomes).items()}
    judged = [name for name in prepared.models if name in n_bars]
    if not judged:
        return {}
    shortest = min(judged, key=lambda name: n_bars[name])
    return {
        name: f"It can trade only on the last {n_bars[name]:,} of the {n_bars[shortest]:,} bars "
        f"that {shortest} can trade. Load more history."
        for name in _baselines_among(prepared)
        if n_bars.get(name, math.inf) < _SMALLEST_SHARE * n_bars[shortest]
    }


def _find_twins(prepared: PreparedComparison, outcomes: Outcomes) -> dict[str, str]:
    """Name and reason of the baselines that did the very same as another one."""
    twins: dict[str, str] = {}
    results = _results_among(outcomes)
    baselines = [name for name in _baselines_among(prepared) if name in results]
    for number, name in enumerate(baselines):
        exposure: Any = results[name].exposure
        for other in baselines[:number]:
            has_another_rule = prepared.job(name).strategy is not prepared.job(other).strategy
            if (
                has_another_rule
                and exposure.to_numpy().any()
                and exposure.equals(results[other].exposure)
            ):
                twins[name] = f"On these bars it holds the same as {other} at every close."
                break
    return twins


def _baselines_among(prepared: PreparedComparison) -> list[str]:
    baselines = set(EVERY_BASELINE.values())
    return [job.name for job in prepared.jobs if job.strategy in baselines]


def _without(outcomes: Outcomes, left_out: Container[str]) -> Outcomes:
    return {name: outcome for name, outcome in outcomes.items() if name not in left_out}


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
