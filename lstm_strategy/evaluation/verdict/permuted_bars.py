"""Bars with their moves in another order: the same market without a memory."""

import numpy as np
import pandas as pd

from lstm_strategy.bars import (
    CARRY_PRICE,
    CONTRACT_PRICE,
    columns_beside_close,
    has_contract,
    proportional_bars,
)
from lstm_strategy.errors import BarsError
from lstm_strategy.support import format_time

_PRICES = ["open", "high", "low", "close"]


def permute_bars(bars: pd.DataFrame, *, block_bars: int = 1, seed: int = 0) -> pd.DataFrame:
    """Return the same bars in another order: valid prices, the same moves and dates, no memory.

    Each bar after the first becomes four ratios to the close before it; blocks of such bars are
    shuffled and the prices rebuilt from the first bar, so the last close stays the same up to
    rounding. Of a continuous series it is the returns of the contracts that are shuffled. Volume
    and all other columns travel with their bar, as they are; only prices beside the close, such as
    a mark, keep their distance from it.

    Args:
        bars: Prices above zero, and any other columns.
        block_bars: The length of the blocks that keep their order. With one bar nothing of the
            order is left; longer blocks keep what happens within them, such as spells of high
            volatility.
        seed: Decides the order.

    Returns:
        A new frame on the dates of `bars`.

    Raises:
        BarsError: For a missing column, or a price that isn't above zero.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> bars = sample_bars("sp500")
        >>> permuted = permute_bars(bars, seed=1)
        >>> bool(permuted["close"].iloc[-1].round(2) == bars["close"].iloc[-1].round(2))
        True
    """
    bars = proportional_bars(bars)
    _refuse_unusable_prices(bars)
    if block_bars < 1:
        raise BarsError(f"block_bars must be at least 1, got {block_bars}.")
    order = np.arange(1, len(bars))
    blocks = [order[first : first + block_bars] for first in range(0, len(order), block_bars)]
    shuffled = np.random.default_rng(seed).permutation(len(blocks))
    rows = np.concatenate([[0], *(blocks[block] for block in shuffled)]).astype(int)
    prices = bars[_PRICES].to_numpy(dtype=float)
    ratios = (prices[1:] / prices[:-1, [3]])[rows[1:] - 1]
    # Division and multiplication keep order even when they round: a high stays the highest.
    closes = np.cumprod(np.concatenate([prices[0, [3]], ratios[:, 3]]))
    permuted = bars.iloc[rows].set_axis(bars.index)
    rebuilt = pd.DataFrame(
        np.vstack([prices[0], ratios * closes[:-1, None]]), index=bars.index, columns=_PRICES
    )
    beside_close = [] if has_contract(bars) else columns_beside_close(bars)
    scale = rebuilt["close"] / permuted["close"]
    beside = {column: permuted[column] * scale for column in beside_close}
    permuted = permuted.assign(**beside, **{column: rebuilt[column] for column in _PRICES})
    return _move_contracts(permuted, bars) if has_contract(bars) else permuted


def _move_contracts(permuted: pd.DataFrame, bars: pd.DataFrame) -> pd.DataFrame:
    """The bars with one contract that moves as they do, and the one beside it as far from it."""
    worth = permuted["close"] * (bars[CONTRACT_PRICE].iloc[0] / bars["close"].iloc[0])
    others = {
        name: permuted[name] * worth / permuted[CONTRACT_PRICE]
        for name in (CARRY_PRICE,)
        if name in permuted
    }
    return permuted.assign(**{CONTRACT_PRICE: worth}, **others)


def _refuse_unusable_prices(bars: pd.DataFrame) -> None:
    missing = [column for column in _PRICES if column not in bars]
    if missing:
        raise BarsError(f"Bars need the column {missing[0]!r}, got {', '.join(map(str, bars))}.")
    prices = bars[_PRICES]
    is_bad = ~(prices > 0)
    if is_bad.to_numpy().any():
        row, column = np.argwhere(is_bad.to_numpy())[0]
        raise BarsError(
            f"Moves can be permuted only where prices are above 0, but {_PRICES[column]} is "
            f"{prices.iloc[row, column]} at {format_time(bars.index[row])} "
            f"({is_bad.to_numpy().sum()} in all)."
        )
