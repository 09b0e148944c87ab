"""What the network is asked, one target per file: the only room that looks forward."""

from lstm_strategy.learning.targets.base import FORECAST_COLUMNS, Head, SignalScale, Target
from lstm_strategy.learning.targets.choice import TARGETS, choose_target
from lstm_strategy.learning.targets.direction import Direction, forward_return, move_weights
from lstm_strategy.learning.targets.own import LabelFunction, OwnTarget

__all__ = [
    "Direction",
    "FORECAST_COLUMNS",
    "Head",
    "LabelFunction",
    "OwnTarget",
    "SignalScale",
    "TARGETS",
    "Target",
    "choose_target",
    "forward_return",
    "move_weights",
]
