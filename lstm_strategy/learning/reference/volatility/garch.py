"""GARCH(1,1) and GJR-GARCH with Student's t, fitted by `arch` and filtered here."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from lstm_strategy.errors import TrainingError
from lstm_strategy.learning.reference.volatility.rows import (
    LOWEST_VARIANCE,
    VarianceModel,
    VarianceRows,
    bars_to_forget,
)

_LARGEST_BETA = 1 - 1e-6


@dataclass(frozen=True)
class GarchModel(VarianceModel):
    """The variance of the next return from the last return and the variance before it.

    h(next) = ω + (α + γ·[e < 0])·e² + β·h, where e is the return less its mean; γ is 0 in a plain
    GARCH. Variances further ahead go back to the usual one, and the forecast is their mean. It is
    multiplied by the mean ratio of measured variances to it in training, since a variance may be
    measured without the night, or within it.

    Attributes:
        mean: The mean log return.
        omega: ω, a variance per bar.
        alpha: α.
        gamma: γ, of negative returns.
        beta: β.
        start: The variance before the first bar.
        horizon: Bars ahead.
        scale: Of the forecast.

    Source:
        Bollerslev (1986); Glosten, Jagannathan & Runkle (1993), with the Student's t innovations of
        Bollerslev (1987).
    """

    mean: float
    omega: float
    alpha: float
    gamma: float
    beta: float
    start: float
    horizon: int
    scale: float = 1.0

    @property
    def memory(self) -> int:
        """Bars after which the variance before the first one no longer counts."""
        return bars_to_forget(self.beta)

    def forecast(self, rows: VarianceRows) -> pd.Series:
        """The mean variance of the bars to come, filtered from the first known return on."""
        variance = self._filter(rows.returns)
        persistence = self.alpha + self.gamma / 2 + self.beta
        total = ahead = variance
        for _ in range(self.horizon - 1):
            ahead = self.omega + persistence * ahead
            total = total + ahead
        return (self.scale * total / self.horizon).clip(lower=LOWEST_VARIANCE)

    def _filter(self, returns: pd.Series) -> pd.Series:
        """The variance of the next return at each bar; NaN where there is no return yet."""
        known = returns.dropna()
        shocks = known.to_numpy() - self.mean
        news = self.omega + (self.alpha + self.gamma * (shocks < 0)) * shocks**2
        # h(next) = news + β·h, as the weighted mean that it is
        weighted = np.append(self.start, news / (1 - self.beta))
        variance = pd.Series(weighted).ewm(alpha=1 - self.beta, adjust=False).mean()
        return pd.Series(variance.to_numpy()[1:], known.index).reindex(returns.index)


def fit_garch(
    rows: VarianceRows, learns: np.ndarray, horizon: int, *, kind: Literal["garch", "gjr_garch_t"]
) -> GarchModel:
    """Fit by maximum likelihood on the returns of the rows that are learned from.

    Raises:
        TrainingError: If the returns don't vary, or the likelihood has no maximum.
    """
    known = rows.returns[learns].dropna()
    unit = float(known.std())  # the likelihood is found best where returns are about 1 in size
    if not unit > np.sqrt(LOWEST_VARIANCE):
        raise TrainingError(
            "A GARCH model needs returns that vary, but the close never moves. Check the bars."
        )
    parameters = _maximise_likelihood(known.to_numpy() / unit, kind)
    model = GarchModel(
        mean=parameters["mu"] * unit,
        omega=parameters["omega"] * unit**2,
        alpha=parameters["alpha[1]"],
        gamma=parameters.get("gamma[1]", 0.0),
        beta=min(parameters["beta[1]"], _LARGEST_BETA),
        start=unit**2,
        horizon=horizon,
    )
    ratio = rows.coming_variance(horizon) / model.forecast(rows)
    return replace(model, scale=float(ratio[learns].mean()))


def _maximise_likelihood(returns: np.ndarray, kind: str) -> dict[str, float]:
    from arch import arch_model

    is_gjr = kind == "gjr_garch_t"
    model = arch_model(
        returns,
        mean="Constant",
        vol="GARCH",
        p=1,
        o=int(is_gjr),
        q=1,
        dist="t" if is_gjr else "normal",
        rescale=False,
    )
    result = model.fit(disp="off", show_warning=False)
    parameters = {str(name): float(value) for name, value in result.params.items()}
    if not np.isfinite(list(parameters.values())).all():
        raise TrainingError(
            f"The likelihood of {kind} has no maximum on {len(returns):,} returns. Train on more "
            "bars, or leave the model out."
        )
    return parameters
