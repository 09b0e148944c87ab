"""A mean over markets and days whose error knows that the markets of one day move together."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lstm_strategy.evaluation.statistics.predictive_accuracy import long_run_variance


@dataclass(frozen=True)
class ClusteredMean:
    """A mean with its error.

    Attributes:
        mean: NaN without any value.
        error: Its standard error; NaN where there are fewer than two days.
        n_values: The values.
        n_days: The days that they lie on, or the bars of a day.
        bandwidth_days: Days between which values may resemble each other.
    """

    mean: float
    error: float
    n_values: int
    n_days: int
    bandwidth_days: int

    @property
    def t(self) -> float:
        """The mean in standard errors; NaN where there is no error."""
        return self.mean / self.error if self.error > 0 else math.nan


def clustered_mean(
    values: pd.Series | pd.DataFrame | np.ndarray, *, horizon: int = 1
) -> ClusteredMean:
    """Return the mean of values that lie on days, with an error that allows for the days.

    All markets of a day share its news, so that a hundred of them aren't a hundred observations:
    only the sums of the days are taken as independent. Where each value looks several days ahead,
    neighbouring days share most of what came, and their sums may resemble each other too.

    Args:
        values: One row a day, one column a market (or a single column); NaN isn't counted.
        horizon: Days ahead that each value looks. Above 1 the error is Newey and West's over the
            days: 1.3 √n of them, at least horizon − 1.

    Source:
        Petersen (2009), "Estimating standard errors in finance panel data sets", eq. 16, for the
        clusters; with one value a day this is Fama and MacBeth (1973). Newey and West (1987) over
        the sums of days is Driscoll and Kraay (1998). Bandwidth by Lazarus et al. (2018).

    Example:
        >>> of_two_markets = np.array([[1.0, 1.0], [0.0, 0.0], [1.0, np.nan], [0.0, 0.0]])
        >>> estimate = clustered_mean(of_two_markets)
        >>> round(estimate.mean, 3), round(estimate.error, 3), estimate.n_days
        (0.429, 0.291, 4)
    """
    table = np.asarray(values, dtype=np.float64)
    table = table[:, None] if table.ndim == 1 else table
    is_known = ~np.isnan(table)
    table, is_known = table[is_known.any(axis=1)], is_known[is_known.any(axis=1)]
    n_days, n_values = len(table), int(is_known.sum())
    bandwidth = overlap_bandwidth(n_days, horizon)
    if not n_values:
        return ClusteredMean(math.nan, math.nan, 0, 0, bandwidth)
    mean = float(table[is_known].mean())
    if n_days < 2:
        return ClusteredMean(mean, math.nan, n_values, n_days, bandwidth)
    sums = np.where(is_known, table - mean, 0.0).sum(axis=1)
    variance = n_days * long_run_variance(sums, bandwidth) * n_days / (n_days - 1)
    return ClusteredMean(mean, math.sqrt(variance) / n_values, n_values, n_days, bandwidth)


def overlap_bandwidth(n_days: int, horizon: int) -> int:
    """Return over how many days values that look so far ahead may resemble each other.

    Args:
        n_days: Days with a value.
        horizon: Days ahead that each looks; 1 for values that share nothing.

    Example:
        >>> overlap_bandwidth(1000, 1), overlap_bandwidth(1000, 5), overlap_bandwidth(20, 5)
        (0, 41, 5)
    """
    if horizon == 1:
        return 0
    return max(0, min(max(horizon - 1, int(1.3 * math.sqrt(n_days))), n_days - 1))
