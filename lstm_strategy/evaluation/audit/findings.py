"""What an audit found, as a plain result that prints, plots nothing and can be kept."""

import json
import math
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from lstm_strategy.learning.features import Difference
from lstm_strategy.support import write_whole

AUDIT_FILE = "audit.json"
FINDING_COLUMNS = ["layer", "culprit", "first bar", "known then", "with later bars", "what"]


@dataclass(frozen=True)
class Finding:
    """One thing that isn't as it should be.

    layer:       where: features, scaling, threshold, forecaster, strategy, folds, scaler, warm-up
    culprit:     the column, line, order or fold
    what:        what is wrong, in a sentence
    time:        the first bar that differs
    known:       its value when later bars were removed or others (a number or a few words)
    with_later:  its value with all the bars
    found_by:    what was tried
    remedy:      what to do about it
    source:      places in the user's source that may be the cause
    is_leak:     False for what is worth knowing and no look-ahead
    """

    layer: str
    culprit: str
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
        """The fields as JSON can hold them."""
        return {
            **asdict(self),
            "time": None if self.time is None else str(self.time),
            "known": _plain(self.known),
            "with_later": _plain(self.with_later),
            "difference": _plain(self.difference),
            "source": list(self.source),
        }


@dataclass(frozen=True)
class Check:
    """One thing that was tried: how many comparisons it took, and how many findings it gave."""

    name: str
    n_comparisons: int
    n_leaks: int


@dataclass(frozen=True)
class WarmUp:
    """How many bars a feature or the network's memory needs to forget where history began.

    From the last of these ``bars`` on, a run that started later agrees with the full run within
    ``tolerance``; None if it never does within the bars that there are.
    """

    name: str
    bars: int | None
    tolerance: float
    unit: str


@dataclass(frozen=True)
class PartialAudit:
    """What one part of an audit gives."""

    findings: tuple[Finding, ...] = ()
    notes: tuple[Finding, ...] = ()
    checks: tuple[Check, ...] = ()
    warm_ups: tuple[WarmUp, ...] = ()


@dataclass(frozen=True)
class AuditReport:
    """Everything that an audit tried and found. ``is_clean`` means that nothing looks ahead."""

    subject: str
    bars: str
    findings: tuple[Finding, ...]
    notes: tuple[Finding, ...]
    checks: tuple[Check, ...]
    warm_ups: tuple[WarmUp, ...]
    seconds: float

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    @property
    def verdict(self) -> str:
        """One sentence."""
        n_tried = sum(check.n_comparisons for check in self.checks)
        if self.is_clean:
            return f"Clean: nothing looked ahead in {n_tried:,} comparisons."
        count = len(self.findings)
        return f"{count} finding{'s' if count > 1 else ''} in {n_tried:,} comparisons."

    @property
    def table(self) -> pd.DataFrame:
        """One row a finding, as text."""
        rows = [
            [f.layer, f.culprit, time_text(f.time), *map(number_text, values), f.what]
            for f in self.findings
            for values in [(f.known, f.with_later)]
        ]
        return pd.DataFrame(rows, columns=FINDING_COLUMNS)

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON can hold it."""
        return {
            "subject": self.subject,
            "bars": self.bars,
            "is_clean": self.is_clean,
            "verdict": self.verdict,
            "findings": [finding.to_dict() for finding in self.findings],
            "notes": [note.to_dict() for note in self.notes],
            "checks": [asdict(check) for check in self.checks],
            "warm_ups": [asdict(warm_up) for warm_up in self.warm_ups],
            "seconds": round(self.seconds, 2),
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
        }

    def to_json(self) -> str:
        """The report as JSON text."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n"

    def save(self, folder: str | Path) -> Path:
        """Write ``audit.json`` into a folder, whole or not at all; returns its path."""
        return write_whole(Path(folder) / AUDIT_FILE, self.to_json().encode())

    def __repr__(self) -> str:
        lines = [f"AuditReport({self.subject}, {self.bars}): {self.verdict}"]
        lines += [f"  - {finding}" for finding in self.findings]
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        parts = [
            f"<p><b>{escape(self.subject)}</b>, {escape(self.bars)}: {escape(self.verdict)}</p>"
        ]
        if self.findings:
            parts.append(self.table.to_html(index=False, escape=True))
        remedies = [f for f in (*self.findings, *self.notes) if f.remedy]
        items = "".join(f"<li>{escape(str(finding))}</li>" for finding in remedies)
        return "".join(parts) + (f"<ul>{items}</ul>" if items else "")


def difference_finding(
    difference: Difference,
    *,
    layer: str,
    culprit: str,
    remedy: str,
    source: tuple[str, ...] = (),
) -> Finding:
    """The finding that a differing column is."""
    back = difference.bars_back
    return Finding(
        layer=layer,
        culprit=culprit,
        what=f"changes when later bars do, from {back} bar{'s' if back > 1 else ''} before them.",
        time=difference.time,
        known=difference.known,
        with_later=difference.with_later,
        found_by=f"removing and altering the bars after the first {difference.n_known:,}",
        remedy=remedy,
        source=source,
    )


def time_text(time: pd.Timestamp | None) -> str:
    """A bar's time, the short way where it has no time of day."""
    return "" if time is None else str(time).removesuffix(" 00:00:00")


def number_text(value: float | str | None) -> str:
    """A value for a table: six digits, words as they are."""
    if value is None or isinstance(value, str):
        return value or ""
    return f"{value:.6g}"


def _plain(value: Any) -> Any:
    is_no_number = isinstance(value, float) and not math.isfinite(value)
    return None if is_no_number else (float(value) if isinstance(value, float) else value)
