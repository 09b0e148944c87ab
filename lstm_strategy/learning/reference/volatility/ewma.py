"""An exponentially weighted moving average of variances."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lstm_strategy.learning.reference.volatility.rows import (
    LOWEST_VARIANCE,
    VarianceModel,
    VarianceRows,
    bars_to_forget,
)

_DECAYS = 1 - np.geomspace(0.005, 0.6, 40)


@dataclass(frozen=True)
class EwmaModel(VarianceModel):
    """The weighted mean of past variances, each bar weighing `decay` times the next one.

    The forecast is the same for all bars to come.

    Source:
        J.P. Morgan & Reuters, "RiskMetrics: Technical Document" (1996): 0.94 for daily bars.
    """

    decay: float

    @property
    def memory(self) -> int:
        """Bars after which the weights have all but vanished."""
        return bars_to_forget(self.decay)

    def forecast(self, rows: VarianceRows) -> pd.Series:
        """The weighted mean at each bar."""
        return rows.variance.ewm(alpha=1 - self.decay).mean().clip(lower=LOWEST_VARIANCE)


def fit_ewma(rows: VarianceRows, learns: np.ndarray, horizon: int) -> EwmaModel:
    """Choose the decay with the smallest QLIKE loss on the rows that are learned from."""
    came = rows.coming_variance(horizon)[learns]

    def loss(model: EwmaModel) -> float:
        forecast = model.forecast(rows)[learns]
        # QLIKE but for what doesn't depend on the forecast, and is infinite where nothing moved
        return float((came / forecast + np.log(forecast)).mean())

    return min((EwmaModel(float(decay)) for decay in _DECAYS), key=loss)
