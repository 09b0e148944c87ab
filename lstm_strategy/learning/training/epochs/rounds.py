"""Going through all batches once: to learn from them, or to answer them and be judged."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from lstm_strategy.learning.network import has_gpu, keras
from lstm_strategy.learning.training.batches import ChunkBatches

_BATCHES_A_CALL = 64  # bounds the copies of their rows: a batch of the defaults takes 60 kB


class Rounds:
    """Goes through batches one after the other, on any backend of Keras.

    Args:
        network: Compiled with the loss that it learns by.
        judge: A network that repeats answers, compiled with the loss that it is judged by.
    """

    def __init__(self, network: keras.Model, judge: keras.Model) -> None:
        self.network, self._judge = network, judge

    def learn(
        self, batches: ChunkBatches, listener: keras.callbacks.CallbackList | None = None
    ) -> float:
        """Learn from all batches; the mean of their losses.

        Args:
            batches: All of one size.
            listener: What is told of each batch.
        """
        losses = []
        for number in range(len(batches)):
            if listener is not None:
                listener.on_train_batch_begin(number)
            losses.append(float(self.network.train_on_batch(*batches[number])))
            if listener is not None:
                listener.on_train_batch_end(number, {"loss": losses[-1]})
        return float(np.mean(losses))

    def judge(self, batches: ChunkBatches) -> tuple[float, np.ndarray]:
        """The mean loss over all batches, and the answers to their rows, shape (n_rows, n_outputs).

        Answered once for both: `test_on_batch` of the network would give the loss, but not the
        answers.
        """
        parts, losses = [], []
        for number in range(len(batches)):
            features, labels, *weights = batches[number]
            parts.append(np.asarray(self.network.predict_on_batch(features)))
            losses.append(float(self._judge.test_on_batch(parts[-1], labels, *weights)))
        return float(np.mean(losses)), batches.rows_of(parts)


class CompiledRounds(Rounds):
    """Goes through all batches within one compiled function of TensorFlow.

    It runs the steps that Keras would run, in the same order and with the same numbers, and saves
    what Keras does between them: a third of the time that a small network takes.
    """

    def __init__(self, network: keras.Model, judge: keras.Model) -> None:
        import tensorflow as tf

        super().__init__(network, judge)

        def learn_from(batch: tuple[Any, ...]) -> Any:
            network.reset_metrics()
            return network.train_step(batch)["loss"]

        def answer(batch: tuple[Any, ...]) -> tuple[Any, Any]:
            features, labels, *weights = batch
            # Keras computes the loss of a sigmoid that it can see from what goes into it; the judge
            # is shown a copy, so that its loss is that of the answers themselves
            answers = tf.identity(network(features, training=False))
            judge.reset_metrics()
            return judge.test_step((answers, labels, *weights))["loss"], answers

        def compile_for_all(step: Any, results: Any) -> Any:
            def take_all(batches: tuple[Any, ...]) -> Any:
                # one at a time: each step begins with the weights that the one before has left
                return tf.map_fn(step, batches, fn_output_signature=results, parallel_iterations=1)

            return tf.function(take_all, autograph=False, reduce_retracing=True)

        self._learn_from_all = compile_for_all(learn_from, tf.float32)
        self._answer_all = compile_for_all(answer, (tf.float32, tf.float32))

    def learn(
        self, batches: ChunkBatches, listener: keras.callbacks.CallbackList | None = None
    ) -> float:
        """Learn from all batches; see `Rounds.learn`, which is what goes on under a listener."""
        if listener is not None:
            return super().learn(batches, listener)
        losses = [self._learn_from_all(stacked).numpy() for stacked in _stack(batches)]
        return float(np.mean(np.concatenate(losses), dtype=np.float64))

    def judge(self, batches: ChunkBatches) -> tuple[float, np.ndarray]:
        """The mean loss over all batches, and the answers to their rows; see `Rounds.judge`."""
        losses, answers = zip(*map(self._answer_all, _stack(batches)), strict=True)
        by_batch = [batch for part in answers for batch in part.numpy()]
        loss = np.mean(np.concatenate([part.numpy() for part in losses]), dtype=np.float64)
        return float(loss), batches.rows_of(by_batch)


def _stack(batches: ChunkBatches) -> Iterator[tuple[np.ndarray, ...]]:
    """Many batches at a time, their features, labels and weights each in one array."""
    for first in range(0, len(batches), _BATCHES_A_CALL):
        last = min(first + _BATCHES_A_CALL, len(batches))
        chosen = [batches[number] for number in range(first, last)]
        yield tuple(np.stack(parts) for parts in zip(*chosen, strict=True))


def build_rounds(network: keras.Model, judge: keras.Model) -> Rounds:
    """The fastest rounds that there are here.

    On a GPU the steps take their time there, and Keras may compile them in its own way.

    Args:
        network: Compiled with the loss that it learns by.
        judge: A network that repeats answers, compiled with the loss that it is judged by.
    """
    if keras.backend.backend() == "tensorflow" and not has_gpu():
        return CompiledRounds(network, judge)
    return Rounds(network, judge)
