"""Does a stream of a million bars take as much memory and time at its end as at its beginning?

`python -m benchmarks soak` trains a small network, feeds a stream of it bars that it makes up as it
goes, and prints memory and time of each tenth. `--through indicator` feeds them to an LSTMIndicator
in Cerebro's `next` mode with exactbars=1 instead, as a live feed does. A process of its own takes
the bars, without TensorFlow.
"""

import argparse
import gc
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd
from rich.table import Table

from benchmarks.figures import console
from benchmarks.fresh import in_fresh_process
from lstm_strategy import FeatureSet, LSTMForecaster, LSTMIndicator
from lstm_strategy.learning.features import PRESETS

N_SETTLED = 10_000  # bars after which the memory must not grow
FEATURES = [{"kind": "log_return", "length": 1}, {"kind": "relative_volume", "length": 5}]
_CHUNK = 1_000

Bar = dict[str, Any]


def make_bars(seed: int = 0) -> Iterator[Bar]:
    """Bars of a random walk, a minute each, without end."""
    rng = np.random.default_rng(seed)
    time_, price = pd.Timestamp("2001-01-01"), 50.0
    while True:
        closes = price * np.exp(np.cumsum(rng.normal(0, 1e-3, _CHUNK)))
        closes = 50 * np.exp(np.sin(np.log(closes / 50)))  # stays near 50, however long it goes on
        opens = np.r_[price, closes[:-1]]
        volumes = np.exp(rng.normal(8, 0.3, _CHUNK))
        for open_, close, volume in zip(opens, closes, volumes, strict=True):
            high, low = max(open_, close) * 1.001, min(open_, close) * 0.999
            yield {
                "datetime": time_,
                **{"open": open_, "high": high, "low": low, "close": close, "volume": volume},
            }
            time_ += pd.Timedelta(1, "min")
        price = float(closes[-1])


def save_forecaster(folder: str, preset: str | None) -> str:
    """A small trained network: the name of its folder."""
    features = FeatureSet(FEATURES if preset is None else PRESETS[preset])
    forecaster = LSTMForecaster(features, units=(8,), members=2, lookback=30, epochs=1, seed=7)
    bars = pd.DataFrame(islice(make_bars(seed=1), 1_500)).set_index("datetime")
    return str(forecaster.fit(bars, progress=False).save(f"{folder}/model"))


class Meter:
    """Memory and CPU time of this process, noted at every so many bars.

    Args:
        n_bars: Bars a note.

    Attributes:
        notes: Bars so far, resident bytes, and seconds of CPU a bar since the note before.
    """

    def __init__(self, n_bars: int) -> None:
        self._every = n_bars
        self._began = time.process_time()
        self._n_bars = self._n_noted = 0
        self.notes: list[tuple[int, int, float]] = []

    def count(self) -> None:
        """Count one bar."""
        self._n_bars += 1
        if self._n_bars == N_SETTLED or self._n_bars % self._every == 0:
            seconds = time.process_time() - self._began
            gc.collect()
            n_new = self._n_bars - self._n_noted
            self.notes.append((self._n_bars, resident_bytes(), seconds / n_new))
            self._n_noted, self._began = self._n_bars, time.process_time()


def resident_bytes() -> int:
    """The memory that this process has now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def follow_stream(model: str, n_bars: int, count: Callable[[], None]) -> None:
    """Feed a stream of a saved model."""
    stream = LSTMForecaster.load(model).stream()
    for bar in islice(make_bars(), n_bars):
        stream.update(bar)
        count()


def follow_indicator(model: str, n_bars: int, count: Callable[[], None]) -> None:
    """Feed an indicator of a saved model, in Cerebro's `next` mode and with the least memory."""
    bars = islice(make_bars(), n_bars)

    class Arriving(bt.feed.DataBase):
        def _load(self) -> bool:
            bar = next(bars, None)
            if bar is None:
                return False
            self.lines.datetime[0] = bt.date2num(bar["datetime"])
            for name in ("open", "high", "low", "close", "volume"):
                getattr(self.lines, name)[0] = bar[name]
            self.lines.openinterest[0] = 0.0
            return True

    class Following(bt.Strategy):
        def __init__(self) -> None:
            self.lstm = LSTMIndicator(self.data, model=model)

        def prenext(self) -> None:
            count()

        next = prenext

    cerebro = bt.Cerebro(runonce=False, preload=False, exactbars=1, stdstats=False)
    cerebro.adddata(Arriving())
    cerebro.addstrategy(Following)
    cerebro.run()


WAYS = {"stream": follow_stream, "indicator": follow_indicator}


def soak(model: str, n_bars: int, way: str) -> list[tuple[int, int, float]]:
    """The notes of a meter on so many bars."""
    meter = Meter(n_bars // 10)
    WAYS[way](model, n_bars, meter.count)
    return meter.notes


def build_table(notes: list[tuple[int, int, float]], title: str) -> Table:
    table = Table(title=title)
    for name in ("bars", "MiB", "CPU us a bar"):
        table.add_column(name, justify="right")
    for n_bars, in_use, seconds in notes:
        table.add_row(f"{n_bars:,}", f"{in_use / 2**20:.1f}", f"{1e6 * seconds:.0f}")
    return table


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks soak",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--bars", type=int, default=1_000_000, help="how many")
    parser.add_argument("--through", choices=WAYS, default="stream", help="what takes them")
    parser.add_argument("--preset", choices=PRESETS, help="of features, in place of two quick ones")
    arguments = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as folder:
        model = save_forecaster(folder, arguments.preset)
        notes = in_fresh_process("soak.soak", model, arguments.bars, arguments.through)
    console.print(build_table(notes, f"{arguments.bars:,} bars through the {arguments.through}"))
    settled = next(in_use for n_bars, in_use, _ in notes if n_bars >= N_SETTLED)
    growth = max(in_use for n_bars, in_use, _ in notes if n_bars >= N_SETTLED) / settled - 1
    tenths = [seconds for n_bars, _, seconds in notes if n_bars != N_SETTLED]
    console.print(f"memory after the first {N_SETTLED:,} bars: {growth:+.1%}")
    console.print(f"time a bar, the last tenth over the first: {tenths[-1] / tenths[0]:.2f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
