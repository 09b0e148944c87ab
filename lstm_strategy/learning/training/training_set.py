"""Rows of features with their labels, and who may learn from which of them."""

from dataclasses import dataclass

import numpy as np

from lstm_strategy.learning.training.held_out import PanelRows, Spans


@dataclass(frozen=True)
class MirrorImage:
    """The same rows with rises and falls exchanged.

    Attributes:
        features: Shape (n_rows, n_features).
        labels: Shape (n_rows, n_labels).
    """

    features: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class TrainingSet:
    """Complete rows of features with their labels, and the rows that stop each member's training.

    The rows of a market stand one after another, and those of a panel market by market.

    Attributes:
        features: Shape (n_rows, n_features), known at the close of the row's bar.
        labels: Shape (n_rows, n_labels), known `purge` bars later.
        weights: How much each label matters, shape (n_rows,).
        context: What the target needs to turn answers into forecasts, shape (n_rows, n_context).
        held_out: A stretch for each member of the ensemble, whose rows it never learns from and
            early stopping watches: of rows, and for a panel of dates, cut for all markets at once.
        purge: Rows on either side of a held-out stretch that aren't learned from either, since
            labels reach that far. For a panel the dates that labels reach to decide.
        mirrored: The mirror image of the rows, where the target and the features have one.
        panel: Which rows are of which market and date; None where there is one market.

    Example:
        >>> rows = TrainingSet(
        ...     features=np.zeros((100, 2)),
        ...     labels=np.zeros((100, 1)),
        ...     weights=np.ones(100),
        ...     context=np.empty((100, 0)),
        ...     held_out=(slice(40, 60),),
        ...     purge=5,
        ... )
        >>> rows.learned_by(0)
        (slice(0, 35, None), slice(65, 100, None))
    """

    features: np.ndarray
    labels: np.ndarray
    weights: np.ndarray
    context: np.ndarray
    held_out: tuple[slice, ...]
    purge: int
    mirrored: MirrorImage | None = None
    panel: PanelRows | None = None

    @property
    def markets(self) -> Spans:
        """The rows of each market."""
        return (slice(0, len(self.features)),) if self.panel is None else self.panel.markets

    def learned_by(self, member: int) -> Spans:
        """The spans of rows that a member learns from: before and after what it holds out."""
        stretch = self.held_out[member]
        if self.panel is not None:
            return self.panel.rows_apart_from(stretch.start, stretch.stop)
        before = slice(0, max(0, stretch.start - self.purge))
        after = slice(stretch.stop + self.purge, len(self.features))
        return tuple(part for part in (before, after) if part.stop > part.start)

    def held_out_by(self, member: int) -> Spans:
        """The spans of rows that a member holds out, one a market that has rows there."""
        stretch = self.held_out[member]
        if self.panel is not None:
            return self.panel.rows_between(stretch.start, stretch.stop)
        return (stretch,)

    def halves_held_out_by(self, member: int) -> tuple[Spans, Spans]:
        """The same in two halves; labels of the first one don't reach into the second."""
        stretch = self.held_out[member]
        middle = (stretch.start + stretch.stop) // 2
        if self.panel is not None:
            return (
                self.panel.rows_before(stretch.start, middle),
                self.panel.rows_between(middle, stretch.stop),
            )
        return (slice(stretch.start, middle - self.purge),), (slice(middle, stretch.stop),)

    def validation_spans(self, member: int, lookback: int) -> tuple[tuple[slice, int], ...]:
        """What a member answers to be judged by, each span with the first row that counts.

        The rows before what it holds out settle the state. A market that has too few rows for a
        chunk up to there is left out.
        """
        held_out = self.held_out_by(member)
        starts = np.array([market.start for market in self.markets])
        spans = []
        for span in held_out:
            first = starts[np.searchsorted(starts, span.start, side="right") - 1]
            start = min(max(first, span.start - lookback // 2), span.stop - 2 * lookback)
            if start >= first:
                counts = span.start if self.panel is not None else start
                spans.append((slice(int(start), span.stop), int(counts)))
        return tuple(spans)

    @property
    def scaling_rows(self) -> np.ndarray:
        """The features of all rows that any member learns from, mirrored ones too.

        This is what the scaling may know; its shape is (n_scaling_rows, n_features).
        """
        learned: np.ndarray = self.features[self.is_learned]
        if self.mirrored is None:
            return learned
        return np.concatenate([learned, self.mirrored.features[self.is_learned]])

    @property
    def is_learned(self) -> np.ndarray:
        """Whether any member learns from a row, shape (n_rows,)."""
        is_learned = np.zeros(len(self.features), bool)
        for member in range(len(self.held_out)):
            for part in self.learned_by(member):
                is_learned[part] = True
        return is_learned
