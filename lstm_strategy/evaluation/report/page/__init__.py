"""The HTML that pages are made of: the page around its sections, tables, pictures and text.

Nothing here knows what a strategy is, and all text that comes from outside is escaped.
"""

from lstm_strategy.evaluation.report.page.numbers import (
    CHANGE,
    P_VALUE,
    PERCENT,
    RATIO,
    SMALL_PERCENT,
    WHOLE,
    date_texts,
    money_form,
    points_text,
    texts_of,
)
from lstm_strategy.evaluation.report.page.page import page_html
from lstm_strategy.evaluation.report.page.pictures import picture_html
from lstm_strategy.evaluation.report.page.tables import shade_classes, table_html, terms_html
from lstm_strategy.evaluation.report.page.text import capitalise, escape, settings_text

__all__ = [
    "CHANGE",
    "PERCENT",
    "P_VALUE",
    "RATIO",
    "SMALL_PERCENT",
    "WHOLE",
    "capitalise",
    "date_texts",
    "escape",
    "money_form",
    "page_html",
    "picture_html",
    "points_text",
    "settings_text",
    "shade_classes",
    "table_html",
    "terms_html",
    "texts_of",
]
