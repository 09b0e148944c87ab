"""What the strategies did: their numbers, curves, costs, markets and trades."""

from lstm_strategy.evaluation.report.sections.results.calendar import calendar_section
from lstm_strategy.evaluation.report.sections.results.costs import costs_section
from lstm_strategy.evaluation.report.sections.results.drawdowns import drawdowns_section
from lstm_strategy.evaluation.report.sections.results.equity import equity_section
from lstm_strategy.evaluation.report.sections.results.markets import markets_section
from lstm_strategy.evaluation.report.sections.results.pictures import pictures_section
from lstm_strategy.evaluation.report.sections.results.strategies import strategies_section
from lstm_strategy.evaluation.report.sections.results.trade_statistics import (
    trade_statistics_section,
)
from lstm_strategy.evaluation.report.sections.results.trades import trades_section

__all__ = [
    "calendar_section",
    "trade_statistics_section",
    "costs_section",
    "drawdowns_section",
    "equity_section",
    "markets_section",
    "pictures_section",
    "strategies_section",
    "trades_section",
]
