"""What the network is asked: the only room that looks forward."""

from lstm_strategy.learning.targets.direction import (
    OWN_TARGET,
    TARGETS,
    Target,
    label_weights,
    move_weights,
    target_labels,
    target_name,
)

__all__ = [
    "OWN_TARGET",
    "TARGETS",
    "Target",
    "label_weights",
    "move_weights",
    "target_labels",
    "target_name",
]
