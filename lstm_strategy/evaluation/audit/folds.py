"""Folds of the user's own: does training see what the test will ask?"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from lstm_strategy.errors import AuditError
from lstm_strategy.evaluation.audit.findings import Check, Finding, FindingKind, PartialAudit


@dataclass(frozen=True)
class FoldRows:
    """The rows of one fold, by position.

    Attributes:
        number: Which fold it is, counted from 1.
        train: Positions of the training rows, rising.
        test: Positions of the test rows, rising.
    """

    number: int
    train: np.ndarray
    test: np.ndarray


def split_folds(splitter: Any, bars: pd.DataFrame) -> list[FoldRows]:
    """Return what a splitter makes of the bars.

    Args:
        splitter: An object with scikit-learn's `split(X)`, a function of the bars, or an iterable
            of (train, test) positions.
        bars: The bars.

    Raises:
        AuditError: If it gives no folds, or something else than positions of the bars.
    """
    split = getattr(splitter, "split", splitter)
    try:
        pairs = list(split(bars) if callable(split) else split)
        folds = [
            FoldRows(number, _positions(train, len(bars)), _positions(test, len(bars)))
            for number, (train, test) in enumerate(pairs, 1)
        ]
    except AuditError:
        raise
    except Exception as error:
        raise AuditError(
            f"splitter must give pairs of positions (train, test) for {len(bars):,} bars, and "
            f"raises {type(error).__name__}: {error}. Hand over a scikit-learn splitter, a "
            "WalkForward, or a list of pairs."
        ) from error
    if not folds:
        raise AuditError("splitter gives no folds for these bars. Load more or split finer.")
    return folds


def _positions(rows: Any, n_bars: int) -> np.ndarray:
    if isinstance(rows, slice):
        return np.arange(n_bars)[rows]
    positions = np.asarray(rows)
    if positions.dtype == bool:
        positions = np.flatnonzero(positions)
    if positions.ndim != 1 or (len(positions) and not np.issubdtype(positions.dtype, np.integer)):
        raise AuditError(
            f"a fold must be positions of bars, got {positions.dtype} of shape "
            f"{positions.shape}. Give whole numbers from 0 to {n_bars - 1:,}."
        )
    if len(positions) and not 0 <= positions.min() <= positions.max() < n_bars:
        raise AuditError(
            f"a fold must be positions from 0 to {n_bars - 1:,}, got up to {positions.max():,}."
        )
    return np.sort(positions).astype(int)


def audit_folds(folds: list[FoldRows], bars: pd.DataFrame, *, horizon: int) -> PartialAudit:
    """Look for shared bars, bars that train although they come after the test, and late labels.

    Args:
        folds: The folds.
        bars: The bars of their positions.
        horizon: Bars ahead that labels look.

    Returns:
        One finding of each kind, the first of its kind, with the number of folds that have it.
    """
    by_kind: dict[FindingKind, list[Finding]] = {}
    for fold in folds:
        for finding in _audit_fold(fold, bars, horizon):
            by_kind.setdefault(finding.kind, []).append(finding)
    findings = tuple(
        replace(alike[0], what=f"{alike[0].what} This is so in {len(alike)} of {len(folds)} folds.")
        if len(alike) > 1
        else alike[0]
        for alike in by_kind.values()
    )
    return PartialAudit(findings, checks=(Check("folds", 3 * len(folds), len(findings)),))


def _audit_fold(fold: FoldRows, bars: pd.DataFrame, horizon: int) -> Iterator[Finding]:
    if not len(fold.train) or not len(fold.test):
        return

    def finding(kind: FindingKind, rows: np.ndarray, words: str, remedy: str) -> Finding:
        return Finding(
            layer="folds",
            culprit=f"fold {fold.number}",
            kind=kind,
            what=f"{words}: {len(rows):,} training row{'s' if len(rows) > 1 else ''}.",
            time=bars.index[rows[0]],
            known=f"test from {bars.index[fold.test[0]]}",
            found_by="the positions that the splitter gives",
            remedy=remedy,
        )

    shared = np.intersect1d(fold.train, fold.test)
    if len(shared):
        remedy = "Keep the two apart: WalkForward(train, test, horizon=...)."
        yield finding(FindingKind.SHARED_BARS, shared, "bars both train and test", remedy)
    later = np.setdiff1d(fold.train[fold.train > fold.test[0]], shared)
    if len(later):
        remedy = (
            "Split in the order of time, without shuffling: WalkForward(train, test, horizon=...)."
        )
        if (np.diff(fold.test) > 1).any():
            yield finding(FindingKind.SHUFFLED, later, "the folds are shuffled", remedy)
        else:
            words = "bars after the test begins train"
            yield finding(FindingKind.TRAINS_AFTER_TEST, later, words, remedy)
        return
    reaching = _rows_whose_labels_reach_the_test(fold, horizon)
    if len(reaching):
        n_bars = f"{horizon} bar{'s' if horizon > 1 else ''}"
        remedy = (
            f"Leave {n_bars} out before the test: WalkForward(train, test, horizon={horizon}), or "
            f"TimeSeriesSplit(gap={horizon})."
        )
        words = f"labels that look {n_bars} ahead reach into the test"
        yield finding(FindingKind.LABELS_OVERLAP, reaching, words, remedy)


def _rows_whose_labels_reach_the_test(fold: FoldRows, horizon: int) -> np.ndarray:
    # the label of bar i is known at the close of bar i + horizon
    starts = fold.test[np.searchsorted(fold.test, fold.train) % len(fold.test)]
    return fold.train[(starts > fold.train) & (starts <= fold.train + horizon)]
