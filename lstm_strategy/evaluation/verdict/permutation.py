"""A permutation test: what is left of a result once the order of the bars is destroyed?"""

import io
import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import joblib
import numpy as np
import pandas as pd

from lstm_strategy.bars import bars_fingerprint
from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.verdict.permuted_bars import permute_bars
from lstm_strategy.support import (
    OnStep,
    SharedValue,
    count_of,
    explain_arguments,
    read_whole,
    run_tasks,
    sha256_of,
    share,
    write_whole,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

log = logging.getLogger(__name__)

Pipeline = Callable[[pd.DataFrame], float]
"""Takes bars, trains, trades, and returns one number of which more is better."""

_SMALL = 0.05
_LARGEST_FILE = 2**28  # bytes


@dataclass(frozen=True)
class PermutationTest:
    """One pipeline's statistic on the real bars, beside those on bars without any memory.

    Attributes:
        real: The statistic on the real bars.
        null: The statistics on permuted bars, in the order of their seeds.
        p_value: How often chance alone would do as well.
        block_bars: The length of the blocks of bars that kept their order.

    Example:
        >>> PermutationTest.from_statistics(0.7, [0.1, 0.9, 0.2], block_bars=1).p_value
        0.5
    """

    real: float
    null: tuple[float, ...]
    p_value: float
    block_bars: int = 1

    @classmethod
    def from_statistics(cls, real: float, null: Sequence[float], *, block_bars: int) -> Self:
        """Return the test of these statistics.

        Args:
            real: The statistic on the real bars.
            null: The statistics on permuted bars; NaN counts against the pipeline.
            block_bars: The length of the blocks of bars that kept their order.

        Source:
            Phipson and Smyth (2010), "Permutation p-values should never be zero": (b + 1) / (m + 1)
            where b of m permutations do as well as the real bars.
        """
        n_as_good = sum(not statistic < real for statistic in null)
        return cls(real, tuple(null), (1 + n_as_good) / (1 + len(null)), block_bars)

    @property
    def n_as_good(self) -> int:
        """Permutations at or above the real result; one without a result counts among them."""
        return sum(not statistic < self.real for statistic in self.null)

    def plot(self) -> "Figure":
        """Draw the result on the real bars among those on permuted ones."""
        from lstm_strategy.evaluation.plots import plot_permutation_test  # loads matplotlib

        return plot_permutation_test(self.real, self.null, p_value=self.p_value)

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
            f"Permutation test: trained and traded again on {count_of(n, 'shuffle')} of the "
            f"{blocks}, {self.n_as_good:,} of {n:,} did as well as the real result of "
            f"{self.real:.2f} (p-value {self.p_value:.3f}), so the result {finding}."
        )


@explain_arguments(TradingError)
def permutation_test(
    pipeline: Pipeline,
    bars: pd.DataFrame,
    *,
    n_permutations: int = 20,
    block_bars: int = 1,
    seed: int = 0,
    n_jobs: int | None = None,
    progress: OnStep | None = None,
    real: float | None = None,
    file: str | Path | None = None,
    run: str = "",
) -> PermutationTest:
    """Run a whole pipeline on the real bars and on permuted ones, and say where the real one is.

    Permuted bars have the moves of the real ones in another order (see `permute_bars`), so what a
    pipeline earns on them is luck, drift, costs and overfitting.

    Args:
        pipeline: A function that takes bars, trains, trades and returns one number of which more
            is better, such as the Sharpe ratio. It must choose nothing from the real bars, and
            return 0.0 where it stays flat; NaN counts against it.
        bars: The real bars.
        n_permutations: How often the bars are permuted; a p-value of 0.05 needs 19 or more.
        block_bars: The length of the blocks of bars that keep their order.
        seed: Decides the permutations; the first of many are the same as those of few.
        n_jobs: The most processes; one by default, because training uses all cores already.
        progress: A function that is called with the number of permutations done and of all.
        real: The pipeline's number on the real bars, where it is known already.
        file: A CSV file that keeps finished permutations, so that they aren't run again.
        run: In any words which pipeline the file belongs to.

    Returns:
        The statistics and the p-value.

    Raises:
        TradingError: If `n_permutations` is below 1, or the file belongs to another run, to other
            bars or to other blocks.
        BarsError: If the bars can't be permuted, see `permute_bars`.

    Source:
        Masters (2018), "Testing and tuning market trading systems", chapter 7.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> def last_year(bars):
        ...     return float(bars["close"].iloc[-1] / bars["close"].iloc[-252])
        >>> test = permutation_test(last_year, sample_bars("sp500"), n_permutations=9)
        >>> test.n_as_good, test.p_value
        (7, 0.8)
    """
    if n_permutations < 1:
        raise TradingError(f"n_permutations must be at least 1, got {n_permutations}. 20 is usual.")
    kept = KeptPermutations.from_file(file, bars, block_bars=block_bars, run=run)
    real = float(pipeline(bars)) if real is None else real
    seeds = np.random.SeedSequence(seed).generate_state(n_permutations).tolist()
    statistics = dict(kept.statistics)
    missing = [number for number in seeds if number not in statistics]
    found = _null_statistics(pipeline, bars, block_bars, missing, n_jobs)
    for number, statistic in zip(missing, found, strict=True):
        statistics[number] = statistic
        kept.write(statistics)
        if math.isnan(statistic):
            log.warning(
                "The pipeline gave NaN on the permutation with seed %d, which counts as a "
                "permutation that did as well as the real bars.",
                number,
            )
        if progress is not None:
            progress(len(statistics.keys() & set(seeds)), n_permutations)
    null = [statistics[number] for number in seeds]
    return PermutationTest.from_statistics(real, null, block_bars=block_bars)


@dataclass(frozen=True)
class KeptPermutations:
    """The finished permutations of a run, and the file that keeps them.

    Attributes:
        path: The file; None where nothing is kept.
        key: A digest of the run, the bars and the blocks that the permutations belong to.
        statistics: The statistic of each permutation, by its seed.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> KeptPermutations.from_file(None, sample_bars("sp500"), block_bars=1, run="").statistics
        {}
    """

    path: Path | None
    key: str
    statistics: dict[int, float]

    @classmethod
    def from_file(
        cls, file: str | Path | None, bars: pd.DataFrame, *, block_bars: int, run: str
    ) -> Self:
        """Return what a file has kept so far.

        Args:
            file: The file; None to keep nothing. There may be none yet.
            bars: The real bars.
            block_bars: The length of the blocks of bars that keep their order.
            run: In any words which pipeline the file belongs to.

        Raises:
            TradingError: For a file that another run wrote, or that can't be read.
        """
        key = sha256_of(f"{run}\n{bars_fingerprint(bars)}\n{block_bars}")
        path = None if file is None else Path(file)
        if path is None or not path.exists():
            return cls(path, key, {})
        try:
            table = pd.read_csv(
                io.BytesIO(read_whole(path, largest=_LARGEST_FILE)), dtype={"run": str}
            )
            runs = set(table["run"])
            rows = zip(table["seed"], table["statistic"], strict=True)
            statistics = {int(seed): float(statistic) for seed, statistic in rows}
        except (OSError, ValueError, KeyError, OverflowError, TypeError):
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


def _null_statistics(
    pipeline: Pipeline,
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


def _statistic(pipeline: Pipeline, bars: pd.DataFrame, block_bars: int, seed: int) -> float:
    return float(pipeline(permute_bars(bars, block_bars=block_bars, seed=seed)))
