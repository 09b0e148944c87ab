"""A price file whose bars come one by one, as if its market were open."""

import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from lstm_strategy.bars.frequency import bar_spacing
from lstm_strategy.bars.read import Wishes, read_file
from lstm_strategy.bars.sources.disturb import disturb_bars
from lstm_strategy.bars.sources.options import (
    read_count,
    read_seconds,
    read_share,
    split_options,
)
from lstm_strategy.bars.sources.source import cut_history, iterate_bars
from lstm_strategy.errors import BarsError
from lstm_strategy.support import on_clock_of

_SCHEME = "play:"


class PlayedFile:
    """A `BarSource` that plays a file.

    Args:
        name: What the source is called.
        bars: Validated bars, at least two.
        n_history: How many of the first bars are history; None for half of them.
        pace: Seconds from bar to bar.
        faults: The share of live bars that come with a fault (see `disturb_bars`).
        seed: Which faults come.
    """

    def __init__(
        self,
        name: str,
        bars: pd.DataFrame,
        *,
        n_history: int | None = None,
        pace: float = 1.0,
        faults: float = 0.0,
        seed: int = 0,
    ) -> None:
        self._name, self._bars = name, bars
        self._n_history = len(bars) // 2 if n_history is None else n_history
        self._pace, self._faults, self._seed = pace, faults, seed
        self._is_closed = threading.Event()
        if self._n_history > len(bars):
            raise BarsError(
                f"{name}: history must be at most the {len(bars)} bars of the file, got "
                f"{self._n_history}. Choose fewer."
            )

    @classmethod
    def open(cls, text: str) -> "PlayedFile":
        """The source that `play:FILE?history=…&pace=…&faults=…&seed=…` names."""
        known = {
            "history": read_count,
            "pace": read_seconds,
            "faults": read_share,
            "seed": read_count,
        }
        path, options = split_options(text, known)
        path = path.removeprefix(_SCHEME)
        bars = read_file(path, Wishes()).bars
        return cls(text, bars, n_history=options.pop("history", None), **options)

    @property
    def name(self) -> str:
        """The text that opened it."""
        return self._name

    @property
    def spacing(self) -> pd.Timedelta:
        """The median time from bar to bar."""
        return bar_spacing(pd.DatetimeIndex(self._bars.index))

    def history(
        self,
        start: pd.Timestamp | str | None = None,
        end: pd.Timestamp | str | None = None,
        *,
        n_bars: int | None = None,
    ) -> pd.DataFrame:
        """The first bars of the file, as `BarSource.history` says."""
        if not self._n_history:
            raise BarsError(f"{self._name}: there is no history. Choose more bars of it.")
        return cut_history(self._bars.iloc[: self._n_history], start, end, n_bars)

    def live(self, after: pd.Timestamp | None = None) -> Iterator[Mapping[str, Any]]:
        """The other bars of the file, or those after one of them; ends with the file."""
        bars = disturb_bars(
            iterate_bars(self._bars.iloc[self._count_known(after) :]),
            share=self._faults,
            seed=self._seed,
        )
        for bar in bars:
            if self._is_closed.wait(self._pace):
                return
            yield bar

    def close(self) -> None:
        """End `live`."""
        self._is_closed.set()

    def _count_known(self, after: pd.Timestamp | None) -> int:
        if after is None:
            return self._n_history
        index = pd.DatetimeIndex(self._bars.index)
        return int(index.searchsorted(on_clock_of(index, after), side="right"))
