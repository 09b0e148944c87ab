"""How much of a signal is left once it was tried on bars that weren't learned from."""

import numpy as np

_FEWEST_ERRORS = 2.0  # standard errors of the slope below which nothing is kept


def measure_confidence(
    forecast: np.ndarray,
    realized: np.ndarray,
    *,
    horizon: int,
    dates: np.ndarray | None = None,
) -> float:
    """Shrink the slope of realised on forecast moves towards zero, by how uncertain it is.

    The slope is that of a line through the origin. With a t-statistic of t the share that is kept
    is 1 - 4/t²: nothing below two standard errors, and of forecasts that hold up hardly anything
    less. It is one rule for all targets. What a policy gains on top of its prior is tried as
    a forecast that always says the same.

    James and Stein take 1/t², which loses the least where a loss is the square of an error. A trade
    costs more than that: with 1/t², forecasts that were lucky on held-out bars by a little more
    than one standard error went on trading. (On the Nasdaq index, 1999-2018, two of ten yearly
    networks kept a share with 1/t² and earned nothing by it, and none does with 4/t²; on forty
    markets of noise a flat policy lost a median Sharpe ratio of 0.09 with one, and nothing with
    the other.)

    Args:
        forecast: How far each forecast is from the one that asks for nothing, shape (n_rows,).
        realized: The move that came, in any unit, shape (n_rows,).
        horizon: Bars that each move lasts; moves that overlap count as one.
        dates: The date of each row, counted from 0, shape (n_rows,), where many are of one date,
            such as those of many markets: their errors then count together. None where each row
            has its own.

    Returns:
        A share, 0…1; 1 without any row, since nothing was tried.

    Source: James and Stein (1961), "Estimation with quadratic loss", in its positive part; errors
    of many rows a date: Petersen (2009), "Estimating standard errors in finance panel data sets".

    Example:
        >>> moves = np.array([1.0, -1.0, 2.0, -2.0])
        >>> measure_confidence(moves, -moves, horizon=1)
        0.0
        >>> round(measure_confidence(moves, moves + [0.5, 0.5, -0.5, -0.5], horizon=1), 3)
        0.9
        >>> twice = np.repeat(moves, 2), np.repeat(moves + [0.5, 0.5, -0.5, -0.5], 2)
        >>> round(measure_confidence(*twice, horizon=1, dates=np.repeat(np.arange(4), 2)), 3)
        0.9
    """
    if not len(forecast):
        return 1.0
    energy = float(np.square(forecast).sum())
    slope = float((forecast * realized).sum()) / energy if energy else 0.0
    if slope <= 0:
        return 0.0
    if dates is None:
        left = float(np.square(realized - slope * forecast).mean())
    else:
        of_each_date = np.bincount(dates, weights=forecast * (realized - slope * forecast))
        left = float(np.square(of_each_date).sum()) / energy
    squared_t = slope**2 * energy / (left * horizon) if left else np.inf
    return max(0.0, 1.0 - _FEWEST_ERRORS**2 / squared_t) if squared_t else 0.0
