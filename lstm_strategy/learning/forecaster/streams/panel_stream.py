"""A trained model fed the bars of many markets, one moment at a time."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from lstm_strategy.bars import name_market
from lstm_strategy.errors import BarsError, FeatureError
from lstm_strategy.learning.features import FeatureSet, TrailingPanel
from lstm_strategy.learning.forecaster.base import Forecast
from lstm_strategy.learning.forecaster.checkpoint import Snapshot, write_checkpoint
from lstm_strategy.learning.forecaster.streams.stream import ForecastStream, StreamedModel
from lstm_strategy.support import naive_utc, suggest_names

_NewBars = Mapping[str, tuple[pd.Timestamp, list[float]]]


class PanelStream(Mapping[str, ForecastStream]):
    """The numbers of `forecast` of a panel, moment by moment.

    It is a mapping from symbols to the streams of the markets, each of which takes bars by itself
    where no feature looks across the markets. Get one from `stream` of a forecaster.

    Args:
        models: The trained model of each market, by symbol.
        history: Valid bars that came before, of the same markets.
    """

    def __init__(
        self, models: Mapping[str, StreamedModel], history: Mapping[str, pd.DataFrame]
    ) -> None:
        features = next(iter(models.values())).inputs
        self._fingerprint = next(iter(models.values())).fingerprint
        known = {symbol: features.hold_values(bars) for symbol, bars in history.items()}
        self._across = across = _RowsAcross(features, known) if features.needs_panel else None
        frames = {} if across is None else features.frames(known)
        self._streams = {
            symbol: ForecastStream(
                model,
                history[symbol],
                rows=frames.get(symbol),
                trailing=None if across is None else _MarketRows(across, symbol, history[symbol]),
            )
            for symbol, model in models.items()
        }

    @classmethod
    def from_snapshot(cls, models: Mapping[str, StreamedModel], snapshot: Snapshot) -> Self:
        """Go on from what `snapshot` returned, to the last bit.

        Args:
            models: The trained model of each market, by symbol.
            snapshot: The state.
        """
        features = next(iter(models.values())).inputs
        nothing = pd.DataFrame(
            columns=features.read_columns, dtype=float, index=pd.DatetimeIndex([])
        )
        stream = cls(models, dict.fromkeys(models, nothing))
        across, kept = stream._across, snapshot["streams"]
        if across is not None:
            across.restore(features, snapshot["across"])
        for symbol, model in models.items():
            trailing = bars = None
            if across is not None:
                bars = across.bars_of(symbol)
                trailing = _MarketRows(across, symbol, bars)
                trailing.last_time = kept[symbol]["trailing"]["last_time"]
            stream._streams[symbol] = ForecastStream.from_snapshot(
                model, kept[symbol], trailing=trailing, bars=bars
            )
        return stream

    def snapshot(self) -> dict[str, Any]:
        """The state: what `from_snapshot` needs to go on with the same numbers."""
        return {
            "streams": {symbol: stream.snapshot() for symbol, stream in self._streams.items()},
            "across": None if self._across is None else self._across.snapshot(),
        }

    def checkpoint(self, path: str | Path) -> Path:
        """Write the state of all markets as one file; see `ForecastStream.checkpoint`.

        Args:
            path: The file; an earlier one is replaced.

        Raises:
            ModelError: If the model has no fingerprint.
            OSError: If the file can't be written; an earlier one is left as it was.
        """
        return write_checkpoint(path, self.snapshot(), fingerprint=self._fingerprint())

    def __getitem__(self, symbol: str) -> ForecastStream:
        return self._streams[symbol]

    def __iter__(self) -> Iterator[str]:
        return iter(self._streams)

    def __len__(self) -> int:
        return len(self._streams)

    def update(self, bars: Mapping[str, Mapping[str, Any]]) -> dict[str, Forecast]:
        """Take the closed bars of one moment and return what is known at their close.

        Args:
            bars: By symbol a bar as `ForecastStream.update` takes it, all of one time. A market
                without a bar at that time is left out, as it is in `FeatureSet.frames`.

        Returns:
            By symbol the forecast of each market that has a bar; NaN in warm-up.

        Raises:
            BarsError: If a market isn't known, the times differ, or a bar can't be taken, naming
                the market; where features look across the markets, also if some market has a
                bar of that time or a later one already. The stream is then as it was.
        """
        read = self._read(bars)
        if self._across is None:  # a bar that was just peeked at isn't computed again
            return {symbol: self._streams[symbol].update(bar) for symbol, bar in bars.items()}
        forecasts = {symbol: self._streams[symbol].take(*bar) for symbol, bar in read.items()}
        self._across.keep()
        return forecasts

    def peek(self, bars: Mapping[str, Mapping[str, Any]]) -> dict[str, Forecast]:
        """Return what `update` would answer if the bars closed as they are; nothing is kept.

        Args:
            bars: As for `update`.

        Raises:
            BarsError: As `update` does.
        """
        read = self._read(bars)
        if self._across is None:
            return {symbol: self._streams[symbol].peek(bar) for symbol, bar in bars.items()}
        forecasts = {symbol: self._streams[symbol].look(*bar) for symbol, bar in read.items()}
        self._across.forget()
        return forecasts

    def _read(self, bars: Mapping[str, Mapping[str, Any]]) -> _NewBars:
        """Times and values of the bars, checked, with their rows of features at hand."""
        read: dict[str, tuple[pd.Timestamp, list[float]]] = {}
        for symbol, bar in bars.items():
            if symbol not in self._streams:
                raise BarsError(
                    f"the stream follows no market {symbol!r}. {suggest_names(symbol, self)} Begin "
                    "a new stream with the history of all markets."
                )
            with name_market(symbol):
                read[symbol] = self._streams[symbol].read(bar)
        for symbol, (time, _) in read.items():
            first, (first_time, _) = next(iter(read.items()))
            if naive_utc(time) != naive_utc(first_time):
                raise BarsError(
                    f"all bars of an update must have one time, got {first_time} of market "
                    f"{first} and {time} of market {symbol}. Give each its own update, in the "
                    "order of time."
                )
        if self._across is not None and read:
            self._across.look(read)
        return read


class _RowsAcross:
    """The rows of features of one moment, for the streams of all markets."""

    def __init__(self, features: FeatureSet, history: Mapping[str, pd.DataFrame]) -> None:
        self._trailing = TrailingPanel(features, history)
        ends = [naive_utc(bars.index[-1]) for bars in history.values() if len(bars)]
        self._last_moment = max(ends, default=None)
        self._bars: _NewBars = {}
        self._rows: dict[str, np.ndarray] = {}

    def restore(self, features: FeatureSet, snapshot: Snapshot) -> None:
        """Go on from what `snapshot` returned."""
        self._trailing = TrailingPanel.from_snapshot(features, snapshot["trailing"])
        self._last_moment = snapshot["last_moment"]

    def snapshot(self) -> dict[str, Any]:
        """What is kept of all markets."""
        return {"trailing": self._trailing.snapshot(), "last_moment": self._last_moment}

    def bars_of(self, symbol: str) -> pd.DataFrame:
        """The bars of a market that are kept."""
        return self._trailing.bars_of(symbol)

    def look(self, bars: _NewBars) -> None:
        """Compute the rows of these bars, all of one moment."""
        moment = _moment_of(bars)
        if self._last_moment is not None and moment <= self._last_moment:
            raise BarsError(
                f"features look across the markets, and a bar of {self._last_moment} UTC was taken "
                f"before those of {moment} UTC. Give all bars of a moment in one update, in the "
                "order of time."
            )
        self._bars, self._rows = bars, self._trailing.rows_after(bars)

    def keep(self) -> None:
        """Keep the bars that were looked at."""
        if self._bars:
            self._trailing.append(self._bars)
            self._last_moment = _moment_of(self._bars)
        self.forget()

    def forget(self) -> None:
        """Leave the bars that were looked at."""
        self._bars, self._rows = {}, {}

    def row_of(self, symbol: str) -> np.ndarray:
        """The row of one market."""
        if symbol not in self._rows:
            raise FeatureError(
                "A feature looks across the markets of a panel, and there is the bar of one market "
                "only. Give the bars of all markets at once: "
                'stream.update({"' + symbol + '": bar, ...}).'
            )
        return self._rows[symbol]


def _moment_of(bars: _NewBars) -> pd.Timestamp:
    """The time of all bars, in UTC."""
    return naive_utc(next(iter(bars.values()))[0])


class _MarketRows:
    """What the stream of one market sees of the rows of all."""

    def __init__(self, across: _RowsAcross, symbol: str, history: pd.DataFrame) -> None:
        self._across = across
        self._symbol = symbol
        self.last_time: pd.Timestamp | None = history.index[-1] if len(history) else None

    def row_after(self, time: pd.Timestamp, values: list[float]) -> np.ndarray:
        """The row of the bar that all markets were asked about."""
        return self._across.row_of(self._symbol)

    def append(self, time: pd.Timestamp, values: list[float]) -> None:
        """Note the time; the bars of all markets are kept at once."""
        self.last_time = time

    def snapshot(self) -> dict[str, Any]:
        """The time; the rest is kept for all markets at once."""
        return {"last_time": self.last_time}
