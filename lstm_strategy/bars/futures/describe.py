"""What is worth knowing of the contracts of a continuous series, in words."""

import numpy as np
import pandas as pd

from lstm_strategy.bars.futures.adjustment import CARRY_PRICE, find_adjustment, has_contract
from lstm_strategy.bars.futures.rolls import find_rolls
from lstm_strategy.support import count_of, format_time

_LONG_GAP = pd.Timedelta(days=365)


def describe_contracts(bars: pd.DataFrame) -> list[str]:
    """Say how a continuous series was adjusted, when its contract changes, and what is missing.

    Args:
        bars: Valid bars.

    Returns:
        Sentences without a full stop; none for bars without the price of a contract.

    Example:
        >>> days = pd.date_range("2024-01-01", periods=3)
        >>> bars = pd.DataFrame({"close": [-5.0, -4.0, -2.0], "price": [100.0, 101.0, 110.0]}, days)
        >>> describe_contracts(bars)
        ['the closes are back-adjusted by difference, so returns are their changes over the column \
price', 'the contract changes once, at 2024-01-03']
    """
    if not has_contract(bars) or len(bars) < 2:
        return []
    found = find_adjustment(bars)
    returns = {
        "difference": "by difference, so returns are their changes over the column price",
        "ratio": "by ratio, so returns are their own",
    }
    rolls = np.flatnonzero(find_rolls(bars))
    changes = "never changes"
    if len(rolls):
        times = "once" if len(rolls) == 1 else f"{len(rolls):,} times"
        at = "at" if len(rolls) == 1 else "first at"
        changes = f"changes {times}, {at} {format_time(bars.index[rolls[0]])}"
    said = [f"the closes are back-adjusted {returns[found.method]}", f"the contract {changes}"]
    if CARRY_PRICE in bars:
        said += _describe_gap(bars[CARRY_PRICE])
    return said


def _describe_gap(carry: pd.Series) -> list[str]:
    """A sentence on the longest span of a year or more without a price to carry to."""
    is_missing = carry.isna().to_numpy()
    if is_missing.all():
        return ["the carry_price is missing on all bars"]
    run = np.cumsum(~is_missing)
    longest, gap = pd.Timedelta(0), None
    for number in np.unique(run[is_missing]):
        rows = np.flatnonzero(is_missing & (run == number))
        span = carry.index[rows[-1]] - carry.index[rows[0]]
        if span > longest:
            longest, gap = span, rows
    if gap is None or longest < _LONG_GAP:
        return []
    first, last = (format_time(carry.index[row]) for row in gap[[0, -1]])
    return [f"the carry_price is missing from {first} to {last} ({count_of(len(gap), 'bar')})"]
