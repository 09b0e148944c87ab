"""Models for those who only use them: opened by folder, forecast once, cached."""

from lstm_strategy.learning.serving.forecast_cache import forecast_with_cache
from lstm_strategy.learning.serving.open import (
    forecast_markets,
    open_forecaster,
    precompute_forecasts,
)
from lstm_strategy.learning.serving.precomputed import (
    PrecomputedForecasts,
    PrecomputedPanel,
    precomputed_frame,
    precomputed_markets,
)
from lstm_strategy.learning.serving.strange_bars import (
    describe_strange_bars,
    novelty_of_bars,
    strange_shares,
)

__all__ = [
    "PrecomputedForecasts",
    "PrecomputedPanel",
    "describe_strange_bars",
    "forecast_markets",
    "forecast_with_cache",
    "novelty_of_bars",
    "open_forecaster",
    "precompute_forecasts",
    "precomputed_frame",
    "precomputed_markets",
    "strange_shares",
]
