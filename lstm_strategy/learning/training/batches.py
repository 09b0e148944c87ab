"""The chunks of consecutive rows that training and early stopping are fed with."""

from collections.abc import Sequence

import numpy as np

from lstm_strategy.learning.training.training_set import TrainingSet

_CHUNKS_A_STEP = 8  # by which the size of a batch grows: each size is compiled for itself


class ChunkBatches:
    """Chunks of consecutive rows, as (features, labels, weights) batches.

    Every batch is full, if need be with chunks that weigh nothing: a step that has been compiled
    for one shape serves many numbers of rows. For a loss of whole batches the weights come as a
    last column of the labels instead, and those of a batch sum up to the scored steps of an epoch.

    Args:
        rows: The rows of which chunks are taken.
        spans: The rows to take, each at least a chunk long or left out.
        length: Rows of a chunk.
        warm_up: The first steps of a chunk, which weigh nothing: the network's state is still
            settling.
        batch_size: Chunks of a batch, at most. Fewer chunks at fixed places than that are one batch
            of the next multiple of eight.
        offsets: Gives random offsets, so that chunks differ between epochs and every other one is
            mirrored, if there are mirrored rows. Without it chunks lie at fixed places and score
            every row after the first warm-up once.
        judges_batches: Whether the loss is of all steps of a batch together.
        first_scored: For each span the first row that may be scored, of chunks at fixed places.
    """

    def __init__(
        self,
        rows: TrainingSet,
        spans: Sequence[slice],
        *,
        length: int,
        warm_up: int,
        batch_size: int,
        offsets: np.random.Generator | None = None,
        judges_batches: bool = False,
        first_scored: Sequence[int] | None = None,
    ) -> None:
        self._rows, self._mirrored = rows, rows.mirrored
        usual = np.mean(np.concatenate([rows.weights[span] for span in spans]))
        # a mean weight of 1 keeps losses comparable with the log-loss of a coin flip
        self._weights = (rows.weights / usual).astype(np.float32)
        self._length, self._warm_up, self._stride = length, warm_up, length - warm_up
        self._offsets, self._judges_batches = offsets, judges_batches
        places = [place for place, span in enumerate(spans) if span.stop - span.start >= length]
        self._spans = [spans[place] for place in places]
        self._first_scored = [0 if first_scored is None else first_scored[n] for n in places]
        self._batch_size = batch_size
        if offsets is not None:
            n_chunks = max(1, sum(map(self._n_chunks_that_always_fit, self._spans)))
            self._batch_size = min(batch_size, n_chunks)
            self._n_batches = n_chunks // self._batch_size
        self.start_epoch()

    def start_epoch(self) -> None:
        """Place the chunks for another epoch."""
        if self._offsets is None:
            self._place_at_fixed_rows()
        else:
            self._place_at_random(self._offsets)

    def __len__(self) -> int:
        return self._n_batches

    def __getitem__(self, batch: int) -> tuple[np.ndarray, ...]:
        chosen = slice(batch * self._batch_size, (batch + 1) * self._batch_size)
        steps = np.arange(self._length)
        rows = self._starts[chosen, None] + steps
        is_mirrored = self._is_mirrored[chosen, None]
        features, labels = self._rows.features[rows], self._rows.labels[rows]
        if self._mirrored is not None and is_mirrored.any():
            features = np.where(is_mirrored[..., None], self._mirrored.features[rows], features)
            labels = np.where(is_mirrored[..., None], self._mirrored.labels[rows], labels)
        is_scored = steps >= self._scored_from[chosen, None]
        if self._judges_batches:
            # each batch stands for all of them: what it weighs is what an epoch does
            weights = is_scored * self._weights[rows] * np.float32(self._n_batches)
            return features, np.concatenate([labels, weights[..., None]], axis=-1)
        # Keras averages over all steps, scored or not: undo that, so that losses are log-losses
        weights = is_scored * self._weights[rows] * np.float32(self._steps_per_scored_step)
        return features, labels, weights

    def rows_of(self, answers: Sequence[np.ndarray]) -> np.ndarray:
        """Put what was answered to each batch back in the order of the rows.

        Args:
            answers: To each batch, shape (batch, time, n_outputs); of chunks at fixed places.

        Returns:
            Shape (n_rows, n_outputs); NaN for rows that aren't scored.
        """
        by_chunk = np.concatenate(answers)
        steps = np.arange(self._length)
        is_scored = steps >= self._scored_from[:, None]
        by_row = np.full((len(self._rows.features), by_chunk.shape[-1]), np.nan, np.float32)
        by_row[(self._starts[:, None] + steps)[is_scored]] = by_chunk[is_scored]
        return by_row

    def _n_chunks_that_always_fit(self, span: slice) -> int:
        spare = self._length + self._stride - 1
        n_chunks: int = (span.stop - span.start - spare) // self._stride + 1
        return max(0, n_chunks)

    def _place_at_fixed_rows(self) -> None:
        # the last chunk is moved back to end with the span; what overlaps is scored once
        starts, scored_from = [], []
        for span, first_scored in zip(self._spans, self._first_scored, strict=True):
            last = span.stop - self._length
            wanted = np.arange(span.start, last + self._stride, self._stride)
            starts.append(np.minimum(wanted, last))
            scored = np.maximum(wanted + self._warm_up, first_scored)
            scored_from.append(scored - starts[-1])
        n_chunks = sum(map(len, starts))
        rounded = -(-n_chunks // _CHUNKS_A_STEP) * _CHUNKS_A_STEP
        self._batch_size = min(self._batch_size, rounded)
        self._n_batches = -(-n_chunks // self._batch_size)
        unused = self._n_batches * self._batch_size - n_chunks
        self._starts = np.pad(np.concatenate(starts), (0, unused))
        self._scored_from = np.pad(
            np.concatenate(scored_from), (0, unused), constant_values=self._length
        )
        self._is_mirrored = np.zeros(len(self._starts), bool)
        self._count_steps()

    def _place_at_random(self, offsets: np.random.Generator) -> None:
        starts = []
        for span in self._spans:
            last = span.stop - self._length
            offset = int(offsets.integers(min(self._stride, last - span.start + 1)))
            starts.append(np.arange(span.start + offset, last + 1, self._stride))
        self._starts = np.concatenate(starts)
        offsets.shuffle(self._starts)
        self._scored_from = np.full(len(self._starts), self._warm_up)
        n_images = 1 if self._mirrored is None else 2
        self._is_mirrored = offsets.integers(n_images, size=len(self._starts)) == 1
        self._count_steps()

    def _count_steps(self) -> None:
        n_scored = int((self._length - self._scored_from).sum())
        self._steps_per_scored_step = self._length * len(self._starts) / n_scored
