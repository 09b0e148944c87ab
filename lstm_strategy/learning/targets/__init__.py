"""What the network is asked, one target per file: the only room that looks forward."""

from lstm_strategy.learning.targets.base import (
    FORECAST_COLUMNS,
    AnsweredRows,
    Head,
    Loss,
    SignalScale,
    Target,
    TrainingDefaults,
)
from lstm_strategy.learning.targets.binary import BinaryTarget
from lstm_strategy.learning.targets.choice import (
    TARGETS,
    TargetChoice,
    choose_target,
    describe_target,
)
from lstm_strategy.learning.targets.direction import Direction, forward_return, move_weights
from lstm_strategy.learning.targets.own import LabelFunction, OwnTarget

__all__ = [
    "AnsweredRows",
    "BinaryTarget",
    "Direction",
    "FORECAST_COLUMNS",
    "Head",
    "LabelFunction",
    "Loss",
    "OwnTarget",
    "SignalScale",
    "TARGETS",
    "Target",
    "TargetChoice",
    "TrainingDefaults",
    "choose_target",
    "describe_target",
    "forward_return",
    "move_weights",
]
