"""What is odd about bars that are valid: stale ones, and bars of mixed length."""

import numpy as np
import pandas as pd

_STALE_SHARE = 0.1
_FEWEST_BARS = 20
_FACTOR_OF_LENGTH = 1.6


def find_oddities(bars: pd.DataFrame) -> tuple[str, ...]:
    """Say what is odd about valid bars, in sentences without a full stop.

    Args:
        bars: What `validate_bars` returns.

    Returns:
        A sentence for stale bars, where at least a tenth equals the bar before in prices and
        volume, and one for bars of mixed length; nothing for bars as they should be.

    Example:
        >>> index = pd.date_range("2024-01-01", periods=30)
        >>> prices = pd.Series(range(1, 31), index, dtype=float).clip(upper=20)
        >>> columns = ("open", "high", "low", "close", "volume")
        >>> find_oddities(pd.DataFrame(dict.fromkeys(columns, prices)))
        ('10 of 30 bars (33%) are stale: equal to the bar before, volume included',)
    """
    if len(bars) < _FEWEST_BARS:
        return ()
    return tuple(
        filter(None, (_describe_stale(bars), _describe_lengths(pd.DatetimeIndex(bars.index))))
    )


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
        f"{_describe_step(usual)}, first at {index[first]}"
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
