"""Strategies and indicators run in full, cut short and with other bars to come."""

from lstm_strategy.evaluation.audit.cerebro.recording import Build, cerebro_of
from lstm_strategy.evaluation.audit.cerebro.run import audit_cerebro

__all__ = ["Build", "audit_cerebro", "cerebro_of"]
