"""Fit and early stopping.

The network is trained many-to-many on long chunks with random offsets, with a loss at every step
past a warm-up, so that a bar passes through the LSTM once or twice an epoch instead of once for
each window it lies in.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import count
from typing import Any

import numpy as np
import pandas as pd

from lstm_strategy.errors import TrainingError
from lstm_strategy.learning.network import (
    NetworkBuilder,
    build_lstm_member,
    build_member,
    build_normalization,
    check_can_be_carried,
    fastest_copy,
    join_members,
    keras,
)
from lstm_strategy.learning.targets import Direction
from lstm_strategy.learning.training.batches import Chunks, TrainingSet
from lstm_strategy.learning.training.settings import ForecasterSettings
from lstm_strategy.support import OnEpoch

_VALIDATION_CHUNKS = 32  # chunks in one validation batch
_LAST_LEARNING_RATE = 0.02  # at the end of the schedule, as a share of the first


@dataclass(frozen=True)
class TrainedNetwork:
    """The trained ensemble and the course of its training.

    ``history`` has one row an epoch and the columns seed, epoch, loss, val_loss.
    """

    network: keras.Model
    history: pd.DataFrame


def fit_network(
    rows: TrainingSet,
    settings: ForecasterSettings,
    *,
    build: NetworkBuilder | None = None,
    progress: OnEpoch | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> TrainedNetwork:
    """Train one member for each seed and join them behind one scaling.

    ``build`` makes a network of the user's own in place of the LSTM; ``callbacks`` of the user's
    own are called after ours in the training of each member. The network is built and
    compiled once and re-initialised for every seed, and for every later call that asks for the
    same kind of network.

    Raises:
        TrainingError: if a loss becomes NaN, a network of the user's own doesn't fit, or a
            callback isn't one.
    """
    _check_callbacks(callbacks)
    normalization = build_normalization(rows.scaling_rows)
    mirrored = rows.mirrored
    if mirrored is not None:
        mirrored = replace(mirrored, features=_scaled(normalization, mirrored.features))
    scaled_rows = replace(
        rows,
        features=_scaled(normalization, rows.features),
        mirrored=mirrored,
    )
    trainer = _trainer(rows.features.shape[1], settings.model_copy(update=_NOT_COMPILED), build)
    seeds = np.random.SeedSequence(settings.seed).generate_state(settings.members).tolist()
    members, histories = [], []
    for position, seed in enumerate(seeds):
        told = None if progress is None else partial(progress, position)
        history = trainer.train(
            scaled_rows, member=position, seed=seed, told=told, callbacks=callbacks
        )
        histories.append(history.assign(member=position))
        members.append(trainer.copy_of_member(name=f"member_{position}"))
    history = pd.concat(histories, ignore_index=True)[["member", "epoch", "loss", "val_loss"]]
    return TrainedNetwork(join_members(normalization, members), history)


def _scaled(normalization: keras.layers.Layer, rows: np.ndarray) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(normalization(rows.astype(np.float32))))


# what may differ between two trainings that share one compiled network
_NOT_COMPILED = {
    **{
        "seed": 0,
        "members": 1,
        "horizon": 1,
        "validation": 0.2,
        "memory": "carry",
        "mirror": False,
    },
    "target": Direction(),
}


@lru_cache(maxsize=2)
def _trainer(
    n_features: int, settings: ForecasterSettings, build: NetworkBuilder | None
) -> "_Trainer":
    return _Trainer(n_features, settings, build)


class _Trainer:
    """One compiled network that is trained again and again from fresh weights."""

    def __init__(
        self, n_features: int, settings: ForecasterSettings, build: NetworkBuilder | None
    ) -> None:
        self._n_features, self._settings, self._build = n_features, settings, build
        fresh = self._fresh_member(0, name="member")
        if build is not None:
            check_can_be_carried(fresh)
        self._member = fastest_copy(fresh)
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
        self,
        rows: TrainingSet,
        *,
        member: int,
        seed: int,
        told: Callable[[int, float], None] | None,
        callbacks: Sequence[keras.callbacks.Callback] = (),
    ) -> pd.DataFrame:
        """Train from fresh weights; returns one row an epoch: epoch, loss, val_loss."""
        self._reinitialise(seed)
        history = self._epochs(
            self._training_chunks(rows, member, seed),
            self._validation_chunks(rows, member),
            self._callbacks(told),
            callbacks,
        )
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

    def _callbacks(
        self, told: Callable[[int, float], None] | None
    ) -> list[keras.callbacks.Callback]:
        settings = self._settings
        callbacks: list[keras.callbacks.Callback] = [
            keras.callbacks.LearningRateScheduler(
                lambda epoch: settings.learning_rate * _cosine_share(epoch / settings.epochs)
            ),
            keras.callbacks.EarlyStopping(patience=settings.patience, restore_best_weights=True),
        ]
        if told is not None:
            callbacks.append(
                keras.callbacks.LambdaCallback(
                    on_epoch_end=lambda epoch, logs: told(epoch + 1, logs["val_loss"])
                )
            )
        return callbacks

    def _epochs(
        self,
        training: Chunks,
        validation: Chunks,
        own: Sequence[keras.callbacks.Callback],
        users: Sequence[keras.callbacks.Callback],
    ) -> pd.DataFrame:
        """One row an epoch. What ``fit`` does, without the tenth of a second it takes each time."""
        member = self._member
        member.stop_training = False
        called = keras.callbacks.CallbackList(
            [*own, *users],
            model=member,
            verbose=0,  # Keras' own loggers read it
            epochs=self._settings.epochs,
            steps=len(training),
        )
        train_on_batch = _with_batch_hooks(member.train_on_batch, called) if users else (
            member.train_on_batch
        )  # fmt: skip
        called.on_train_begin()
        losses = []
        for epoch in range(self._settings.epochs):
            called.on_epoch_begin(epoch)
            logs = {
                "loss": self._mean_loss(train_on_batch, training),
                "val_loss": self._mean_loss(member.test_on_batch, validation),
            }
            training.lay_anew()
            losses.append({"epoch": epoch, **logs})
            called.on_epoch_end(epoch, logs)
            if member.stop_training or not np.isfinite(logs["loss"]):
                break
        called.on_train_end()
        return pd.DataFrame(losses)

    def _mean_loss(self, on_batch: Callable[..., Any], chunks: Chunks) -> float:
        self._member.reset_metrics()  # the loss is a mean since the last reset
        return [float(on_batch(*chunks[number])) for number in range(len(chunks))][-1]

    def _fresh_member(self, seed: int, *, name: str) -> keras.Model:
        settings = self._settings
        if self._build is not None:
            return build_member(self._build, self._n_features, seed=seed, name=name)
        return build_lstm_member(
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

    def _training_chunks(self, rows: TrainingSet, member: int, seed: int) -> Chunks:
        lookback = self._settings.lookback
        return Chunks(
            rows,
            rows.learned_by(member),
            length=2 * lookback,
            warm_up=lookback // 2,
            batch_size=self._settings.batch_size,
            offsets=np.random.default_rng(seed),
        )

    def _validation_chunks(self, rows: TrainingSet, member: int) -> Chunks:
        lookback = self._settings.lookback
        span = rows.held_out[member]
        # the rows before the span warm the state up; their labels weigh nothing
        start = min(max(0, span.start - lookback // 2), span.stop - 2 * lookback)
        return Chunks(
            rows,
            [slice(start, span.stop)],
            length=2 * lookback,
            warm_up=lookback // 2,
            batch_size=_VALIDATION_CHUNKS,
        )


def _with_batch_hooks(
    train_on_batch: Callable[..., Any], called: keras.callbacks.CallbackList
) -> Callable[..., Any]:
    """Train on a batch and tell the callbacks, which cost time and so are told only if users'."""
    numbers = count()

    def trained(*batch: Any) -> Any:
        number = next(numbers)
        called.on_train_batch_begin(number)
        loss = train_on_batch(*batch)
        called.on_train_batch_end(number, {"loss": float(loss)})
        return loss

    return trained


def _check_callbacks(callbacks: Sequence[Any]) -> None:
    for callback in callbacks:
        if not isinstance(callback, keras.callbacks.Callback):
            raise TrainingError(
                f"callbacks takes keras.callbacks.Callback objects, got {callback!r}. Pass a list "
                "of them, such as [keras.callbacks.CSVLogger('log.csv')]."
            )


def _cosine_share(progress: float) -> float:
    """From 1 down to the last learning rate, slowly at either end (Loshchilov and Hutter, 2017)."""
    wave = (1 + np.cos(np.pi * progress)) / 2
    return float(_LAST_LEARNING_RATE + (1 - _LAST_LEARNING_RATE) * wave)
