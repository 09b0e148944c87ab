"""What the evaluation found as one HTML page, and as a tearsheet of quantstats.

And the parts that other pages are made of, which know nothing of strategies.
"""

from lstm_strategy.evaluation.report.content import ReportContent
from lstm_strategy.evaluation.report.page import (
    escape,
    page_html,
    picture_html,
    table_html,
    terms_html,
)
from lstm_strategy.evaluation.report.report import report_html, write_report
from lstm_strategy.evaluation.report.tearsheet import write_tearsheet

__all__ = [
    "ReportContent",
    "escape",
    "page_html",
    "picture_html",
    "report_html",
    "table_html",
    "terms_html",
    "write_report",
    "write_tearsheet",
]
