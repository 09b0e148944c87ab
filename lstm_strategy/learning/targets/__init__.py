"""What the network is asked, one target per file: the only room that looks forward."""

from lstm_strategy.learning.targets.base import FORECAST_COLUMNS, Target
from lstm_strategy.learning.targets.binary import BinaryTarget
from lstm_strategy.learning.targets.choice import (
    TARGETS,
    TargetChoice,
    choose_target,
    describe_target,
)
from lstm_strategy.learning.targets.direction import Direction, forward_return, move_weights
from lstm_strategy.learning.targets.moves import Quantiles, Return, TripleBarrier
from lstm_strategy.learning.targets.own import LabelFunction, OwnTarget
from lstm_strategy.learning.targets.parts import (
    AnsweredRows,
    Head,
    Loss,
    SignalScale,
    TrainingDefaults,
)
from lstm_strategy.learning.targets.policy import DEFAULT_COST_RATE, Policy
from lstm_strategy.learning.targets.volatility import Volatility

__all__ = [
    "AnsweredRows",
    "BinaryTarget",
    "DEFAULT_COST_RATE",
    "Direction",
    "FORECAST_COLUMNS",
    "Head",
    "LabelFunction",
    "Loss",
    "OwnTarget",
    "Quantiles",
    "Return",
    "Policy",
    "SignalScale",
    "TARGETS",
    "Target",
    "TargetChoice",
    "TrainingDefaults",
    "TripleBarrier",
    "Volatility",
    "choose_target",
    "describe_target",
    "forward_return",
    "move_weights",
]
