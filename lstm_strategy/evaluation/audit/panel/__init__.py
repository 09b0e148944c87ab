"""Portfolios and their models run in full and with fewer bars, or others, after a date."""

from lstm_strategy.evaluation.audit.panel.run import audit_panel

__all__ = ["audit_panel"]
