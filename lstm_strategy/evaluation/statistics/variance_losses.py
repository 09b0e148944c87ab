"""How far off a variance forecast is: losses that a noisy measure of the truth doesn't mislead.

The truth is never seen. What stands in for it, such as a sum of squared returns, is right on
average only, and under most losses the best forecast of the stand-in isn't the variance: Patton
(2011) shows that squared error and QLIKE (`qlike_losses` in `learning.variance`) are among the few
losses that rank forecasts as the true variance would.
"""

from collections.abc import Callable

import numpy as np

LossFunction = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""A loss of realised and forecast variances, both of shape (n_bars,); it gives one loss a bar."""


def squared_error(realized: np.ndarray, forecast: np.ndarray) -> np.ndarray:
    """Return the squared error of each forecast, in the unit of the variance squared.

    A few wild days decide its mean, since it grows with the fourth power of a move.

    Args:
        realized: Variances that came, shape (n_bars,).
        forecast: Variances that were forecast, shape (n_bars,), in the same unit.

    Returns:
        Shape (n_bars,); NaN where an input is.

    Source:
        Patton (2011), "Volatility forecast comparison using imperfect volatility proxies": of the
        homogeneous losses of Proposition 4, twice the one with b = 0.

    Example:
        >>> squared_error(np.array([1.0, 4.0]), np.array([1.5, 2.0])).tolist()
        [0.25, 4.0]
    """
    losses: np.ndarray = (realized - forecast) ** 2
    return losses
