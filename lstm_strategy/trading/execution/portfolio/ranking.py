"""Which markets are best and which worst."""

import math
from collections.abc import Mapping

_ROUNDING = 1e-9  # a third of 3, in floats, may fall short of 1


def choose_best_and_worst(values: Mapping[str, float], share: float) -> tuple[list[str], list[str]]:
    """Return the names of the highest and of the lowest values, as many of either.

    Args:
        values: What to rank by.
        share: Which fraction is best, and which worst; at most a half. At least one is chosen.

    Returns:
        Best first, and worst first; none where there are fewer than two values, or where the
        lowest of the best is no higher than the highest of the worst.

    Example:
        >>> choose_best_and_worst({"A": 0.3, "B": 0.1, "C": 0.2, "D": 0.5, "E": 0.4}, 0.4)
        (['D', 'E'], ['B', 'C'])
        >>> choose_best_and_worst({"A": 0.5, "B": 0.5}, 0.5)
        ([], [])
    """
    ranked = sorted(values, key=lambda name: -values[name])
    number = max(1, math.floor(share * len(ranked) + _ROUNDING))
    best, worst = ranked[:number], ranked[-number:][::-1]
    if len(ranked) < 2 or values[best[-1]] <= values[worst[-1]]:
        return [], []
    return best, worst
