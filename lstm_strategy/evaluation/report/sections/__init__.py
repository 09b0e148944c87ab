"""The sections of a report, one file each: `NAME_section(content)` returns its HTML.

A section about which nothing is known is "".
"""

from lstm_strategy.evaluation.report.sections.evidence import (
    alarms_section,
    folds_section,
    forecasts_section,
    permutation_section,
    robustness_section,
    training_section,
    verdict_section,
)
from lstm_strategy.evaluation.report.sections.origin import (
    left_out_section,
    provenance_section,
)
from lstm_strategy.evaluation.report.sections.results import (
    calendar_section,
    costs_section,
    drawdowns_section,
    equity_section,
    markets_section,
    pictures_section,
    strategies_section,
    trade_statistics_section,
    trades_section,
)

__all__ = [
    "calendar_section",
    "trade_statistics_section",
    "alarms_section",
    "costs_section",
    "drawdowns_section",
    "equity_section",
    "folds_section",
    "forecasts_section",
    "left_out_section",
    "markets_section",
    "permutation_section",
    "pictures_section",
    "provenance_section",
    "robustness_section",
    "strategies_section",
    "trades_section",
    "training_section",
    "verdict_section",
]
