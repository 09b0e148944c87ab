"""Skill or luck: alarms, the permutation test, how much was tried, and one sentence."""

from lstm_strategy.evaluation.verdict.alarms import Alarm, alarms, result_named
from lstm_strategy.evaluation.verdict.judge import Verdict, verdict
from lstm_strategy.evaluation.verdict.permutation import (
    KeptPermutations,
    PermutationTest,
    permutation_test,
)
from lstm_strategy.evaluation.verdict.trial_record import Trial, TrialRecord

__all__ = [
    "Alarm",
    "KeptPermutations",
    "PermutationTest",
    "Trial",
    "TrialRecord",
    "Verdict",
    "alarms",
    "permutation_test",
    "result_named",
    "verdict",
]
