"""Who holds out what, and who may learn from what is left."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from lstm_strategy.learning.training.settings import FeatureUnits

Spans = tuple[slice, ...]
"""Rows that follow each other in one market, and others after them."""


@dataclass(frozen=True, eq=False)
class PanelRows:
    """Where the rows of each market of a panel lie, and when they are.

    Dates are counted from 0: all on which some market has a row, in order.

    Attributes:
        symbols: The markets that are learned from.
        dropped: Why the others aren't, by symbol.
        markets: The rows of each market.
        dates: The date of each row, which rises within a market, shape (n_rows,).
        units: How the features of a market were brought to the panel's units, by symbol, where each
            is scaled by itself.
        label_ends: The last date at or before the bar that decides its label, shape (n_rows,).

    Example:
        >>> two = PanelRows(
        ...     symbols=("A", "B"),
        ...     markets=(slice(0, 3), slice(3, 5)),
        ...     dates=np.array([0, 1, 2, 1, 2]),
        ...     label_ends=np.array([1, 2, 2, 2, 2]),
        ... )
        >>> two.rows_between(1, 3)
        (slice(1, 3, None), slice(3, 5, None))
    """

    symbols: tuple[str, ...]
    markets: Spans
    dates: np.ndarray
    label_ends: np.ndarray
    dropped: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, FeatureUnits] = field(default_factory=dict)

    @property
    def n_dates(self) -> int:
        """The number of dates."""
        return int(self.dates.max()) + 1

    def rows_between(self, first: int, stop: int) -> Spans:
        """The rows of each market from one date to before another; those without are left out."""
        return self._cut(
            (self._find(self.dates, market, first), self._find(self.dates, market, stop))
            for market in self.markets
        )

    def rows_before(self, first: int, stop: int) -> Spans:
        """Of these rows the ones whose labels are known before the second date, too."""
        return self._cut(
            (self._find(self.dates, market, first), self._find(self.label_ends, market, stop))
            for market in self.markets
        )

    def rows_apart_from(self, first: int, stop: int) -> Spans:
        """The rows whose labels share no time with those of the rows between two dates."""
        held_out = self.rows_between(first, stop)
        end = max((int(self.label_ends[span.stop - 1]) for span in held_out), default=stop - 1)
        return self.rows_before(0, first) + self.rows_between(end + 1, self.n_dates)

    @staticmethod
    def _find(numbers: np.ndarray, market: slice, number: int) -> int:
        start: int = market.start
        return start + int(np.searchsorted(numbers[market], number))

    @staticmethod
    def _cut(edges: Iterable[tuple[int, int]]) -> Spans:
        return tuple(slice(first, stop) for first, stop in edges if first < stop)


def held_out_spans(
    n_rows: int, *, share: float, members: int, lookback: int, purge: int
) -> tuple[slice, ...]:
    """A span of rows for each member to hold out, so that together they learn from all rows.

    The first member holds out the last `share` of the rows, the others stretches that lie evenly
    before it, with rows in front to settle the state. Where such a stretch would leave no chunk
    in one piece, its member holds out the last rows too.
    """
    size = round(n_rows * share)
    last, shortest = n_rows - size, 2 * lookback + purge
    starts = np.linspace(last, lookback // 2, members).round().astype(int)
    fits = [max(start, n_rows - start - size) >= shortest for start in starts]
    return tuple(
        slice(int(start), int(start) + size) if fit else slice(last, n_rows)
        for start, fit in zip(starts, fits, strict=True)
    )
