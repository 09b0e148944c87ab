"""What the models of volatility see of bars, and what they are fitted to."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lstm_strategy.learning.variance import measure_variance

LOWEST_VARIANCE = 1e-16
"""Per bar: no forecast is below it, so that a market that stands still has a volatility, too."""

_FORGOTTEN = 1e-7  # the share of a forecast that may hang on where the history began
_MOST_MEMORY = 20_000  # bars


@dataclass(frozen=True, eq=False)
class VarianceRows:
    """What the models see: one row a bar, known at its close.

    Attributes:
        variance: The measured variance of each bar, shape (n_bars,); NaN where it isn't known.
        returns: The log return of each bar from the close before, shape (n_bars,); the first is
            NaN.
    """

    variance: pd.Series
    returns: pd.Series

    @classmethod
    def of_bars(
        cls, bars: pd.DataFrame, *, estimator: str | None, column: str | None
    ) -> "VarianceRows":
        """Measure bars; see `measure_variance`."""
        returns = np.diff(np.log(bars["close"].to_numpy(np.float64)), prepend=np.nan)
        variance = measure_variance(bars, estimator=estimator, column=column)
        return cls(variance, pd.Series(returns, bars.index))

    def coming_variance(self, horizon: int) -> pd.Series:
        """The mean variance of the next `horizon` bars: what is forecast. NaN in the last rows."""
        return self.variance.rolling(horizon).mean().shift(-horizon)


class VarianceModel(ABC):
    """A fitted model: it filters rows with fixed parameters."""

    @property
    @abstractmethod
    def memory(self) -> int:
        """Bars after which a forecast no longer depends on where the rows began."""

    @abstractmethod
    def forecast(self, rows: VarianceRows) -> pd.Series:
        """Forecast the mean variance per bar of the bars to come.

        Returns:
            Shape (n_bars,), known at the close of the row; NaN where too little is known.
        """


def bars_to_forget(decay: float) -> int:
    """The bars after which weights that fall by this factor a bar have all but vanished."""
    if decay <= _FORGOTTEN:
        return 1
    return min(_MOST_MEMORY, int(np.ceil(np.log(_FORGOTTEN) / np.log(decay))))
