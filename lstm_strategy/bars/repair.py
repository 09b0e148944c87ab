"""Bars that can be repaired without a guess, and those that a user wants repaired with one."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lstm_strategy.bars.columns import has_distinct_dates
from lstm_strategy.bars.validation import PRICE_COLUMNS
from lstm_strategy.support import format_time

# Adjusted prices are rounded; what lies further outside high and low is an error of its own.
_HAIR = 5e-5
_WIDEST = 0.01
_NOISE = 1e-9
# So many volumes don't add up to another one by chance: fewer if its price is out of reach as well.
_FEWEST_SUMMANDS, _MANY_SUMMANDS = 5, 20


@dataclass(frozen=True, eq=False)
class RepairedBars:
    """Bars after the repair.

    Attributes:
        bars: The bars, in the order of the file.
        notes: What was done, each with the number of rows and the first of them.
    """

    bars: pd.DataFrame
    notes: tuple[str, ...]


def repair_bars(bars: pd.DataFrame, *, is_bold: bool) -> RepairedBars:
    """Repair what can be repaired.

    Rows without any price are dropped, and so is a first or last row of totals; a row that stands
    there twice is kept once, and a high or low that an open or close passes by at most 5e-5 of the
    price is moved there.

    Args:
        bars: Columns `datetime open high low close volume` and any others, float64, in any order
            of the dates; the caller's frame stays as it is.
        is_bold: Whether to repair more, as the user asked: dates are sorted, the last of several
            rows of one date is kept, a missing volume or one below zero becomes 0, a high or low
            is moved by up to 1% of the price, and rows that are still none are dropped.

    Returns:
        The repaired bars and what was done.
    """
    notes: list[str] = []
    if bars["open"].isna().any():
        is_empty = bars[list(PRICE_COLUMNS)].isna().all(axis=1)
        bars = _drop(bars, is_empty, "without any price {were} dropped", notes)
    if not has_distinct_dates(pd.DatetimeIndex(bars["datetime"])):
        bars = _drop(bars, bars.duplicated(), "the same as another {were} dropped", notes)
    words = "whose volume is the sum of all the others {were} dropped, being one of totals"
    bars = _drop(bars, _is_total(bars), words, notes)
    if is_bold:
        bars = _sort(bars, notes)
        bars = _drop(
            bars,
            bars["datetime"].duplicated(keep="last"),
            "with the date of a later row {were} dropped",
            notes,
        )
        bars = _fill_volume(bars, notes)
        bars = _drop(
            bars,
            _is_no_price(bars),
            "with a missing price or one not above 0 {were} dropped",
            notes,
        )
    bars = _widen(bars, _WIDEST if is_bold else _HAIR, notes)
    if is_bold:
        bars = _drop(
            bars,
            _is_outside(bars),
            "with prices more than 1% outside high and low {were} dropped",
            notes,
        )
    return RepairedBars(bars, tuple(notes))


def _drop(bars: pd.DataFrame, is_bad: pd.Series, words: str, notes: list[str]) -> pd.DataFrame:
    if not is_bad.any():
        return bars
    notes.append(_count(bars, is_bad, words))
    return bars[~is_bad]


def _count(bars: pd.DataFrame, rows: pd.Series, words: str) -> str:
    count, first = int(rows.sum()), bars.loc[rows, "datetime"].iloc[0]
    noun, were = ("row", "was") if count == 1 else ("rows", "were")
    where = "" if pd.isna(first) else f" (first at {format_time(first)})"
    return f"{count:,} {noun} {words.format(were=were)}{where}"


def _is_total(bars: pd.DataFrame) -> pd.Series:
    """Whether each row is certainly one of totals: the first or the last, with all the volume."""
    is_total = pd.Series(False, bars.index)
    volume, close = bars["volume"].to_numpy(), bars["close"].to_numpy()
    for row in {0, len(bars) - 1} if len(bars) > _FEWEST_SUMMANDS else ():
        if not volume[row] > 0 or not np.isclose(np.nansum(volume), 2 * volume[row], rtol=1e-12):
            continue
        others = np.delete(volume, row)
        n_traded = int((others > 0).sum())
        rest = bars.drop(index=bars.index[row])
        is_inside = rest["low"].min() <= close[row] <= rest["high"].max()
        is_total.iloc[row] = n_traded >= (_MANY_SUMMANDS if is_inside else _FEWEST_SUMMANDS)
    return is_total


def _sort(bars: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    dates = bars["datetime"]
    if dates.is_monotonic_increasing or dates.is_monotonic_decreasing or dates.isna().any():
        return bars
    notes.append(_count(bars, dates < dates.cummax(), "out of order {were} sorted in"))
    return bars.sort_values("datetime", kind="stable")


def _fill_volume(bars: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    is_bad = ~(bars["volume"] >= 0)
    if not is_bad.any():
        return bars
    notes.append(_count(bars, is_bad, "without a volume of 0 or more {were} given 0"))
    return bars.assign(volume=bars["volume"].where(~is_bad, 0.0))


def _is_no_price(bars: pd.DataFrame) -> pd.Series:
    prices = bars[list(PRICE_COLUMNS)]
    return ~((prices > 0) & np.isfinite(prices)).all(axis=1)


def _excess(bars: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """How far open or close lie above the high and below the low, as fractions of the price."""
    opened, closed = bars["open"].to_numpy(), bars["close"].to_numpy()
    highest, lowest = np.maximum(opened, closed), np.minimum(opened, closed)
    above = (highest - bars["high"].to_numpy()) / np.abs(highest)
    return above, (bars["low"].to_numpy() - lowest) / np.abs(lowest)


def _is_outside(bars: pd.DataFrame) -> pd.Series:
    above, below = _excess(bars)
    return pd.Series((above > _NOISE) | (below > _NOISE), bars.index)


def _widen(bars: pd.DataFrame, tolerance: float, notes: list[str]) -> pd.DataFrame:
    """Move high and low to the open or close that lies a little outside them."""
    with np.errstate(divide="ignore", invalid="ignore"):
        above, below = _excess(bars)
    is_above = (above > _NOISE) & (above <= tolerance)
    is_below = (below > _NOISE) & (below <= tolerance)
    if not (is_above | is_below).any():
        return bars
    size = f"{tolerance * 100:g}%"
    words = f"with prices at most {size} outside high and low {{were}} given a wider range"
    notes.append(_count(bars, pd.Series(is_above | is_below, bars.index), words))
    body = bars[["open", "close"]]
    return bars.assign(
        high=bars["high"].where(~is_above, body.max(axis=1)),
        low=bars["low"].where(~is_below, body.min(axis=1)),
    )
