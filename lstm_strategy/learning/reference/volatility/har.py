"""The heterogeneous autoregression of log variances, with and without the leverage effect."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lstm_strategy.learning.reference.volatility.rows import (
    LOWEST_VARIANCE,
    VarianceModel,
    VarianceRows,
)
from lstm_strategy.learning.variance import LOWEST_RATIO, SLOW_BARS

HAR_BARS = (1, 5, 22)
"""A day, a week and a month of daily bars."""

_LARGEST_LOSS = 5.0  # in units of volatility, as in the feature scaled_loss


@dataclass(frozen=True, eq=False)
class LogHarModel(VarianceModel):
    """A regression of the log variance to come on those of the last 1, 5 and 22 bars.

    With leverage, the losses over 1, 5 and 22 bars in units of volatility come beside them. Means
    of logs are not logs of means, so a forecast is multiplied by the mean ratio of what came to
    the exponential of the fit in training (smearing).

    A variance below a hundredth of the mean of the last 250 bars counts as a hundredth.

    Source:
        Corsi, "A Simple Approximate Long-Memory Model of Realized Volatility", Journal of
        Financial Econometrics 7 (2009), in logs; Corsi & Renò (2012), the leverage effect; Duan,
        "Smearing Estimate", Journal of the American Statistical Association 78 (1983).
    """

    coefficients: np.ndarray
    smearing: float
    has_leverage: bool

    @property
    def memory(self) -> int:
        """The bars of the floor below variances, and those that the longest mean looks back."""
        return SLOW_BARS + HAR_BARS[-1]

    def forecast(self, rows: VarianceRows) -> pd.Series:
        """The exponential of the fit, made right on average."""
        inputs = build_inputs(rows, has_leverage=self.has_leverage)
        variance = np.exp(inputs @ self.coefficients) * self.smearing
        return pd.Series(np.maximum(variance, LOWEST_VARIANCE), rows.variance.index)


def fit_log_har(
    rows: VarianceRows, learns: np.ndarray, horizon: int, *, has_leverage: bool
) -> LogHarModel:
    """Fit by ordinary least squares on the rows that are learned from."""
    came = rows.coming_variance(horizon)[learns].to_numpy()
    inputs = build_inputs(rows, has_leverage=has_leverage)[learns]
    labels = np.log(np.maximum(came, _floor(rows)[learns]))
    coefficients = np.linalg.lstsq(inputs, labels)[0]
    smearing = float(np.mean(came / np.exp(inputs @ coefficients)))
    return LogHarModel(coefficients, smearing, has_leverage)


def build_inputs(rows: VarianceRows, *, has_leverage: bool) -> np.ndarray:
    """A column of ones, log variances and, with leverage, losses: shape (n_bars, 4 or 7)."""
    floored = pd.Series(np.maximum(rows.variance, _floor(rows)), rows.variance.index)
    means = [floored.rolling(n_bars).mean().to_numpy() for n_bars in HAR_BARS]
    columns = [np.ones(len(floored)), *map(np.log, means)]
    if has_leverage:
        columns += [_scaled_loss(rows.returns, means[-1], n_bars) for n_bars in HAR_BARS]
    return np.column_stack(columns)


def _floor(rows: VarianceRows) -> np.ndarray:
    """The variance that a bar counts with at least, shape (n_bars,)."""
    usual = rows.variance.rolling(SLOW_BARS, min_periods=1).mean().to_numpy()
    floor: np.ndarray = np.maximum(LOWEST_RATIO * usual, LOWEST_VARIANCE)
    return floor


def _scaled_loss(returns: pd.Series, variance: np.ndarray, n_bars: int) -> np.ndarray:
    """The loss over some bars in units of the volatility of as many; 0 where there is a gain."""
    moved = returns.rolling(n_bars).sum().to_numpy() / np.sqrt(n_bars * variance)
    losses: np.ndarray = np.clip(moved, -_LARGEST_LOSS, 0.0)
    return losses
