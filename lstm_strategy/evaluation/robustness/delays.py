"""What is left of a strategy when every order comes late."""

from collections.abc import Iterable
from dataclasses import replace

import pandas as pd

from lstm_strategy.bars import CheckedBars
from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.backtests import BacktestJob
from lstm_strategy.evaluation.robustness.runs import run_variants, tabulate_metrics
from lstm_strategy.learning.serving import PrecomputedForecasts
from lstm_strategy.support import naive_utc_index

DELAYS_BARS = (0, 1, 2, 3, 4, 5)


def try_delays(
    job: BacktestJob, bars: CheckedBars, *, delays_bars: Iterable[int] = DELAYS_BARS
) -> pd.DataFrame:
    """The strategy with each forecast known some bars late, so that its orders come late too.

    Args:
        job: the strategy on its own terms; it trades forecasts.
        bars: those that it trades.
        delays_bars: how late.

    Returns:
        A row for each delay, index `delay_bars`, columns as in `try_costs`. An edge that needs the
        very next open is gone in the row of one bar. All delays are traded over the same bars.

    Raises:
        TradingError: for a negative delay, which would look ahead, for a strategy without
            forecasts, or if a run fails.
    """
    forecasts = job.forecasts
    if forecasts is None:
        raise TradingError(f"{job.name} trades no forecasts, so none of them can come late.")
    variants = {}
    for delay in delays_bars:
        late = delay_forecasts(forecasts, bars.frame, delay_bars=delay)
        variants[delay] = replace(job, params={**job.params, "model": late})
    return tabulate_metrics(run_variants(variants, bars), "delay_bars")


def delay_forecasts(
    forecasts: PrecomputedForecasts, bars: pd.DataFrame, *, delay_bars: int
) -> PrecomputedForecasts:
    """The forecasts of bars, each moved to the bar `delay_bars` later; NaN before the first.

    Raises:
        TradingError: for a negative delay.

    Example:
        >>> frame = pd.DataFrame(
        ...     {"signal": [0.1, 0.2], "forecast": 0.5, "uncertainty": 0.0},
        ...     pd.date_range("2024-01-01", periods=2),
        ... )
        >>> known = PrecomputedForecasts(frame, 0, ["close"], None)
        >>> delay_forecasts(known, frame, delay_bars=1).frame["signal"].to_list()
        [nan, 0.1]
    """
    if delay_bars < 0:
        raise TradingError(
            f"delay_bars must be 0 or more, got {delay_bars}. A negative delay looks ahead."
        )
    known = forecasts.forecast(bars).set_axis(naive_utc_index(bars.index))
    return replace(forecasts, frame=known.shift(delay_bars))
