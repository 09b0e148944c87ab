"""Everything that an audit tried and found, as a plain result that prints and can be kept."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from lstm_strategy.evaluation.audit.findings import Check, Finding, WarmUp
from lstm_strategy.support import card_html, count_of, format_time, frame_html, write_whole

AUDIT_FILE = "audit.json"
FINDING_COLUMNS = ["layer", "culprit", "first bar", "known then", "with later bars", "what"]


@dataclass(frozen=True)
class AuditReport:
    """Everything that an audit tried and found.

    Attributes:
        subject: What was audited, in words.
        bars: On which bars, in words.
        findings: What looks ahead, or isn't as it should be.
        notes: What is worth knowing and no look-ahead.
        checks: What was tried.
        warm_ups: How many bars each feature and the network's memory need.
        seconds: How long it took.
    """

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
        """The outcome in one sentence."""
        tried = count_of(sum(check.n_comparisons for check in self.checks), "comparison")
        besides = f"; {count_of(len(self.notes), 'note')}" if self.notes else ""
        if self.is_clean:
            return f"Clean: nothing looked ahead in {tried}{besides}."
        return f"{count_of(len(self.findings), 'finding')} in {tried}{besides}."

    @property
    def table(self) -> pd.DataFrame:
        """One row a finding, as text."""
        rows = [
            [
                finding.layer,
                finding.culprit,
                format_time(finding.time),
                number_text(finding.known),
                number_text(finding.with_later),
                finding.what,
            ]
            for finding in self.findings
        ]
        return pd.DataFrame(rows, columns=FINDING_COLUMNS)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON can hold it."""
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
        """Return the report as JSON text."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n"

    def save(self, folder: str | Path) -> Path:
        """Write `audit.json` into a folder, whole or not at all, and return its path."""
        return write_whole(Path(folder) / AUDIT_FILE, self.to_json())

    def __repr__(self) -> str:
        lines = [f"AuditReport({self.subject}, {self.bars}): {self.verdict}"]
        lines += [f"  - {finding}" for finding in self.findings]
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        tables = [frame_html(self.table.set_index("layer"))] if self.findings else []
        tried = {check.name: f"{check.n_comparisons:,}" for check in self.checks}
        tables.append(frame_html(pd.DataFrame({"comparisons": tried}).rename_axis("tried")))
        remedies = [str(found) for found in (*self.findings, *self.notes) if found.remedy]
        title = f"Audit of {self.subject}"
        facts = {"Bars": self.bars, "Time": f"{self.seconds:.1f} s"}
        return card_html(title, about=self.verdict, facts=facts, parts=tables, notes=remedies)


def number_text(value: float | str | None) -> str:
    """Write a value for a table: six digits, words as they are.

    Example:
        >>> number_text(1234.56789)
        '1234.57'
    """
    if value is None or isinstance(value, str):
        return value or ""
    return f"{value:.6g}"
