"""Strategies and indicators run in full, cut short and with other bars to come."""

from lstm_strategy.evaluation.audit.cerebro.run import audit_cerebro
from lstm_strategy.evaluation.audit.cerebro.subject import AuditSubject, CerebroFactory

__all__ = ["AuditSubject", "CerebroFactory", "audit_cerebro"]
