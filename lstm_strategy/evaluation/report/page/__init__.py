"""The HTML that pages are made of: the page around its sections, tables, pictures and text.

Nothing here knows what a strategy is, and all text that comes from outside is escaped.
"""

from lstm_strategy.evaluation.report.page.numbers import date_texts, number_text, points_text
from lstm_strategy.evaluation.report.page.page import page_html
from lstm_strategy.evaluation.report.page.pictures import picture_html
from lstm_strategy.evaluation.report.page.tables import table_html, terms_html
from lstm_strategy.evaluation.report.page.text import capitalise, escape, settings_text

__all__ = [
    "capitalise",
    "date_texts",
    "escape",
    "number_text",
    "page_html",
    "picture_html",
    "points_text",
    "settings_text",
    "table_html",
    "terms_html",
]
