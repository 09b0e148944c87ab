"""Funding of a perpetual: what longs pay to shorts at each settlement.

A rate stands on the bar of its settlement, where it is known, and NaN between. So whatever the
interval is, and whether it changes, settlements are counted as they come; windows are spans of
time.
"""

import numpy as np
import pandas as pd

from lstm_strategy.errors import FeatureError
from lstm_strategy.learning.features.kinds.derivatives.times import (
    NANOSECONDS_A_DAY,
    nanoseconds,
)

_SMALLEST_DEVIATION = 1e-6  # of rates: a hundredth of a basis point
_LARGEST_SURPRISE = 5.0
_FEWEST_SETTLEMENTS = 3


def funding_rate(bars: pd.DataFrame, *, rate: str = "funding_rate") -> pd.DataFrame:
    """The last settled rate, held until the next settlement: a fraction of the notional.

    Known at the close of its row; NaN before the first settlement.
    """
    return pd.DataFrame({_name("FUNDING_RATE", rate): bars[rate].ffill()})


def predicted_funding(
    bars: pd.DataFrame, *, predicted: str = "predicted_funding_rate"
) -> pd.DataFrame:
    """The rate that the exchange expects for the next settlement, held where it is missing.

    Known at the close of its row; NaN before the first one.
    """
    name = _name("PREDICTED_FUNDING", predicted, usual="predicted_funding_rate")
    return pd.DataFrame({name: bars[predicted].ffill()})


def funding_sum(
    bars: pd.DataFrame,
    *,
    days: float = 1,
    rate: str = "funding_rate",
    payment: str | None = None,
) -> pd.DataFrame:
    """What longs have paid over the last `days` days: the sum of the rates settled in that time.

    A settlement exactly `days` ago no longer counts. With `payment`, a column with the money that
    a unit has paid at settlements within its bar, that counts too, over the close. Known at the
    close of its row; NaN until the bars reach back so far.
    """
    _check_days("funding_sum", days)
    settled = bars[rate].fillna(0.0).to_numpy(np.float64)
    if payment is not None:
        settled = settled + (bars[payment].fillna(0.0) / bars["close"]).to_numpy(np.float64)
    first = _window_starts(bars.index, days)
    total = _sum_windows(settled, first)
    name = _name(f"FUNDING_SUM_{days:g}D", rate) + (f"_{payment}" if payment else "")
    known = np.where(_reaches_back(bars.index, days, bars.index), total, np.nan)
    return pd.DataFrame({name: known}, bars.index)


def funding_surprise(
    bars: pd.DataFrame, *, days: float = 7, rate: str = "funding_rate"
) -> pd.DataFrame:
    """How far the last settled rate is from the mean of those in the `days` days before it.

    In units of their standard deviation, which counts as at least a hundredth of a basis point,
    and at most 5 in size. Held until the next settlement, known at the close of its row; NaN until
    the bars reach back so far, and where fewer than three settlements lie before.
    """
    _check_days("funding_surprise", days)
    settled = bars[rate].dropna()
    values = settled.to_numpy(np.float64)
    first = _window_starts(settled.index, days, is_closed=True)
    before = np.arange(len(values))  # the settlement itself doesn't count
    count = np.maximum(before - first, 1)
    mean = _sum_between(values, first, before) / count
    variance = _sum_between(values**2, first, before) / count - mean**2
    deviation = np.sqrt(np.maximum(variance, _SMALLEST_DEVIATION**2))
    surprise = np.clip((values - mean) / deviation, -_LARGEST_SURPRISE, _LARGEST_SURPRISE)
    is_known = (before - first >= _FEWEST_SETTLEMENTS) & _reaches_back(
        settled.index, days, bars.index
    )
    known = pd.Series(np.where(is_known, surprise, np.nan), settled.index)
    held = known.reindex(bars.index).ffill()
    return pd.DataFrame({_name(f"FUNDING_SURPRISE_{days:g}D", rate): held})


def funding_run(bars: pd.DataFrame, *, days: float = 7, rate: str = "funding_rate") -> pd.DataFrame:
    """For how long funding has had the sign of the last settled rate, as a share of `days` days.

    Positive while longs pay, negative while shorts do, at most 1 in size; 0 where the last rate is.
    Known at the close of its row; NaN until the bars reach back so far.
    """
    _check_days("funding_run", days)
    settled = bars[rate].dropna()
    times, of_settled = nanoseconds(bars.index), nanoseconds(settled.index)
    sign = np.sign(settled.to_numpy(np.float64))
    begins = np.maximum.accumulate(
        np.where(np.diff(sign, prepend=np.nan) != 0, np.arange(len(sign)), 0)
    )
    last = np.searchsorted(of_settled, times, side="right") - 1  # -1 before the first
    run = np.full(len(bars), np.nan)
    is_known = (last >= 0) & _reaches_back(bars.index, days, settled.index)
    last = last[is_known]
    elapsed = (times[is_known] - of_settled[begins[last]]) / (days * NANOSECONDS_A_DAY)
    run[is_known] = sign[last] * np.minimum(elapsed, 1.0)
    return pd.DataFrame({_name(f"FUNDING_RUN_{days:g}D", rate): run}, bars.index)


def _name(name: str, column: str, *, usual: str = "funding_rate") -> str:
    return name if column == usual else f"{name}_{column}"


def _check_days(kind: str, days: float) -> None:
    is_number = isinstance(days, int | float) and not isinstance(days, bool)
    if not is_number or not 0 < days <= 3_650:
        raise FeatureError(
            f"{kind}: days must be a number of days above 0, at most 3650, got {days!r}."
        )


def _window_starts(index: pd.Index, days: float, *, is_closed: bool = False) -> np.ndarray:
    """The first row that is less than so many days before each row (or just as many: closed)."""
    times = nanoseconds(index)
    ago = times - int(days * NANOSECONDS_A_DAY)
    return np.searchsorted(times, ago, side="left" if is_closed else "right")


def _reaches_back(index: pd.Index, days: float, known: pd.Index) -> np.ndarray:
    """Where so many days before a row something is known already."""
    if not len(known):
        return np.zeros(len(index), bool)
    ago = nanoseconds(index) - int(days * NANOSECONDS_A_DAY)
    return np.asarray(ago >= nanoseconds(known)[0])


def _sum_windows(values: np.ndarray, first: np.ndarray) -> np.ndarray:
    return _sum_between(values, first, np.arange(1, len(values) + 1))


def _sum_between(values: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """The sum of the values from one place on up to another, that one not included."""
    totals = np.concatenate([[0.0], np.cumsum(values)])
    sums: np.ndarray = totals[last] - totals[first]
    return sums
