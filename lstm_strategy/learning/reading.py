"""What moves a trained network's forecast: its features, the bars of its past, its hidden state.

Nothing here is trained. By default only bars after the training count, so that what is read is
what the network does on bars that it hasn't seen.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lstm_strategy.bars.validate import validate_bars
from lstm_strategy.errors import ModelError
from lstm_strategy.learning.engines import carried_forecasts, windowed_forecasts
from lstm_strategy.learning.forecaster import LSTMForecaster
from lstm_strategy.learning.models import opened_forecaster
from lstm_strategy.learning.targets import label_weights, target_labels

_FEWEST_BLOCKS = 5
_WINDOWS_A_CALL = 64  # bounds the memory that the gradients of one call need


def feature_importance(
    model: LSTMForecaster | str | Path,
    bars: pd.DataFrame,
    *,
    start: Any = None,
    n_repeats: int = 10,
    block_bars: int = 20,
    seed: int = 0,
) -> pd.DataFrame:
    """How much worse the forecast becomes when one feature is shuffled in time.

    A feature's values are cut into blocks of ``block_bars`` and the blocks shuffled, while the
    other features and the labels stay: it keeps its distribution and what it is like from bar to
    bar, and says nothing any more about where it stands (Breiman 2001; in blocks, because a network
    with a memory has never seen values that jump about). The network isn't trained again.

    ``start`` is the first bar that is judged, by default the first after the training; the bars
    before it settle the memory. Returns a row a feature, the most important first:

    - ``log_loss_rise``: mean rise of the log-loss, moves weighted by their size, over
      ``n_repeats`` shuffles. Zero or less: the forecast does without the feature.
    - ``standard_error``: of that mean, from the differences between stretches of
      max(``block_bars``, 50) bars, so that it covers the chance of the bars and of the shuffles.
    - ``auc_drop``: fall of the area under the ROC curve.

    Features that say the same stand in for each other: each may look unimportant.

    Raises:
        ModelError: if there is no trained network, or there are too few bars.
        TrainingError: as ``LSTMForecaster.fit`` for labels that can't be had.
    """
    if n_repeats < 1 or block_bars < 1:
        raise ModelError(
            f"n_repeats and block_bars must be at least 1, got {n_repeats} and {block_bars}."
        )
    read = _Readable.of(model, bars, start)
    judged = read.judged_rows(block_bars)
    intact = judged.losses(read.forecast(read.rows))
    random = np.random.default_rng(seed)
    found = []
    for column in range(read.rows.shape[1]):
        orders = [_blocks_shuffled(len(read.rows), block_bars, random) for _ in range(n_repeats)]
        shuffled = [read.forecast(_with_column_in(read.rows, column, order)) for order in orders]
        rise = np.mean([judged.losses(forecast) for forecast in shuffled], axis=0) - intact
        drop = judged.auc(read.forecast(read.rows)) - np.mean(list(map(judged.auc, shuffled)))
        found.append((*judged.mean_and_error(rise), drop))
    columns = ["log_loss_rise", "standard_error", "auc_drop"]
    frame = pd.DataFrame(found, index=read.forecaster.features.names, columns=columns)
    return frame.rename_axis("feature").sort_values("log_loss_rise", ascending=False)


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
    read = _Readable.of(model, bars, start)
    settings = read.forecaster.settings
    lags = settings.lookback - 1 if lags is None else lags
    if n_windows < 1:
        raise ModelError(f"n_windows must be at least 1, got {n_windows}.")
    read.check_lags(lags)
    sizes = np.abs(read.gradients(lags, read.spread_ends(lags, n_windows)))
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
    read = _Readable.of(model, bars, at)
    lags = read.forecaster.settings.lookback - 1 if lags is None else lags
    read.check_lags(lags)
    times = pd.DatetimeIndex(read.bars.index[read.is_complete])
    end = int(times.get_indexer(pd.DatetimeIndex([at]))[0])
    if end < read.window_bars(lags) - 1:
        raise ModelError(
            f"at must be a bar with {read.window_bars(lags)} complete rows of features up to it, "
            f"got {at}. Choose a later bar or fewer lags."
        )
    gradients = read.gradients(lags, np.array([end]))[0]
    names = read.forecaster.features.names
    return pd.DataFrame(gradients, times[end - lags : end + 1], names)


def hidden_states(model: LSTMForecaster | str | Path, bars: pd.DataFrame) -> pd.DataFrame:
    """What the network carries from bar to bar, known at the close of each row.

    Returns one column for each number of the state on the index of ``bars``, column levels
    ``state`` and ``unit``. For the package's own LSTM a state is called "member 0, layer 0, hidden"
    or "..., cell" (the cell is what it remembers, the hidden part what it tells the next layer);
    for a network of your own "state 0", "state 1", ... in the order of its layers, two for each
    LSTM. NaN in warm-up and where a feature isn't known.

    Raises:
        ModelError: if there is no trained network or it has no state.
    """
    forecaster = _opened(model)
    bars = validate_bars(bars)
    features = forecaster.features.frame(bars)
    is_known = features.notna().all(axis=1).to_numpy()
    states = _states(forecaster, features.to_numpy()[is_known])
    if not states:
        raise ModelError("The network has no recurrent layer, so nothing is carried along.")
    columns = [
        (name, unit)
        for name, state in zip(_state_names(forecaster, len(states)), states, strict=True)
        for unit in range(state.shape[1])
    ]
    frame = pd.DataFrame(
        np.nan,
        index=bars.index,
        columns=pd.MultiIndex.from_tuples(columns, names=["state", "unit"]),
    )
    frame.loc[is_known] = np.concatenate(states, axis=1)
    return frame


@dataclass(frozen=True, eq=False)
class _Judged:
    """Labels and weights of the rows that are judged: ``rows`` are their positions."""

    rows: np.ndarray
    labels: np.ndarray
    weights: np.ndarray
    block_bars: int

    def losses(self, forecast: np.ndarray) -> np.ndarray:
        """Weighted log-loss of each row, scaled so that their mean is the mean log-loss."""
        known = np.clip(forecast[self.rows], 1e-7, 1 - 1e-7)
        losses = -np.where(self.labels > 0.5, np.log(known), np.log(1 - known))
        return losses * self.weights / self.weights.mean()

    def auc(self, forecast: np.ndarray) -> float:
        from sklearn.metrics import roc_auc_score

        has_both = len(np.unique(self.labels)) == 2
        return float(roc_auc_score(self.labels, forecast[self.rows])) if has_both else float("nan")

    def mean_and_error(self, values: np.ndarray) -> tuple[float, float]:
        """The mean, and its standard error from the means of stretches of bars."""
        n_blocks = len(values) // self.block_bars
        means = np.array([block.mean() for block in np.array_split(values, n_blocks)])
        return float(values.mean()), float(means.std(ddof=1) / np.sqrt(n_blocks))


@dataclass(frozen=True, eq=False)
class _Readable:
    """A trained forecaster and complete rows of features, (n_rows, n_features), of some bars."""

    forecaster: LSTMForecaster
    bars: pd.DataFrame
    rows: np.ndarray
    is_complete: np.ndarray
    first: int

    @classmethod
    def of(cls, model: Any, bars: pd.DataFrame, start: Any) -> "_Readable":
        forecaster = _opened(model)
        bars = validate_bars(bars)
        columns = forecaster.features.frame(bars)
        is_complete = columns.notna().all(axis=1).to_numpy()
        rows = columns.to_numpy()[is_complete]
        begin = forecaster.training_end if start is None else pd.Timestamp(start)
        times = pd.DatetimeIndex(bars.index[is_complete])
        assert begin is not None  # a fitted forecaster knows when its training ended
        if begin.tz is None and times.tz is not None:
            begin = begin.tz_localize(times.tz)
        first = int(times.searchsorted(begin, side="right" if start is None else "left"))
        first = max(first, forecaster.settled_rows - 1)
        if first >= len(rows):
            raise ModelError(
                f"There is no bar to read after {begin} and {forecaster.warm_up} bars of warm-up. "
                "Pass bars that go on after the training, or start=... for an earlier first bar."
            )
        return cls(forecaster, bars, rows, is_complete, first)

    def forecast(self, rows: np.ndarray) -> np.ndarray:
        """The mean forecast of the members for each row, shape (n_rows,)."""
        forecaster = self.forecaster
        if forecaster.settings.memory == "window":
            lookback = forecaster.settings.lookback
            return windowed_forecasts(forecaster.engine, rows, lookback=lookback).mean(axis=1)
        empty = forecaster.engine.initial_state(1)
        return carried_forecasts(forecaster.engine, rows, empty)[0].mean(axis=1)

    def judged_rows(self, block_bars: int) -> _Judged:
        settings = self.forecaster.settings
        labels = target_labels(self.bars, target=settings.target, horizon=settings.horizon)
        weights = label_weights(self.bars, target=settings.target, horizon=settings.horizon)
        known = pd.DataFrame({"label": labels, "weight": weights})[self.is_complete]
        is_judged = known.notna().all(axis=1).to_numpy() & (np.arange(len(known)) >= self.first)
        stretch = max(block_bars, 50)
        if is_judged.sum() < _FEWEST_BLOCKS * stretch:
            raise ModelError(
                f"Importance needs at least {_FEWEST_BLOCKS * stretch} bars to judge, got "
                f"{is_judged.sum()}. Pass more bars, an earlier start or a smaller block_bars."
            )
        chosen = known[is_judged]
        return _Judged(
            np.flatnonzero(is_judged),
            chosen["label"].to_numpy(),
            chosen["weight"].to_numpy(),
            stretch,
        )

    def check_lags(self, lags: int) -> None:
        settings = self.forecaster.settings
        most = settings.lookback - 1 if settings.memory == "window" else len(self.rows)
        if not 0 <= lags <= most:
            raise ModelError(
                f"lags must be from 0 to {most} with memory={settings.memory!r}, got {lags}. "
                "A windowed forecast sees nothing before its lookback."
            )

    def window_bars(self, lags: int) -> int:
        """Rows that a forecast needs so that ``lags`` of them can be read."""
        settings = self.forecaster.settings
        carries = settings.memory == "carry"
        return lags + self.forecaster.settled_rows if carries else settings.lookback

    def spread_ends(self, lags: int, n_windows: int) -> np.ndarray:
        """Rows whose forecasts are read, as positions, spread evenly over all that can be."""
        length = self.window_bars(lags)
        first = max(self.first, length - 1)
        if first >= len(self.rows):
            raise ModelError(
                f"Reading {lags} bars back needs {length} complete rows, got {len(self.rows)}. "
                "Pass more bars or fewer lags."
            )
        return np.unique(np.linspace(first, len(self.rows) - 1, n_windows).round().astype(int))

    def gradients(self, lags: int, ends: np.ndarray) -> np.ndarray:
        """Gradients of the forecasts at ``ends``, (n_ends, lags + 1, n_features), oldest first."""
        length = self.window_bars(lags)
        windows = np.stack([self.rows[end - length + 1 : end + 1] for end in ends])
        scale = self.forecaster.scaling["std"].to_numpy()
        parts = np.array_split(windows, -(-len(windows) // _WINDOWS_A_CALL))
        network = self.forecaster.keras_model
        gradients = [_gradient_of_last_forecast(network, part.astype(np.float32)) for part in parts]
        return np.concatenate(gradients)[:, -(lags + 1) :] * scale


def _opened(model: Any) -> LSTMForecaster:
    forecaster = opened_forecaster(model)
    if not isinstance(forecaster, LSTMForecaster) or not forecaster.is_fitted:
        raise ModelError(
            f"Only a trained LSTMForecaster can be read, got {forecaster!r}. Of a walk forward "
            "take the model of one fold, such as walked.refits[0].model."
        )
    return forecaster


def _blocks_shuffled(n_rows: int, block_bars: int, random: np.random.Generator) -> np.ndarray:
    """An order of the rows in which blocks have changed places, shape (n_rows,)."""
    blocks = np.array_split(np.arange(n_rows), max(1, n_rows // block_bars))
    return np.concatenate([blocks[number] for number in random.permutation(len(blocks))])


def _with_column_in(rows: np.ndarray, column: int, order: np.ndarray) -> np.ndarray:
    changed = rows.copy()
    changed[:, column] = rows[order, column]
    return changed


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


def _states(forecaster: LSTMForecaster, rows: np.ndarray) -> list[np.ndarray]:
    """Every state after each row, (n_rows, width) each; NaN before the memory has settled."""
    engine, settled = forecaster.engine, forecaster.settled_rows
    state = engine.initial_state(1)
    states = [np.full((len(rows), part.shape[1]), np.nan) for part in state]
    if len(rows) < settled:
        return states
    if forecaster.settings.memory == "window":
        windows = np.lib.stride_tricks.sliding_window_view(rows, settled, axis=0).swapaxes(1, 2)
        _, after = engine.scan(windows, engine.initial_state(len(windows)))
        for kept, part in zip(states, after, strict=True):
            kept[settled - 1 :] = part
        return states
    for number, row in enumerate(rows):
        _, state = engine.scan(row[None, None], state)
        if number >= settled - 1:
            for kept, part in zip(states, state, strict=True):
                kept[number] = part[0]
    return states


def _state_names(forecaster: LSTMForecaster, n_states: int) -> list[str]:
    settings = forecaster.settings
    names = [
        f"member {member}, layer {layer}, {part}"
        for member in range(settings.seeds)
        for layer in range(len(settings.units))
        for part in ("hidden", "cell")
    ]
    is_own = forecaster.card is not None and forecaster.card.network
    if is_own or len(names) != n_states:
        return [f"state {number}" for number in range(n_states)]
    return names
