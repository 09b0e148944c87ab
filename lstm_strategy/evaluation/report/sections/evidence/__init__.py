"""What the result is worth: the verdict, the forecasts, and what speaks against both."""

from lstm_strategy.evaluation.report.sections.evidence.alarms import alarms_section
from lstm_strategy.evaluation.report.sections.evidence.folds import folds_section
from lstm_strategy.evaluation.report.sections.evidence.forecasts import forecasts_section
from lstm_strategy.evaluation.report.sections.evidence.permutation import permutation_section
from lstm_strategy.evaluation.report.sections.evidence.robustness import robustness_section
from lstm_strategy.evaluation.report.sections.evidence.training import training_section
from lstm_strategy.evaluation.report.sections.evidence.verdict import verdict_section

__all__ = [
    "alarms_section",
    "folds_section",
    "forecasts_section",
    "permutation_section",
    "robustness_section",
    "training_section",
    "verdict_section",
]
