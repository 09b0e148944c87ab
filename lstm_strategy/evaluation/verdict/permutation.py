"""A permutation test: what is left of a result once the order of the bars is destroyed?"""

import hashlib
import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import joblib
import numpy as np
import pandas as pd

from lstm_strategy.bars import bars_fingerprint
from lstm_strategy.errors import BarsError, TradingError
from lstm_strategy.support import SharedValue, run_tasks, share, write_whole

log = logging.getLogger(__name__)

_SMALL = 0.05
_PRICES = ["open", "high", "low", "close"]


@dataclass(frozen=True)
class PermutationTest:
    """One pipeline's statistic on the real bars, beside those on bars without any memory.

    Attributes:
        real: the statistic on the real bars.
        null: the statistics on permuted bars, in the order of their seeds.
        p_value: (1 + number of null statistics at or above the real one) / (1 + number of them).
        block_bars: length of the blocks of bars that kept their order.
    """

    real: float
    null: tuple[float, ...]
    p_value: float
    block_bars: int = 1

    @classmethod
    def from_statistics(cls, real: float, null: Sequence[float], *, block_bars: int) -> Self:
        """The test of these statistics."""
        as_good = sum(not statistic < real for statistic in null)
        return cls(real, tuple(null), (1 + as_good) / (1 + len(null)), block_bars)

    @property
    def n_as_good(self) -> int:
        """Permutations at or above the real result; one without a result counts among them."""
        return sum(not statistic < self.real for statistic in self.null)

    def __str__(self) -> str:
        n, finding = len(self.null), "is within what chance gives"
        if self.p_value <= _SMALL:
            finding = "is more than chance gives"
        elif self.n_as_good == 0:
            finding = (
                f"can't be told from chance by so few shuffles: {round(1 / _SMALL) - 1} are needed"
            )
        blocks = "bars" if self.block_bars == 1 else f"blocks of {self.block_bars} bars"
        return (
            f"Permutation test: trained and traded anew on {n:,} shuffles of the {blocks}, "
            f"{self.n_as_good:,} of {n:,} did as well as the real result of {self.real:.2f} "
            f"(p-value {self.p_value:.3f}), so the result {finding}."
        )


def permutation_test(
    pipeline: Callable[[pd.DataFrame], float],
    bars: pd.DataFrame,
    *,
    n_permutations: int = 20,
    block_bars: int = 1,
    seed: int = 0,
    n_jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    real: float | None = None,
    file: str | Path | None = None,
    run: str = "",
) -> PermutationTest:
    """Run the whole pipeline on the real bars and on permuted ones, and say where the real is.

    `pipeline` takes bars, trains, trades and returns one number where more is better, such as the
    Sharpe ratio; it must choose nothing from the real bars. Permuted bars have the moves of the
    real ones in another order (see `permute_bars`), so what a pipeline earns on them is luck,
    drift, costs and overfitting. 19 permutations or more are needed for a p-value of 0.05. A NaN
    counts against the pipeline; return 0.0 where it stays flat. `n_jobs` processes, one by default
    because training uses all cores already; `progress` is called with the number of permutations
    done and of all. `real` is the pipeline's number on the real bars where it is known already.

    With a `file` (CSV) finished permutations are kept in it and not run again. `run` says in any
    words which pipeline they belong to; the file of another run, of other bars or of other blocks
    is refused. Raises `TradingError` for that and for n_permutations below 1.
    """
    if n_permutations < 1:
        raise TradingError(f"n_permutations must be at least 1, got {n_permutations}. 20 is usual.")
    kept = KeptPermutations.from_file(file, bars, block_bars=block_bars, run=run)
    real = float(pipeline(bars)) if real is None else real
    seeds = np.random.SeedSequence(seed).generate_state(n_permutations).tolist()
    known = dict(kept.statistics)
    missing = [number for number in seeds if number not in known]
    found = _null_statistics(pipeline, bars, block_bars, missing, n_jobs)
    for number, statistic in zip(missing, found, strict=True):
        known[number] = statistic
        kept.write(known)
        if math.isnan(statistic):
            log.warning("The pipeline gave NaN with seed %d; it counts against it.", number)
        if progress is not None:
            progress(len(known.keys() & set(seeds)), n_permutations)
    return PermutationTest.from_statistics(
        real, [known[number] for number in seeds], block_bars=block_bars
    )


@dataclass(frozen=True)
class KeptPermutations:
    """The finished permutations of a run, by their seed, and the file that keeps them."""

    path: Path | None
    key: str
    statistics: dict[int, float]

    @classmethod
    def from_file(
        cls, file: str | Path | None, bars: pd.DataFrame, *, block_bars: int, run: str
    ) -> Self:
        """What a file has kept so far; nothing without a file or where there is none yet.

        Raises `TradingError` for a file that another run wrote, or that can't be read.
        """
        description = f"{run}\n{bars_fingerprint(bars)}\n{block_bars}"
        key = hashlib.sha256(description.encode()).hexdigest()
        path = None if file is None else Path(file)
        if path is None or not path.exists():
            return cls(path, key, {})
        try:
            table = pd.read_csv(path, dtype={"run": str})
            runs, kept = (
                set(table["run"]),
                dict(zip(table["seed"], table["statistic"], strict=True)),
            )
            statistics = {int(seed): float(statistic) for seed, statistic in kept.items()}
        except (ValueError, KeyError):
            raise TradingError(
                f"{path} doesn't hold permutations of a permutation test. Move it elsewhere, or "
                "choose another folder."
            ) from None
        if not runs <= {key}:
            raise TradingError(
                f"{path} holds permutations of another run: other bars, settings or blocks. "
                "Choose another folder, or remove that file yourself."
            )
        return cls(path, key, statistics)

    def write(self, statistics: Mapping[int, float]) -> None:
        """Write all finished permutations, whole or not at all."""
        if self.path is not None:
            table = pd.DataFrame({"seed": statistics.keys(), "statistic": statistics.values()})
            write_whole(self.path, table.assign(run=self.key).to_csv(index=False).encode())


def permute_bars(bars: pd.DataFrame, *, block_bars: int = 1, seed: int = 0) -> pd.DataFrame:
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
    if n_jobs in (None, 1):
        yield from (_statistic(pipeline, bars, block_bars, seed) for seed in seeds)
        return
    with share((pipeline, bars), n_jobs=n_jobs) as both:
        tasks = (joblib.delayed(_statistic_apart)(both, block_bars, seed) for seed in seeds)
        yield from run_tasks(tasks, n_jobs=n_jobs)


def _statistic_apart(both: SharedValue, block_bars: int, seed: int) -> float:
    pipeline, bars = both.value
    return _statistic(pipeline, bars, block_bars, seed)


def _statistic(
    pipeline: Callable[[pd.DataFrame], float], bars: pd.DataFrame, block_bars: int, seed: int
) -> float:
    return float(pipeline(permute_bars(bars, block_bars=block_bars, seed=seed)))


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
