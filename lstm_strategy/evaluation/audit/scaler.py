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
    FindingKind,
    PartialAudit,
    finding_from_difference,
)
from lstm_strategy.evaluation.audit.folds import FoldRows
from lstm_strategy.evaluation.audit.source_hints import find_hints, hint_texts
from lstm_strategy.learning.features import column_differences, first_unequal

_MOST_FOLDS = 5  # that are tried
_FEATURE_NOISE = 3.0  # standard deviations by which rows outside the training are moved


def needs_folds(scaler: Any) -> bool:
    """Whether a scaler can only be judged by training rows: all but functions of the features."""
    return hasattr(scaler, "transform") or not callable(scaler) or _takes_training_rows(scaler)


def _takes_training_rows(scaler: Callable[..., Any]) -> bool:
    positional = [
        parameter
        for parameter in inspect.signature(scaler).parameters.values()
        if parameter.kind in {parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD}
    ]
    return len(positional) > 1


def audit_scaler(
    scaler: Any, features: pd.DataFrame, folds: list[FoldRows], *, cuts: Iterable[int]
) -> PartialAudit:
    """Look whether the scaling of the training rows depends on other rows.

    Args:
        scaler: A fitted scikit-learn transformer, which is set beside the same fitted on each
            fold's training rows; or `scaler(features, train)`, which gives scaled rows for all of
            `features` and is run again with the other rows altered; or `scaler(features)`, which
            has no training rows and so must not look ahead at all.
        features: What it scales, one row per bar.
        folds: The folds; a function of the features needs none.
        cuts: Numbers of known bars at which such a function is tried.

    Raises:
        AuditError: If it isn't fitted, or can't be run.
    """
    if hasattr(scaler, "transform"):
        findings = _audit_fitted_scaler(scaler, features, folds)
    elif not callable(scaler):
        raise AuditError(
            f"scaler must be a fitted transformer or a function, got {scaler!r}. Write "
            "scaler(features, train) that gives the scaled features."
        )
    elif _takes_training_rows(scaler):
        findings = _audit_scaler_of_training_rows(scaler, features, folds)
    else:
        findings = _audit_scaler_without_training(scaler, features, cuts)
    n_comparisons = min(len(folds), _MOST_FOLDS) * features.shape[1]
    return PartialAudit(tuple(findings), checks=(Check("scaler", n_comparisons, len(findings)),))


def _audit_fitted_scaler(
    scaler: Any, features: pd.DataFrame, folds: list[FoldRows]
) -> list[Finding]:
    known = features.dropna()
    places = np.flatnonzero(features.notna().all(axis=1))
    given = _transform(scaler, known)
    for fold in folds:
        train = known[np.isin(places, fold.train)]
        if len(train) and _is_same(_refit_and_transform(scaler, train, known), given):
            return []
    fold = folds[0]
    is_whole = _is_same(_refit_and_transform(scaler, known, known), given)
    is_train = np.isin(places, fold.train)
    expected = _refit_and_transform(scaler, known[is_train], known)
    column = int(np.abs(expected - given).max(axis=0).argmax())
    row = int(is_train.argmax())
    return [
        Finding(
            layer="scaler",
            culprit=f"scaled {known.columns[min(column, known.shape[1] - 1)]}",
            kind=FindingKind.OTHER_ROWS,
            what=(
                "the scaler was fitted on all the bars, test rows included."
                if is_whole
                else "the scaler was fitted on other rows than the training rows of any fold."
            ),
            time=known.index[row],
            known=float(expected[row, column]),
            with_later=float(given[row, column]),
            found_by=f"fitting it on the training rows of fold {fold.number}",
            remedy="Fit it on the training rows of each fold, and only transform the others.",
        )
    ]


def _transform(scaler: Any, rows: pd.DataFrame) -> np.ndarray:
    for form in (rows, rows.to_numpy()):
        try:
            return np.asarray(scaler.transform(form), np.float64)
        except Exception as error:
            last = error
    raise AuditError(
        f"{type(scaler).__name__} can't transform the features: {last} Fit it on these columns "
        "first: audit(bars, features=..., scaler=fitted)."
    ) from last


def _refit_and_transform(scaler: Any, train: pd.DataFrame, rows: pd.DataFrame) -> np.ndarray:
    has_names = hasattr(scaler, "feature_names_in_")
    fresh = copy.deepcopy(scaler).fit(train if has_names else train.to_numpy())
    return _transform(fresh, rows)


def _is_same(one: np.ndarray, other: np.ndarray) -> bool:
    return bool(one.shape == other.shape and np.allclose(one, other, rtol=1e-6, atol=1e-9))


def _audit_scaler_without_training(
    scaler: Callable[..., Any], features: pd.DataFrame, cuts: Iterable[int]
) -> list[Finding]:
    found = column_differences(
        lambda rows: _to_frame(scaler(rows), rows), features, cuts, alter=_alter_rows_from
    )
    return [
        finding_from_difference(
            difference,
            layer="scaler",
            culprit=f"scaled {column}",
            remedy="Scale with rolling(n) or expanding() statistics, or take the training rows as "
            "a second argument.",
            source=hint_texts(find_hints([scaler])),
        )
        for column, difference in found.items()
    ]


def _audit_scaler_of_training_rows(
    scaler: Callable[..., Any], features: pd.DataFrame, folds: list[FoldRows]
) -> list[Finding]:
    for fold in folds[:: max(1, len(folds) // _MOST_FOLDS)]:
        outside = np.setdiff1d(np.arange(len(features)), fold.train)
        given, again = (
            _to_frame(scaler(frame, fold.train), frame).iloc[fold.train]
            for frame in (features.copy(), _alter_rows(features, outside))
        )
        for name in given.columns:
            then, now = again[name].to_numpy(np.float64), given[name].to_numpy(np.float64)
            row = first_unequal(then, now)
            if row is not None:
                finding = Finding(
                    layer="scaler",
                    culprit=f"scaled {name}",
                    kind=FindingKind.OTHER_ROWS,
                    what=f"the training rows of fold {fold.number} change when rows outside them "
                    "do: the scaling was fitted on those as well.",
                    time=features.index[fold.train[row]],
                    known=float(then[row]),
                    with_later=float(now[row]),
                    found_by="altering the rows outside the training rows",
                    remedy="Take mean and spread from the training rows only.",
                    source=hint_texts(find_hints([scaler])),
                )
                return [finding]
    return []


def _alter_rows_from(features: pd.DataFrame, n_known: int) -> pd.DataFrame:
    return _alter_rows(features, np.arange(n_known, len(features)))


def _alter_rows(features: pd.DataFrame, rows: np.ndarray) -> pd.DataFrame:
    """The frame with other values in some rows, of another spread."""
    values = features.to_numpy(np.float64, copy=True)
    spread = np.nanstd(values, axis=0)
    values[rows] = 2 * values[rows] + _FEATURE_NOISE * spread
    return pd.DataFrame(values, features.index, features.columns)


def _to_frame(scaled: Any, like: pd.DataFrame) -> pd.DataFrame:
    values = np.asarray(scaled, np.float64)
    values = values.reshape(len(values), -1)
    if len(values) != len(like):
        raise AuditError(
            f"scaler must give one row for each of the {len(like):,} rows, got {len(values):,}."
        )
    is_same_width = values.shape[1] == like.shape[1]
    names = like.columns if is_same_width else range(values.shape[1])
    return pd.DataFrame(values, like.index, names)
