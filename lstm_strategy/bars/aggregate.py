"""Longer bars made of shorter ones, extra columns and funding included."""

import logging
from collections.abc import Mapping

import numpy as np
import pandas as pd

from lstm_strategy.bars.frequency import bar_spacing
from lstm_strategy.bars.funding import PAYMENT, mark_at_open
from lstm_strategy.bars.validation import BAR_COLUMNS, validate_bars
from lstm_strategy.errors import BarsError
from lstm_strategy.support import refuse_choice, suggest_names

_log = logging.getLogger(__name__)
_DAY = pd.Timedelta(days=1)
_WEEK = pd.Timedelta(days=7)
_MONDAY = pd.Timedelta(days=4)  # after 1970-01-01
_RULES_OF_BARS = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
_RULES_OF_ENDINGS = {"_open": "first", "_high": "max", "_low": "min"}
_SUMMED_WORDS = {"volume", "trades", "turnover"}
_RULES = ("first", "last", "max", "min", "sum", "mean")


def aggregate_bars(
    bars: pd.DataFrame,
    length: str | pd.Timedelta,
    *,
    rules: Mapping[str, str] | None = None,
    funding: str = "funding_rate",
    mark: str = "mark",
) -> pd.DataFrame:
    """Make longer bars, such as 4-hour ones of hourly ones, that pay the same funding.

    Bars are stamped with the time at which they open, those given and those returned. A day begins
    at midnight in the index's own timezone and a week on Monday. Open, high, low, close and volume
    are the first, highest, lowest and last price and the sum. Of extra columns, those that end in
    `_open`, `_high` or `_low` are treated like the prices of that name, those with the word
    `volume`, `trades` or `turnover` in their names are summed, and of all others (spot close, open
    interest) the last known value counts.

    Funding keeps its instants: `funding_rate` is the rate that settles at the moment at which the
    longer bar opens, NaN where none does. What settles later within the bar is in
    `funding_payment`, in money for each unit held long through the bar: the sum of rate times mark,
    with the mark of each settlement (that of the row before, or its close where it has none). The
    mark of the longer bar is that of its last row, missing or not, so that it means the same there.
    The column is there if any settlement falls within a bar; payments that the bars have already
    are added up.

    A first or last bar that isn't complete is left out, and the log says so: one that begins later
    or ends earlier than its length says and than the bars at its time of day usually do.

    Args:
        bars: What `validate_bars` takes; left as it is.
        length: A time that the bars' own spacing divides: at most a day and a part of it, such as
            `"15min"` or `"4h"`, or whole days, such as `"1D"` or `"1W"`.
        rules: What becomes of extra columns instead, by name: first, last, max, min, sum or mean.
        funding: The column of funding rates, set on settlement rows only.
        mark: The column of mark prices.

    Returns:
        The longer bars as `validate_bars` returns them, on the times at which they open. Each row
        is known at the close of its bar.

    Raises:
        BarsError: For invalid bars, a length that they can't make, an unknown rule, or if no bar is
            complete.

    Example:
        >>> hours = pd.date_range("2024-01-01", periods=6, freq="h", tz="UTC")
        >>> prices = dict.fromkeys(("open", "high", "low", "close"), [1.0, 2, 3, 4, 5, 6])
        >>> bars = pd.DataFrame({**prices, "volume": 10.0, "mark": 2.0}, hours)
        >>> bars["funding_rate"] = [0.0001, np.nan, 0.0003, np.nan, np.nan, np.nan]
        >>> longer = aggregate_bars(bars, "2h")
        >>> longer[["open", "close", "volume", "funding_rate"]].iloc[0].tolist()
        [1.0, 2.0, 20.0, 0.0001]
        >>> aggregate_bars(bars, "3h")["funding_payment"].tolist()
        [0.0006, 0.0]
    """
    valid = validate_bars(bars)
    index = pd.DatetimeIndex(valid.index)
    step = _read_length(length, bar_spacing(index))
    starts = _wall_starts(index, step)
    opens = _times_of(starts, index)
    chosen = _choose_rules(valid, rules or {}, funding=funding)
    if funding in valid.columns:
        valid = _place_funding(valid, opens == index, funding=funding, mark=mark)
        chosen |= {funding: "first", PAYMENT: "sum"}
    longer = valid.groupby(opens).agg({name: chosen[name] for name in valid.columns})
    if mark in valid.columns:
        longer[mark] = valid[mark].to_numpy()[~opens.duplicated(keep="last")]
    longer = longer[_are_complete(index, starts, opens, step)]
    if longer.empty:
        raise BarsError(
            f"no bar of {_show(step)} is complete: the bars reach from {index[0]} to {index[-1]}. "
            "Load more of them, or ask for shorter bars."
        )
    if PAYMENT in longer.columns and PAYMENT not in bars.columns and not longer[PAYMENT].any():
        longer = longer.drop(columns=PAYMENT)
    return validate_bars(longer, may_stand_still=True)


