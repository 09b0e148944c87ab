"""What the evaluation found as one HTML page, and as a tearsheet."""

from lstm_strategy.evaluation.report.report import find_known_alarms, write_report
from lstm_strategy.evaluation.report.tearsheet import write_tearsheet

__all__ = ["find_known_alarms", "write_report", "write_tearsheet"]
