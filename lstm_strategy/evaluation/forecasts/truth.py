"""What came: the variance that was realised over the bars that a forecast looks at."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lstm_strategy.bars import bars_per_year, proportional_bars
from lstm_strategy.errors import ForecastError
from lstm_strategy.evaluation.forecasts.measures import Measure
from lstm_strategy.evaluation.skill import align_to_bars
from lstm_strategy.learning.variance import measure_variance
from lstm_strategy.support import format_time


@dataclass(frozen=True, eq=False)
class Truth:
    """What forecasts of volatility are held against.

    Attributes:
        variance: The mean variance over the next `horizon` bars, annualised, a fraction squared;
            on the index of the bars, stamped with the bar at whose close it is forecast. NaN where
            it isn't known.
        source: Where it came from, in words.
        horizon: Bars ahead that it covers.
        bars_per_year: Bars of a year, by which it is annualised.
    """

    variance: pd.Series
    source: str
    horizon: int
    bars_per_year: float


def measure_truth(bars: pd.DataFrame, horizon: int, realized: pd.Series | Measure) -> Truth:
    """Measure the variance that came after each bar.

    Args:
        bars: Valid bars, shape (n_bars, n_columns).
        horizon: Bars ahead.
        realized: The variance of each bar, a fraction squared, or how it is measured.

    Returns:
        The truth on the index of the bars; NaN in its last `horizon` rows, and 0 where nothing
        moved.

    Raises:
        ForecastError: If the bars lack the column, or a variance isn't above zero.
        BarsError: If there is no such estimator, or it needs more bars than the horizon has.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> bars = sample_bars("sp500")[:4].assign(five_minutes=[1e-4, 2e-4, 4e-4, 6e-4])
        >>> truth = measure_truth(bars, 2, Measure(column="five_minutes"))
        >>> (truth.variance / 252).round(6).tolist()
        [0.0003, 0.0005, nan, nan]
    """
    if len(bars) <= horizon:
        raise ForecastError(
            f"horizon must be below the number of bars, {len(bars):,}, got {horizon}. Load more "
            "history."
        )
    bars = proportional_bars(bars)
    years_bars = bars_per_year(pd.DatetimeIndex(bars.index))
    if isinstance(realized, Measure) and realized.estimator is not None:
        measured = measure_variance(bars, horizon, estimator=realized.estimator)
    else:
        of_bars = (
            _read_column(bars, realized)
            if isinstance(realized, Measure)
            else _read_series(realized, bars)
        )
        measured = of_bars.rolling(horizon).mean()
    source = str(realized) if isinstance(realized, Measure) else "the Series given as realized"
    return Truth(measured.shift(-horizon) * years_bars, source, horizon, years_bars)


def _read_column(bars: pd.DataFrame, measure: Measure) -> pd.Series:
    if measure.column not in bars:
        raise ForecastError(
            f"the models forecast the variance in {measure}, but the bars have "
            f"{', '.join(map(str, bars.columns))}. Add it to them, or pass realized=."
        )
    return _check_variances(bars[measure.column], str(measure))


def _read_series(realized: pd.Series, bars: pd.DataFrame) -> pd.Series:
    if not isinstance(realized, pd.Series):
        raise ForecastError(
            "realized must be a Series of variances on the dates of the bars, got "
            f"{type(realized).__name__}. Pass one column."
        )
    aligned = align_to_bars(realized, bars, "realized")
    if aligned.isna().all():
        raise ForecastError(
            "realized must be known on bars that are compared, but none of its "
            f"{len(realized):,} dates is one of the bars. Pass variances of the same bars."
        )
    return _check_variances(aligned, "realized")


def _check_variances(variances: pd.Series, name: str) -> pd.Series:
    values = variances.to_numpy(dtype=float)
    is_wrong = ~np.isnan(values) & ~((values > 0) & np.isfinite(values))
    if is_wrong.any():
        raise ForecastError(
            f"{name} must hold variances above 0, got {values[is_wrong][0]:g} at "
            f"{format_time(variances.index[is_wrong][0])} ({is_wrong.sum():,} bars in all). Make "
            "it NaN where nothing was measured."
        )
    return pd.Series(values, variances.index)
