"""The regression that the network begins with: a gamma regression, which is log-HAR under QLIKE."""

import numpy as np

_STEPS = 25
_CLOSE = 1e-9
_RIDGE = 1e-3  # keeps the slopes of features that say the same in bounds


def fit_log_ratio(
    features: np.ndarray, log_ratio: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Find the linear function of the features with the lowest QLIKE loss, by Newton's method.

    The loss is convex, and its best forecasts are right on average.

    Args:
        features: Scaled to a variance of 1 or so, shape (n_rows, n_features).
        log_ratio: What is forecast, shape (n_rows,).
        weights: How much each row matters, shape (n_rows,).

    Returns:
        The slopes, shape (n_features, 1), and the intercept, shape (1,).

    Source:
        McCullagh & Nelder, "Generalized Linear Models" (1989), chapter 8: QLIKE is half the
        deviance of a gamma regression with a log link.

    Example:
        >>> slopes, intercept = fit_log_ratio(
        ...     np.array([[-1.0], [1.0]]), np.array([0.0, 2.0]), np.ones(2)
        ... )
        >>> slopes.round(2).tolist(), intercept.round(2).tolist()
        ([[1.0]], [1.0])
    """
    rows = np.column_stack([features, np.ones(len(features))]).astype(np.float64)
    came, shares = log_ratio.astype(np.float64), weights / weights.sum()
    ridge = np.diag(np.append(np.full(features.shape[1], _RIDGE), 0.0))

    def loss(line: np.ndarray) -> float:
        missed = came - rows @ line
        return float(shares @ (np.exp(missed) - missed) + line @ ridge @ line / 2)

    line = np.append(np.zeros(features.shape[1]), np.log(shares @ np.exp(came)))
    for _ in range(_STEPS):
        ratio = shares * np.exp(came - rows @ line)
        slope = rows.T @ (shares - ratio) + ridge @ line
        step = np.linalg.solve(rows.T @ (ratio[:, None] * rows) + ridge, slope)
        size = 1.0
        while loss(line - size * step) > loss(line) and size > _CLOSE:
            size /= 2
        line = line - size * step
        if np.abs(step).max() < _CLOSE:
            break
    return line[:-1, None], line[-1:]
