"""Folds of the user's own: does training see what the test will ask?"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lstm_strategy.errors import AuditError
from lstm_strategy.evaluation.audit.findings import Check, Finding, PartialAudit


@dataclass(frozen=True)
class FoldRows:
    """The rows of one fold, by position, counted from 1."""

    number: int
    train: np.ndarray
    test: np.ndarray


def folds_of(splitter: Any, bars: pd.DataFrame) -> list[FoldRows]:
    """What a splitter makes of the bars.

    ``splitter`` has scikit-learn's ``split(X)``, or is a function of the bars, or already is an
    iterable of (train, test) positions.

    Raises:
        AuditError: if it gives no folds, or something else than positions of the bars.
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
    """Bars in both parts, bars that train though they come after the test, labels that overlap."""
    findings = [finding for fold in folds for finding in _fold_findings(fold, bars, horizon)]
    first_of_each = {finding.what.partition(":")[0]: finding for finding in reversed(findings)}
    counts = {
        kind: sum(finding.what.partition(":")[0] == kind for finding in findings)
        for kind in first_of_each
    }
    told = tuple(
        finding if counts[kind] == 1 else _with_count(finding, counts[kind], len(folds))
        for kind, finding in reversed(first_of_each.items())
    )
    return PartialAudit(told, checks=(Check("folds", 3 * len(folds), len(told)),))


def _with_count(finding: Finding, count: int, n_folds: int) -> Finding:
    return Finding(**{**vars(finding), "what": f"{finding.what} So in {count} of {n_folds} folds."})


def _fold_findings(fold: FoldRows, bars: pd.DataFrame, horizon: int) -> Iterator[Finding]:
    if not len(fold.train) or not len(fold.test):
        return
    shared = np.intersect1d(fold.train, fold.test)
    if len(shared):
        yield _fold_finding(
            fold,
            bars,
            shared,
            "bars both train and test",
            "Keep the two apart: WalkForward(train, test, horizon=...).",
        )
    later = np.setdiff1d(fold.train[fold.train > fold.test[0]], shared)
    if len(later):
        is_shuffled = len(fold.test) > 1 and (np.diff(fold.test) > 1).any()
        yield _fold_finding(
            fold,
            bars,
            later,
            "the folds are shuffled" if is_shuffled else "bars after the test begins train",
            "Split in the order of time, without shuffling: WalkForward(train, test, horizon=...).",
        )
    # the label of bar i is known at the close of bar i + horizon
    starts = fold.test[np.searchsorted(fold.test, fold.train) % len(fold.test)]
    reaching = fold.train[(starts > fold.train) & (starts <= fold.train + horizon)]
    if len(reaching) and not len(later):
        yield _fold_finding(
            fold,
            bars,
            reaching,
            f"labels that look {horizon} bar{'s' if horizon > 1 else ''} ahead reach into the test",
            f"Leave {horizon} bar{'s' if horizon > 1 else ''} out before the test: "
            f"WalkForward(train, test, horizon={horizon}), or TimeSeriesSplit(gap={horizon}).",
        )


def _fold_finding(
    fold: FoldRows, bars: pd.DataFrame, rows: np.ndarray, kind: str, remedy: str
) -> Finding:
    n_rows = f"{len(rows):,} training row{'s' if len(rows) > 1 else ''}"
    return Finding(
        layer="folds",
        culprit=f"fold {fold.number}",
        what=f"{kind}: {n_rows}.",
        time=bars.index[rows[0]],
        known=f"test from {bars.index[fold.test[0]]}",
        found_by="the positions that the splitter gives",
        remedy=remedy,
    )
