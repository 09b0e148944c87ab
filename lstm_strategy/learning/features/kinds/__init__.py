"""The kinds of features that are our own, beside those of pandas-ta: one file a subject.

Each kind is a function of the bars and of arguments by name; its column is known at the close of
its row. Look-ahead, units and memory are measured for them as for those of pandas-ta. Those that
look across the markets of a panel are classes in `market_wide`.
"""

from collections.abc import Callable

import pandas as pd

from lstm_strategy.learning.features.kinds.average_prices import AVERAGE_PRICE_KINDS
from lstm_strategy.learning.features.kinds.columns import (
    MIRRORED_COLUMNS,
    mirror_sign,
    own_column,
)
from lstm_strategy.learning.features.kinds.derivatives import DERIVATIVE_KINDS, FAIR_PRICES
from lstm_strategy.learning.features.kinds.market_wide import MARKET_WIDE_KINDS, MarketWide
from lstm_strategy.learning.features.kinds.momentum import (
    scaled_loss,
    scaled_macd,
    scaled_return,
)
from lstm_strategy.learning.features.kinds.roles import COLUMN_ROLES, ColumnRole
from lstm_strategy.learning.features.kinds.volatility import (
    ESTIMATOR_KINDS,
    ewm_volatility,
    log_variance_ratio,
    volatility,
)
from lstm_strategy.learning.features.kinds.volume import relative_volume

OWN_KINDS: dict[str, Callable[..., pd.DataFrame]] = {
    "column": own_column,
    "relative_volume": relative_volume,
    **ESTIMATOR_KINDS,
    "volatility": volatility,
    "ewm_volatility": ewm_volatility,
    "log_variance_ratio": log_variance_ratio,
    "scaled_return": scaled_return,
    "scaled_loss": scaled_loss,
    "scaled_macd": scaled_macd,
    **AVERAGE_PRICE_KINDS,
    **DERIVATIVE_KINDS,
}
"""Functions of the bars by the name of their kind."""

__all__ = [
    "COLUMN_ROLES",
    "ColumnRole",
    "FAIR_PRICES",
    "MARKET_WIDE_KINDS",
    "MIRRORED_COLUMNS",
    "MarketWide",
    "OWN_KINDS",
    "mirror_sign",
    "relative_volume",
]
