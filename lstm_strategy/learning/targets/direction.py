"""Will the close be higher? Each move weighs by its size."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lstm_strategy.learning.targets.binary import BinaryTarget

_USUAL_BARS = 100
_LARGEST_WEIGHT = 3.0


@dataclass(frozen=True)
class Direction(BinaryTarget):
    """Is the close `horizon` bars later higher than this one?

    The forecast is how likely a rise is, with moves weighted by their size, so that rises and
    falls cancel at 0.5.

    Example:
        >>> bars = pd.DataFrame({"close": [100.0, 110.0, 99.0]})
        >>> Direction().labels(bars, horizon=1).tolist()
        [1.0, 0.0, nan]
    """

    @property
    def name(self) -> str:
        """`"direction"`."""
        return "direction"

    def labels(self, bars: pd.DataFrame, horizon: int) -> pd.Series:
        """1 where the close `horizon` bars later is higher, else 0.

        Args:
            bars: Bars with a close, shape (n_bars, n_columns).
            horizon: Bars ahead.

        Returns:
            Shape (n_bars,); an unchanged close counts as 0; the last `horizon` values are NaN.
        """
        later = forward_return(bars["close"], horizon=horizon)
        return (later > 0).astype(float).where(later.notna())

    def weights(self, bars: pd.DataFrame, horizon: int) -> pd.Series:
        """The size of the move that decides each label, see `move_weights`."""
        return move_weights(bars["close"], horizon=horizon)

    def mirror_labels(self, labels: np.ndarray) -> np.ndarray:
        """The opposite of each label: a rise is a fall in the mirror."""
        return 1 - labels

    def describe_constant(self, label: float, horizon: int) -> str:
        """Say that the close only ever rises, or falls."""
        return f": the close never {'falls' if label else 'rises'} over {horizon} bars"


def forward_return(close: pd.Series, *, horizon: int) -> pd.Series:
    """The return from each close to the close `horizon` bars later.

    Args:
        close: Closes, shape (n_bars,).
        horizon: Bars ahead.

    Returns:
        Shape (n_bars,), fractions; the last `horizon` values are NaN.

    Example:
        >>> forward_return(pd.Series([100.0, 110.0, 99.0]), horizon=1).round(2).tolist()
        [0.1, -0.1, nan]
    """
    return close.shift(-horizon) / close - 1


def move_weights(close: pd.Series, *, horizon: int) -> pd.Series:
    """How much each label matters: the size of the move that decides it, against what is usual.

    A rise of 2% among moves of 1% says more about what comes next, and earns more, than one of
    0.02%. For normally distributed returns the weights make as much of 100 bars as bare
    directions make of 157 (an efficiency of 1 against 2/π).

    Args:
        close: Closes, shape (n_bars,).
        horizon: Bars ahead.

    Returns:
        Shape (n_bars,): the absolute forward return over its typical size, which is the standard
        deviation of the last 100 one-bar returns times the root of `horizon`; at most 3, and 1
        where nothing is usual yet; 0 without a move. NaN in the last `horizon` rows.

    Example:
        >>> close = pd.Series([100.0, 101.0, 100.0, 101.0, 103.02])
        >>> move_weights(close, horizon=1).round(1).tolist()
        [1.0, 1.0, 0.7, 1.7, nan]
    """
    usual = close.pct_change().rolling(_USUAL_BARS, min_periods=2).std() * np.sqrt(horizon)
    size = forward_return(close, horizon=horizon).abs()
    weights: pd.Series = (size / usual).clip(upper=_LARGEST_WEIGHT).where(usual > 0, 1.0)
    return weights.where(size > 0, 0.0).where(size.notna())
