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
    """How far a forecast moves with each feature of each earlier bar, on average.

    The gradient of the ensemble's forecast with respect to a feature `lag` bars earlier is taken
    at several bars, and its absolute value is averaged. A gradient says what a small change does,
    not what a feature is worth: see `feature_importance` for that.

    Args:
        model: A trained `LSTMForecaster`, or the folder of a saved one.
        bars: Bars with what the features read, shape (n_bars, n_columns).
        lags: The farthest lag; by default the lookback less one.
        start: The first bar whose forecast counts; by default the first after the training.
        n_windows: Bars whose forecasts count, spread evenly from `start` on.

    Returns:
        One row for each feature and lag (index levels feature and lag; lag 0 is the bar of the
        forecast itself). Column saliency is in what the network answers (for the direction a
        probability) per standard deviation of the feature in training; standard_error is that of
        the mean over the windows, which is too small where they overlap, and NaN for a single
        window.

    Raises:
        ModelError: If there is no trained network, the lags reach too far back, there are too few
            bars, or the backend of Keras gives no gradients.

    Example:
        >>> memory_saliency("models/sp500", bars)["saliency"].unstack("lag")  # doctest: +SKIP
    """
    inspection = InspectionRows.from_model(model, bars, start)
    settings = inspection.forecaster.settings
    lags = settings.lookback - 1 if lags is None else lags
    if n_windows < 1:
        raise ModelError(f"n_windows must be at least 1, got {n_windows}.")
    inspection.check_lags(lags)
    sizes = np.abs(_compute_gradients(inspection, lags, inspection.spread_ends(lags, n_windows)))
    error = sizes.std(axis=0, ddof=1) / np.sqrt(len(sizes)) if len(sizes) > 1 else sizes[0] * np.nan
    index = pd.MultiIndex.from_product(
        [inspection.forecaster.features.names, range(lags + 1)], names=["feature", "lag"]
    )
    by_feature = {"saliency": sizes.mean(axis=0), "standard_error": error}
    return pd.DataFrame({name: part[::-1].T.ravel() for name, part in by_feature.items()}, index)


def forecast_gradients(
    model: LSTMForecaster | str | Path, bars: pd.DataFrame, at: Any, *, lags: int | None = None
) -> pd.DataFrame:
    """How far the forecast of one bar moves with each feature of each earlier bar.

    Args:
        model: A trained `LSTMForecaster`, or the folder of a saved one.
        bars: Bars with what the features read, shape (n_bars, n_columns).
        at: The bar whose forecast is inspected.
        lags: How many bars before it count; by default the lookback less one.

    Returns:
        A row for each of the `lags` bars before `at` and for itself, and a column a feature: how
        far the network's answer at `at` (for the direction a probability) would have moved if
        that feature had been one standard deviation higher at that bar, everything else the same;
        exact for small changes.

    Raises:
        ModelError: As `memory_saliency`, and if `at` isn't a bar with a forecast.

    Example:
        >>> forecast_gradients("models/sp500", bars, "2018-12-31", lags=20)  # doctest: +SKIP
    """
    inspection = InspectionRows.from_model(model, bars, at)
    lags = inspection.forecaster.settings.lookback - 1 if lags is None else lags
    inspection.check_lags(lags)
    times = pd.DatetimeIndex(inspection.bars.index[inspection.is_complete])
    end = int(times.get_indexer(pd.DatetimeIndex([at]))[0])
    length = inspection.window_bars(lags)
    if end < length - 1:
        raise ModelError(
            f"at must be a bar with {length} complete rows of features up to it, got {at}. Choose "
            "a later bar or fewer lags."
        )
    gradients = _compute_gradients(inspection, lags, np.array([end]))[0]
    names = inspection.forecaster.features.names
    return pd.DataFrame(gradients, times[end - lags : end + 1], names)


def _gradient_of_last_answer(network: Any, windows: np.ndarray, every: int) -> np.ndarray:
    """The gradient of the members' mean answer at the last step to each input.

    The answer proper of a member is the first of its `every` outputs.
    """
    from lstm_strategy.learning.network import keras, usual_precision

    with usual_precision():
        return _gradient_in_backend(network, windows, every, keras.backend.backend())


def _gradient_in_backend(network: Any, windows: np.ndarray, every: int, backend: str) -> np.ndarray:
    if backend == "tensorflow":
        import tensorflow as tf

        rows = tf.convert_to_tensor(windows)
        with tf.GradientTape() as tape:
            tape.watch(rows)
            forecast = tf.reduce_sum(
                tf.reduce_mean(network(rows, training=False)[:, -1, ::every], -1)
            )
        return np.asarray(tape.gradient(forecast, rows))
    if backend == "torch":
        from lstm_strategy.learning.network import keras

        rows = keras.ops.convert_to_tensor(windows).detach().requires_grad_(True)
        network(rows, training=False)[:, -1, ::every].mean(-1).sum().backward()
        return np.asarray(rows.grad.cpu())
    if backend == "jax":
        import jax

        summed = jax.grad(lambda rows: network(rows, training=False)[:, -1, ::every].mean(-1).sum())
        return np.asarray(summed(windows))
    raise ModelError(
        f"Gradients need Keras on tensorflow, torch or jax, got {backend}. Set KERAS_BACKEND."
    )


def _compute_gradients(inspection: InspectionRows, lags: int, ends: np.ndarray) -> np.ndarray:
    """Gradients of the forecasts at `ends`, shape (n_ends, lags + 1, n_features), oldest first."""
    length = inspection.window_bars(lags)
    rows = inspection.forecaster.inputs_of(None).convert(inspection.rows)
    windows = np.stack([rows[end - length + 1 : end + 1] for end in ends])
    scale = inspection.forecaster.scaling["std"].to_numpy()
    parts = np.array_split(windows, -(-len(windows) // _WINDOWS_A_CALL))
    network = inspection.forecaster.keras_model
    every = inspection.forecaster.target.head.n_outputs
    gradients = [
        _gradient_of_last_answer(network, part.astype(np.float32), every) for part in parts
    ]
    of_features = np.concatenate(gradients)[:, -(lags + 1) :, : len(scale)]
    in_deviations: np.ndarray = of_features * scale
    return in_deviations
