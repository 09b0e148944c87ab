"""Prices averaged over what was traded (VWAP) or over time (TWAP), and the distance from them.

A bar counts with its typical price, the mean of high, low and close. In units of price, a mean is
the level that a feature takes as its distance from the close; in units of σ it is the close less
the mean over the deviation of the typical prices, weighted as the mean is: 0 where they are all the
same, and at most 5 in size. Where nothing was traded, bars weigh alike. Known at the close of the
row.

Source:
    Berkowitz, Logue & Noser, "The Total Cost of Transactions on the NYSE", Journal of Finance 43
    (1988): the volume-weighted average price of a day.
"""

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
import pandas as pd

from lstm_strategy.errors import FeatureError
from lstm_strategy.learning.features.kinds.arguments import check_bars
from lstm_strategy.support import refuse_choice

Unit = Literal["price", "sigma"]
Session = Literal["D", "W", "M"]
Anchor = Literal["high", "low"]

_LARGEST = 5.0
_NO_DEVIATION = 1e-9  # of the price: nothing moves, and what is left is rounding
_MOST_NUMBERS = 1_000_000  # in the windows that are averaged at once


def session_vwap(
    bars: pd.DataFrame,
    *,
    session: Session = "D",
    starts: str = "00:00",
    unit: Unit = "price",
    bands: float | None = None,
) -> pd.DataFrame:
    """The VWAP since the session began: a day, a week or a month on the clock of the bars.

    Args:
        bars: Bars.
        session: "D", "W" (from Monday on) or "M".
        starts: When a day begins, such as "17:00" for futures in Chicago; the day before it then
            ends there.
        unit: "price" or "sigma".
        bands: With a number, also the levels so many σ below and above; only in units of price.
    """
    kind = "session_vwap"
    first = _session_starts(kind, bars.index, session, starts)
    measured = _since(first, bars, bars["volume"])
    name = _name_session(session, starts)
    return _columns(kind, name, bars, *measured, unit=unit, bands=bands)


def session_twap(
    bars: pd.DataFrame, *, session: Session = "D", starts: str = "00:00", unit: Unit = "price"
) -> pd.DataFrame:
    """The mean typical price since the session began, which `session_vwap` describes."""
    kind = "session_twap"
    first = _session_starts(kind, bars.index, session, starts)
    measured = _since(first, bars, _alike(bars))
    return _columns(kind, _name_session(session, starts), bars, *measured, unit=unit)


def rolling_vwap(
    bars: pd.DataFrame, *, length: int = 24, unit: Unit = "price", bands: float | None = None
) -> pd.DataFrame:
    """The VWAP of the last `length` bars; see `session_vwap` for `unit` and `bands`."""
    check_bars("rolling_vwap", length=length)
    measured = _in_windows(bars, bars["volume"], length, np.zeros(len(bars), int))
    return _columns("rolling_vwap", str(length), bars, *measured, unit=unit, bands=bands)


def rolling_twap(bars: pd.DataFrame, *, length: int = 24, unit: Unit = "price") -> pd.DataFrame:
    """The mean typical price of the last `length` bars."""
    check_bars("rolling_twap", length=length)
    measured = _in_windows(bars, _alike(bars), length, np.zeros(len(bars), int))
    return _columns("rolling_twap", str(length), bars, *measured, unit=unit)


def anchored_vwap(
    bars: pd.DataFrame,
    *,
    anchor: Anchor = "high",
    length: int = 63,
    unit: Unit = "price",
    bands: float | None = None,
) -> pd.DataFrame:
    """The VWAP since the highest high of the last `length` bars, or since the lowest low.

    What those have paid on average who bought after the top, or since the bottom. That bar is part
    of it, of several the last one. See `session_vwap` for `unit` and `bands`.
    """
    check_bars("anchored_vwap", length=length)
    _check_choice("anchored_vwap", "anchor", anchor, Anchor)
    extreme = bars[anchor].to_numpy(np.float64) * (1 if anchor == "high" else -1)
    measured = _in_windows(bars, bars["volume"], length, _places_of_last_highest(extreme, length))
    name = f"{anchor.upper()}_{length}"
    return _columns("anchored_vwap", name, bars, *measured, unit=unit, bands=bands)


AVERAGE_PRICE_KINDS: dict[str, Callable[..., pd.DataFrame]] = {
    "session_vwap": session_vwap,
    "anchored_vwap": anchored_vwap,
    "rolling_vwap": rolling_vwap,
    "session_twap": session_twap,
    "rolling_twap": rolling_twap,
}
"""Functions of the bars by the name of their kind."""


def _name_session(session: Session, starts: str) -> str:
    return session if starts == "00:00" else f"{session}_{starts.replace(':', '')}"


