"""How far a forecast moves with each feature of each earlier bar."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lstm_strategy.errors import ModelError
from lstm_strategy.learning.forecaster import LSTMForecaster
from lstm_strategy.learning.inspection.rows import InspectionRows

_WINDOWS_A_CALL = 64  # bounds the memory that the gradients of one call need


def memory_saliency(
    model: LSTMForecaster | str | Path,
    bars: pd.DataFrame,
    *,
    lags: int | None = None,
    start: Any = None,
    n_windows: int = 128,
) -> pd.DataFrame:
    """How far a forecast moves with each feature of each earlier bar: gradients over the past.

    The gradient of the ensemble's forecast with respect to a feature ``lag`` bars earlier, in
    forecast (0…1) per standard deviation of the feature in training; its absolute value is
    averaged over ``n_windows`` bars spread evenly over those from ``start`` on (by default the
    first after the training). A gradient says what a small change does, not what a feature is
    worth: see ``feature_importance`` for that.

    Returns a row for each feature and lag, index levels feature and lag (0 is the bar of the
    forecast itself, ``lags`` the last; by default the lookback less one), columns ``saliency``
    and ``standard_error``, that of the mean over the windows, which is too small where
    they overlap.

    Raises:
        ModelError: if there is no trained network, it is too deep in the past, there are too few
            bars, or the backend of Keras gives no gradients.
    """
    read = InspectionRows.from_model(model, bars, start)
    settings = read.forecaster.settings
    lags = settings.lookback - 1 if lags is None else lags
    if n_windows < 1:
        raise ModelError(f"n_windows must be at least 1, got {n_windows}.")
    read.check_lags(lags)
    sizes = np.abs(_gradients_at(read, lags, read.spread_ends(lags, n_windows)))
    error = sizes.std(axis=0, ddof=1) / np.sqrt(len(sizes)) if len(sizes) > 1 else sizes[0] * np.nan
    index = pd.MultiIndex.from_product(
        [read.forecaster.features.names, range(lags + 1)], names=["feature", "lag"]
    )
    by_feature = {"saliency": sizes.mean(axis=0), "standard_error": error}
    return pd.DataFrame({name: part[::-1].T.ravel() for name, part in by_feature.items()}, index)


def forecast_gradients(
    model: LSTMForecaster | str | Path, bars: pd.DataFrame, at: Any, *, lags: int | None = None
) -> pd.DataFrame:
    """What each feature of each earlier bar did to the forecast of one bar, as a gradient.

    ``at`` is that bar. Returns a row for each of the ``lags`` bars before it (by default the
    lookback less one) and for itself, and a column a feature: how far the forecast at ``at``, 0…1,
    moves if that feature had been one standard deviation higher at that bar, everything else
    the same; exact for small changes.

    Raises:
        ModelError: as ``memory_saliency``, and if ``at`` is no bar with a forecast.
    """
    read = InspectionRows.from_model(model, bars, at)
    lags = read.forecaster.settings.lookback - 1 if lags is None else lags
    read.check_lags(lags)
    times = pd.DatetimeIndex(read.bars.index[read.is_complete])
    end = int(times.get_indexer(pd.DatetimeIndex([at]))[0])
    if end < read.window_bars(lags) - 1:
        raise ModelError(
            f"at must be a bar with {read.window_bars(lags)} complete rows of features up to it, "
            f"got {at}. Choose a later bar or fewer lags."
        )
    gradients = _gradients_at(read, lags, np.array([end]))[0]
    names = read.forecaster.features.names
    return pd.DataFrame(gradients, times[end - lags : end + 1], names)


def _gradient_of_last_forecast(network: Any, windows: np.ndarray) -> np.ndarray:
    """Of the members' mean forecast at the last step, to each input; the shape of ``windows``."""
    import keras

    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        rows = tf.convert_to_tensor(windows)
        with tf.GradientTape() as tape:
            tape.watch(rows)
            forecast = tf.reduce_sum(tf.reduce_mean(network(rows, training=False)[:, -1], -1))
        return np.asarray(tape.gradient(forecast, rows))
    if backend == "torch":
        rows = keras.ops.convert_to_tensor(windows).detach().requires_grad_(True)
        network(rows, training=False)[:, -1].mean(-1).sum().backward()
        return np.asarray(rows.grad.cpu())
    if backend == "jax":
        import jax

        summed = jax.grad(lambda rows: network(rows, training=False)[:, -1].mean(-1).sum())
        return np.asarray(summed(windows))
    raise ModelError(
        f"Gradients need Keras on tensorflow, torch or jax, got {backend}. Set KERAS_BACKEND."
    )


def _gradients_at(read: InspectionRows, lags: int, ends: np.ndarray) -> np.ndarray:
    """Gradients of the forecasts at ``ends``, (n_ends, lags + 1, n_features), oldest first."""
    length = read.window_bars(lags)
    windows = np.stack([read.rows[end - length + 1 : end + 1] for end in ends])
    scale = read.forecaster.scaling["std"].to_numpy()
    parts = np.array_split(windows, -(-len(windows) // _WINDOWS_A_CALL))
    network = read.forecaster.keras_model
    gradients = [_gradient_of_last_forecast(network, part.astype(np.float32)) for part in parts]
    return np.concatenate(gradients)[:, -(lags + 1) :] * scale
