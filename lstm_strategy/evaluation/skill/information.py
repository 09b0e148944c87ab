"""How closely do forecasts go with what came? Information coefficients by horizon."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lstm_strategy.errors import ForecastError
from lstm_strategy.evaluation.plots import plot_by_horizon
from lstm_strategy.evaluation.skill.alignment import (
    Calls,
    MarketForecasts,
    align_calls,
    check_horizons,
)
from lstm_strategy.evaluation.statistics import ClusteredMean, clustered_mean
from lstm_strategy.support import count_of

_FEWEST_MARKETS = 3  # two points always lie on a line
_FEWEST_ROWS = 3


@dataclass(frozen=True, eq=False)
class InformationCoefficients:
    """Correlations of forecasts with the returns that came, by horizon.

    Attributes:
        table: One row a horizon (in bars): ic and rank_ic, each with `_error` (a standard error
            that is clustered by day) and `_t`, and `icir` and `rank_icir` (the mean over the
            standard deviation of the days, not annualised; NaN for one market); n_days and
            n_forecasts.
        by_day: The information coefficient of each day, one column a horizon. For one market it is
            what each day adds to it: the product of forecast and return, each in standard
            deviations from its mean.
        ranks_by_day: The same of the ranks.
        is_panel: Whether the correlations are across the markets of a day; else along the days.
    """

    table: pd.DataFrame
    by_day: pd.DataFrame
    ranks_by_day: pd.DataFrame
    is_panel: bool

    def plot(self) -> Figure:
        """Draw how the correlations decay with the horizon, with two standard errors."""
        lines = {"Information coefficient": "ic", "Of ranks": "rank_ic"}
        return plot_by_horizon(
            self.table[list(lines.values())].set_axis(list(lines), axis=1),
            self.table[[f"{name}_error" for name in lines.values()]].set_axis(list(lines), axis=1),
            title="How closely forecasts go with what came",
            label="Correlation",
            level=0.0,
        )


def information_coefficients(
    forecasts: MarketForecasts | Mapping[str, MarketForecasts],
    bars: pd.DataFrame | Mapping[str, pd.DataFrame],
    *,
    horizons: int | Iterable[int] = (1, 5, 21),
    column: str = "forecast",
) -> InformationCoefficients:
    """Correlate forecasts with the returns over the bars that follow.

    Of a panel it is the correlation across the markets of each day (those with a bar, a forecast
    and a return; at least three, and neither forecasts nor returns all the same), averaged over
    the days. Of one market it is the correlation along its days.

    Args:
        forecasts: By symbol, or of one market: a Series, or a frame with the column, on the dates
            at whose close they are known. A frame with a column a symbol will do, too. NaN is
            no forecast.
        bars: By symbol, or of one market. A return runs from the close of the forecast's bar over
            so many of the market's own bars.
        horizons: Bars ahead, one or several: what is lost on the way is the decay.
        column: The column of frames.

    Raises:
        ForecastError: If forecasts and bars don't go together, or leave nothing to correlate.

    Source:
        Grinold and Kahn (2000), "Active Portfolio Management", chapter 6; the mean of the days'
        coefficients and its error are Fama and MacBeth's (1973), with those of Newey and West
        (1987) where horizons overlap. The error along one market is that of the influence
        function of a correlation, Devlin, Gnanadesikan and Kettenring (1975).

    Example:
        >>> days = pd.date_range("2024-01-01", periods=3)
        >>> closes = {"A": [1.0, 1.1, 1.1], "B": [1.0, 1.2, 1.3], "C": [1.0, 1.3, 1.2]}
        >>> panel = {s: pd.DataFrame({"close": close}, days) for s, close in closes.items()}
        >>> told = {s: pd.Series([float(n)] * 3, days) for n, s in enumerate("ABC")}
        >>> information_coefficients(told, panel, horizons=1).by_day.round(3)[1].tolist()
        [1.0, -0.48]
    """
    return correlate_calls(align_calls(forecasts, bars, column=column), check_horizons(horizons))


def correlate_calls(calls: Calls, horizons: Iterable[int]) -> InformationCoefficients:
    """The information coefficients of calls that are aligned; see `information_coefficients`."""
    rows, by_day, ranks_by_day = {}, {}, {}
    for horizon in horizons:
        told, came = calls.known_over(horizon)
        measure = _across_markets if calls.is_panel else _along_days
        of_values = measure(told, came, horizon)
        of_ranks = measure(_rank(told, calls), _rank(came, calls), horizon)
        if not of_values.mean.n_days:
            most = int((told.notna() & came.notna()).sum(axis=1).max()) if len(told) else 0
            needed = f"{_FEWEST_ROWS} days with forecasts and returns that differ. Pass more"
            if calls.is_panel:
                found = "those of every day are alike" if most >= _FEWEST_MARKETS else f"got {most}"
                needed = (
                    f"{_FEWEST_MARKETS} markets with forecasts and returns that differ, and "
                    f"{found}. Pass forecasts of more markets"
                )
            raise ForecastError(
                f"there is no day to correlate over {count_of(horizon, 'bar')}: it takes {needed}."
            )
        rows[horizon] = {**_row("ic", of_values), **_row("rank_ic", of_ranks)} | {
            "n_days": of_values.mean.n_days,
            "n_forecasts": int(told.notna().to_numpy().sum()),
        }
        by_day[horizon], ranks_by_day[horizon] = of_values.by_day, of_ranks.by_day
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("horizon")
    return InformationCoefficients(
        table.astype({"n_days": int, "n_forecasts": int}),
        pd.DataFrame(by_day),
        pd.DataFrame(ranks_by_day),
        calls.is_panel,
    )


@dataclass(frozen=True, eq=False)
class _Correlation:
    mean: ClusteredMean
    ratio: float
    by_day: pd.Series


def _across_markets(told: pd.DataFrame, came: pd.DataFrame, horizon: int) -> _Correlation:
    """The mean of the correlations across the markets of each day."""
    x, y = (frame.to_numpy() - frame.mean(axis=1).to_numpy()[:, None] for frame in (told, came))
    product, size_x, size_y = np.nansum(x * y, 1), np.nansum(x * x, 1), np.nansum(y * y, 1)
    is_enough = told.notna().sum(axis=1).to_numpy() >= _FEWEST_MARKETS
    differs = _differs(told) & _differs(came)
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = np.where(is_enough & differs, product / np.sqrt(size_x * size_y), np.nan)
    by_day = pd.Series(correlation, told.index).dropna()
    deviation = float(by_day.std(ddof=1)) if len(by_day) > 1 else math.nan
    ratio = float(by_day.mean()) / deviation if deviation > 0 else math.nan
    return _Correlation(clustered_mean(by_day, horizon=horizon), ratio, by_day)


def _along_days(told: pd.DataFrame, came: pd.DataFrame, horizon: int) -> _Correlation:
    """The correlation along the days of one market."""
    x, y = told.iloc[:, 0].dropna(), came.iloc[:, 0].dropna()
    if len(x) < _FEWEST_ROWS or not (_differs(x.to_frame().T) & _differs(y.to_frame().T)).all():
        return _Correlation(clustered_mean(x.iloc[:0]), math.nan, x.iloc[:0])
    x, y = ((values - values.mean()) / values.std(ddof=0) for values in (x, y))
    product = x * y
    correlation = float(product.mean())
    influence = product - correlation * (x**2 + y**2) / 2.0
    error = clustered_mean(influence, horizon=horizon)
    mean = ClusteredMean(
        correlation, error.error, error.n_values, error.n_days, error.bandwidth_days
    )
    return _Correlation(mean, math.nan, product)


def _differs(frame: pd.DataFrame) -> np.ndarray:
    """Whether the known values of a row differ by more than rounding, shape (n_rows,)."""
    size = frame.abs().max(axis=1)
    differs: np.ndarray = (frame.max(axis=1) - frame.min(axis=1) > 1e-12 * size).to_numpy()
    return differs


def _rank(frame: pd.DataFrame, calls: Calls) -> pd.DataFrame:
    """The ranks across the markets of each day, or along the days of one market."""
    return frame.rank(axis=1 if calls.is_panel else 0)


def _row(name: str, correlation: _Correlation) -> dict[str, float]:
    mean = correlation.mean
    return {
        name: mean.mean,
        f"{name}_error": mean.error,
        f"{name}_t": mean.t,
        f"{name}ir": correlation.ratio,
    }
