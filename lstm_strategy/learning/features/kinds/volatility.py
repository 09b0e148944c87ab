"""How much the price moves: volatilities per bar, and variances next to the usual one."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from lstm_strategy.learning import variance
from lstm_strategy.learning.features.kinds.arguments import check_bars, check_order


def _estimator_kind(estimator: str) -> Callable[..., pd.DataFrame]:
    """The kind of an estimator: the volatility per bar that it measures."""

    def volatility(bars: pd.DataFrame, *, length: int = 22) -> pd.DataFrame:
        check_bars(estimator, length=length)
        measured = np.sqrt(variance.measure_variance(bars, length, estimator=estimator))
        return pd.DataFrame({f"{estimator.upper()}_{length}": measured})

    volatility.__doc__ = f"""The volatility per bar over the last `length` bars, by `{estimator}`.

    A fraction, not annualised, known at the close of its row; 0 where nothing moved.
    """
    return volatility


ESTIMATOR_KINDS = {name: _estimator_kind(name) for name in variance.ESTIMATORS}
"""A kind for each estimator: `{"kind": "yang_zhang", "length": 22}`."""


def volatility(
    bars: pd.DataFrame,
    *,
    length: int = 22,
    estimator: str | None = None,
    column: str | None = None,
) -> pd.DataFrame:
    """The volatility per bar over the last `length` bars, by an estimator or a column of the bars.

    The root of `measure_variance`: a fraction, not annualised, known at the close of its row.
    """
    check_bars("volatility", length=length)
    measured = variance.measure_variance(bars, length, estimator=estimator, column=column)
    name = "_".join(filter(None, ["VOLATILITY", column or estimator, str(length)]))
    return pd.DataFrame({name: np.sqrt(measured)})


def ewm_volatility(bars: pd.DataFrame, *, span: int = 60) -> pd.DataFrame:
    """The exponentially weighted deviation of log returns, per bar; see the function in `variance`.

    It is the volatility that exposures are scaled with: a fraction, known at the close of its row.
    """
    check_bars("ewm_volatility", least=2, span=span)
    return variance.ewm_volatility(bars["close"], span=span).to_frame(f"EWM_VOLATILITY_{span}")


def log_variance_ratio(
    bars: pd.DataFrame,
    *,
    length: int = 1,
    slow: int = variance.SLOW_BARS,
    estimator: str | None = None,
    column: str | None = None,
) -> pd.DataFrame:
    """The log of the variance over the last `length` bars next to that over the last `slow` ones.

    Known at the close of its row, and the same for a calm market and a wild one. A variance below
    a hundredth of the slow one, as of a bar whose prices are all the same, counts as a hundredth
    (ln 0.01 = -4.6); where nothing has moved over all `slow` bars the value is 0. The variance is
    measured by `estimator`, or is a column of the bars such as a realised variance.
    """
    check_bars("log_variance_ratio", length=length, slow=slow)
    check_order("log_variance_ratio", length=length, slow=slow)
    recent, usual = (
        variance.measure_variance(bars, n_bars, estimator=estimator, column=column)
        for n_bars in (length, slow)
    )
    source = column or estimator
    name = "_".join(filter(None, ["LOG_VARIANCE_RATIO", source, str(length), str(slow)]))
    return pd.DataFrame({name: np.log(variance.variance_ratio(recent, usual))})