def _read_length(length: str | pd.Timedelta, spacing: pd.Timedelta) -> pd.Timedelta:
    try:
        step = pd.Timedelta(length)
    except (ValueError, TypeError):
        step = pd.Timedelta(0)
    if not step > pd.Timedelta(0):
        raise BarsError(
            f"length must be a fixed time such as '4h' or '1D', got {length!r}. Choose one."
        )
    if _DAY % step and step % _DAY:
        raise BarsError(
            f"length must be a part of a day or whole days, got {length!r}. Choose for instance "
            "'4h', '8h' or '1D'."
        )
    if step % spacing or step < spacing:
        raise BarsError(
            f"the bars come every {_show(spacing)}, and bars of {_show(step)} can't be made of "
            f"them. Choose a multiple of {_show(spacing)}."
        )
    return step


def _show(time: pd.Timedelta) -> str:
    """A time in its largest whole unit, as a length is given."""
    for unit in ("D", "h", "min", "s"):
        count = time / pd.Timedelta(1, unit=unit)
        if count.is_integer():
            return f"{count:.0f}{unit}"
    return str(time)


def _choose_rules(valid: pd.DataFrame, rules: Mapping[str, str], *, funding: str) -> dict[str, str]:
    extras = [str(name) for name in valid.columns if name not in BAR_COLUMNS]
    for name, rule in rules.items():
        if name not in extras or name == funding:
            free = [extra for extra in extras if extra != funding]
            raise BarsError(f"rules has {name!r}. Extra columns only. {suggest_names(name, free)}")
        if rule not in _RULES:
            raise BarsError(refuse_choice(f"the rule of {name}", rule, _RULES))
    return {**_RULES_OF_BARS, **{name: _usual_rule(name) for name in extras}, **rules}


def _usual_rule(name: str) -> str:
    if name == PAYMENT or _SUMMED_WORDS & set(name.lower().split("_")):
        return "sum"
    return next((r for ending, r in _RULES_OF_ENDINGS.items() if name.endswith(ending)), "last")


def _wall_starts(index: pd.DatetimeIndex, step: pd.Timedelta) -> pd.DatetimeIndex:
    """The wall-clock time at which the longer bar of each row begins."""
    shift = _MONDAY if step % _WEEK == pd.Timedelta(0) else pd.Timedelta(0)
    return (index.tz_localize(None) - shift).floor(step) + shift


def _times_of(starts: pd.DatetimeIndex, index: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Wall-clock times as those of the index: of a time that comes twice the one before its row."""
    if index.tz is None:
        return starts.rename(index.name)
    is_summer, is_winter = np.ones(len(starts), dtype=bool), np.zeros(len(starts), dtype=bool)
    early = starts.tz_localize(index.tz, ambiguous=is_summer, nonexistent="shift_forward")
    late = starts.tz_localize(index.tz, ambiguous=is_winter, nonexistent="shift_forward")
    return late.where(late <= index, early).rename(index.name)


def _place_funding(
    valid: pd.DataFrame, is_open: np.ndarray, *, funding: str, mark: str
) -> pd.DataFrame:
    """The rates that settle as a longer bar opens, and as payments those that settle within it."""
    rate = valid[funding]
    within = (rate * mark_at_open(valid, mark)).where(~is_open).fillna(0.0)
    if PAYMENT in valid.columns:
        within = within + valid[PAYMENT].fillna(0.0)
    return valid.assign(**{funding: rate.where(is_open), PAYMENT: within})


def _are_complete(
    index: pd.DatetimeIndex, starts: pd.DatetimeIndex, opens: pd.DatetimeIndex, step: pd.Timedelta
) -> np.ndarray:
    """Which longer bars to keep: all but a first and a last one that lack rows."""
    offset = pd.Series(index.tz_localize(None) - starts)
    rows = pd.DataFrame({"first": offset, "last": offset, "clock": starts - starts.normalize()})
    bars = rows.groupby(opens).agg({"first": "min", "last": "max", "clock": "first"})
    keep = np.ones(len(bars), dtype=bool)
    alike = bars.iloc[1:][bars["clock"].iloc[1:] == bars["clock"].iloc[0]]
    if bars["first"].iloc[0] > _usual(alike["first"], pd.Timedelta(0)):
        keep[0] = False
    alike = bars.iloc[:-1][bars["clock"].iloc[:-1] == bars["clock"].iloc[-1]]
    if bars["last"].iloc[-1] < _usual(alike["last"], step - bar_spacing(index)):
        keep[-1] = False
    left_out = [str(time) for time in bars.index[~keep]]
    if left_out:
        _log.warning(
            "left out the bar%s of %s at %s, which %s complete",
            "s" * (len(left_out) > 1),
            _show(step),
            " and ".join(left_out),
            "isn't" if len(left_out) == 1 else "aren't",
        )
    return keep


def _usual(offsets: pd.Series, otherwise: pd.Timedelta) -> pd.Timedelta:
    return otherwise if offsets.empty else pd.Timedelta(offsets.median())
