"""Skill or luck: alarms, the permutation test, how much was tried, and one sentence."""

from lstm_strategy.evaluation.verdict.alarms import Alarm, find_alarms
from lstm_strategy.evaluation.verdict.assess import Assessment, assess_result
from lstm_strategy.evaluation.verdict.hurdles import name_bar_of_luck
from lstm_strategy.evaluation.verdict.judge import Verdict, verdict, verdict_on_returns
from lstm_strategy.evaluation.verdict.permutation import (
    KeptPermutations,
    PermutationTest,
    permutation_test,
)
from lstm_strategy.evaluation.verdict.permuted_bars import permute_bars
from lstm_strategy.evaluation.verdict.trial_record import Trial, TrialRecord

__all__ = [
    "Alarm",
    "Assessment",
    "KeptPermutations",
    "PermutationTest",
    "Trial",
    "TrialRecord",
    "Verdict",
    "assess_result",
    "find_alarms",
    "name_bar_of_luck",
    "permutation_test",
    "permute_bars",
    "verdict",
    "verdict_on_returns",
]
