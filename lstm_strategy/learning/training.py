"""Sequences, fit, early stopping.

The network is trained many-to-many on long chunks with random offsets, with a loss at every step
past a warm-up, so that a bar passes through the LSTM once or twice an epoch instead of once for
each window it lies in.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import numpy as np
import pandas as pd

from lstm_strategy.errors import TrainingError
from lstm_strategy.learning.network import keras, lstm_member, normalization_layer, scaled_network
from lstm_strategy.learning.progress import OnEpoch
from lstm_strategy.learning.settings import ForecasterSettings

_VALIDATION_CHUNKS = 32  # chunks in one validation batch


@dataclass(frozen=True)
class TrainingRows:
    """Complete rows of features with their labels, split in time.

    ``features`` has shape (n_rows, n_features), ``labels`` and ``weights`` (n_rows,).
    Rows before ``train_end`` are trained on, rows from ``validation_start`` on validate; those
    between are purged, since their labels reach into the validation rows.
    """

    features: np.ndarray
    labels: np.ndarray
    weights: np.ndarray
    train_end: int
    validation_start: int

    @classmethod
    def split(
        cls,
        features: np.ndarray,
        labels: np.ndarray,
        weights: np.ndarray,
        *,
        share: float,
        purge: int,
    ) -> "TrainingRows":
        """The last ``share`` of the rows for validation, ``purge`` rows before them unused."""
        validation_start = len(features) - round(len(features) * share)
        return cls(features, labels, weights, validation_start - purge, validation_start)


@dataclass(frozen=True)
class TrainedNetwork:
    """The trained ensemble and the course of its training.

    ``history`` has one row an epoch and the columns seed, epoch, loss, val_loss.
    """

    network: keras.Model
    history: pd.DataFrame


class Chunks(keras.utils.PyDataset):
    """Chunks of consecutive rows, as (features, labels, weights) batches.

    The first ``warm_up`` steps of a chunk weigh nothing: the network's state is still settling.
    ``offsets`` gives a new generator of random offsets, so that chunks differ between epochs;
    without it chunks lie at fixed places and score every row behind the first warm-up once.
    Every batch is full, if need be with chunks that weigh nothing: a step that has been compiled
    for one shape serves any number of rows.
    """

    def __init__(
        self,
        features: np.ndarray,
        labels: np.ndarray,
        weights: np.ndarray,
        *,
        length: int,
        warm_up: int,
        batch_size: int,
        offsets: np.random.Generator | None = None,
    ) -> None:
        super().__init__()
        self._features, self._labels, self._weights = features, labels, weights
        self._length, self._warm_up, self._stride = length, warm_up, length - warm_up
        self._offsets = offsets
        n_chunks = self._n_chunks_that_always_fit()
        self._batch_size = batch_size
        if offsets is not None:
            self._batch_size = min(batch_size, n_chunks)
            self._n_batches = n_chunks // self._batch_size
        self.on_epoch_end()

    def _n_chunks_that_always_fit(self) -> int:
        spare = self._stride - 1 if self._offsets is not None else 0
        return max(1, (len(self._features) - self._length - spare) // self._stride + 1)

    def on_epoch_end(self) -> None:
        """Lay the chunks anew."""
        last_start = len(self._features) - self._length
        if self._offsets is None:
            # the last chunk is moved back to end with the data; what overlaps is scored once
            starts = np.arange(0, last_start + self._stride, self._stride)
            self._n_batches = -(-len(starts) // self._batch_size)
            unused = self._n_batches * self._batch_size - len(starts)
            self._starts = np.pad(np.minimum(starts, last_start), (0, unused))
            scored_from = starts - np.minimum(starts, last_start) + self._warm_up
            self._scored_from = np.pad(scored_from, (0, unused), constant_values=self._length)
            return
        offset = int(self._offsets.integers(min(self._stride, last_start + 1)))
        self._starts = np.arange(offset, last_start + 1, self._stride)
        self._offsets.shuffle(self._starts)
        self._scored_from = np.full(len(self._starts), self._warm_up)

    def _steps_per_scored_step(self) -> float:
        n_scored = int((self._length - self._scored_from).sum())
        return float(self._length * len(self._starts) / n_scored)

    def __len__(self) -> int:
        return self._n_batches

    def __getitem__(self, batch: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        chosen = slice(batch * self._batch_size, (batch + 1) * self._batch_size)
        steps = np.arange(self._length)
        rows = self._starts[chosen, None] + steps
        is_scored = steps >= self._scored_from[chosen, None]
        # Keras averages over all steps, scored or not: undo that, so that losses are log-losses
        weights = is_scored * self._weights[rows] * np.float32(self._steps_per_scored_step())
        return self._features[rows], self._labels[rows][..., None], weights


def trained_network(
    rows: TrainingRows, settings: ForecasterSettings, *, progress: OnEpoch | None = None
) -> TrainedNetwork:
    """Train one member for each seed and join them behind one scaling.

    The network is built and compiled once and re-initialised for every seed, and for every later
    call that asks for the same kind of network.

    Raises:
        TrainingError: if a loss becomes NaN.
    """
    normalization = normalization_layer(rows.features[: rows.train_end])
    scaled = keras.ops.convert_to_numpy(normalization(rows.features.astype(np.float32)))
    # a mean weight of 1 on either side keeps losses comparable with the log-loss of a coin
    is_training = np.arange(len(rows.weights)) < rows.train_end
    usual = np.where(
        is_training, *(rows.weights[part].mean() for part in (is_training, ~is_training))
    )
    weights = (rows.weights / usual).astype(np.float32)
    scaled_rows = replace(rows, features=scaled, weights=weights)
    trainer = _trainer(scaled.shape[1], settings.model_copy(update=_NOT_COMPILED))
    seeds = np.random.SeedSequence(settings.seed).generate_state(settings.seeds).tolist()
    members, histories = [], []
    for position, seed in enumerate(seeds):
        told = None if progress is None else partial(progress, position)
        histories.append(trainer.train(scaled_rows, seed=seed, told=told).assign(seed=position))
        members.append(trainer.copy_of_member(name=f"member_{position}"))
    history = pd.concat(histories, ignore_index=True)[["seed", "epoch", "loss", "val_loss"]]
    return TrainedNetwork(scaled_network(normalization, members), history)


# what may differ between two trainings that share one compiled network
_NOT_COMPILED = {"seed": 0, "seeds": 1, "horizon": 1, "validation": 0.2, "memory": "carry"}


@lru_cache(maxsize=2)
def _trainer(n_features: int, settings: ForecasterSettings) -> "_Trainer":
    return _Trainer(n_features, settings)


class _Trainer:
    """One compiled network that is trained again and again from fresh weights."""

    def __init__(self, n_features: int, settings: ForecasterSettings) -> None:
        self._n_features, self._settings = n_features, settings
        self._member = self._fresh_member(0, name="member")
        optimizer = keras.optimizers.AdamW(
            settings.learning_rate, weight_decay=settings.weight_decay, clipnorm=1.0
        )
        optimizer.exclude_from_weight_decay(var_names=["bias"])
        self._member.compile(optimizer, loss="binary_crossentropy", weighted_metrics=[])
        optimizer.build(self._member.trainable_variables)
        self._fresh_optimizer = [
            keras.ops.convert_to_numpy(variable) for variable in optimizer.variables
        ]

    def train(
        self, rows: TrainingRows, *, seed: int, told: Callable[[int, float], None] | None
    ) -> pd.DataFrame:
        """Train from fresh weights; returns one row an epoch: epoch, loss, val_loss."""
        self._reinitialise(seed)
        callbacks: list[keras.callbacks.Callback] = [
            # large steps to get going, small ones where the noise of large ones hides the rest
            keras.callbacks.ReduceLROnPlateau(
                factor=0.3,
                patience=max(1, self._settings.patience // 3),
                min_lr=self._settings.learning_rate / 20,
            ),
            keras.callbacks.EarlyStopping(
                patience=self._settings.patience, restore_best_weights=True
            ),
            keras.callbacks.TerminateOnNaN(),
        ]
        if told is not None:
            callbacks.append(
                keras.callbacks.LambdaCallback(
                    on_epoch_end=lambda epoch, logs: told(epoch + 1, logs["val_loss"])
                )
            )
        fitted = self._member.fit(
            self._training_chunks(rows, seed),
            validation_data=self._validation_chunks(rows),
            epochs=self._settings.epochs,
            callbacks=callbacks,
            shuffle=False,  # the chunks shuffle themselves, from the seed
            verbose=0,
        )
        history = pd.DataFrame(fitted.history).rename_axis("epoch").reset_index()
        if not np.isfinite(history[["loss", "val_loss"]].to_numpy()).all():
            raise TrainingError(
                f"The loss became NaN in epoch {len(history)} with learning_rate="
                f"{self._settings.learning_rate:g}. Lower the learning_rate."
            )
        return history

    def copy_of_member(self, *, name: str) -> keras.Model:
        """The member as it is now, apart from further training."""
        copy = self._fresh_member(0, name=name)
        copy.set_weights(self._member.get_weights())
        return copy

    def _fresh_member(self, seed: int, *, name: str) -> keras.Model:
        settings = self._settings
        return lstm_member(
            self._n_features,
            units=settings.units,
            dropout=settings.dropout,
            lookback=settings.lookback,
            seed=seed,
            name=name,
        )

    def _reinitialise(self, seed: int) -> None:
        # `variables` also holds the state of the dropout's random numbers, `weights` doesn't
        fresh = self._fresh_member(seed, name="fresh")
        for variable, value in zip(self._member.variables, fresh.variables, strict=True):
            variable.assign(value)
        optimizer = self._member.optimizer
        for variable, value in zip(optimizer.variables, self._fresh_optimizer, strict=True):
            variable.assign(value)

    def _training_chunks(self, rows: TrainingRows, seed: int) -> Chunks:
        lookback = self._settings.lookback
        return Chunks(
            rows.features[: rows.train_end],
            rows.labels[: rows.train_end],
            rows.weights[: rows.train_end],
            length=2 * lookback,
            warm_up=lookback // 2,
            batch_size=self._settings.batch_size,
            offsets=np.random.default_rng(seed),
        )

    def _validation_chunks(self, rows: TrainingRows) -> Chunks:
        lookback = self._settings.lookback
        # the rows before the validation span warm the state up; their labels weigh nothing
        start = rows.validation_start - lookback // 2
        return Chunks(
            rows.features[start:],
            rows.labels[start:],
            rows.weights[start:],
            length=2 * lookback,
            warm_up=lookback // 2,
            batch_size=_VALIDATION_CHUNKS,
        )
