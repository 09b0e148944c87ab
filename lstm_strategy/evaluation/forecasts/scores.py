"""One row of scores for each model: losses, calibration, and tests against a reference."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from lstm_strategy.errors import ForecastError
from lstm_strategy.evaluation.statistics import (
    LossFunction,
    choose_bandwidth,
    confidence_set_p_values,
    diebold_mariano,
    mincer_zarnowitz,
    squared_error,
)
from lstm_strategy.learning.variance import qlike_losses
from lstm_strategy.support import suggest_names

VARIANCE_LOSSES: Mapping[str, LossFunction] = {"qlike": qlike_losses, "mse": squared_error}
"""The losses of variance forecasts by the names that `compare_forecasts` knows them by."""


def choose_losses(loss: str | LossFunction) -> tuple[str, dict[str, LossFunction]]:
    """Return the name of the loss that decides, and all losses of the table by name.

    Args:
        loss: A name, or a function of realised and forecast variances.

    Raises:
        ForecastError: For an unknown name, or what is neither.

    Example:
        >>> name, losses = choose_losses("mse")
        >>> name, list(losses)
        ('mse', ['qlike', 'mse'])
    """
    if callable(loss):
        name = getattr(loss, "__name__", type(loss).__name__)
        return name, {**VARIANCE_LOSSES, name: loss}
    if loss not in VARIANCE_LOSSES:
        raise ForecastError(
            f"loss must be {' or '.join(VARIANCE_LOSSES)}, or a function of realised and forecast "
            f"variances, got {loss!r}. {suggest_names(loss, VARIANCE_LOSSES)}"
        )
    return loss, dict(VARIANCE_LOSSES)


def measure_losses(
    forecasts: pd.DataFrame, variance: pd.Series, name: str, loss: LossFunction
) -> pd.DataFrame:
    """Return the loss of each model at each bar.

    Args:
        forecasts: Annualised volatilities, one column a model.
        variance: The variance that came at the same bars, annualised.
        name: The loss.
        loss: Its function.

    Raises:
        ForecastError: If the function doesn't give one finite number a bar.

    Example:
        >>> frame = pd.DataFrame({"a": [0.1, 0.2]})
        >>> measure_losses(frame, pd.Series([0.02, 0.04]), "mse", squared_error).round(6)
                a
        0  0.0001
        1  0.0000
    """
    came = variance.to_numpy()
    columns = {model: loss(came, forecasts[model].to_numpy() ** 2) for model in forecasts}
    try:
        losses = pd.DataFrame(columns, forecasts.index, dtype=float)
    except ValueError:
        losses = pd.DataFrame()
    if losses.shape != forecasts.shape or not np.isfinite(losses.to_numpy()).all():
        raise ForecastError(
            f"loss={name} must give one finite number for each of the {len(variance):,} bars. "
            "Return an array as long as its arguments."
        )
    return losses


def score_models(
    forecasts: pd.DataFrame,
    variance: pd.Series,
    losses: Mapping[str, pd.DataFrame],
    *,
    decisive: str,
    reference: str,
    horizon: int,
    confidence: float,
    seed: int,
) -> pd.DataFrame:
    """Return one row a model, in the order given.

    Args:
        forecasts: Annualised volatilities, one column a model.
        variance: The variance that came at the same bars, annualised.
        losses: The loss of each model at each bar, by the name of the loss.
        decisive: The loss that the tests are about.
        reference: The model that the others are tested against.
        horizon: Bars ahead.
        confidence: Of the confidence set.
        seed: Chooses its resamples.

    Returns:
        The mean of each loss; mz_intercept, mz_slope, mz_r2 and mz_p; dm_t and dm_p (NaN for the
        reference); mcs_p and in_confidence_set.
    """
    table = pd.DataFrame({name: frame.mean() for name, frame in losses.items()})
    bandwidth = choose_bandwidth(len(variance), horizon=horizon)
    options = {"horizon": horizon, "bandwidth_bars": bandwidth}
    lines = [mincer_zarnowitz(variance, forecasts[model] ** 2, **options) for model in forecasts]
    table["mz_intercept"] = [line.intercept for line in lines]
    table["mz_slope"] = [line.slope for line in lines]
    table["mz_r2"] = [line.r_squared for line in lines]
    table["mz_p"] = [line.p_value for line in lines]
    frame = losses[decisive]
    others = [model for model in frame if model != reference]
    tests = {model: diebold_mariano(frame[model], frame[reference], **options) for model in others}
    table["dm_t"] = pd.Series({model: test.statistic for model, test in tests.items()})
    table["dm_p"] = pd.Series({model: test.p_value for model, test in tests.items()})
    table["mcs_p"] = confidence_set_p_values(frame, horizon=horizon, seed=seed)
    table["in_confidence_set"] = table["mcs_p"] > 1.0 - confidence
    return table.rename_axis("model")
