"""Batches that hold the same dates of all markets, for a loss of what a portfolio earns."""

from collections.abc import Iterator, Sequence

import numpy as np

from lstm_strategy.learning.training.batches import ChunkBatches
from lstm_strategy.learning.training.training_set import TrainingSet


class DateBatches(ChunkBatches):
    """Chunks of all markets that end at the same dates, as (features, labels) batches.

    A window is as many dates as a chunk has steps behind the warm-up. A batch is all markets in
    one window or more; a market that has no chunk there gets one that weighs nothing. The labels
    get two more columns: the place of each step's date, which is that of its window times the
    length of a chunk plus the date within the window, and the weight.

    Args:
        rows: The rows of a panel.
        spans: The rows to take, each of one market; those shorter than a chunk are left out.
        length: Rows of a chunk.
        warm_up: The first steps of a chunk, which weigh nothing.
        batch_size: Chunks of a batch; there is at least one window in it.
        offsets: Gives random offsets, so that windows differ between epochs, come in random order
            and every other one is mirrored, if there are mirrored rows. Without it windows lie
            at fixed dates, and every row that counts is scored once.
        first_scored: For each span the first row that may be scored.
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
        first_scored: Sequence[int] | None = None,
    ) -> None:
        assert rows.panel is not None  # one market is a portfolio by itself
        self._dates, self._n_markets = rows.panel.dates, len(rows.markets)
        self._windows_a_batch = max(1, round(batch_size / self._n_markets))
        super().__init__(
            rows,
            spans,
            length=length,
            warm_up=warm_up,
            batch_size=self._windows_a_batch * self._n_markets,
            offsets=None,
            judges_batches=True,
            first_scored=first_scored,
        )
        if offsets is not None:
            n_windows = min(len(self._windows(offset)) for offset in (0, self._stride - 1))
            self._n_batches = max(1, n_windows // self._windows_a_batch)
            self._offsets = offsets
            self.start_epoch()

    def __getitem__(self, batch: int) -> tuple[np.ndarray, ...]:
        features, labels = super().__getitem__(batch)
        chosen = slice(batch * self._batch_size, (batch + 1) * self._batch_size)
        rows = self._starts[chosen, None] + np.arange(self._length)
        within = self._dates[rows] - self._first_dates[chosen, None]
        window = np.arange(self._batch_size) // self._n_markets
        places = window[:, None] * self._length + np.clip(within, 0, self._length - 1)
        *known, weights = np.split(labels, labels.shape[-1], axis=-1)
        return features, np.concatenate(
            [*known, places[..., None].astype(np.float32), weights], axis=-1
        )

    def _place_at_fixed_rows(self) -> None:
        windows = self._windows(0)
        self._n_batches = max(1, -(-len(windows) // self._windows_a_batch))
        self._place(windows, np.zeros(len(windows), bool))

    def _place_at_random(self, offsets: np.random.Generator) -> None:
        windows = self._windows(int(offsets.integers(self._stride)))
        offsets.shuffle(windows)
        n_images = 1 if self._mirrored is None else 2
        self._place(windows, offsets.integers(n_images, size=len(windows)) == 1)

    def _place(self, windows: list[np.ndarray], is_mirrored: np.ndarray) -> None:
        """Lay out windows, each its chunks of start, first scored step and first date."""
        n_windows = self._n_batches * self._windows_a_batch
        unused = (0, self._length, 0)
        chunks = np.tile(np.array(unused), (n_windows * self._n_markets, 1))
        mirrored = np.zeros(len(chunks), bool)
        for number, window in enumerate(windows[:n_windows]):
            first = number * self._n_markets
            chunks[first : first + len(window)] = window
            mirrored[first : first + len(window)] = is_mirrored[number]
        self._starts, self._scored_from, self._first_dates = chunks.T
        self._is_mirrored = mirrored
        self._count_steps()

    def _windows(self, offset: int) -> list[np.ndarray]:
        """The chunks of each window that has some, `offset` dates before the last one."""
        last = max(int(self._dates[span.stop - 1]) for span in self._spans) + 1
        ends = np.arange(last - offset, 0, -self._stride)
        chunks: dict[int, list[tuple[int, int, int]]] = {}
        for span, first_scored in zip(self._spans, self._first_scored, strict=True):
            for window, *chunk in self._chunks_of(span, first_scored, ends):
                chunks.setdefault(window, []).append((chunk[0], chunk[1], chunk[2]))
        return [np.array(chunks[window][: self._n_markets]) for window in sorted(chunks)]

    def _chunks_of(
        self, span: slice, first_scored: int, ends: np.ndarray
    ) -> Iterator[tuple[int, int, int, int]]:
        """A market's chunk in each window in which it has rows that count."""
        dates = self._dates[span]
        stops = span.start + np.searchsorted(dates, ends)
        begins = span.start + np.searchsorted(dates, ends - self._stride)
        starts = stops - self._length
        scored = np.maximum(np.maximum(begins, starts + self._warm_up), first_scored)
        for window in np.flatnonzero((starts >= span.start) & (scored < stops)):
            start = int(starts[window])
            first_date = int(ends[window]) - self._stride
            yield int(window), start, int(scored[window]) - start, first_date
