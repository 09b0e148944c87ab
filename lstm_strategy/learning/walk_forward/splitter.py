"""Chronological, purged folds: every bar after the first training window is tested once.

    |------ train ------|purge|-- test --|
               |------ train ------|purge|-- test --|
                          |------ train ------|purge|- t

Bars are counted by position; a bar's label reaches `horizon` bars further.
"""

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
import pandas as pd

from lstm_strategy.errors import TrainingError
from lstm_strategy.learning.walk_forward.fold import Fold, positions_without
from lstm_strategy.learning.walk_forward.fold_edges import (
    Edge,
    edge_after,
    edge_at,
    find_test_edges,
    labels_of,
    position_before,
)
from lstm_strategy.learning.walk_forward.window_sizes import (
    Size,
    check_room,
    check_whole_bars,
    parse_size,
    spell_size,
)
from lstm_strategy.support import format_time


@dataclass(frozen=True)
class WalkForward:
    """Folds along time: train on a window, test on the bars that follow, move on.

    The test folds are disjoint and follow each other without a gap; together they are all bars
    after the first training window. The last one is shorter where the bars end early, so that no
    bar at the end is lost. It is a scikit-learn splitter: hand it over as `cv=`.

    Sizes are numbers of bars (`250`, `"250 bars"`) or times (`"6 months"`, `"10 years"`,
    in minutes, hours, days, weeks, months or years, or any pandas offset). Times need a
    DatetimeIndex. They count on the wall clock of its timezone from the first bar, and a fold
    begins on the bar at or after that moment: `test="1 year"` begins each fold on the bar at
    or after the same day of the next year. Test folds that would hold no bar are skipped.

    Args:
        train: The training window, up to the first test bar. Its last `purge` bars are left
            out, so that 250 bars and a purge of 1 train on 249.
        test: The test fold.
        validation: The end of the training window, kept apart to stop early or to choose
            settings; the last `purge` bars are left out of it as well as of the training bars
            before it. `split` leaves it out, for scikit-learn knows only train and test.
        expanding: Train on everything since the first bar instead of a rolling window.
        horizon: Bars ahead that a label looks.
        purge: Bars left out where training or validation ends, at least `horizon`, which is
            the default: the label of the last bar that trains ends before the test begins.
        embargo: Bars that follow each test fold and never train or validate a later fold. They
            are the first of the next test fold, so an `embargo` of its size or more leaves
            only the first test fold to train on later. No fold sees the future without it, as
            a test never comes before its training; it is for those who choose among settings
            by earlier folds and want the bars that share features with them out of the way.

    Raises:
        TrainingError: The rule, what was received, and the remedy.

    Example:
        >>> bars = pd.DataFrame(index=pd.date_range("2010-01-01", "2013-05-31", freq="D"))
        >>> folds = WalkForward("2 years", "1 year", horizon=5)
        >>> [(str(f.train_end.date()), str(f.test_start.date())) for f in folds.folds(bars)]
        [('2011-12-26', '2012-01-01'), ('2012-12-26', '2013-01-01')]
        >>> [(a.tolist(), b.tolist()) for a, b in WalkForward(3, 2).split(range(6))]
        [([0, 1], [3, 4]), ([2, 3], [5])]
    """

    train: Size
    test: Size
    _: KW_ONLY
    validation: Size | None = None
    expanding: bool = False
    horizon: int = 1
    purge: int | None = None
    embargo: int = 0

    def __post_init__(self) -> None:
        sizes = {name: parse_size(name, getattr(self, name)) for name in ("train", "test")}
        if self.validation is not None:
            sizes["validation"] = parse_size("validation", self.validation)
        check_whole_bars("horizon", self.horizon, least=1)
        check_whole_bars("embargo", self.embargo, least=0)
        if self.purge is not None:
            check_whole_bars("purge", self.purge, least=0)
        if self.purge_bars < self.horizon:
            raise TrainingError(
                f"purge must be at least the horizon of {self.horizon} bars, got {self.purge}: "
                "the labels of the last training bars would reach into the test fold. "
                "Raise purge or leave it out."
            )
        check_room(sizes, self.purge_bars)

    @property
    def purge_bars(self) -> int:
        """Bars left out where training ends: `purge`, or the horizon where that is None."""
        return self.horizon if self.purge is None else self.purge

    def folds(self, bars: Any) -> list[Fold]:
        """Return the folds of a frame of bars, or of anything that has a length.

        Args:
            bars: Bars, their index, or anything with a length. Times need dates.

        Returns:
            The folds in the order of time.

        Raises:
            TrainingError: There are too few bars for one fold, a fold is left with no bar to
                train or validate on, or sizes are times and the bars have no sorted dates.
        """
        index = self._fold_index(bars)
        edges = find_test_edges(index, self._first_edge(index), parse_size("test", self.test))
        stops = [*(edge.position for edge in edges[1:]), len(index)]
        folds: list[Fold] = []
        for edge, stop in zip(edges, stops, strict=True):
            folds.append(self._build_fold(index, edge, stop, folds))
        return folds

    def split(
        self,
        X: Any,  # noqa: N803
        y: Any = None,
        groups: Any = None,
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the training and the test positions of each fold, as scikit-learn expects.

        `y` and `groups` are ignored.

        Raises:
            TrainingError: As `folds`.
        """
        for fold in self.folds(X):
            yield fold.train_indices, fold.test_indices

    def get_n_splits(
        self,
        X: Any = None,  # noqa: N803
        y: Any = None,
        groups: Any = None,
    ) -> int:
        """Return how many folds `split` yields; the bars are needed to count them.

        Raises:
            TrainingError: As `folds`.
        """
        return len(self.folds(X))

    def describe(self, bars: Any) -> pd.DataFrame:
        """Return one row per fold, on its number: first and last bars and how many there are.

        Columns train_start train_end train_bars test_start test_end test_bars; embargoed bars
        aren't counted.

        Raises:
            TrainingError: As `folds`.
        """
        rows = [
            {
                "fold": fold.number,
                "train_start": fold.train_start,
                "train_end": fold.train_end,
                "train_bars": len(fold.train_indices),
                "test_start": fold.test_start,
                "test_end": fold.test_end,
                "test_bars": len(fold.test_indices),
            }
            for fold in self.folds(bars)
        ]
        return pd.DataFrame(rows).set_index("fold")

    def _fold_index(self, bars: Any) -> pd.Index:
        if bars is None:
            raise TrainingError("the bars are needed to make folds, got None. Pass them as X.")
        index = labels_of(bars)
        has_dates = isinstance(index, pd.DatetimeIndex)
        if has_dates and not (index.is_monotonic_increasing and index.is_unique):
            raise TrainingError(
                "bars must be sorted by date, each date once. Pass bars through validate_bars."
            )
        sizes = {"train": self.train, "test": self.test, "validation": self.validation}
        for name, size in sizes.items():
            if size is not None and not has_dates and not isinstance(parse_size(name, size), int):
                raise TrainingError(
                    f"{spell_size(name, size)} needs bars with a DatetimeIndex, "
                    f"got {type(bars).__name__} with {type(index).__name__}. "
                    "Give the size in bars, or pass a frame of bars."
                )
        return index

    def _first_edge(self, index: pd.Index) -> Edge:
        train = parse_size("train", self.train)
        first = edge_after(index, edge_at(index, 0), train) if len(index) else None
        if first is None:
            raise TrainingError(self._too_few_bars(index))
        return first

    def _too_few_bars(self, index: pd.Index) -> str:
        train = parse_size("train", self.train)
        remedy = "Load more history or train on a shorter window."
        if isinstance(train, int):
            return (
                f"one fold needs at least {train + 1} bars, {train} to train and 1 to test, "
                f"got {len(index)}. {remedy}"
            )
        span = (
            f"{len(index)} from {format_time(index[0])} to {format_time(index[-1])}"
            if len(index)
            else "0"
        )
        return (
            f"one fold needs bars over more than {spell_size('train', self.train)}, got {span}. "
            f"{remedy}"
        )

    def _build_fold(self, index: pd.Index, edge: Edge, stop: int, earlier: list[Fold]) -> Fold:
        window = parse_size("train", self.train)
        start = 0 if self.expanding else position_before(index, edge, window)
        train_end, validation = edge.position, None
        if self.validation is not None:
            size = parse_size("validation", self.validation)
            train_end = max(position_before(index, edge, size), start)
            validation = slice(train_end, max(edge.position - self.purge_bars, train_end))
        train = slice(start, max(train_end - self.purge_bars, start))
        embargoed = self._embargoed_spans(edge.position, start, earlier)
        trained = positions_without(train, embargoed)
        number = len(earlier) + 1
        if len(trained) == 0:
            raise TrainingError(self._nothing_left("train", number, index[edge.position]))
        if validation is not None and len(positions_without(validation, embargoed)) == 0:
            raise TrainingError(self._nothing_left("validate", number, index[edge.position]))
        return Fold(
            number=number,
            train=train,
            test=slice(edge.position, stop),
            train_start=index[trained[0]],
            train_end=index[trained[-1]],
            test_start=index[edge.position],
            test_end=index[stop - 1],
            validation=validation,
            embargoed=embargoed,
        )

    def _embargoed_spans(
        self, test_start: int, start: int, earlier: list[Fold]
    ) -> tuple[slice, ...]:
        if self.embargo == 0:
            return ()
        spans = (
            slice(max(fold.test.stop, start), min(fold.test.stop + self.embargo, test_start))
            for fold in earlier
        )
        return tuple(span for span in spans if span.start < span.stop)

    def _nothing_left(self, verb: str, number: int, test_start: Any) -> str:
        return (
            f"every fold needs at least 1 bar to {verb} on, got 0 in fold {number}, whose test "
            f"begins at {format_time(test_start)}: purge={self.purge_bars}, "
            f"embargo={self.embargo} and gaps in the bars take them all. "
            "Lower these, or widen train."
        )
