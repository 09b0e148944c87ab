"""Do forecasts mean what they say? What came, by the size of the forecast."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lstm_strategy.evaluation.plots import plot_calibration
from lstm_strategy.evaluation.skill.outcomes import ForecastOutcomes, Kind
from lstm_strategy.evaluation.statistics import clustered_mean


@dataclass(frozen=True, eq=False)
class Calibration:
    """What came beside what was forecast, from the lowest forecasts to the highest.

    Attributes:
        table: One row a group: forecast and outcome (means; of volatilities root mean squares),
            outcome_error (a standard error that is clustered by day; NaN for volatilities) and
            n_forecasts.
        kind: What is forecast, see `ForecastOutcomes`.
        horizon: Bars ahead.
    """

    table: pd.DataFrame
    kind: Kind
    horizon: int

    def plot(self) -> Figure:
        """Draw what came against the forecast, beside the line where the two agree."""
        return plot_calibration(self.table, kind=self.kind)


def calibrate(outcomes: ForecastOutcomes, *, n_groups: int = 10) -> Calibration | None:
    """Sort forecasts into groups of equal number, and take the mean of what came in each.

    Args:
        outcomes: What was forecast and what came.
        n_groups: The most groups; equal forecasts stay together, so there may be fewer.

    Returns:
        The groups; None where there are fewer than two, as in forecasts that hardly differ.

    Source:
        Murphy and Winkler (1977), "Reliability of subjective probability forecasts": the
        reliability diagram, here with groups of equal number in place of equal width.

    Example:
        >>> from lstm_strategy.evaluation.skill import align_calls
        >>> days = pd.date_range("2024-01-01", periods=5)
        >>> bars = pd.DataFrame({"close": [4.0, 3.0, 2.0, 3.0, 4.0]}, days)
        >>> calls = align_calls(pd.Series([0.3, 0.4, 0.6, 0.7], days[:4]), bars)
        >>> outcomes = ForecastOutcomes(calls, horizon=1, kind="probability", column="forecast")
        >>> calibrate(outcomes, n_groups=2).table[["forecast", "outcome"]].round(2).values.tolist()
        [[0.35, 0.0], [0.65, 1.0]]
    """
    came = outcomes.came.to_numpy()
    told = outcomes.told.to_numpy()
    known = told[~np.isnan(told)]
    scale = np.abs(known).max(initial=0.0)
    if np.ptp(known) <= 1e-9 * scale:  # the same up to rounding
        return None
    edges = np.unique(np.quantile(known, np.linspace(0.0, 1.0, n_groups + 1)[1:-1]))
    group = np.where(np.isnan(told), -1, np.searchsorted(edges, told, side="left"))
    numbers = [number for number in range(len(edges) + 1) if (group == number).any()]
    if len(numbers) < 2:
        return None
    rows = [_group_row(told, came, group == number, outcomes) for number in numbers]
    table = pd.DataFrame(rows, index=pd.RangeIndex(1, len(rows) + 1, name="group"))
    return Calibration(table.astype({"n_forecasts": int}), outcomes.kind, outcomes.horizon)


def _group_row(
    told: np.ndarray, came: np.ndarray, is_in: np.ndarray, outcomes: ForecastOutcomes
) -> dict[str, float]:
    forecasts, results = told[is_in], came[is_in]
    if outcomes.kind == "volatility":
        forecast, outcome = (float(np.sqrt((each**2).mean())) for each in (forecasts, results))
        error = np.nan
    else:
        forecast = float(forecasts.mean())
        found = clustered_mean(np.where(is_in, came, np.nan), horizon=outcomes.horizon)
        outcome, error = found.mean, found.error
    return {
        "forecast": forecast,
        "outcome": outcome,
        "outcome_error": error,
        "n_forecasts": len(forecasts),
    }
