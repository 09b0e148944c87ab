"""Models of volatility that a network should beat: EWMA, log-HAR and GARCH, one file a family.

Each is fitted on the known bars of a fold and then filtered through its bars with those
parameters. They take the place of an LSTM in `walk_forward`, and forecast what it is asked.
"""

from lstm_strategy.learning.reference.volatility.forecaster import (
    VolatilityForecaster,
    volatility_baselines,
)

__all__ = ["VolatilityForecaster", "volatility_baselines"]
