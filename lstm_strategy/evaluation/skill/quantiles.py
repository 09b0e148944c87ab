"""What would the best by forecast have earned on the worst, before and after costs?"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lstm_strategy.errors import ForecastError
from lstm_strategy.evaluation.plots import plot_quantiles
from lstm_strategy.evaluation.skill.alignment import (
    Calls,
    MarketForecasts,
    align_calls,
    check_horizons,
)
from lstm_strategy.evaluation.statistics import clustered_mean

SPREAD = "spread"
NET_SPREAD = "spread after costs"


@dataclass(frozen=True, eq=False)
class QuantileReturns:
    """Mean returns of markets by the quantile of their forecast on the day.

    Attributes:
        table: One row a quantile from 1 (lowest) on, then "spread" (the highest less the lowest)
            and "spread after costs": mean_return (a bar, a fraction), `_error` (clustered by day)
            and `_t`, n_days and n_forecasts.
        by_day: Returns a bar at each day, the same columns as the rows of the table.
        turnover: What the spread trades a bar: the sum of the changes of its weights, of which the
            long side has 1 and the short side 1.
        horizon: Bars that each position is held.
        cost_rate: What a trade costs one way, a fraction of its value.
        n_days_left_out: Days with fewer markets than quantiles.
    """

    table: pd.DataFrame
    by_day: pd.DataFrame
    turnover: pd.Series
    horizon: int
    cost_rate: float
    n_days_left_out: int

    def plot(self) -> Figure:
        """Draw the mean of each quantile, and what the spread adds up to."""
        return plot_quantiles(
            self.table.drop(index=[SPREAD, NET_SPREAD])[["mean_return", "mean_return_error"]],
            self.by_day[[SPREAD, NET_SPREAD]],
        )


def quantile_returns(
    forecasts: Mapping[str, MarketForecasts],
    bars: Mapping[str, pd.DataFrame],
    *,
    n_quantiles: int = 5,
    horizon: int = 1,
    cost_rate: float = 0.0015,
    column: str = "forecast",
) -> QuantileReturns:
    """Sort the markets of each day into quantiles of their forecasts, and average what came.

    The spread is long the highest quantile and short the lowest, each in equal weights that add up
    to 1. Where positions are held over several bars, so many portfolios overlap, one of which is
    formed anew each day (Jegadeesh and Titman 1993). Weights aren't held against drift, and fills
    are at the close at which the forecast is known: what an order at the next open loses is in no
    figure here, unlike in `run_backtest`.

    Args:
        forecasts: By symbol: a Series, or a frame with the column, on the dates at whose close
            they are known. A frame with a column a symbol will do, too. NaN is no forecast.
        bars: By symbol. A return runs from the close of the forecast's bar over so many of the
            market's own bars; where it isn't known, the forecast is left out.
        n_quantiles: At least 2. Days with fewer markets are left out, and ties share a quantile.
        horizon: Bars that each position is held.
        cost_rate: What a trade costs one way, a fraction of its value; by default the commission
            and slippage of `BrokerSettings`.
        column: The column of frames.

    Raises:
        ForecastError: If forecasts and bars don't go together or aren't by symbol, or no day has
            enough markets.

    Example:
        >>> days = pd.date_range("2024-01-01", periods=3)
        >>> closes = {"A": [1.0, 1.1, 1.1], "B": [1.0, 1.2, 1.3], "C": [1.0, 1.3, 1.3]}
        >>> panel = {s: pd.DataFrame({"close": close}, days) for s, close in closes.items()}
        >>> told = {s: pd.Series([float(n)] * 3, days) for n, s in enumerate("ABC")}
        >>> result = quantile_returns(told, panel, n_quantiles=3, cost_rate=0.01)
        >>> result.by_day.round(3).loc[days[0]].tolist()
        [0.1, 0.2, 0.3, 0.2, 0.18]
    """
    _check_terms(n_quantiles, cost_rate)
    (horizon,) = check_horizons(horizon)
    calls = align_calls(forecasts, bars, column=column)
    if not calls.is_panel:
        raise ForecastError(
            "quantiles are those of the markets of a day, got forecasts of one market. Give "
            "forecasts and bars by symbol."
        )
    return sort_calls(calls, n_quantiles=n_quantiles, horizon=horizon, cost_rate=cost_rate)


def sort_calls(
    calls: Calls, *, n_quantiles: int, horizon: int, cost_rate: float
) -> QuantileReturns:
    """The returns by quantile of calls that are aligned; see `quantile_returns`."""
    told, came = calls.known_over(horizon)
    n_markets = told.notna().sum(axis=1)
    is_enough = (n_markets >= n_quantiles).to_numpy()
    if not is_enough.any():
        raise ForecastError(
            f"{n_quantiles} quantiles need a day with so many markets, got at most "
            f"{int(n_markets.max())}. Choose fewer quantiles, or give more markets."
        )
    told, came = told[is_enough], came[is_enough] / horizon
    place = (told.rank(axis=1) - 0.5).div(n_markets[is_enough], axis=0) * n_quantiles
    number = place.apply(np.floor) + 1.0
    by_day = pd.DataFrame({n: came.where(number == n).mean(axis=1) for n in _numbers(n_quantiles)})
    weights = _side(number, n_quantiles) - _side(number, 1)
    turnover = weights.diff(horizon).fillna(weights).abs().sum(axis=1) / horizon
    spread = by_day[n_quantiles] - by_day[1]
    by_day[SPREAD], by_day[NET_SPREAD] = spread, spread - cost_rate * turnover
    counts = [int((number == n).to_numpy().sum()) for n in _numbers(n_quantiles)]
    counts += [counts[0] + counts[-1]] * 2
    rows = [
        _describe(by_day[name], count, horizon) for name, count in zip(by_day, counts, strict=True)
    ]
    table = pd.DataFrame(rows, index=by_day.columns.rename("quantile"))
    return QuantileReturns(
        table.astype({"n_days": int, "n_forecasts": int}),
        by_day,
        turnover.rename("turnover"),
        horizon,
        cost_rate,
        int((~is_enough & (n_markets > 0).to_numpy()).sum()),
    )


def _numbers(n_quantiles: int) -> range:
    return range(1, n_quantiles + 1)


def _side(number: pd.DataFrame, quantile: int) -> pd.DataFrame:
    """Equal weights of the markets in a quantile, which add up to 1; 0 where there is none."""
    is_in = (number == quantile).astype(float)
    return is_in.div(is_in.sum(axis=1).replace(0.0, np.nan), axis=0).fillna(0.0)


def _describe(by_day: pd.Series, n_forecasts: int, horizon: int) -> dict[str, float]:
    mean = clustered_mean(by_day, horizon=horizon)
    return {
        "mean_return": mean.mean,
        "mean_return_error": mean.error,
        "mean_return_t": mean.t,
        "n_days": mean.n_days,
        "n_forecasts": n_forecasts,
    }


def _check_terms(n_quantiles: int, cost_rate: float) -> None:
    is_whole = isinstance(n_quantiles, int) and not isinstance(n_quantiles, bool)
    if not is_whole or n_quantiles < 2:
        raise ForecastError(f"n_quantiles must be a whole number from 2 on, got {n_quantiles!r}.")
    if not (math.isfinite(cost_rate) and 0.0 <= cost_rate < 1.0):
        raise ForecastError(
            f"cost_rate must be a fraction from 0 to below 1, got {cost_rate!r}. 0.001 is 0.1%."
        )
