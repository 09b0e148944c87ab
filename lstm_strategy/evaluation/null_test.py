"""What is left of a result once the order of the bars is destroyed?"""

import logging
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
import pandas as pd

from lstm_strategy.errors import BarsError, TradingError

log = logging.getLogger(__name__)

_PRICES = ["open", "high", "low", "close"]


@dataclass(frozen=True)
class NullTest:
    """One pipeline's statistic on the real bars, beside those on bars without any memory.

    real:     the statistic on the real bars
    null:     the statistics on permuted bars, in the order of their seeds
    p_value:  (1 + number of null statistics at or above the real one) / (1 + number of them)
    """

    real: float
    null: tuple[float, ...]
    p_value: float


def null_test(
    pipeline: Callable[[pd.DataFrame], float],
    bars: pd.DataFrame,
    *,
    n_permutations: int = 20,
    block_bars: int = 1,
    seed: int = 0,
    n_jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> NullTest:
    """Run the whole pipeline on the real bars and on permuted ones, and say where the real is.

    `pipeline` takes bars, trains, trades and returns one number where more is better, such as the
    Sharpe ratio; it must choose nothing from the real bars. Permuted bars have the moves of the
    real ones in another order (see `permuted_bars`), so what a pipeline earns on them is luck,
    drift, costs and overfitting. 19 permutations or more are needed for a p-value of 0.05. A NaN
    counts against the pipeline; return 0.0 where it stays flat. `n_jobs` processes, one by default
    because training uses all cores already; `progress` is called with the number of permutations
    done and of all. Raises `TradingError` for n_permutations below 1.
    """
    if n_permutations < 1:
        raise TradingError(f"n_permutations must be at least 1, got {n_permutations}. 20 is usual.")
    real = float(pipeline(bars))
    seeds = np.random.SeedSequence(seed).generate_state(n_permutations).tolist()
    null = []
    for done, statistic in enumerate(_null_statistics(pipeline, bars, block_bars, seeds, n_jobs)):
        null.append(statistic)
        if math.isnan(statistic):
            log.warning("The pipeline gave NaN on permutation %d; it counts against it.", done + 1)
        if progress is not None:
            progress(done + 1, n_permutations)
    as_good = sum(not statistic < real for statistic in null)
    return NullTest(real, tuple(null), (1 + as_good) / (1 + n_permutations))


def permuted_bars(bars: pd.DataFrame, *, block_bars: int = 1, seed: int = 0) -> pd.DataFrame:
    """The same bars in another order: valid prices, the same moves, the same dates, no memory.

    Each bar after the first becomes four ratios to the close before it; blocks of `block_bars` such
    bars are shuffled and the prices rebuilt from the first bar, so the last close stays the same up
    to rounding. Volume and all other columns travel with their bar, as they are (a column on the
    scale of the prices, such as an average, fits no longer). With blocks of one bar nothing of the
    order is left; longer blocks keep what happens within them, such as spells of high volatility.
    Raises `BarsError` for a missing column or a price that isn't above zero.
    """
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
    return permuted.assign(**{column: rebuilt[column] for column in _PRICES})


def _null_statistics(
    pipeline: Callable[[pd.DataFrame], float],
    bars: pd.DataFrame,
    block_bars: int,
    seeds: list[int],
    n_jobs: int | None,
) -> Iterator[float]:
    def statistic(seed: int) -> float:
        return float(pipeline(permuted_bars(bars, block_bars=block_bars, seed=seed)))

    if n_jobs in (None, 1):
        yield from map(statistic, seeds)
        return
    parallel: Any = joblib.Parallel(n_jobs=n_jobs, return_as="generator", max_nbytes=None)
    yield from parallel(joblib.delayed(statistic)(seed) for seed in seeds)


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
            f"{prices.iloc[row, column]} at {bars.index[row]} ({is_bad.to_numpy().sum()} in all)."
        )
