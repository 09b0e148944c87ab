"""The search for settings: trials scored out of sample by a walk forward."""

from lstm_strategy.learning.search.kept_forecasts import read_kept
from lstm_strategy.learning.search.market_forecasts import (
    dates_of,
    join_markets,
    returns_by_date,
    split_markets,
)
from lstm_strategy.learning.search.objectives import (
    LEARNING_OBJECTIVES,
    Objective,
    OutOfSampleForecasts,
    auc_of,
    log_loss_of,
)
from lstm_strategy.learning.search.run import Search, search
from lstm_strategy.learning.search.space import (
    DEFAULT_SPACE,
    DEFAULT_STRATEGY_SPACE,
    SearchSpace,
    Setting,
    Space,
)
from lstm_strategy.learning.search.storage import (
    explain_lost_storage,
    open_storage,
    open_study,
)
from lstm_strategy.learning.search.trial import SearchTask

__all__ = [
    "DEFAULT_SPACE",
    "DEFAULT_STRATEGY_SPACE",
    "LEARNING_OBJECTIVES",
    "Objective",
    "OutOfSampleForecasts",
    "Search",
    "SearchSpace",
    "SearchTask",
    "Setting",
    "Space",
    "auc_of",
    "dates_of",
    "explain_lost_storage",
    "join_markets",
    "log_loss_of",
    "open_storage",
    "open_study",
    "read_kept",
    "returns_by_date",
    "search",
    "split_markets",
]
