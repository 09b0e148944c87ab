"""What a report doesn't know, and where everything came from."""

from lstm_strategy.evaluation.report.sections.origin.left_out import left_out_section
from lstm_strategy.evaluation.report.sections.origin.provenance import provenance_section

__all__ = [
    "left_out_section",
    "provenance_section",
]
