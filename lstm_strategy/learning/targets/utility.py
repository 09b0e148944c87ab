"""What earnings are worth to somebody who dislikes risk, in whatever Keras computes with.

Each utility takes `keras.ops`, what each step earned and weighs, shape (batch, time), the usual
deviation of what always holding earns, and the least risk that a policy is charged with.

Source:
    Sharpe ratio as a loss: Lim, Zohren & Roberts (2019); prospect theory's value: Tversky &
    Kahneman (1992), of earnings that are added up over a chunk: Benartzi & Thaler (1995).
"""

from collections.abc import Callable
from typing import Any

_RISK_AVERSION = 5.0  # of mean-variance utility
_LOSS_AVERSION = 2.25


def mean_of_dates(
    ops: Any, places: Any, earned: Any, held: Any, weights: Any
) -> tuple[Any, Any, Any]:
    """What all markets earn together at each place of a date, and what they hold.

    Args:
        ops: `keras.ops`.
        places: The number of each step's date among those of the batch, shape (batch, time).
        earned: What each step but the first earned, shape (batch, time - 1).
        held: What always holding earned there.
        weights: What each of these steps weighs.

    Returns:
        Both, and the weight of each date, of the shape of `places`: a row for each window.
    """
    shape = ops.shape(places)
    number = ops.reshape(places[:, 1:], (-1,))

    def add_up(values: Any) -> Any:
        total = ops.segment_sum(ops.reshape(values, (-1,)), number, shape[0] * shape[1])
        return ops.reshape(total, shape)

    total = ops.maximum(add_up(weights), 1e-12)
    means = (add_up(values * weights) / total for values in (earned, held, weights))
    earned_by_date, held_by_date, weight_of_date = means
    return earned_by_date, held_by_date, weight_of_date


def _sharpe(ops: Any, earned: Any, weights: Any, usual: Any, least_risk: float) -> Any:
    """Mean over deviation; a share of the usual one is added, or the smallest position is best."""
    mean = _mean(ops, earned, weights)
    variance = _mean(ops, ops.square(earned - mean), weights)
    return mean / ops.sqrt(variance + (least_risk * usual) ** 2)


def _mean_variance(ops: Any, earned: Any, weights: Any, usual: Any, _: float) -> Any:
    mean = _mean(ops, earned, weights)
    variance = _mean(ops, ops.square(earned - mean), weights)
    return (mean - _RISK_AVERSION / 2 * variance) / usual


def _prospect(ops: Any, earned: Any, weights: Any, usual: Any, _: float) -> Any:
    """The value of each chunk's earnings, in which losses count 2.25 times."""
    n_steps = ops.sum(weights, axis=1)
    counts = ops.cast(n_steps > 0, earned.dtype)
    total = ops.sum(earned * weights, axis=1)
    value = ops.where(total > 0, total, _LOSS_AVERSION * total)
    return ops.sum(value * counts) / (ops.sum(n_steps) * usual)


def _mean(ops: Any, values: Any, weights: Any) -> Any:
    return ops.sum(values * weights) / ops.sum(weights)


UTILITIES: dict[str, Callable[..., Any]] = {
    "sharpe": _sharpe,
    "mean_variance": _mean_variance,
    "prospect": _prospect,
}
"""Utilities of what the steps of a batch earned, by the name that `Policy` takes."""
