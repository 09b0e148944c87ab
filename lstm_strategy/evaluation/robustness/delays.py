"""What is left of a strategy when every order comes late."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

import pandas as pd

from lstm_strategy.bars import CheckedBars
from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.backtests import BacktestJob, CheckedMarkets, dates_frame
from lstm_strategy.evaluation.robustness.runs import Trials, tabulate_metrics
from lstm_strategy.learning.serving import PrecomputedForecasts, PrecomputedPanel
from lstm_strategy.support import naive_utc_index

DELAYS_BARS = (0, 1, 2, 3, 4, 5)


def try_delays(
    job: BacktestJob, bars: CheckedMarkets, *, delays_bars: Iterable[int] = DELAYS_BARS
) -> pd.DataFrame:
    """Run the strategy with each forecast known some bars late, so that its orders come late too.

    Args:
        job: The strategy on its own terms; it trades forecasts.
        bars: The bars that it trades.
        delays_bars: By how many bars each forecast is late.

    Returns:
        A row for each delay, index `delay_bars`, columns as in `try_costs`. An edge that needs the
        very next open is gone in the row of one bar.

    Raises:
        TradingError: For a negative delay, which would look ahead, for a strategy without
            forecasts, or if a run fails.

    Example:
        >>> from lstm_strategy import LSTMStrategy, sample_bars
        >>> from lstm_strategy.bars import check_bars
        >>> from lstm_strategy.evaluation.backtests import prepare_job
        >>> from lstm_strategy.learning.serving import precomputed_frame
        >>> bars = check_bars(sample_bars("sp500")["2018":])
        >>> next_move = bars.frame["open"].pct_change().shift(-2)  # which nobody can know
        >>> cheat = pd.DataFrame({"signal": next_move.gt(0) * 1.0})
        >>> model = precomputed_frame(cheat.assign(forecast=0.5, uncertainty=0.0), bars.frame)
        >>> job = prepare_job(LSTMStrategy, bars, name="Cheat", params={"model": model})
        >>> sharpe = try_delays(job, bars, delays_bars=[0, 1])["sharpe"]
        >>> bool(sharpe[0] > 5.0 > 1.0 > sharpe[1])
        True
    """
    return plan_delays(job, bars, delays_bars=delays_bars).run(bars)


def plan_delays(
    job: BacktestJob, bars: CheckedMarkets, *, delays_bars: Iterable[int] = DELAYS_BARS
) -> Trials[pd.DataFrame]:
    """Return what `try_delays` runs."""
    variants = {
        delay: job.with_forecasts(_delay_all(job, bars, delay_bars=delay)) for delay in delays_bars
    }
    return Trials(variants, partial(tabulate_metrics, index_name="delay_bars"))


def _delay_all(
    job: BacktestJob, bars: CheckedMarkets, *, delay_bars: int
) -> PrecomputedForecasts | PrecomputedPanel:
    """The forecasts that the job trades, in each market so many of its own bars later."""
    forecasts, panel = job.forecasts, job.panel_forecasts
    if forecasts is not None:
        return delay_forecasts(forecasts, dates_frame(bars), delay_bars=delay_bars)
    if panel is None or isinstance(bars, CheckedBars):
        raise TradingError(f"{job.name} trades no forecasts, so none of them can come late.")
    markets = {
        symbol: delay_forecasts(panel.market(symbol), frame, delay_bars=delay_bars)
        for symbol, frame in bars.items()
    }
    return replace(panel, markets=markets)


def delay_forecasts(
    forecasts: PrecomputedForecasts, bars: pd.DataFrame, *, delay_bars: int
) -> PrecomputedForecasts:
    """Move each forecast to a later bar.

    Args:
        forecasts: The forecasts of the bars.
        bars: The bars, shape (n_bars, n_columns).
        delay_bars: By how many bars.

    Returns:
        The same forecasts, each known `delay_bars` later; NaN before the first.

    Raises:
        TradingError: For a negative delay.

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
    frame = forecasts.forecast(bars).set_axis(naive_utc_index(bars.index))
    return replace(forecasts, frame=frame.shift(delay_bars))
