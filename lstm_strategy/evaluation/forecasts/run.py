"""Compare forecasts with each other and with what came."""

import logging
from collections.abc import Mapping, Sequence
from datetime import date
from typing import overload

import numpy as np
import pandas as pd

from lstm_strategy.bars import bars_fingerprint, describe_span, is_panel, validate_bars
from lstm_strategy.errors import ForecastError
from lstm_strategy.evaluation.forecasts.comparison import ForecastComparison
from lstm_strategy.evaluation.forecasts.measures import (
    Measure,
    choose_measure,
    note_other_measures,
)
from lstm_strategy.evaluation.forecasts.models import (
    ForecastSource,
    ModelForecasts,
    ask_model,
    choose_horizon,
    open_models,
)
from lstm_strategy.evaluation.forecasts.panel import (
    PanelForecastSource,
    SkillComparison,
    compare_on_panel,
    open_panel_models,
)
from lstm_strategy.evaluation.forecasts.rows import find_common_rows
from lstm_strategy.evaluation.forecasts.scores import choose_losses, measure_losses, score_models
from lstm_strategy.evaluation.forecasts.truth import measure_truth
from lstm_strategy.evaluation.forecasts.units import check_units
from lstm_strategy.evaluation.statistics import LossFunction, choose_bandwidth
from lstm_strategy.learning.forecaster import Forecaster
from lstm_strategy.support import explain_arguments, library_versions, suggest_names

log = logging.getLogger(__name__)

_LIBRARIES = ("lstm-strategy", "arch", "numpy", "pandas", "statsmodels")


@overload
def compare_forecasts(
    models: Mapping[str, ForecastSource],
    bars: pd.DataFrame,
    *,
    horizon: int | None = None,
    estimator: str | None = None,
    realized: pd.Series | None = None,
    start: str | date | None = None,
    end: str | date | None = None,
    against: str | None = None,
    loss: str | LossFunction = "qlike",
    confidence: float = 0.9,
    seed: int = 0,
) -> ForecastComparison: ...


@overload
def compare_forecasts(
    models: Mapping[str, PanelForecastSource],
    bars: Mapping[str, pd.DataFrame],
    *,
    horizon: int | None = None,
    start: str | date | None = None,
    end: str | date | None = None,
    against: str | None = None,
    cost_rate: float = 0.0015,
) -> SkillComparison: ...


@explain_arguments(ForecastError)
def compare_forecasts(
    models: Mapping[str, ForecastSource] | Mapping[str, PanelForecastSource],
    bars: pd.DataFrame | Mapping[str, pd.DataFrame],
    *,
    horizon: int | None = None,
    estimator: str | None = None,
    realized: pd.Series | None = None,
    start: str | date | None = None,
    end: str | date | None = None,
    against: str | None = None,
    loss: str | LossFunction = "qlike",
    confidence: float = 0.9,
    seed: int = 0,
    cost_rate: float = 0.0015,
) -> ForecastComparison | SkillComparison:
    """Hold forecasts against what came, out of sample, and test who is better.

    On the bars of one market they are forecasts of volatility, scored by losses. On a panel they
    are forecasts of returns (expected returns, exposures, or the probabilities of a model of the
    direction), and measured by information coefficients, hit rates and the spread between the
    highest and the lowest: see `information_coefficients`, `hit_rates` and `quantile_returns`.

    Args:
        models: Names to forecasters (trained once or walked forward, or the folders of saved ones)
            or to forecasts that were made elsewhere: a Series, or a frame with a column
            `forecast`, of annualised volatilities as fractions (0.2 is 20%) on the dates at whose
            close they were known. They count as out of sample. On a panel, to forecasters of
            panels, or to forecasts by symbol.
        bars: Open, high, low, close, volume and what the forecasters read besides, of one market;
            or such bars by symbol.
        horizon: Bars ahead whose mean variance is forecast; by default that of the forecasters,
            or 1.
        estimator: What measures the variance that came from the prices: "close_to_close",
            "parkinson", "garman_klass", "rogers_satchell", "rogers_satchell_overnight" or
            "yang_zhang".
        realized: The variance of each bar, a fraction squared (0.0001 is a move of 1%), on the
            dates of the bars, instead. Without either it is what the forecasters were trained to
            forecast; without any that says so the column `realized_variance` of the bars, or else
            "rogers_satchell_overnight" measures it.
        start: The first bar at whose close is forecast; by default the first after the latest
            training.
        end: The last one, inclusive; what came after it is still used as the truth.
        against: The model that the others are tested against; by default the best of those beside
            the judged one, which is the first forecaster that isn't a reference model, or else the
            first model.
        loss: What decides: "qlike", "mse", or a function of realised and forecast variances,
            both annualised, of shape (n_bars,), that gives one loss a bar.
        confidence: Of the model confidence set.
        seed: Chooses its resamples.
        cost_rate: What a trade costs one way, a fraction of its value, where a panel's spread is
            taken after costs; by default the commission and slippage of `BrokerSettings`.

    Returns:
        The scores of all models on the bars that all of them forecast. On a panel `estimator`,
        `realized`, `loss`, `confidence` and `seed` have no meaning.

    Raises:
        BarsError: At the first bad bar.
        ForecastError: For fewer than two models, forecasts that aren't volatilities or are in
            another unit, variances that aren't above zero, `start` within a training, too few
            common bars, or forecasters of different variances where neither `estimator` nor
            `realized` says which one came.
        ModelError: If there is no such model.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> bars = sample_bars("sp500")
        >>> squared = np.log(bars["close"]).diff() ** 2
        >>> month, year = (np.sqrt(252 * squared.rolling(n).mean()) for n in (22, 250))
        >>> comparison = compare_forecasts(
        ...     {"month": month, "year": year}, bars, horizon=5, against="year"
        ... )
        >>> comparison.table[["qlike", "in_confidence_set"]].round(2).to_dict("list")
        {'qlike': [0.31, 0.46], 'in_confidence_set': [True, False]}
    """
    if is_panel(bars):
        if estimator is not None or realized is not None or loss != "qlike":
            raise ForecastError(
                "estimator, realized and loss are for forecasts of volatility, and those of a "
                "panel are held against returns. Leave them out."
            )
        on_panel = open_panel_models(models)  # type: ignore[arg-type]
        _check_against(against, on_panel)
        return compare_on_panel(
            on_panel,
            bars,
            horizon=choose_horizon(on_panel, horizon),
            start=start,
            end=end,
            against=against,
            cost_rate=cost_rate,
        )
    return _compare_volatilities(
        models,  # type: ignore[arg-type]
        bars,
        horizon=horizon,
        estimator=estimator,
        realized=realized,
        start=start,
        end=end,
        against=against,
        loss=loss,
        confidence=confidence,
        seed=seed,
    )


