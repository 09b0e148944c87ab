"""Features of derivatives: funding, premium, open interest, and the term structure of futures.

Each kind reads columns of the user's beside the five of all bars, and names them by arguments whose
names say what the column is, see `roles`.
"""

from collections.abc import Callable

import pandas as pd

from lstm_strategy.learning.features.kinds.derivatives.funding import (
    funding_rate,
    funding_run,
    funding_sum,
    funding_surprise,
    predicted_funding,
)
from lstm_strategy.learning.features.kinds.derivatives.open_interest import (
    open_interest_change,
    open_interest_to_volume,
)
from lstm_strategy.learning.features.kinds.derivatives.premium import (
    mark_premium,
    perpetual_fair_price,
    perpetual_mispricing,
    premium,
)
from lstm_strategy.learning.features.kinds.derivatives.term_structure import (
    basis,
    contango,
    futures_fair_price,
    futures_mispricing,
    roll_yield,
    roll_yield_change,
)

DERIVATIVE_KINDS: dict[str, Callable[..., pd.DataFrame]] = {
    "funding_rate": funding_rate,
    "funding_sum": funding_sum,
    "funding_surprise": funding_surprise,
    "funding_run": funding_run,
    "predicted_funding": predicted_funding,
    "premium": premium,
    "mark_premium": mark_premium,
    "perpetual_mispricing": perpetual_mispricing,
    "open_interest_change": open_interest_change,
    "open_interest_to_volume": open_interest_to_volume,
    "basis": basis,
    "contango": contango,
    "roll_yield": roll_yield,
    "roll_yield_change": roll_yield_change,
    "futures_mispricing": futures_mispricing,
}
"""Functions of the bars by the name of their kind."""

FAIR_PRICES: dict[str, Callable[..., pd.Series]] = {
    "perpetual_mispricing": perpetual_fair_price,
    "futures_mispricing": futures_fair_price,
}
"""The price that a kind measures the distance from, with the arguments of the kind."""

__all__ = ["DERIVATIVE_KINDS", "FAIR_PRICES"]
