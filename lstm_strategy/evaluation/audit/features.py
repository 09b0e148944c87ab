"""Feature columns: do they look ahead, and how long do they remember?"""

from collections.abc import Callable, Iterable
from typing import Any

import pandas as pd

from lstm_strategy.evaluation.audit.findings import (
    Check,
    Finding,
    FindingKind,
    PartialAudit,
    WarmUp,
    finding_from_difference,
)
from lstm_strategy.evaluation.audit.source_hints import find_hints, hint_texts
from lstm_strategy.learning.features import (
    FEATURE_TOLERANCE,
    FeatureSet,
    column_differences,
    feature_memories,
    lookahead_evidence,
    lookahead_remedy,
)

_LAYER = "features"


def audit_features(
    features: Any, bars: pd.DataFrame, *, cuts: Iterable[int], horizon: int
) -> PartialAudit:
    """Try each feature column with later bars removed and altered, and measure its warm-up.

    Args:
        features: A FeatureSet, a function that makes columns of bars, or a finished frame of
            columns. Of a frame only the content can be judged: whether a column foretells the
            moves to come.
        bars: The bars.
        cuts: Numbers of known bars.
        horizon: Bars ahead that labels look.
    """
    if isinstance(features, pd.DataFrame):
        return _audit_finished_columns(features, bars, horizon)
    if isinstance(features, FeatureSet):
        return _audit_feature_set(features, bars, list(cuts), horizon)
    return _audit_function(getattr(features, "frame", features), bars, list(cuts))


def _audit_finished_columns(
    columns: pd.DataFrame, bars: pd.DataFrame, horizon: int
) -> PartialAudit:
    findings = _find_foretelling(columns.reindex(bars.index), bars, horizon)
    check = Check("columns of the user", columns.shape[1], len(findings))
    return PartialAudit(tuple(findings), checks=(check,))


def _audit_function(
    compute: Callable[[pd.DataFrame], pd.DataFrame], bars: pd.DataFrame, cuts: list[int]
) -> PartialAudit:
    full = compute(bars)
    hints = find_hints([getattr(compute, "__self__", compute)])
    remedy = hints[0].remedy if hints else "Compute it from the bars up to its own row only."
    findings = tuple(
        finding_from_difference(
            difference,
            layer=_LAYER,
            culprit=f"column {name}",
            remedy=remedy,
            source=hint_texts(hints),
        )
        for name, difference in column_differences(compute, bars, cuts, full=full).items()
    )
    check = Check("features", 2 * len(cuts) * full.shape[1], len(findings))
    return PartialAudit(findings, checks=(check,))


def _audit_feature_set(
    features: FeatureSet, bars: pd.DataFrame, cuts: list[int], horizon: int
) -> PartialAudit:
    full = features.frame(bars)
    found = column_differences(features.frame, bars, cuts, full=full)
    findings = [
        finding_from_difference(
            difference,
            layer=_LAYER,
            culprit=f"column {name}",
            remedy=lookahead_remedy(features, name),
        )
        for name, difference in found.items()
    ]
    findings += _find_foretelling(bars[features.own_columns], bars, horizon)
    check = Check("features", 2 * len(cuts) * full.shape[1], len(findings))
    warm_ups = _measure_warm_ups(features, bars, full)
    # what looks ahead at where the bars end can't agree with a later start either
    never = [w.name for w in warm_ups if w.bars is None and w.name not in found]
    findings += map(_never_forgets, never)
    return PartialAudit(tuple(findings), checks=(check,), warm_ups=warm_ups)


def _find_foretelling(columns: pd.DataFrame, bars: pd.DataFrame, horizon: int) -> list[Finding]:
    """Columns of the user's that foretell the moves to come."""
    findings = []
    for name in columns.columns:
        evidence = lookahead_evidence(columns[name], bars, horizon=horizon)
        if evidence is not None:
            finding = Finding(
                layer=_LAYER,
                culprit=f"column {name}",
                kind=FindingKind.FORETELLS,
                what=f"foretells the moves to come: {evidence}.",
                found_by="correlating it with what follows",
                remedy=evidence.remedy,
            )
            findings.append(finding)
    return findings


def _measure_warm_ups(
    features: FeatureSet, bars: pd.DataFrame, full: pd.DataFrame
) -> tuple[WarmUp, ...]:
    stored = {column.name: column for column in features.columns}
    warm_ups = []
    for name, memory in feature_memories(features, bars, full=full).items():
        column = stored.get(name)
        # a memory too long to be seen on few bars was seen on the many of the probe
        if memory is None and column is not None and 3 * column.memory > len(bars):
            memory = column.memory
        warm_ups.append(WarmUp(name, memory, FEATURE_TOLERANCE, "standard deviations"))
    return tuple(warm_ups)


def _never_forgets(name: str) -> Finding:
    return Finding(
        layer="warm-up",
        culprit=f"column {name}",
        kind=FindingKind.NEVER_FORGETS,
        what="never forgets on which bar the history began.",
        found_by="beginning later",
        remedy="Difference it, or choose a kind with a finite memory.",
    )
