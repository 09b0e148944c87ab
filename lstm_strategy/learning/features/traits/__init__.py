"""What kind of numbers a feature gives: the traits of its columns, measured by probes.

`measure` asks for them, a `probe` runs one indicator on variations of the `made_up_bars`, and
`column_traits` holds the outcome and frees values of their units.
"""

from lstm_strategy.learning.features.traits.column_traits import (
    ColumnTraits,
    UnitInputs,
    feature_values,
)
from lstm_strategy.learning.features.traits.made_up_bars import coarse_bars, complete_bars
from lstm_strategy.learning.features.traits.measure import (
    look_across,
    measure_columns,
    reads_volume,
)
from lstm_strategy.learning.features.traits.probe import (
    CAUSAL_FORMS,
    causal_remedy,
    steady_warm_up,
)

__all__ = [
    "CAUSAL_FORMS",
    "ColumnTraits",
    "UnitInputs",
    "causal_remedy",
    "coarse_bars",
    "complete_bars",
    "feature_values",
    "look_across",
    "measure_columns",
    "reads_volume",
    "steady_warm_up",
]
