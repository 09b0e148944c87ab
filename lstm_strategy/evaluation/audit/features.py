"""Feature columns: do they look ahead, and how long do they remember?"""

from collections.abc import Iterable
from typing import Any

import pandas as pd

from lstm_strategy.evaluation.audit.findings import (
    Check,
    Finding,
    PartialAudit,
    WarmUp,
    difference_finding,
)
from lstm_strategy.evaluation.audit.source_hints import hints_in
from lstm_strategy.learning.features import (
    FEATURE_TOLERANCE,
    Difference,
    FeatureSet,
    column_differences,
    feature_memories,
    lookahead_evidence,
    lookahead_remedy,
)


def audit_features(
    features: Any, bars: pd.DataFrame, *, cuts: Iterable[int], horizon: int = 1
) -> PartialAudit:
    """Each feature column with later bars removed and altered, and its measured warm-up.

    ``features`` is a FeatureSet, a finished frame of columns, or a function that makes one of
    bars. Of a finished frame only the content can be judged: whether a column tells the moves
    to come.
    """
    if isinstance(features, pd.DataFrame):
        return _audited_frame(features, bars, horizon)
    compute = features.frame if hasattr(features, "frame") else features
    cuts = list(cuts)
    full = compute(bars)
    found = column_differences(compute, bars, cuts, full=full)
    own = [features] if not hasattr(features, "specs") else [type(features)]
    findings = [_feature_finding(features, own, difference) for difference in found.values()]
    findings += _foretelling_columns(features, bars, horizon)
    n_comparisons = 2 * len(cuts) * full.shape[1]
    check = Check("features", n_comparisons, len(findings))
    if not hasattr(features, "specs"):
        return PartialAudit(tuple(findings), checks=(check,))
    warm_ups, never = _feature_warm_ups(features, bars, full)
    # what looks ahead at where the bars end can't agree with a later start either
    never = [finding for finding in never if finding.culprit.removeprefix("column ") not in found]
    return PartialAudit(tuple(findings + never), checks=(check,), warm_ups=warm_ups)


def _audited_frame(columns: pd.DataFrame, bars: pd.DataFrame, horizon: int) -> PartialAudit:
    findings = tuple(
        _told_finding(str(name), told)
        for name in columns.columns
        for told in [lookahead_evidence(columns[name].reindex(bars.index), bars, horizon=horizon)]
        if told is not None
    )
    check = Check("columns of the user", columns.shape[1], len(findings))
    return PartialAudit(findings, checks=(check,))


def _foretelling_columns(features: Any, bars: pd.DataFrame, horizon: int) -> list[Finding]:
    names = [spec["column"] for spec in getattr(features, "specs", []) if spec["kind"] == "column"]
    told = {name: lookahead_evidence(bars[name], bars, horizon=horizon) for name in names}
    return [_told_finding(name, words) for name, words in told.items() if words is not None]


def _told_finding(name: str, told: str) -> Finding:
    what, _, remedy = told.partition(". ")
    return Finding(
        layer="features",
        culprit=f"column {name}",
        what=f"tells the moves to come: {what}.",
        found_by="correlating it with what follows",
        remedy=remedy,
    )


def _feature_finding(features: Any, own: list[Any], difference: Difference) -> Finding:
    hints = hints_in(own)
    has_specs = hasattr(features, "spec_of") and features.spec_of(difference.column)
    own_remedy = hints[0].remedy if hints else "Compute it from the bars up to its own row only."
    return difference_finding(
        difference,
        layer="features",
        culprit=f"column {difference.column}",
        remedy=lookahead_remedy(features, difference.column) if has_specs else own_remedy,
        source=tuple(map(str, hints[:3])),
    )


def _feature_warm_ups(
    features: FeatureSet, bars: pd.DataFrame, full: pd.DataFrame
) -> tuple[tuple[WarmUp, ...], list[Finding]]:
    measured = feature_memories(features, bars, full=full)
    stored = {column.name: column for column in features.columns}
    warm_ups, never = [], []
    for name, memory in measured.items():
        column = stored.get(name)
        # a memory too long to be seen on few bars was seen on the many of the probe
        is_too_short = column is not None and 3 * column.memory > len(bars)
        bars_needed = column.memory if memory is None and column and is_too_short else memory
        warm_ups.append(WarmUp(name, bars_needed, FEATURE_TOLERANCE, "standard deviations"))
        if bars_needed is None:
            never.append(
                Finding(
                    layer="warm-up",
                    culprit=f"column {name}",
                    what="never forgets on which bar the history began.",
                    found_by="beginning later",
                    remedy="Difference it, or choose a kind with a finite memory.",
                )
            )
    return tuple(warm_ups), never
