"""From bars to a trained network: settings, training set, batches, and the fit itself."""

from typing import TYPE_CHECKING

from lstm_strategy.learning.training.dataset import (
    TrainingSet,
    build_training_set,
    check_enough_bars,
    fewest_rows,
)
from lstm_strategy.learning.training.settings import ForecasterSettings
from lstm_strategy.support.lazy import import_on_first_use

if TYPE_CHECKING:
    from lstm_strategy.learning.training.fit import fit_network

__all__ = [
    "ForecasterSettings",
    "TrainingSet",
    "build_training_set",
    "check_enough_bars",
    "fewest_rows",
    "fit_network",
]

__getattr__ = import_on_first_use(
    __name__,
    {
        "fit_network": ".fit",
    },
)
