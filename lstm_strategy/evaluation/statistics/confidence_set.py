"""Which forecasts may be the best? The model confidence set, from arch."""

import numpy as np
import pandas as pd

from lstm_strategy.errors import ForecastError
from lstm_strategy.evaluation.statistics.bootstrap import FEWEST_BARS, block_length
from lstm_strategy.evaluation.statistics.predictive_accuracy import are_same_losses


def confidence_set_p_values(
    losses: pd.DataFrame, *, horizon: int = 1, reps: int = 1000, seed: int = 0
) -> pd.Series:
    """Return for each forecast whether it may be the best of all.

    The set of those whose p-value is above 10% holds the best forecast with a confidence of 90%, as
    a confidence interval holds a mean. Few bars or like forecasts make it large, which says that
    the bars can't tell them apart.

    Args:
        losses: Loss at each bar, one column a forecast, without NaN.
        horizon: Bars ahead that the forecasts look; blocks are resampled that are at least as long.
        reps: Number of resamples.
        seed: Chooses the resamples.

    Returns:
        A p-value for each column, in their order: 1 for the lowest mean loss. Columns that differ
        by rounding alone share one, and a single column has 1.

    Raises:
        ForecastError: If there are fewer than 30 bars, or a loss isn't finite.

    Source:
        Hansen, Lunde and Nason (2011), "The model confidence set", the range statistic; with the
        stationary bootstrap, in blocks of the mean length that Politis and White (2004) choose for
        the differences.

    Example:
        >>> bars = np.arange(60)
        >>> losses = pd.DataFrame({"good": 1.0 + 0.1 * (-1.0) ** bars, "bad": 2.0 + 0.0 * bars})
        >>> confidence_set_p_values(losses, reps=99).to_dict()
        {'good': 1.0, 'bad': 0.0}
    """
    if len(losses) < FEWEST_BARS:
        raise ForecastError(
            f"a confidence set needs losses of at least {FEWEST_BARS} bars, got {len(losses)}. "
            "Forecast a longer span."
        )
    values = losses.to_numpy(dtype=float)
    if not np.isfinite(values).all():
        raise ForecastError("losses must be finite. Leave out the bars where one isn't.")
    twin_of = _find_twins(values)
    distinct = sorted(set(twin_of))
    p_values = np.ones(values.shape[1])
    if len(distinct) > 1:
        from arch.bootstrap import MCS  # a second to import

        kept = pd.DataFrame(values[:, distinct], columns=distinct)
        block_bars = max(horizon, block_length(kept.sub(kept.mean(axis=1), axis=0)))
        test = MCS(kept, 0.1, reps=reps, block_size=block_bars, method="R", seed=seed)
        test.compute()
        found = test.pvalues["Pvalue"]
        p_values = np.array([float(found[twin]) for twin in twin_of])
    return pd.Series(p_values, index=losses.columns, name="p_value")


def _find_twins(values: np.ndarray) -> list[int]:
    """For each column the first one that has the same losses; arch's test fails on equal ones."""
    twin_of: list[int] = []
    for number in range(values.shape[1]):
        twins = (o for o in set(twin_of) if are_same_losses(values[:, number], values[:, o]))
        twin_of.append(min(twins, default=number))
    return twin_of
