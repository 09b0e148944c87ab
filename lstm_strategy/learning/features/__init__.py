"""What the network sees: causal, stationary columns, and the checks that none of them looks ahead.

Columns come from pandas-ta; what they measure and how long they remember is measured.
"""

from lstm_strategy.learning.features.augmentation import mirror_bars
from lstm_strategy.learning.features.causality import (
    ALTERATIONS,
    Difference,
    LookaheadEvidence,
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
from lstm_strategy.learning.features.feature_set import FeatureSet, choose_features, join_features
from lstm_strategy.learning.features.indicators import (
    BASE_COLUMNS,
    FeatureSpecs,
    format_spec,
    indicator_library,
    known_kinds,
)
from lstm_strategy.learning.features.input_checks import (
    check_inputs,
    check_markets_meet,
    check_training_inputs,
    describe_wrong_input,
)
from lstm_strategy.learning.features.presets import PRESETS
from lstm_strategy.learning.features.price_lines import price_lines
from lstm_strategy.learning.features.settling import (
    FEATURE_TOLERANCE,
    Memory,
    bars_to_agree,
    feature_memories,
    measure_memories,
    settle_features,
)
from lstm_strategy.learning.features.trailing import TrailingFeatures, TrailingPanel
from lstm_strategy.learning.features.traits import (
    CAUSAL_FORMS,
    ColumnTraits,
    complete_bars,
    measure_columns,
)

__all__ = [
    "ALTERATIONS",
    "BASE_COLUMNS",
    "CAUSAL_FORMS",
    "ColumnTraits",
    "Difference",
    "FEATURE_TOLERANCE",
    "FeatureSet",
    "FeatureSpecs",
    "LookaheadEvidence",
    "Memory",
    "PRESETS",
    "TrailingFeatures",
    "TrailingPanel",
    "alter_bars",
    "bars_to_agree",
    "check_causal",
    "check_inputs",
    "check_markets_meet",
    "check_training_inputs",
    "choose_features",
    "column_differences",
    "complete_bars",
    "cut_points",
    "describe_wrong_input",
    "feature_memories",
    "first_differences",
    "first_unequal",
    "format_spec",
    "indicator_library",
    "join_features",
    "known_kinds",
    "lookahead_evidence",
    "lookahead_remedy",
    "measure_columns",
    "measure_memories",
    "mirror_bars",
    "pick_evenly",
    "price_lines",
    "settle_features",
]
