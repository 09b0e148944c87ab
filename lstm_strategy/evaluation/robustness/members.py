"""What is left of an ensemble when one of its networks trades alone."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from lstm_strategy.bars import CheckedBars
from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.backtests import BacktestJob, CheckedMarkets, markets_frame
from lstm_strategy.evaluation.robustness.runs import Results, Trials
from lstm_strategy.learning.forecaster import COMPLETE_COLUMNS, FeatureForecaster, Forecaster
from lstm_strategy.learning.serving import PrecomputedForecasts, PrecomputedPanel
from lstm_strategy.learning.walk_forward import WalkForwardForecaster
from lstm_strategy.support import naive_utc_index


def plan_members(
    job: BacktestJob, bars: CheckedMarkets, *, model: Forecaster
) -> Trials[pd.DataFrame] | None:
    """Return the strategy with each member of a model alone, in one market or in many.

    Args:
        job: The strategy on its own terms; it trades the forecasts of the model.
        bars: The bars that it trades.
        model: What made the forecasts.

    Returns:
        What gives the equity in money, one column for each member; None for a model with one
        member.
    """
    if isinstance(bars, CheckedBars):
        signals = model.member_signals(bars.frame)
        return _plan_signals(job, bars, signals) if signals.shape[1] > 1 else None
    together = job.panel_forecasts
    first = model.refits[0].model if isinstance(model, WalkForwardForecaster) else model
    if together is None or not isinstance(first, FeatureForecaster):
        return None
    panel: Any = markets_frame(bars)
    by_market: Any = model.member_signals(panel)
    members = next(iter(by_market.values())).columns
    if len(members) < 2:
        return None
    variants = {n: job.with_forecasts(_panel_of_member(together, by_market, n)) for n in members}
    return Trials(variants, _tabulate)


def _panel_of_member(
    together: PrecomputedPanel, signals: Mapping[str, pd.DataFrame], member: int
) -> PrecomputedPanel:
    """The forecasts of a panel with the signals of one member in place of those of all."""
    markets = {}
    for symbol, market in together.markets.items():
        own = signals[symbol][member]
        own = own.set_axis(naive_utc_index(own.index)).reindex(market.frame.index)
        markets[symbol] = replace(market, frame=market.frame.assign(signal=own))
    return replace(together, markets=markets)


def member_equities(job: BacktestJob, bars: CheckedBars, *, signals: pd.DataFrame) -> pd.DataFrame:
    """Run the strategy with each member of an ensemble alone, on the same terms.

    Args:
        job: The strategy on its own terms.
        bars: The bars that it trades.
        signals: The exposure that each member asks for, shape (n_bars, n_members), NaN in warm-up,
            such as `forecaster.member_signals(bars)`.

    Returns:
        Equity in money, one column for each member.

    Raises:
        TradingError: For a bar without a row, no member at all, or if a run fails.

    Example:
        >>> from lstm_strategy import LSTMStrategy, sample_bars
        >>> from lstm_strategy.bars import check_bars
        >>> from lstm_strategy.evaluation.backtests import prepare_job
        >>> bars = check_bars(sample_bars("sp500")["2018":])
        >>> signals = pd.DataFrame({0: 0.0, 1: 1.0}, bars.frame.index)
        >>> job = prepare_job(LSTMStrategy, bars, name="LSTM", params={})
        >>> member_equities(job, bars, signals=signals).iloc[-1].round(-3).to_list()
        [100000.0, 93000.0]
    """
    return _plan_signals(job, bars, signals).run(bars)


def _plan_signals(
    job: BacktestJob, bars: CheckedBars, signals: pd.DataFrame
) -> Trials[pd.DataFrame]:
    unknown = bars.frame.index.difference(signals.index)
    if len(unknown) or signals.shape[1] == 0:
        missing = f"none for {unknown[0]}" if len(unknown) else "no column"
        raise TradingError(
            f"signals must have a row for every bar and a column for every member, got {missing}. "
            "Make them from the bars that you trade."
        )
    warm_up = max(_count_leading_gaps(signals[member]) for member in signals)
    variants = {}
    for member in signals:
        alone = _forecasts_of_signal(signals[member], warm_up, job)
        variants[member] = job.with_forecasts(alone)
    return Trials(variants, _tabulate)


def _tabulate(results: Results) -> pd.DataFrame:
    equities = {member: result.equity for member, result in results.items()}
    return pd.DataFrame(equities).rename_axis(columns="member")


def _forecasts_of_signal(signal: pd.Series, warm_up: int, job: BacktestJob) -> PrecomputedForecasts:
    """The signal of a member, and how strange the bars are to all of them."""
    values = {"signal": signal.to_numpy(dtype=float)}
    frame = pd.DataFrame(values, naive_utc_index(signal.index), COMPLETE_COLUMNS)
    if job.forecasts is not None and "novelty" in job.forecasts.frame:
        frame["novelty"] = job.forecasts.frame["novelty"].reindex(frame.index)
    return PrecomputedForecasts(frame, warm_up, ["close"], job.trained_until)


def _count_leading_gaps(signal: pd.Series) -> int:
    is_known = signal.notna().to_numpy()
    return int(is_known.argmax()) if is_known.any() else len(signal)
