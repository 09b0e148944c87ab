"""From bars to a trained network: settings, training set, batches, and the fit itself."""

from typing import TYPE_CHECKING

from lstm_strategy.learning.training.dataset import (
    OnBad,
    build_training_set,
    drop_market,
    panel_frames,
)
from lstm_strategy.learning.training.enough_bars import (
    check_enough_bars,
    fewest_rows,
)
from lstm_strategy.learning.training.held_out import Spans
from lstm_strategy.learning.training.settings import (
    FeatureUnits,
    ForecasterSettings,
    MarketInputs,
    RealNumber,
    WholeNumber,
)
from lstm_strategy.learning.training.training_set import TrainingSet
from lstm_strategy.support.lazy import import_on_first_use

if TYPE_CHECKING:
    from lstm_strategy.learning.training.fit import fit_network

__all__ = [
    "FeatureUnits",
    "ForecasterSettings",
    "MarketInputs",
    "OnBad",
    "RealNumber",
    "Spans",
    "TrainingSet",
    "WholeNumber",
    "build_training_set",
    "check_enough_bars",
    "drop_market",
    "fewest_rows",
    "fit_network",
    "panel_frames",
]

__getattr__ = import_on_first_use(
    __name__,
    {
        "fit_network": ".fit",
    },
)