def _compare_volatilities(
    models: Mapping[str, ForecastSource],
    bars: pd.DataFrame,
    *,
    horizon: int | None,
    estimator: str | None,
    realized: pd.Series | None,
    start: str | date | None,
    end: str | date | None,
    against: str | None,
    loss: str | LossFunction,
    confidence: float,
    seed: int,
) -> ForecastComparison:
    """The comparison on one market; see `compare_forecasts`."""
    if not 0.0 < confidence < 1.0:
        raise ForecastError(f"confidence must lie between 0 and 1, got {confidence!r}.")
    decisive, functions = choose_losses(loss)
    opened = open_models(models)
    _check_against(against, opened)
    horizon = choose_horizon(opened, horizon)
    frame = validate_bars(bars)
    truth = measure_truth(frame, horizon, _choose_truth(opened, frame, estimator, realized))
    asked = [ask_model(name, model, frame) for name, model in opened.items()]
    rows = find_common_rows(asked, truth, start=start, end=end)
    came = np.sqrt(rows.variance).rename("realized")
    doubts = note_other_measures(opened, truth.source)
    doubts += check_units(rows.forecasts, came, truth.bars_per_year)
    for note in doubts:
        log.warning(note)
    losses = {
        name: measure_losses(rows.forecasts, rows.variance, name, function)
        for name, function in functions.items()
    }
    judged = _choose_judged(asked, against)
    reference = against or str(losses[decisive].mean().drop(judged).idxmin())
    table = score_models(
        rows.forecasts,
        rows.variance,
        losses,
        decisive=decisive,
        reference=reference,
        horizon=horizon,
        confidence=confidence,
        seed=seed,
    )
    return ForecastComparison(
        table=table,
        forecasts=rows.forecasts,
        realized=came,
        losses=losses[decisive],
        judged=judged,
        reference=reference,
        loss=decisive,
        horizon=horizon,
        bandwidth_bars=choose_bandwidth(len(came), horizon=horizon),
        confidence=confidence,
        truth=truth.source,
        is_reference_given=against is not None,
        notes=(*rows.notes, *doubts),
        provenance={
            "Bars": describe_span(frame),
            "Fingerprint of the bars": bars_fingerprint(frame),
            "Realised variance": truth.source,
            **{model.name: model.origin for model in asked},
            "Versions": ", ".join(f"{k} {v}" for k, v in library_versions(_LIBRARIES).items()),
        },
    )


def _check_against(against: str | None, models: Mapping[str, object]) -> None:
    if against is not None and against not in models:
        raise ForecastError(
            f"against must name one of the models, got {against!r}. "
            f"{suggest_names(against, models)}"
        )


def _choose_truth(
    models: Mapping[str, Forecaster | pd.Series],
    bars: pd.DataFrame,
    estimator: str | None,
    realized: pd.Series | None,
) -> pd.Series | Measure:
    if realized is None:
        return choose_measure(models, bars, estimator)
    if estimator is not None:
        raise ForecastError(
            f"realized and estimator={estimator!r} both say what came. Leave one of them out."
        )
    return realized


def _choose_judged(models: Sequence[ModelForecasts], against: str | None) -> str:
    """The first forecaster that isn't a reference model, or else the first model."""
    candidates = [model for model in models if model.name != against]
    return next((model.name for model in candidates if model.is_lstm), candidates[0].name)
