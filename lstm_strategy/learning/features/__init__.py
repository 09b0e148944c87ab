"""What the network sees: causal, stationary columns of pandas-ta, and the tests that nothing in
them looks ahead or never forgets.
"""

from lstm_strategy.learning.features.augmentation import mirror_bars
from lstm_strategy.learning.features.feature_set import (
    FeatureSet,
    FeatureSpecs,
    choose_features,
)
from lstm_strategy.learning.features.indicators import BASE_COLUMNS, indicator_library, known_kinds
from lstm_strategy.learning.features.lookahead import (
    ALTERATIONS,
    Difference,
    alter_bars,
    check_causal,
    column_differences,
    cut_points,
    first_differences,
    first_unequal,
    lookahead_evidence,
    lookahead_remedy,
    pick_evenly,
)
from lstm_strategy.learning.features.presets import PRESETS
from lstm_strategy.learning.features.settling import (
    FEATURE_TOLERANCE,
    bars_to_agree,
    feature_memories,
)
from lstm_strategy.learning.features.traits import CAUSAL_FORMS, Column, measure_columns, written

__all__ = [
    "ALTERATIONS",
    "BASE_COLUMNS",
    "CAUSAL_FORMS",
    "Column",
    "Difference",
    "FEATURE_TOLERANCE",
    "FeatureSet",
    "FeatureSpecs",
    "PRESETS",
    "alter_bars",
    "bars_to_agree",
    "check_causal",
    "choose_features",
    "column_differences",
    "cut_points",
    "feature_memories",
    "first_differences",
    "first_unequal",
    "indicator_library",
    "known_kinds",
    "lookahead_evidence",
    "lookahead_remedy",
    "measure_columns",
    "mirror_bars",
    "pick_evenly",
    "written",
]
