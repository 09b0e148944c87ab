"""What `audit` prints."""

from collections.abc import Sequence

from lstm_strategy.cli.output.console import say
from lstm_strategy.cli.output.tables import ResultTable, print_table
from lstm_strategy.evaluation.audit import (
    AuditReport,
    ClassifiedIndicator,
    Finding,
    number_text,
)
from lstm_strategy.support import format_time


def print_audit(report: AuditReport) -> None:
    """Print what an audit tried, what it measured, and what it found, with the verdict last."""
    checks = ResultTable(["tried", "comparisons", "findings"])
    for check in report.checks:
        checks.add_row(check.name, f"{check.n_comparisons:,}", str(check.n_leaks or "none"))
    print_table(checks)
    if report.warm_ups:
        warm_ups = ResultTable(["what remembers earlier bars", "for bars", "then agrees to within"])
        for warm_up in report.warm_ups:
            bars = "never" if warm_up.bars is None else f"{warm_up.bars:,}"
            warm_ups.add_row(warm_up.name, bars, f"{warm_up.tolerance:g} {warm_up.unit}")
        print_table(warm_ups)
    if report.findings:
        findings = ResultTable(["finding", "first bar", "known then", "with later bars"])
        for number, finding in enumerate(report.findings, 1):
            values = map(number_text, (finding.known, finding.with_later))
            culprit = f"{number}. {finding.layer}: {finding.culprit}"
            findings.add_row(culprit, format_time(finding.time), *values)
        print_table(findings)
    for number, finding in enumerate(report.findings, 1):
        _print_finding(f"{number}.", finding)
    for note in report.notes:
        _print_finding("Note:", note)
    say(report.verdict, style="bold")


def _print_finding(label: str, finding: Finding) -> None:
    say(f"{label} {finding.layer}: {finding.culprit} {finding.what}", is_code=True)
    if finding.found_by:
        say(f"   found by: {finding.found_by}", is_code=True)
    for place in finding.source:
        say(f"   look at: {place}", is_code=True)
    if finding.remedy:
        say(f"   remedy: {finding.remedy}", is_code=True)


def print_indicators(indicators: Sequence[ClassifiedIndicator]) -> None:
    """Print each indicator that isn't causal, and how many are."""
    causal = sum(indicator.verdict == "causal" for indicator in indicators)
    table = ResultTable(["kind", "verdict", "to know"], sentences=["to know"])
    for indicator in indicators:
        if indicator.verdict != "causal":
            table.add_row(indicator.kind, indicator.verdict, indicator.note)
    print_table(table)
    say(f"The other {causal} of {len(indicators)} are causal and forget where the bars began.")
