"""The checks that no feature looks ahead, and no column of the user's was made from later bars.

`alteration` removes and alters the bars to come, `lookahead` looks for what changes by it, and
`evidence` sets finished columns beside the moves that follow.
"""

from lstm_strategy.learning.features.causality.alteration import (
    ALTERATIONS,
    alter_bars,
    cut_points,
    pick_evenly,
)
from lstm_strategy.learning.features.causality.evidence import (
    LookaheadEvidence,
    lookahead_evidence,
)
from lstm_strategy.learning.features.causality.lookahead import (
    Difference,
    check_causal,
    column_differences,
    first_differences,
    first_unequal,
    lookahead_remedy,
)

__all__ = [
    "ALTERATIONS",
    "Difference",
    "LookaheadEvidence",
    "alter_bars",
    "check_causal",
    "column_differences",
    "cut_points",
    "first_differences",
    "first_unequal",
    "lookahead_evidence",
    "lookahead_remedy",
    "pick_evenly",
]
