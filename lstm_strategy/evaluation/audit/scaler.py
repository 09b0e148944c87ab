"""Scalers of the user's own: are they fitted on the training rows alone?"""

import copy
import inspect
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd

from lstm_strategy.errors import AuditError
from lstm_strategy.evaluation.audit.findings import (
    Check,
    Finding,
    PartialAudit,
    difference_finding,
)
from lstm_strategy.evaluation.audit.folds import FoldRows
from lstm_strategy.evaluation.audit.source_hints import hints_in
from lstm_strategy.learning.features import column_differences, first_unequal

_MOST_FOLDS = 5  # that are tried
_FEATURE_NOISE = 3.0  # standard deviations by which rows outside the training are moved


def audit_scaler(
    scaler: Any, features: pd.DataFrame, folds: list[FoldRows], *, cuts: Iterable[int]
) -> PartialAudit:
    """Whether the scaling of the training rows depends on other rows.

    ``scaler`` is a fitted scikit-learn transformer, which is set beside the same fitted on each
    fold's training rows; or ``scaler(features, train)`` giving scaled rows for all of
    ``features``, run again with the other rows altered; or ``scaler(features)``, which has no
    training rows and so must not look ahead at all.

    Raises:
        AuditError: if it isn't fitted, or can't be run.
    """
    if hasattr(scaler, "transform"):
        findings = _fitted_findings(scaler, features, folds)
    elif callable(scaler):
        findings = _function_findings(scaler, features, folds, cuts)
    else:
        raise AuditError(
            f"scaler must be a fitted transformer or a function, got {scaler!r}. Write "
            "scaler(features, train) that gives the scaled features."
        )
    n_comparisons = min(len(folds), _MOST_FOLDS) * features.shape[1]
    return PartialAudit(tuple(findings), checks=(Check("scaler", n_comparisons, len(findings)),))


def _fitted_findings(scaler: Any, features: pd.DataFrame, folds: list[FoldRows]) -> list[Finding]:
    known = features.dropna()
    places = np.flatnonzero(features.notna().all(axis=1))
    rows_of = {position: row for row, position in enumerate(places)}
    given = _transformed(scaler, known)
    for fold in folds:
        rows = [rows_of[position] for position in fold.train if position in rows_of]
        if rows and _is_same(_refitted(scaler, known.iloc[rows], known), given):
            return []
    fold = folds[0]
    is_whole = _is_same(_refitted(scaler, known, known), given)
    rows = [rows_of[position] for position in fold.train if position in rows_of]
    expected = _refitted(scaler, known.iloc[rows], known)
    column = int(np.abs(expected - given).max(axis=0).argmax())
    return [
        Finding(
            layer="scaler",
            culprit=f"scaled {known.columns[min(column, known.shape[1] - 1)]}",
            what=(
                "the scaler was fitted on all the bars, test rows included."
                if is_whole
                else "the scaler was fitted on other rows than the training rows of any fold."
            ),
            time=known.index[rows[0]],
            known=float(expected[rows[0], column]),
            with_later=float(given[rows[0], column]),
            found_by=f"fitting it on the training rows of fold {fold.number}",
            remedy="Fit it on the training rows of each fold, and only transform the others.",
        )
    ]


def _transformed(scaler: Any, rows: pd.DataFrame) -> np.ndarray:
    for form in (rows, rows.to_numpy()):
        try:
            return np.asarray(scaler.transform(form), np.float64)
        except Exception as error:
            last = error
    raise AuditError(
        f"{type(scaler).__name__} can't transform the features: {last} Fit it on these columns "
        "first: audit(bars, features=..., scaler=fitted)."
    ) from last


def _refitted(scaler: Any, rows: pd.DataFrame, on: pd.DataFrame) -> np.ndarray:
    has_names = hasattr(scaler, "feature_names_in_")
    fresh = copy.deepcopy(scaler).fit(rows if has_names else rows.to_numpy())
    return _transformed(fresh, on)


def _is_same(one: np.ndarray, other: np.ndarray) -> bool:
    return bool(one.shape == other.shape and np.allclose(one, other, rtol=1e-6, atol=1e-9))


def _function_findings(
    scaler: Callable[..., Any],
    features: pd.DataFrame,
    folds: list[FoldRows],
    cuts: Iterable[int],
) -> list[Finding]:
    hints = hints_in([scaler])
    source = tuple(map(str, hints[:3]))
    remedy = "Take mean and spread from the training rows only."
    if not _takes_two(scaler):
        found = column_differences(
            lambda rows: _frame_of(scaler(rows), rows), features, cuts, alter=_altered_rows
        )
        return [
            difference_finding(
                difference,
                layer="scaler",
                culprit=f"scaled {column}",
                remedy="Scale with rolling(n) or expanding() statistics, or take the training "
                "rows as a second argument.",
                source=source,
            )
            for column, difference in found.items()
        ]
    for fold in folds[:: max(1, len(folds) // _MOST_FOLDS)]:
        outside = np.setdiff1d(np.arange(len(features)), fold.train)
        altered = _altered_rows(features, outside)
        given, again = (
            _frame_of(scaler(frame, fold.train), frame).iloc[fold.train]
            for frame in (features.copy(), altered)
        )
        for name in given.columns:
            then, now = again[name].to_numpy(np.float64), given[name].to_numpy(np.float64)
            row = first_unequal(then, now)
            if row is not None:
                return [
                    Finding(
                        layer="scaler",
                        culprit=f"scaled {name}",
                        what=f"the training rows of fold {fold.number} change when rows outside "
                        "them do: the scaling was fitted on those as well.",
                        time=features.index[fold.train[row]],
                        known=float(then[row]),
                        with_later=float(now[row]),
                        found_by="altering the rows outside the training rows",
                        remedy=remedy,
                        source=source,
                    )
                ]
    return []


def needs_folds(scaler: Any) -> bool:
    """Whether a scaler can only be judged by training rows: all but functions of the features."""
    return hasattr(scaler, "transform") or not callable(scaler) or _takes_two(scaler)


def _takes_two(scaler: Callable[..., Any]) -> bool:
    needed = [
        parameter
        for parameter in inspect.signature(scaler).parameters.values()
        if parameter.kind in {parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD}
    ]
    return len(needed) > 1


def _altered_rows(features: pd.DataFrame, rows: Any) -> pd.DataFrame:
    """The frame with other values in some rows (or from one row on), of another spread."""
    chosen = np.arange(rows, len(features)) if isinstance(rows, int) else np.asarray(rows)
    altered = features.astype(float)
    values = altered.to_numpy(copy=True)
    spread = np.nanstd(values, axis=0)
    values[chosen] = 2 * values[chosen] + _FEATURE_NOISE * spread
    return pd.DataFrame(values, features.index, features.columns)


def _frame_of(scaled: Any, like: pd.DataFrame) -> pd.DataFrame:
    values = np.asarray(scaled, np.float64)
    values = values.reshape(len(values), -1)
    if len(values) != len(like):
        raise AuditError(
            f"scaler must give one row for each of the {len(like):,} rows, got {len(values):,}."
        )
    is_same_width = values.shape[1] == like.shape[1]
    names = like.columns if is_same_width else range(values.shape[1])
    return pd.DataFrame(values, like.index, names)
