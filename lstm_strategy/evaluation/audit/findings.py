"""What the parts of an audit give: findings, checks and warm-ups."""

import math
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import pandas as pd

from lstm_strategy.learning.features import Difference


class FindingKind(StrEnum):
    """What a finding is about; the sentence in `Finding.what` is for readers alone."""

    LATER_BARS = "changes with later bars"
    REST_OF_BAR = "changes with the rest of a bar"
    READ_BEYOND = "reads beyond the end"
    NUMBER_OF_BARS = "changes with the number of bars"
    FILL_AT_CLOSE = "fills at the close"
    OTHER_TERMS = "changes its terms"
    FORETELLS = "correlates with later moves"
    OTHER_ROWS = "fitted on other rows"
    NO_TRAINING_BARS = "training bars missing"
    NO_KERAS = "Keras missing"
    BAR_BY_BAR = "differs bar by bar"
    NEVER_FORGETS = "never forgets"
    LONG_MEMORY = "long memory"
    SHARED_BARS = "shared bars"
    SHUFFLED = "shuffled folds"
    TRAINS_AFTER_TEST = "trains after the test"
    LABELS_OVERLAP = "labels overlap"


@dataclass(frozen=True)
class Finding:
    """One thing that isn't as it should be.

    Attributes:
        layer: Where: features, scaling, threshold, forecaster, strategy, costs, folds, scaler or
            warm-up.
        culprit: The column, line, order or fold.
        kind: What it is about.
        what: What is wrong, in words that follow the culprit.
        time: The first bar that differs.
        known: Its value when later bars were removed or others: a number or a few words.
        with_later: Its value with all the bars.
        found_by: What was tried.
        remedy: What to do about it.
        source: Places in the user's source that may be the cause.
        is_leak: False for a note: worth knowing, and no look-ahead.
    """

    layer: str
    culprit: str
    kind: FindingKind
    what: str
    time: pd.Timestamp | None = None
    known: float | str | None = None
    with_later: float | str | None = None
    found_by: str = ""
    remedy: str = ""
    source: tuple[str, ...] = ()
    is_leak: bool = True

    @property
    def difference(self) -> float:
        """By how much the value changes when later bars are known; NaN where it isn't a number."""
        if isinstance(self.known, str | None) or isinstance(self.with_later, str | None):
            return math.nan
        return self.with_later - self.known

    def __str__(self) -> str:
        text = f"{self.layer}: {self.culprit}: {self.what}"
        return f"{text} {self.remedy}" if self.remedy else text

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON can hold them."""
        return {
            **asdict(self),
            "time": None if self.time is None else str(self.time),
            "known": _json_value(self.known),
            "with_later": _json_value(self.with_later),
            "difference": _json_value(self.difference),
            "source": list(self.source),
        }


def _json_value(value: float | str | None) -> float | str | None:
    if isinstance(value, str | None):
        return value
    return float(value) if math.isfinite(value) else None


@dataclass(frozen=True)
class Check:
    """One thing that was tried.

    Attributes:
        name: What it was.
        n_comparisons: How many comparisons it took.
        n_leaks: How many findings it gave.
    """

    name: str
    n_comparisons: int
    n_leaks: int


@dataclass(frozen=True)
class WarmUp:
    """How many bars a feature or the network's memory needs to forget where history began.

    Attributes:
        name: The feature, or the network's memory.
        bars: From the last of so many bars on, a run that started later agrees with the full run;
            None if it never does within the bars that there are.
        tolerance: The difference up to which they agree.
        unit: The unit of the tolerance.
    """

    name: str
    bars: int | None
    tolerance: float
    unit: str


@dataclass(frozen=True)
class PartialAudit:
    """What one part of an audit gives, in the fields of an `AuditReport`."""

    findings: tuple[Finding, ...] = ()
    notes: tuple[Finding, ...] = ()
    checks: tuple[Check, ...] = ()
    warm_ups: tuple[WarmUp, ...] = ()


def finding_from_difference(
    difference: Difference,
    *,
    layer: str,
    culprit: str,
    remedy: str,
    source: tuple[str, ...] = (),
) -> Finding:
    """Return the finding that a column is which changes with later bars."""
    back = difference.bars_back
    return Finding(
        layer=layer,
        culprit=culprit,
        kind=FindingKind.LATER_BARS,
        what=f"changes when later bars do, from {back} bar{'s' if back > 1 else ''} before them.",
        time=difference.time,
        known=difference.known,
        with_later=difference.with_later,
        found_by=f"removing and altering the bars after the first {difference.n_known:,}",
        remedy=remedy,
        source=source,
    )
