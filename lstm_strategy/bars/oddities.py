"""What is odd about bars that are valid: stale ones, mixed lengths, other bars than a model's."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import numpy as np
import pandas as pd

from lstm_strategy.bars.frequency import bar_spacing
from lstm_strategy.bars.futures import (
    describe_contracts,
    find_adjustment,
    has_contract,
    proportional_bars,
)
from lstm_strategy.support import format_time

_STALE_SHARE = 0.1
_FEWEST_BARS = 20
_FACTOR_OF_LENGTH = 1.6
_FACTOR_OF_SPIKE = 20.0
_FACTOR_OF_JUMP = 60.0  # no split is larger, as a rule
_FACTOR_OF_SCALE = 4.0  # calm and wild years of one market are about 3 apart


def find_oddities(
    bars: pd.DataFrame, name_row: Callable[[int], str] = "row {}".format
) -> tuple[str, ...]:
    """Say what is odd about valid bars, in sentences without a full stop.

    Args:
        bars: What `validate_bars` returns.
        name_row: What a row is called where it came from, such as `"line 7"`.

    Returns:
        A sentence for a bar 20 times above or below those around it, one for prices that jump by
        a factor of 60, one for stale bars, where at least a tenth equals the bar before in prices
        and volume, and one for bars of mixed length; for a continuous series also how it was
        adjusted and how often its contract changes. Nothing for bars as they should be.

    Example:
        >>> index = pd.date_range("2024-01-01", periods=30)
        >>> prices = pd.Series(range(1, 31), index, dtype=float).clip(upper=20)
        >>> columns = ("open", "high", "low", "close", "volume")
        >>> find_oddities(pd.DataFrame(dict.fromkeys(columns, prices)))
        ('10 of 30 bars (33%) are stale: equal to the bar before, volume included',)
    """
    found = describe_contracts(bars)
    bars = proportional_bars(bars)
    found += _describe_jumps(bars, name_row)
    if len(bars) >= _FEWEST_BARS:
        found += [_describe_stale(bars), _describe_lengths(pd.DatetimeIndex(bars.index))]
    return tuple(filter(None, found))


@dataclass(frozen=True)
class MarketTraits:
    """What a model gets used to in the bars that it is trained on.

    Attributes:
        spacing: The median time between bars.
        typical_move: The median size of a move from close to close, as a share of the price.
        timezone: Of the timestamps; "" where they have none.
        adjusted_by: How a continuous future was adjusted, "difference" or "ratio", so that returns
            are those of its contracts; "" for other bars.

    Example:
        >>> MarketTraits(timedelta(days=1), 0.01, "UTC").timezone
        'UTC'
    """

    spacing: timedelta
    typical_move: float
    timezone: str
    adjusted_by: Literal["", "difference", "ratio"] = ""


def measure_traits(bars: pd.DataFrame) -> MarketTraits:
    """Measure what a model gets used to in bars.

    Args:
        bars: What `validate_bars` returns, at least two.

    Example:
        >>> index = pd.date_range("2024-01-01", periods=3, tz="UTC")
        >>> measure_traits(pd.DataFrame({"close": [100.0, 101.0, 99.99]}, index)).timezone
        'UTC'
    """
    index = pd.DatetimeIndex(bars.index)
    closes = proportional_bars(bars)["close"].to_numpy()
    moves = np.abs(np.diff(closes) / closes[:-1])
    moves = moves[moves > 0]
    return MarketTraits(
        spacing=bar_spacing(index).to_pytimedelta(),
        typical_move=float(np.median(moves)) if len(moves) else 0.0,
        timezone="" if index.tz is None else str(index.tz),
        adjusted_by=find_adjustment(bars).method if has_contract(bars) else "",
    )


def find_differences(bars: pd.DataFrame, *trained_on: MarketTraits) -> tuple[str, ...]:
    """Say how bars differ from those that a model was trained on, in phrases.

    Args:
        bars: What `validate_bars` returns.
        trained_on: The traits of the model's bars, market by market; those that they are most like
            count.

    Returns:
        A phrase for another spacing, for moves at least four times as large or as small, and for
        another timezone; nothing for similar bars, or too few to tell.

    Example:
        >>> index = pd.date_range("2024-01-01", periods=30, freq="h")
        >>> hours = pd.DataFrame({"close": np.linspace(100, 130, 30)}, index)
        >>> find_differences(hours, MarketTraits(timedelta(days=1), 0.01, ""))
        ('bars of 1 hour instead of 1 day',)
    """
    if len(bars) < _FEWEST_BARS:
        return ()
    here = measure_traits(bars)
    return min((_compare_traits(here, usual) for usual in trained_on), key=len)


def _compare_traits(here: MarketTraits, usual: MarketTraits) -> tuple[str, ...]:
    phrases = (
        _compare_spacing(here.spacing, usual.spacing),
        _compare_moves(here.typical_move, usual.typical_move),
        _compare_timezones(here.timezone, usual.timezone),
    )
    return tuple(filter(None, phrases))


def _compare_spacing(here: timedelta, usual: timedelta) -> str:
    if max(here, usual) <= _FACTOR_OF_LENGTH * min(here, usual):
        return ""
    microsecond = timedelta(microseconds=1)
    lengths = [_describe_step(spacing // microsecond) for spacing in (here, usual)]
    return f"bars of {lengths[0]} instead of {lengths[1]}"


def _compare_moves(here: float, usual: float) -> str:
    if not min(here, usual) or max(here, usual) < _FACTOR_OF_SCALE * min(here, usual):
        return ""
    return f"a typical move of {here:.2g} of the price instead of {usual:.2g}"


def _compare_timezones(here: str, usual: str) -> str:
    if here == usual:
        return ""
    return f"times in {here or 'no timezone'} instead of {usual or 'no timezone'}"


def _describe_jumps(bars: pd.DataFrame, name_row: Callable[[int], str]) -> list[str]:
    """Sentences on bars that are far from those around them, and on prices on another level."""
    highs, lows = bars["high"].to_numpy(), bars["low"].to_numpy()
    up = lows[1:] > _FACTOR_OF_SPIKE * highs[:-1]
    down = highs[1:] * _FACTOR_OF_SPIKE < lows[:-1]
    if not up.any() and not down.any():
        return []
    spikes = np.flatnonzero((up[:-1] & down[1:]) | (down[:-1] & up[1:])) + 1
    far = np.flatnonzero(up | down) + 1
    # the least factor between each of these bars and the one before
    factors = np.maximum(lows[far] / highs[far - 1], lows[far - 1] / highs[far])
    is_jump = (factors > _FACTOR_OF_JUMP) & ~np.isin(far, [*spikes, *(spikes + 1)])
    jumps = far[is_jump]
    found = []
    if len(spikes):
        found.append(
            f"{name_row(int(spikes[0]))} ({format_time(bars.index[spikes[0]])}) is more than "
            f"{_FACTOR_OF_SPIKE:g} times above or below the bars around it{_count_more(spikes)}; "
            "an error, or a row of totals?"
        )
    if len(jumps):
        found.append(
            f"the price jumps by a factor of {factors[is_jump][0]:.3g} at "
            f"{name_row(int(jumps[0]))} ({format_time(bars.index[jumps[0]])})"
            f"{_count_more(jumps)}; another market, or a split that isn't adjusted for?"
        )
    return found


def _count_more(rows: np.ndarray) -> str:
    return f", and {len(rows) - 1} more" if len(rows) > 1 else ""


def _describe_stale(bars: pd.DataFrame) -> str:
    values = bars.iloc[:, :5].to_numpy()
    count = int((values[1:] == values[:-1]).all(axis=1).sum())
    if count < _STALE_SHARE * len(bars):
        return ""
    return (
        f"{count:,} of {len(bars):,} bars ({count / len(bars):.0%}) are stale: equal to the bar "
        "before, volume included"
    )


def _describe_lengths(index: pd.DatetimeIndex) -> str:
    microseconds = {"s": 1e6, "ms": 1e3, "us": 1, "ns": 1e-3}[index.unit]
    steps = (np.diff(index.asi8) * microseconds).astype("int64")
    half = len(steps) // 2
    early, late = _usual_step(steps[:half]), _usual_step(steps[half:])
    if max(early, late) > _FACTOR_OF_LENGTH * min(early, late):
        return (
            f"the bars are of mixed length: {_describe_step(early)} in the first half, "
            f"{_describe_step(late)} in the second"
        )
    usual = _usual_step(steps)
    is_usual = (steps == usual).mean() > 0.5
    short = int((steps * _FACTOR_OF_LENGTH < usual).sum())
    if not is_usual or not short:
        return ""
    first = int((steps * _FACTOR_OF_LENGTH < usual).argmax()) + 1
    bars = "bar follows" if short == 1 else "bars follow"
    return (
        f"the bars are of mixed length: {short:,} {bars} the one before sooner than the usual "
        f"{_describe_step(usual)}, first at {format_time(index[first])}"
    )


def _usual_step(steps: np.ndarray) -> int:
    lengths, counts = np.unique(steps, return_counts=True)
    return int(lengths[counts.argmax()])


def _describe_step(microseconds: int) -> str:
    seconds = microseconds / 1e6
    for size, word in ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= size:
            number = seconds / size
            return f"{number:.3g} {word}{'' if number == 1 else 's'}"
    return f"{seconds:.3g} seconds"
