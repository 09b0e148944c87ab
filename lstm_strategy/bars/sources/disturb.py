"""What real feeds do wrong, done to bars on purpose."""

import random
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

FAULTS = ("unfinished", "repeated", "late", "missing", "corrected", "bad")
"""What `disturb_bars` does; the docstring says what each is."""


def disturb_bars(
    bars: Iterable[Mapping[str, Any]],
    *,
    share: float,
    seed: int = 0,
    faults: Iterable[str] = FAULTS,
) -> Iterator[Mapping[str, Any]]:
    """Let a share of bars come as real feeds let them come.

    - `unfinished`: The bar comes twice with `closed` False before it closes, first with its open
      alone.
    - `repeated`: It comes twice.
    - `late`: It comes after the next one.
    - `missing`: It never comes.
    - `corrected`: It comes once more, after the next one, with a close that lies elsewhere between
      its high and its low.
    - `bad`: It comes with a price of 0, without one or with a high below its low, and then as it
      is.

    Args:
        bars: The bars, as a source hands them over.
        share: The share of bars with a fault, from 0 to 1.
        seed: Which bars have which.
        faults: Those that may come.

    Yields:
        The bars with their faults; the same for the same seed.

    Example:
        >>> bars = [dict(datetime=day, open=1, high=3, low=1, close=2, volume=5) for day in (1, 2)]
        >>> [bar["datetime"] for bar in disturb_bars(bars, share=1, faults=["repeated"])]
        [1, 1, 2, 2]
    """
    chance = random.Random(seed)
    kinds = tuple(faults)
    held: list[Mapping[str, Any]] = []
    for bar in bars:
        fault = chance.choice(kinds) if chance.random() < share else ""
        comes, comes_later = _disturb(bar, fault, chance)
        yield from comes
        if comes:
            yield from held
            held = []
        held += comes_later
    yield from held


def _disturb(
    bar: Mapping[str, Any], fault: str, chance: random.Random
) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """What comes at the bar's close, and what comes after the next one."""
    first, low, high = bar["open"], bar["low"], bar["high"]
    if fault == "unfinished":
        opened = {**bar, "high": first, "low": first, "close": first, "volume": 0.0}
        return [{**opened, "closed": False}, {**bar, "closed": False}, bar], []
    if fault == "repeated":
        return [bar, bar], []
    if fault == "late":
        return [], [bar]
    if fault == "missing":
        return [], []
    if fault == "corrected":
        return [bar], [{**bar, "close": low + chance.random() * (high - low)}]
    if fault == "bad":
        bad = ({"close": 0.0}, {"close": float("nan")}, {"high": low, "low": high + 1.0})
        return [{**bar, **chance.choice(bad)}, bar], []
    return [bar], []
