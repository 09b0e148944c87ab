"""What speaks against a result."""

from lstm_strategy.evaluation.report.content import ReportContent
from lstm_strategy.evaluation.report.page import capitalise, terms_html


def alarms_section(content: ReportContent) -> str:
    """Return the reasons to doubt the result, one below the other."""
    if not content.assessment.alarms:
        return "<p>No alarm was raised.</p>"
    rows = [
        (capitalise(alarm.name), f"{alarm.message} {alarm.remedy}")
        for alarm in content.assessment.alarms
    ]
    return terms_html(rows, "alarms")
