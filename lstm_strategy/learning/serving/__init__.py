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

__all__ = [
    "PrecomputedForecasts",
    "PrecomputedPanel",
    "forecast_markets",
    "forecast_with_cache",
    "open_forecaster",
    "precompute_forecasts",
    "precomputed_frame",
    "precomputed_markets",
]
