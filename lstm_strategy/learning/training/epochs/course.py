"""One member's way through the epochs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lstm_strategy.learning.network import keras
from lstm_strategy.learning.targets import Target
from lstm_strategy.learning.training.batches import ChunkBatches
from lstm_strategy.learning.training.epochs.rounds import Rounds


@dataclass(frozen=True, eq=False)
class Course:
    """How the training of a member went.

    Attributes:
        history: One row per epoch: epoch, loss, val_loss.
        answers: Those to the held-out rows, shape (n_rows, n_outputs), after each epoch; before
            them those of the untrained network, where it may be the best one.
    """

    history: pd.DataFrame
    answers: list[np.ndarray]


def run_epochs(
    rounds: Rounds,
    *,
    training: ChunkBatches,
    validation: ChunkBatches,
    own: Sequence[keras.callbacks.Callback],
    users: Sequence[keras.callbacks.Callback],
    n_epochs: int,
    target: Target,
) -> Course:
    """Train until a callback stops it, and keep the best weights.

    This is what `keras.Model.fit` does, without the tenth of a second that it takes each time. A
    network may be best before any training: as a policy that holds its prior, or as the linear
    function that it begins with.
    """
    network = rounds.network
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
        before, answered = rounds.judge(validation)
        answers.append(answered)
    for epoch in range(n_epochs):
        callbacks.on_epoch_begin(epoch)
        loss = rounds.learn(training, listener)
        val_loss, answered = rounds.judge(validation)
        answers.append(answered)
        earlier, kept = losses[-1]["val_loss"] if losses else before, target.validation_smoothing
        if kept and np.isfinite(earlier):
            val_loss = kept * earlier + (1 - kept) * val_loss
        logs = {"loss": loss, "val_loss": val_loss}
        training.start_epoch()
        losses.append({"epoch": epoch + 1, **logs})
        callbacks.on_epoch_end(epoch, logs)
        if network.stop_training or not np.isfinite(loss):
            break
    callbacks.on_train_end()
    if before <= min(epoch["val_loss"] for epoch in losses):
        network.set_weights(untrained)
    return Course(pd.DataFrame(losses), answers)
