"""Fit and early stopping.

The network is trained many-to-many on long chunks with random offsets, with a loss at every step
past a warm-up, so that a bar passes through the LSTM once or twice an epoch instead of once for
each window it lies in.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from lstm_strategy.errors import TrainingError
from lstm_strategy.learning.network import (
    NetworkBuilder,
    build_scaling,
    check_not_forked,
    join_members,
    keras,
    scale_rows,
    widen_scaling,
)
from lstm_strategy.learning.training.batches import ChunkBatches
from lstm_strategy.learning.training.compiled_member import MemberRecipe, compile_member
from lstm_strategy.learning.training.date_batches import DateBatches
from lstm_strategy.learning.training.epochs import run_epochs
from lstm_strategy.learning.training.fair_answers import answer_fairly
from lstm_strategy.learning.training.settings import ForecasterSettings
from lstm_strategy.learning.training.training_set import TrainingSet
from lstm_strategy.support import OnEpoch

_VALIDATION_CHUNKS = 32  # chunks in one validation batch
_LAST_LEARNING_RATE = 0.02  # at the end of the schedule, as a share of the first


@dataclass(frozen=True, eq=False)
class FitResult:
    """An ensemble that was just trained, and the course of its training.

    Attributes:
        network: (batch, time, n_features) → (batch, time, n_members * n_outputs), the outputs of a
            member side by side; its scaling is inside.
        history: One row per epoch, with the columns member, epoch, loss, val_loss.
        held_out: What each member answered to the rows that it held out, shape
            (n_rows, n_outputs), see `answer_fairly`; NaN elsewhere.
        vectors: What the members learned of each market of a panel, side by side, shape
            (n_markets, n_members * market_embedding). They follow the features in the rows that
            the network takes.
    """

    network: keras.Model
    history: pd.DataFrame
    held_out: tuple[np.ndarray, ...]
    vectors: np.ndarray


def fit_network(
    rows: TrainingSet,
    settings: ForecasterSettings,
    *,
    build: NetworkBuilder | None = None,
    on_epoch: OnEpoch | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> FitResult:
    """Train the members of an ensemble and join them behind one scaling.

    The network is built and compiled once and re-initialised for every member, and for every
    later call that asks for the same kind of network.

    Args:
        rows: What to learn from, and what each member holds out.
        settings: How to build and train.
        build: Builds a network of the user's own in place of the LSTM.
        on_epoch: Called after each epoch with the members done, the epochs done of this member,
            and the validation loss.
        callbacks: The user's own, called after ours in the training of each member.

    Returns:
        The network and its history.

    Raises:
        ModelError: In a fork of the process that loaded Keras.
        TrainingError: If a loss becomes NaN, a network of the user's own doesn't fit, or a
            callback isn't one.

    Example:
        >>> feature = np.random.default_rng(0).normal(size=(200, 1))
        >>> rows = TrainingSet(
        ...     features=feature,
        ...     labels=np.float32(feature > 0),
        ...     weights=np.ones(200),
        ...     context=np.empty((200, 0)),
        ...     held_out=(slice(150, 200),),
        ...     purge=1,
        ... )
        >>> settings = ForecasterSettings(units=(2,), lookback=10, epochs=1, members=1)
        >>> fit_network(rows, settings).network.output_shape
        (None, None, 1)
    """
    check_not_forked()
    _check_callbacks(callbacks)
    target = settings.target.for_markets(len(rows.markets))
    settings = settings.model_copy(update={"target": target})
    scaling = build_scaling(rows.scaling_rows)
    scaled_rows = _scale_rows(rows, scaling)
    member = compile_member(
        MemberRecipe(
            n_features=rows.features.shape[1],
            units=settings.units,
            dropout=settings.dropout,
            lookback=settings.lookback,
            weight_decay=settings.weight_decay,
            target=settings.target,
            build=build,
            market_embedding=settings.market_embedding,
            n_markets=len(rows.markets) if settings.market_embedding else 0,
        )
    )
    numbered_rows = _number_markets(scaled_rows) if settings.market_embedding else scaled_rows
    seeds = np.random.SeedSequence(settings.seed).generate_state(settings.members).tolist()
    networks, histories, held_out, vectors = [], [], [], []
    for position, seed in enumerate(seeds):
        core = member.reinitialise(
            seed, learning_rate=settings.learning_rate, name=f"member_{position}"
        )
        if settings.target.head.has_linear_part and build is None:
            member.start_linear_part(scaled_rows, position)
        course = run_epochs(
            member.rounds,
            training=_training_batches(numbered_rows, position, settings, seed),
            validation=_validation_batches(numbered_rows, position, settings),
            own=_build_callbacks(
                settings, None if on_epoch is None else partial(on_epoch, position)
            ),
            users=callbacks,
            n_epochs=settings.epochs,
            target=settings.target,
        )
        _check_losses(course.history, settings)
        histories.append(course.history.assign(member=position))
        held_out.append(answer_fairly(course.answers, rows, position, settings))
        networks.append(member.hand_over(core, position, n_members=settings.members))
        vectors.append(member.vectors)
    columns = ["member", "epoch", "loss", "val_loss"]
    history = pd.concat(histories, ignore_index=True)[columns]
    known = np.concatenate(vectors, axis=1)
    network = join_members(widen_scaling(scaling, known.shape[1]), networks)
    return FitResult(network, history, tuple(held_out), known)


def _scale_rows(rows: TrainingSet, scaling: Sequence[keras.layers.Layer]) -> TrainingSet:
    """The rows with their features scaled once, instead of in every step of the training."""

    def scale(features: np.ndarray) -> np.ndarray:
        scaled = scale_rows(scaling, features.astype(np.float32))
        return np.asarray(keras.ops.convert_to_numpy(scaled))

    mirrored = rows.mirrored
    if mirrored is not None:
        mirrored = replace(mirrored, features=scale(mirrored.features))
    return replace(rows, features=scale(rows.features), mirrored=mirrored)


def _number_markets(rows: TrainingSet) -> TrainingSet:
    """The rows with the number of their market behind their features."""
    sizes = [market.stop - market.start for market in rows.markets]
    numbers = np.repeat(np.arange(len(sizes), dtype=np.float32), sizes)[:, None]

    def append(features: np.ndarray) -> np.ndarray:
        return np.concatenate([features, numbers], axis=1)

    mirrored = rows.mirrored
    if mirrored is not None:
        mirrored = replace(mirrored, features=append(mirrored.features))
    return replace(rows, features=append(rows.features), mirrored=mirrored)


def _build_callbacks(
    settings: ForecasterSettings, on_epoch: Callable[[int, float], None] | None
) -> list[keras.callbacks.Callback]:
    """Our own callbacks: the schedule of the step size, early stopping, and progress."""
    callbacks: list[keras.callbacks.Callback] = [
        keras.callbacks.LearningRateScheduler(
            lambda epoch: settings.learning_rate * _cosine_share(epoch / settings.epochs)
        ),
        keras.callbacks.EarlyStopping(patience=settings.patience, restore_best_weights=True),
    ]
    if on_epoch is not None:
        callbacks.append(
            keras.callbacks.LambdaCallback(
                on_epoch_end=lambda epoch, logs: on_epoch(epoch + 1, logs["val_loss"])
            )
        )
    return callbacks


def _training_batches(
    rows: TrainingSet, member: int, settings: ForecasterSettings, seed: int
) -> ChunkBatches:
    return _build_batches(
        rows,
        settings,
        rows.learned_by(member),
        batch_size=settings.batch_size,
        offsets=np.random.default_rng(seed),
    )


def _validation_batches(
    rows: TrainingSet, member: int, settings: ForecasterSettings
) -> ChunkBatches:
    # the rows before what is held out warm the state up; their labels weigh nothing
    spans = rows.validation_spans(member, settings.lookback)
    return _build_batches(
        rows,
        settings,
        [span for span, _ in spans],
        batch_size=_VALIDATION_CHUNKS,
        first_scored=[first for _, first in spans],
    )


def _build_batches(
    rows: TrainingSet, settings: ForecasterSettings, spans: Sequence[slice], **options: Any
) -> ChunkBatches:
    size: dict[str, Any] = {
        "length": 2 * settings.lookback,
        "warm_up": settings.lookback // 2,
    }
    if settings.target.judges_dates:
        return DateBatches(rows, spans, **size, **options)
    judges_batches = settings.target.judges_batches
    return ChunkBatches(rows, spans, judges_batches=judges_batches, **size, **options)


def _check_losses(history: pd.DataFrame, settings: ForecasterSettings) -> None:
    if not np.isfinite(history[["loss", "val_loss"]].to_numpy()).all():
        raise TrainingError(
            f"The loss stopped being a finite number in epoch {len(history)} with learning_rate="
            f"{settings.learning_rate:g}. Lower the learning_rate."
        )


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
