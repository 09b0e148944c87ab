"""What a model forecast beside what came of it, and its scores by fold."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from lstm_strategy.bars import bars_per_year, is_panel, proportional_bars
from lstm_strategy.errors import ForecastError
from lstm_strategy.evaluation.skill.alignment import Calls, align_calls
from lstm_strategy.evaluation.skill.hits import count_hits
from lstm_strategy.evaluation.skill.information import correlate_calls
from lstm_strategy.evaluation.skill.model_skill import find_target, target_name
from lstm_strategy.learning.forecaster import Forecaster
from lstm_strategy.learning.serving import forecast_with_cache
from lstm_strategy.learning.variance import measure_variance, qlike_losses
from lstm_strategy.support import naive_utc, naive_utc_index

Kind = Literal["probability", "volatility", "return"]
_KINDS: dict[str | None, Kind] = {"direction": "probability", "volatility": "volatility"}
_SURELY = 1e-15  # the nearest to certain that a probability counts as, or one miss would cost all


@dataclass(frozen=True, eq=False)
class ForecastOutcomes:
    """What was forecast, and what came over the horizon of the model.

    Attributes:
        calls: The forecasts beside the closes.
        horizon: Bars ahead that the model looks.
        kind: "probability" of a higher close, annualised "volatility", or anything that should go
            with the "return".
        column: The column of forecasts that is meant: "forecast", or "signal" where it isn't known
            what the model is asked.
        volatility_ahead: Of volatilities what came over the horizon, on the rows of the closes;
            NaN where it isn't known.
    """

    calls: Calls
    horizon: int
    kind: Kind
    column: str
    volatility_ahead: pd.DataFrame | None = None

    @property
    def told(self) -> pd.DataFrame:
        """The forecasts whose outcome is known, one column a market; NaN elsewhere."""
        return self.calls.forecasts.where(self.came.notna())

    @cached_property
    def came(self) -> pd.DataFrame:
        """What came: 1 for a higher close and 0 for a lower one, the volatility, or the return.

        The volatility is annualised, and measured as the model measures it. NaN where there is no
        forecast, no bar as far ahead, or a close that is the same (for a probability, as nobody was
        right) or never moved (for a volatility).
        """
        returns = self.calls.returns_over(self.horizon)
        if self.kind == "return":
            return returns
        if self.kind == "probability":
            return (returns > 0).astype(float).where(returns.notna() & (returns != 0))
        ahead = returns * np.nan if self.volatility_ahead is None else self.volatility_ahead
        return ahead.where(self.calls.forecasts.notna() & (ahead > 0))


def forecast_outcomes(
    model: Forecaster,
    bars: pd.DataFrame | Mapping[str, pd.DataFrame],
    *,
    start: pd.Timestamp,
    end: pd.Timestamp,
) -> ForecastOutcomes | None:
    """Put the forecasts of a model beside what came over its horizon.

    Args:
        model: Any forecaster.
        bars: Valid bars of one market, or by symbol.
        start: The first bar at whose close is forecast.
        end: The last one; what came later isn't used either.

    Returns:
        The two; None where no forecast has an outcome.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> from lstm_strategy.learning.reference import LearnerForecaster
        >>> bars = sample_bars("sp500")[:"2003"]
        >>> model = LearnerForecaster("logistic", features=[{"kind": "roc", "length": 5}])
        >>> model = model.fit(bars[:"2001"])
        >>> ends = {"start": pd.Timestamp("2002"), "end": bars.index[-1]}
        >>> forecast_outcomes(model, bars, **ends).kind
        'probability'
    """
    target = target_name(model)
    column = "signal" if target is None else "forecast"
    told: Any = forecast_with_cache(model, bars)
    calls = align_calls(told, bars, column=column).between(naive_utc(start), naive_utc(end))
    kind, ahead = _KINDS.get(target, "return"), None
    if kind == "volatility":
        markets = dict(bars) if is_panel(bars) else {str(calls.closes.columns[0]): bars}
        found = {
            name: _volatility_ahead(model, markets[name].loc[:end]) for name in calls.closes.columns
        }
        ahead = pd.DataFrame(found).reindex(calls.closes.index)
    outcomes = ForecastOutcomes(calls, model.horizon, kind, column, ahead)
    return outcomes if outcomes.came.notna().to_numpy().any() else None


def _volatility_ahead(model: Forecaster, bars: pd.DataFrame) -> pd.Series:
    """The annualised volatility over the horizon of a model, measured as its target does."""
    target, known = find_target(model), proportional_bars(bars)
    measure = {name: getattr(target, name, None) for name in ("estimator", "column")}
    variance = measure_variance(known, model.horizon, **measure).shift(-model.horizon)
    year = bars_per_year(pd.DatetimeIndex(known.index))
    volatility: pd.Series = (variance * year) ** 0.5
    return volatility.set_axis(naive_utc_index(known.index))


def score_folds(outcomes: ForecastOutcomes, folds: pd.Series | None = None) -> pd.DataFrame:
    """Return how good the forecasts of each fold were, and those of all.

    Args:
        outcomes: What was forecast and what came.
        folds: The number of the fold that each time belongs to, NaN for none; None for no folds.

    Returns:
        One row a fold by its number, then "all", with n_forecasts. For probabilities log_loss and
        brier (0.693 and 0.25 for one half at all times), hit_rate and always_up (see `hit_rates`);
        for volatilities qlike, forecast and realised (root mean squares) and correlation; for
        anything else ic (see `information_coefficients`), hit_rate and always_up. NaN where one
        isn't defined, such as a correlation of forecasts that never differ.

    Source:
        Brier (1950), "Verification of forecasts expressed in terms of probability"; Good (1952),
        "Rational decisions", for the logarithmic score; Patton (2011) for QLIKE.

    Example:
        >>> from lstm_strategy.evaluation.skill import align_calls
        >>> days = pd.date_range("2024-01-01", periods=3)
        >>> bars = pd.DataFrame({"close": [1.0, 2.0, 1.0]}, days)
        >>> calls = align_calls(pd.Series([0.8, 0.6], days[:2]), bars)
        >>> outcomes = ForecastOutcomes(calls, horizon=1, kind="probability", column="forecast")
        >>> score_folds(outcomes)[["brier", "hit_rate"]].round(3).loc["all"].tolist()
        [0.2, 0.5]
    """
    numbers = [] if folds is None else sorted(folds.dropna().astype(int).unique())
    parts: dict[int | str, ForecastOutcomes] = {
        int(number): _restrict(outcomes, (folds == number).to_numpy())
        for number in numbers
        if folds is not None
    }
    parts["all"] = outcomes
    rows = {name: _scores(part) for name, part in parts.items()}
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("fold")
    return table[table["n_forecasts"] > 0].astype({"n_forecasts": int})


def _restrict(outcomes: ForecastOutcomes, is_within: np.ndarray) -> ForecastOutcomes:
    calls = outcomes.calls
    forecasts = calls.forecasts.where(is_within[:, None])
    kept = Calls(forecasts, calls.closes, calls.is_panel)
    return replace(outcomes, calls=kept)


def _scores(outcomes: ForecastOutcomes) -> dict[str, float]:
    came = outcomes.came.to_numpy()
    is_known = ~np.isnan(came)
    told, came = outcomes.calls.forecasts.to_numpy()[is_known], came[is_known]
    scores = {"n_forecasts": float(len(came))}
    if not len(came):
        return scores
    if outcomes.kind == "volatility":
        return scores | {
            "qlike": float(qlike_losses(came**2, told**2).mean()),
            "forecast": _root_mean_square(told),
            "realised": _root_mean_square(came),
            "correlation": _correlation(told, came),
        }
    if outcomes.kind == "probability":
        given = np.clip(np.where(came == 1, told, 1.0 - told), _SURELY, 1.0)
        scores |= {
            "log_loss": float(-np.log(given).mean()),
            "brier": float(((told - came) ** 2).mean()),
        }
    else:
        scores["ic"] = _information(outcomes)
    return scores | _hits(outcomes)


def _hits(outcomes: ForecastOutcomes) -> dict[str, float]:
    neutral = 0.5 if outcomes.kind == "probability" else 0.0
    try:
        rates = count_hits(outcomes.calls, [outcomes.horizon], neutral=neutral).table.iloc[0]
    except ForecastError:  # no call
        return {"hit_rate": np.nan, "always_up": np.nan}
    return {name: float(rates[name]) for name in ("hit_rate", "always_up")}


def _information(outcomes: ForecastOutcomes) -> float:
    try:
        return float(correlate_calls(outcomes.calls, [outcomes.horizon]).table["ic"].iloc[0])
    except ForecastError:  # forecasts that never differ, or too few of them
        return np.nan


def _root_mean_square(values: np.ndarray) -> float:
    return float(np.sqrt((values**2).mean()))


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    if len(first) < 3 or first.std() == 0 or second.std() == 0:
        return np.nan
    return float(np.corrcoef(first, second)[0, 1])
