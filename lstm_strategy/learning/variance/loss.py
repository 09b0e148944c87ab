"""How far a forecast of a variance is from the variance that came."""

import numpy as np


def qlike_losses(realized: np.ndarray, forecast: np.ndarray) -> np.ndarray:
    """The QLIKE loss of each forecast: realized/forecast - ln(realized/forecast) - 1.

    It is 0 for a forecast that is right and rises with the ratio of the two, in either direction,
    more steeply where the forecast is too low. Noise in the measured variance adds to it, but
    leaves the order of two forecasts as it is, as long as the measure is right on average.

    Args:
        realized: The variances that came, shape (n_rows,), above 0.
        forecast: What was forecast, same shape and unit, above 0.

    Returns:
        Shape (n_rows,); NaN where either is, and infinite where `realized` is 0.

    Source:
        Patton, "Volatility Forecast Comparison Using Imperfect Volatility Proxies", Journal of
        Econometrics 160 (2011).

    Example:
        >>> qlike_losses(np.array([1.0, 2.0]), np.array([1.0, 1.0])).round(4).tolist()
        [0.0, 0.3069]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.asarray(realized, dtype=np.float64) / np.asarray(forecast, dtype=np.float64)
        losses: np.ndarray = ratio - np.log(ratio) - 1
    return losses
