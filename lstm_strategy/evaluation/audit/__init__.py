"""Does anything look ahead? Features, model, strategy, folds and scaler, all tried by running.

`audit` gives an `AuditReport`; `classify_indicators` tries every indicator of pandas-ta.
"""

from lstm_strategy.evaluation.audit.findings import Finding, FindingKind
from lstm_strategy.evaluation.audit.indicator_table import (
    INDICATORS_FILE,
    ClassifiedIndicator,
    classify_indicators,
    indicators_page,
)
from lstm_strategy.evaluation.audit.report import AUDIT_FILE, AuditReport, number_text
from lstm_strategy.evaluation.audit.run import audit

__all__ = [
    "AUDIT_FILE",
    "AuditReport",
    "ClassifiedIndicator",
    "Finding",
    "FindingKind",
    "INDICATORS_FILE",
    "audit",
    "classify_indicators",
    "indicators_page",
    "number_text",
]
