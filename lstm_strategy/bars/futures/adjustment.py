"""How the closes of a continuous series were adjusted, and where the contract changes."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

CONTRACT_PRICE = "price"
"""The column with the raw price of the contract that is held."""

CARRY_PRICE = "carry_price"
"""The column with the raw price of the contract beside it, the next or the one before."""

_SLACK = 1e-5  # rounding of prices, as a share of the price
_LARGEST_SHARE_OF_MOVE = 0.1  # what rounding may make of a move
_DECISIVE = 1e-6  # smaller differences between two returns decide nothing
_TIMES_AS_GOOD = 3.0
_DIFFERS = 1e-4  # from the price of the contract, as a share of it


@dataclass(frozen=True, eq=False)
class Adjustment:
    """How closes and the prices of their contracts belong together.

    Attributes:
        method: "difference" where the closes move as the contract does, "ratio" where their
            returns are the contract's.
        by_difference: Whether it is so at each bar, by all bars up to it, shape (n_bars,).
        off: How far the change of the close is from that of the price, as a share of the price
            before, shape (n_bars - 1,).
        off_by_ratio: How far the return of the close is from that of the price, shape
            (n_bars - 1,).
        moves: Where either moves, shape (n_bars,).
        is_apart: Where neither way explains the move, shape (n_bars,); many such bars are none of
            one series.

    Example:
        >>> bars = pd.DataFrame({"close": [-5.0, -4.0, -2.0], "price": [100.0, 101.0, 110.0]})
        >>> find_adjustment(bars).method
        'difference'
    """

    method: Literal["difference", "ratio"]
    by_difference: np.ndarray
    off: np.ndarray
    off_by_ratio: np.ndarray
    moves: np.ndarray
    is_apart: np.ndarray


def has_contract(bars: pd.DataFrame) -> bool:
    """Whether bars are a continuous series with the price of its contract beside it.

    Args:
        bars: Bars, valid or not; a column `price` that is NaN on all of them counts as none.

    Example:
        >>> has_contract(pd.DataFrame({"close": [1.0], "price": [2.0]}))
        True
    """
    if CONTRACT_PRICE not in bars:
        return False
    price = bars[CONTRACT_PRICE].to_numpy(np.float64, na_value=np.nan)
    return not np.isnan(price).all()


def find_adjustment(bars: pd.DataFrame) -> Adjustment:
    """Find out how the closes of a continuous series were adjusted.

    Within a contract the closes of one that is adjusted by difference change by as much as the
    price, and those of one that is adjusted by ratio by the same fraction. Each bar that tells the
    two apart has a vote, and the votes up to a bar decide for it: no later bar does. Closes that
    aren't above 0 are never adjusted by ratio.

    Args:
        bars: Bars with the columns close and price, the prices above 0.

    Returns:
        What was found.

    Example:
        >>> bars = pd.DataFrame({"close": [50.0, 55.0, 44.0], "price": [100.0, 110.0, 88.0]})
        >>> find_adjustment(bars).method
        'ratio'
    """
    close = bars["close"].to_numpy(np.float64)
    price = bars[CONTRACT_PRICE].to_numpy(np.float64)
    steps = _compare(close, price)
    balance = np.cumsum(steps.votes)
    decided = steps.is_by_difference(balance)
    is_difference = bool(decided[-1:].any() or not steps.is_positive.all())
    moves = (np.diff(close) != 0) | (np.diff(price) != 0)
    return Adjustment(
        method="difference" if is_difference else "ratio",
        by_difference=np.append(False, decided),
        off=steps.off,
        off_by_ratio=steps.off_by_ratio,
        moves=np.append(False, moves),
        is_apart=np.append(False, steps.is_apart),
    )


class ContractReturns:
    """Returns of a continuous series bar by bar, by the rule of `find_adjustment`.

    Example:
        >>> returns = ContractReturns()
        >>> returns.read((-5.0, -4.0), (100.0, 101.0)), returns.read((-4.0, -2.0), (101.0, 110.0))
        (0.01, 0.0198...)
    """

    def __init__(self) -> None:
        self._balance = 0

    def read(self, closes: tuple[float, float], prices: tuple[float, float]) -> float:
        """Return what the holder of a contract earned over a bar, as a fraction of its price.

        Args:
            closes: The close before and the present one.
            prices: The prices of the contracts held at them.
        """
        steps = _compare(np.array(closes), np.array(prices))
        self._balance += int(steps.votes[0])
        is_difference = steps.is_by_difference(np.array([self._balance]))[0]
        return (closes[1] - closes[0]) / (prices[0] if is_difference else closes[0])


@dataclass(frozen=True, eq=False)
class _Steps:
    """How the closes of two bars and the prices of their contracts fit, one value a step."""

    off: np.ndarray
    off_by_ratio: np.ndarray
    votes: np.ndarray
    is_positive: np.ndarray
    is_apart: np.ndarray
    differs: np.ndarray

    def is_by_difference(self, balance: np.ndarray) -> np.ndarray:
        """Whether each step is one of closes that are adjusted by difference."""
        # a change of contract before any vote: by difference, which is the usual way
        is_new = (balance == 0) & self.is_apart & self.differs
        decided: np.ndarray = (balance > 0) | ~self.is_positive | is_new
        return decided


def _compare(close: np.ndarray, price: np.ndarray) -> _Steps:
    before, after = close[:-1], close[1:]
    own_return = np.diff(price) / price[:-1]
    is_positive = (before > 0) & (after > 0)
    by_ratio = np.full(len(before), np.inf)
    by_ratio[is_positive] = after[is_positive] / before[is_positive] - 1
    off = np.abs(np.diff(close) / price[:-1] - own_return)
    off_by_ratio = np.abs(by_ratio - own_return)
    slack = np.maximum(_SLACK, _LARGEST_SHARE_OF_MOVE * np.abs(own_return))
    return _Steps(
        off=off,
        off_by_ratio=off_by_ratio,
        votes=_vote(off, off_by_ratio, slack) - _vote(off_by_ratio, off, slack),
        is_positive=is_positive,
        is_apart=np.minimum(off, off_by_ratio) > slack,
        differs=np.abs(before / price[:-1] - 1) > _DIFFERS,
    )


def _vote(off: np.ndarray, other: np.ndarray, slack: np.ndarray) -> np.ndarray:
    """Where one way of adjusting fits the move of a contract and the other doesn't."""
    fits = (off <= slack) & (other > _DECISIVE) & (other > _TIMES_AS_GOOD * off)
    return fits.astype(int)
