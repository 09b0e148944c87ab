"""How far off a variance forecast is: losses that a noisy measure of the truth doesn't mislead.

The truth is never seen. What stands in for it, such as a sum of squared returns, is right on
average only, and under most losses the best forecast of the stand-in isn't the variance: Patton
(2011) shows that squared error and QLIKE are among the few losses that rank forecasts as the true
variance would.
"""

from collections.abc import Callable

import numpy as np

LossFunction = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""A loss of realised and forecast variances, both of shape (n_bars,); it gives one loss a bar."""


def qlike(realized: np.ndarray, forecast: np.ndarray) -> np.ndarray:
    """Return the QLIKE loss of each forecast, realised / forecast − log(realised / forecast) − 1.

    Only the ratio counts, so that calm and wild years weigh the same and no unit matters. Half of
    the truth costs more (0.31) than twice the truth (0.19).

    Args:
        realized: Variances that came, above zero, shape (n_bars,).
        forecast: Variances that were forecast, above zero, shape (n_bars,), in the same unit.

    Returns:
        Shape (n_bars,); 0 where the forecast is right, else positive. NaN where an input is.

    Source:
        Patton (2011), "Volatility forecast comparison using imperfect volatility proxies": of the
        homogeneous losses of Proposition 4, the one with b = −2.

    Example:
        >>> qlike(np.array([1.0, 1.0, 1.0]), np.array([1.0, 0.5, 2.0])).round(4).tolist()
        [0.0, 0.3069, 0.1931]
    """
    ratio = realized / forecast
    losses: np.ndarray = ratio - np.log(ratio) - 1.0
    return losses


def squared_error(realized: np.ndarray, forecast: np.ndarray) -> np.ndarray:
    """Return the squared error of each forecast, in the unit of the variance squared.

    A few wild days decide its mean, since it grows with the fourth power of a move.

    Args:
        realized: Variances that came, shape (n_bars,).
        forecast: Variances that were forecast, shape (n_bars,), in the same unit.

    Returns:
        Shape (n_bars,); NaN where an input is.

    Source:
        Patton (2011), the same losses with b = 0, times two.

    Example:
        >>> squared_error(np.array([1.0, 4.0]), np.array([1.5, 2.0])).tolist()
        [0.25, 4.0]
    """
    losses: np.ndarray = (realized - forecast) ** 2
    return losses
