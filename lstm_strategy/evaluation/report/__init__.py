"""What the evaluation found as one HTML page, and as a tearsheet of quantstats."""

from lstm_strategy.evaluation.report.content import ReportContent
from lstm_strategy.evaluation.report.report import report_html, write_report
from lstm_strategy.evaluation.report.tearsheet import write_tearsheet

__all__ = ["ReportContent", "report_html", "write_report", "write_tearsheet"]