def _columns(
    kind: str,
    name: str,
    bars: pd.DataFrame,
    mean: np.ndarray,
    deviation: np.ndarray,
    *,
    unit: Unit,
    bands: float | None = None,
) -> pd.DataFrame:
    """The columns that a kind gives of a mean and the deviation from it."""
    _check_choice(kind, "unit", unit, Unit)
    name = f"{kind.upper()}_{name}"
    if unit == "sigma":
        if bands is not None:
            raise FeatureError(f'{kind}: bands are levels, so leave them out with unit="sigma".')
        return pd.DataFrame({f"{name}_SIGMA": _deviations(bars, mean, deviation)}, bars.index)
    columns = {name: mean}
    if bands is not None:
        if isinstance(bands, bool) or not isinstance(bands, int | float) or not 0 < bands < 100:
            raise FeatureError(
                f"{kind}: bands must be a number of deviations above 0, got {bands!r}."
            )
        columns[f"{name}_LOWER_{bands:g}"] = mean - bands * deviation
        columns[f"{name}_UPPER_{bands:g}"] = mean + bands * deviation
    return pd.DataFrame(columns, bars.index)


def _deviations(bars: pd.DataFrame, mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    close = bars["close"].to_numpy(np.float64)
    is_still = deviation <= _NO_DEVIATION * np.abs(mean)
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.where(is_still, 0.0, (close - mean) / deviation)
    clipped: np.ndarray = np.clip(np.where(np.isnan(mean), np.nan, distance), -_LARGEST, _LARGEST)
    return clipped


def _check_choice(kind: str, name: str, value: object, choices: object) -> None:
    known = get_args(choices)
    if value not in known:
        raise FeatureError(refuse_choice(f"{kind}: {name}", value, known))


def _session_starts(kind: str, index: pd.Index, session: Session, starts: str) -> np.ndarray:
    """The row in which the session of each row began, shape (n_bars,)."""
    _check_choice(kind, "session", session, Session)
    try:
        after_midnight = pd.Timedelta(f"{starts}:00")
    except (TypeError, ValueError):
        after_midnight = pd.Timedelta(-1)
    if not pd.Timedelta(0) <= after_midnight < pd.Timedelta(days=1):
        raise FeatureError(f'{kind}: starts must be a time such as "17:00", got {starts!r}.')
    clock = pd.DatetimeIndex(index).tz_localize(None) - after_midnight
    period = clock.to_period(session).asi8
    begins = np.diff(period, prepend=period[:1] - 1) != 0
    return np.maximum.accumulate(np.where(begins, np.arange(len(period)), 0))


def _typical(bars: pd.DataFrame) -> np.ndarray:
    prices = bars[["high", "low", "close"]].to_numpy(np.float64)
    typical: np.ndarray = prices.sum(axis=1) / 3
    return typical


def _alike(bars: pd.DataFrame) -> pd.Series:
    return pd.Series(1.0, bars.index)


def _since(
    first: np.ndarray, bars: pd.DataFrame, weights: pd.Series
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of the typical price since a first row, both of shape (n_bars,)."""
    typical = _typical(bars)
    # from the first price of the session on, so that squares of small distances stay exact
    start = typical[first]
    distance = typical - start
    weight = weights.to_numpy(np.float64)
    table = pd.DataFrame(
        {
            "w": weight,
            "wd": weight * distance,
            "wdd": weight * distance**2,
            "n": 1.0,
            "d": distance,
            "dd": distance**2,
        }
    )
    w, wd, wdd, n, d, dd = table.groupby(first).cumsum().to_numpy().T
    return _moments(start, *np.where(w > 0, (w, wd, wdd), (n, d, dd)))


def _in_windows(
    bars: pd.DataFrame, weights: pd.Series, length: int, places: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation over the last `length` rows, or those of them from a place on.

    NaN in the first `length - 1` rows.
    """
    typical, weight = _typical(bars), weights.to_numpy(np.float64)
    mean, deviation = np.full(len(bars), np.nan), np.full(len(bars), np.nan)
    n_rows = max(1, _MOST_NUMBERS // length)
    for start in range(length - 1, len(bars), n_rows):
        rows = slice(start, min(start + n_rows, len(bars)))
        of_rows = slice(start - length + 1, rows.stop)
        prices, counts = (
            np.lib.stride_tricks.sliding_window_view(values[of_rows], length)
            for values in (typical, weight)
        )
        is_in = np.arange(length) >= places[rows, None]
        counts = counts * is_in
        counts = np.where(counts.sum(axis=1, keepdims=True) > 0, counts, is_in)
        base = prices[:, -1]
        distance = prices - base[:, None]
        mean[rows], deviation[rows] = _moments(
            base,
            counts.sum(axis=1),
            (counts * distance).sum(axis=1),
            (counts * distance**2).sum(axis=1),
        )
    return mean, deviation


def _moments(
    base: np.ndarray, weight: np.ndarray, first: np.ndarray, second: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation from weighted sums of the distance from a base and of its square."""
    shift = first / weight
    return base + shift, np.sqrt(np.maximum(second / weight - shift**2, 0.0))


def _places_of_last_highest(values: np.ndarray, length: int) -> np.ndarray:
    """Where in the window of the last `length` rows the highest value is, of several the last."""
    places = np.zeros(len(values), int)
    if len(values) >= length:
        windows = np.lib.stride_tricks.sliding_window_view(values, length)
        places[length - 1 :] = length - 1 - windows[:, ::-1].argmax(axis=1)
    return places
