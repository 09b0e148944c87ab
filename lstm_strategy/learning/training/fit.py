"""Fit and early stopping.

The network is trained many-to-many on long chunks with random offsets, with a loss at every step
past a warm-up, so that a bar passes through the LSTM once or twice an epoch instead of once for
each window it lies in.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

import numpy as np
import pandas as pd

from lstm_strategy.errors import TrainingError
from lstm_strategy.learning.network import (
    NetworkBuilder,
    build_lstm_member,
    build_member,
    build_scaling,
    check_can_be_carried,
    check_can_be_loaded,
    check_not_forked,
    fastest_copy,
    join_members,
    keras,
    scale_rows,
)
from lstm_strategy.learning.targets import Target
from lstm_strategy.learning.training.batches import ChunkBatches
from lstm_strategy.learning.training.dataset import TrainingSet
from lstm_strategy.learning.training.settings import ForecasterSettings
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
    """

    network: keras.Model
    history: pd.DataFrame
    held_out: tuple[np.ndarray, ...]


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
    scaling = build_scaling(rows.scaling_rows)
    scaled_rows = _scale_rows(rows, scaling)
    member = _compile_member(
        _Recipe(
            n_features=rows.features.shape[1],
            units=settings.units,
            dropout=settings.dropout,
            lookback=settings.lookback,
            learning_rate=settings.learning_rate,
            weight_decay=settings.weight_decay,
            target=settings.target,
            build=build,
        )
    )
    seeds = np.random.SeedSequence(settings.seed).generate_state(settings.members).tolist()
    networks, histories, held_out = [], [], []
    for position, seed in enumerate(seeds):
        member.reinitialise(seed)
        if settings.target.head.has_linear_part and build is None:
            member.start_linear_part(scaled_rows, position)
        course = _run_epochs(
            member.network,
            member.judge,
            training=_training_batches(scaled_rows, position, settings, seed),
            validation=_validation_batches(scaled_rows, position, settings),
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
        networks.append(member.copy(name=f"member_{position}"))
    columns = ["member", "epoch", "loss", "val_loss"]
    history = pd.concat(histories, ignore_index=True)[columns]
    return FitResult(join_members(scaling, networks), history, tuple(held_out))


def _scale_rows(rows: TrainingSet, scaling: Sequence[keras.layers.Layer]) -> TrainingSet:
    """The rows with their features scaled once, instead of in every step of the training."""

    def scale(features: np.ndarray) -> np.ndarray:
        scaled = scale_rows(scaling, features.astype(np.float32))
        return np.asarray(keras.ops.convert_to_numpy(scaled))

    mirrored = rows.mirrored
    if mirrored is not None:
        mirrored = replace(mirrored, features=scale(mirrored.features))
    return replace(rows, features=scale(rows.features), mirrored=mirrored)


@dataclass(frozen=True)
class _Recipe:
    """All that a compiled member depends on: trainings with the same recipe share one."""

    n_features: int
    units: tuple[int, ...]
    dropout: float
    lookback: int
    learning_rate: float
    weight_decay: float
    target: Target
    build: NetworkBuilder | None

    def build_member(self, seed: int, *, name: str) -> keras.Model:
        """A freshly initialised member; the same seed gives the same weights."""
        if self.build is not None:
            head = self.target.head
            return build_member(self.build, self.n_features, head=head, seed=seed, name=name)
        return build_lstm_member(
            self.n_features,
            units=self.units,
            dropout=self.dropout,
            lookback=self.lookback,
            head=self.target.head,
            seed=seed,
            name=name,
        )


@lru_cache(maxsize=2)
def _compile_member(recipe: _Recipe) -> "_CompiledMember":
    return _CompiledMember(recipe)


class _CompiledMember:
    """One compiled network that is trained again and again from fresh weights."""

    def __init__(self, recipe: _Recipe) -> None:
        self._recipe = recipe
        fresh = recipe.build_member(0, name="member")
        if recipe.build is not None:
            check_can_be_loaded(fresh)
            check_can_be_carried(fresh)
        self.network = fastest_copy(fresh)
        optimizer = keras.optimizers.AdamW(
            recipe.learning_rate, weight_decay=recipe.weight_decay, clipnorm=1.0
        )
        optimizer.exclude_from_weight_decay(var_names=["bias"])
        self.network.compile(optimizer, loss=recipe.target.build_loss(), weighted_metrics=[])
        optimizer.build(self.network.trainable_variables)
        # the same layers, judged by what training stops by
        self.judge = keras.Model(self.network.inputs, self.network.outputs)
        self.judge.compile(loss=recipe.target.build_validation_loss(), weighted_metrics=[])
        self._fresh_optimizer = [
            keras.ops.convert_to_numpy(variable) for variable in optimizer.variables
        ]

    def reinitialise(self, seed: int) -> None:
        """Give the network fresh weights and its optimizer no memory."""
        # `variables` also holds the state of the dropout's random numbers, `weights` doesn't
        fresh = self._recipe.build_member(seed, name="fresh")
        for variable, value in zip(self.network.variables, fresh.variables, strict=True):
            variable.assign(value)
        optimizer = self.network.optimizer
        for variable, value in zip(optimizer.variables, self._fresh_optimizer, strict=True):
            variable.assign(value)

    def start_linear_part(self, rows: TrainingSet, position: int) -> None:
        """Begin with the linear function that is best on the rows that a member learns from."""
        spans = rows.learned_by(position)
        learned = (
            np.concatenate([column[span] for span in spans])
            for column in (rows.features, rows.labels, rows.weights)
        )
        slopes, bias = self._recipe.target.fit_linear_part(*learned)
        self.network.get_layer("member_linear").kernel.assign(slopes)
        self.network.get_layer("member_head").bias.assign(bias)

    def copy(self, *, name: str) -> keras.Model:
        """The network as it is now, apart from further training."""
        copy = self._recipe.build_member(0, name=name)
        copy.set_weights(self.network.get_weights())
        return copy


@dataclass(frozen=True, eq=False)
class _Course:
    """How the training of a member went.

    Attributes:
        history: One row per epoch: epoch, loss, val_loss.
        answers: Those to the held-out rows, shape (n_rows, n_outputs), after each epoch; before
            them those of the untrained network, where it may be the best one.
    """

    history: pd.DataFrame
    answers: list[np.ndarray]


def _run_epochs(
    network: keras.Model,
    judge: keras.Model,
    *,
    training: ChunkBatches,
    validation: ChunkBatches,
    own: Sequence[keras.callbacks.Callback],
    users: Sequence[keras.callbacks.Callback],
    n_epochs: int,
    target: Target,
) -> _Course:
    """Train until a callback stops it, and keep the best weights.

    This is what `keras.Model.fit` does, without the tenth of a second that it takes each time. A
    network may be best before any training: as a policy that holds its prior, or as the linear
    function that it begins with.
    """
    network.stop_training = False
    callbacks = keras.callbacks.CallbackList(
        [*own, *users],
        model=network,
        verbose=0,  # Keras' own loggers read it
        epochs=n_epochs,
        steps=len(training),
    )
    # telling callbacks of each batch costs time, and ours don't listen
    listener = callbacks if users else None
    callbacks.on_train_begin()
    losses: list[dict[str, float]] = []
    answers: list[np.ndarray] = []
    untrained, before = network.get_weights(), np.inf
    if target.judges_batches or target.head.has_linear_part:
        before = _judge_all(judge, validation, answers)
    for epoch in range(n_epochs):
        callbacks.on_epoch_begin(epoch)
        logs = {
            "loss": _mean_loss(network.train_on_batch, training, listener),
            "val_loss": _judge_all(judge, validation, answers),
        }
        earlier, kept = losses[-1]["val_loss"] if losses else before, target.validation_smoothing
        if kept and np.isfinite(earlier):
            logs["val_loss"] = kept * earlier + (1 - kept) * logs["val_loss"]
        training.start_epoch()
        losses.append({"epoch": epoch, **logs})
        callbacks.on_epoch_end(epoch, logs)
        if network.stop_training or not np.isfinite(logs["loss"]):
            break
    callbacks.on_train_end()
    if before <= min(epoch["val_loss"] for epoch in losses):
        network.set_weights(untrained)
    return _Course(pd.DataFrame(losses), answers)


def _judge_all(judge: keras.Model, batches: ChunkBatches, answers: list[np.ndarray]) -> float:
    """The mean loss over all batches, and what was answered to their rows as one more answer.

    Answered once for both: `test_on_batch` would give the loss, but not the answers.
    """
    parts, losses = [], []
    for number in range(len(batches)):
        features, labels, *weights = batches[number]
        parts.append(np.asarray(judge.predict_on_batch(features)))
        loss = judge.compute_loss(features, labels, parts[-1], *weights, training=False)
        losses.append(float(loss))
    answers.append(batches.rows_of(parts))
    return float(np.mean(losses))


def answer_fairly(
    answers: Sequence[np.ndarray], rows: TrainingSet, member: int, settings: ForecasterSettings
) -> np.ndarray:
    """Answer held-out rows as a member does that chose its epoch on other ones.

    Early stopping takes the epoch that does best on the held-out rows, so that what it answers
    there flatters it: on pure noise, too, the best of fifty epochs looks as if it knew something.
    Here each half of the rows is answered by the epoch that does best on the other half.

    Args:
        answers: After each epoch, shape (n_rows, n_outputs); NaN for rows that it wasn't asked.
        rows: The training rows.
        member: Whose held-out rows they are.
        settings: The target and its horizon.

    Returns:
        Shape (n_rows, n_outputs); NaN for other rows, and for the last ones of the first half,
        whose labels reach into the second.

    Example:
        >>> column = np.ones((6, 1))
        >>> rows = TrainingSet(column, column, column[:, 0], column[:, :0], (slice(0, 6),), 1)
        >>> sure, unsure = 0.9 * column, 0.5 * column
        >>> settings = ForecasterSettings()
        >>> answer_fairly([unsure, sure], rows, 0, settings)[:, 0].tolist()
        [0.9, 0.9, nan, 0.9, 0.9, 0.9]
    """
    span = rows.held_out[member]
    middle = (span.start + span.stop) // 2
    halves = slice(span.start, middle - settings.horizon), slice(middle, span.stop)
    fair = np.full_like(answers[0], np.nan)
    for half, other in zip(halves, halves[::-1], strict=True):
        losses = [_mean_row_loss(epoch, rows, other, settings.target) for epoch in answers]
        if np.isfinite(losses).any():
            fair[half] = answers[int(np.nanargmin(losses))][half]
    return fair


def _mean_row_loss(answers: np.ndarray, rows: TrainingSet, span: slice, target: Target) -> float:
    """The weighted mean loss on a span of rows; NaN without one that counts."""
    is_known = ~np.isnan(answers[span]).any(axis=1)
    weights = rows.weights[span][is_known]
    if not weights.sum() > 0:
        return float("nan")
    losses = target.row_losses(rows.labels[span][is_known], answers[span][is_known])
    return float(np.average(losses, weights=weights))


def _mean_loss(
    run_on_batch: Callable[..., Any],
    batches: ChunkBatches,
    listener: keras.callbacks.CallbackList | None = None,
) -> float:
    """The mean loss over all batches, which `run_on_batch` learns from or not."""
    losses = []
    for number in range(len(batches)):
        if listener is not None:
            listener.on_train_batch_begin(number)
        losses.append(float(run_on_batch(*batches[number])))
        if listener is not None:
            listener.on_train_batch_end(number, {"loss": losses[-1]})
    return float(np.mean(losses))  # all batches are of one size


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
    return ChunkBatches(
        rows,
        rows.learned_by(member),
        length=2 * settings.lookback,
        warm_up=settings.lookback // 2,
        batch_size=settings.batch_size,
        offsets=np.random.default_rng(seed),
        judges_batches=settings.target.judges_batches,
    )


def _validation_batches(
    rows: TrainingSet, member: int, settings: ForecasterSettings
) -> ChunkBatches:
    lookback, span = settings.lookback, rows.held_out[member]
    # the rows before the span warm the state up; their labels weigh nothing
    start = min(max(0, span.start - lookback // 2), span.stop - 2 * lookback)
    return ChunkBatches(
        rows,
        [slice(start, span.stop)],
        length=2 * lookback,
        warm_up=lookback // 2,
        batch_size=_VALIDATION_CHUNKS,
        judges_batches=settings.target.judges_batches,
    )


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
