"""Does anything look ahead? Features, model, strategy, folds and scaler, all tried by running."""

from lstm_strategy.evaluation.audit.findings import AuditReport, Finding, number_text, time_text
from lstm_strategy.evaluation.audit.indicator_table import (
    INDICATORS_FILE,
    ClassifiedIndicator,
    classify_indicators,
    indicators_page,
)
from lstm_strategy.evaluation.audit.run import audit

__all__ = [
    "AuditReport",
    "ClassifiedIndicator",
    "Finding",
    "INDICATORS_FILE",
    "audit",
    "classify_indicators",
    "indicators_page",
    "number_text",
    "time_text",
]
