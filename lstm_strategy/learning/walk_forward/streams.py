"""The forecasts of a walk forward bar by bar: each bar goes to the model of its fold."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from lstm_strategy.bars import CONTRACT_PRICE, LoadedBars, Panel
from lstm_strategy.errors import ModelError
from lstm_strategy.learning.forecaster import (
    UNKNOWN_FORECAST,
    FeatureForecaster,
    Forecast,
    Forecaster,
    Snapshot,
    Stream,
    write_checkpoint,
)
from lstm_strategy.learning.walk_forward.refit import Refit, position_of
from lstm_strategy.support import naive_utc, suggest_names


def _unknown_forecast(model: Forecaster) -> Forecast:
    """The forecast before the first fold, with the columns that the models of folds give."""
    if isinstance(model, FeatureForecaster):
        return Forecast.from_row(dict.fromkeys(model.forecast_columns, np.nan))
    return UNKNOWN_FORECAST


def _snapshot_of(stream: Any) -> Snapshot | None:
    """The state of the stream of a fold's model; None before the first fold."""
    return None if stream is None else stream.snapshot()


def _restore_current(refits: Sequence[Refit], snapshot: Snapshot) -> tuple[int, Any]:
    """The number of the fold, and the stream of its model; None before the first fold."""
    number, of_model = snapshot["current"], snapshot["stream"]
    if type(number) is not int or not -1 <= number < len(refits):
        raise ValueError("it is of a fold that there isn't")
    return number, None if of_model is None else refits[number].model.restore(of_model)


class WalkForwardStream:
    """`WalkForwardForecaster.forecast` bar by bar: the model changes where a fold begins.

    Args:
        refits: The models in the order of their folds.
        history: Valid bars that came before, if any.
        bars_columns: The columns that some model reads.
        context_bars: Bars by which a model begins before its first bar.
        symbol: The market of a panel that the bars are of.
        fingerprint: Gives that of the walk forward, which a checkpoint is bound to.
    """

    def __init__(
        self,
        refits: Sequence[Refit],
        history: pd.DataFrame | None,
        *,
        bars_columns: Sequence[str],
        context_bars: int,
        symbol: str | None = None,
        fingerprint: Callable[[], str | None],
    ) -> None:
        self._symbol, self._fingerprint = symbol, fingerprint
        self._refits = refits
        self._starts = [naive_utc(refit.test_start) for refit in self._refits]
        self._columns = dict.fromkeys(("datetime", *bars_columns, CONTRACT_PRICE))
        self._context_bars = context_bars
        self._recent: list[dict[str, Any]] = []
        self._current = -1
        self._stream: Stream | None = None
        self._unknown = _unknown_forecast(self._refits[0].model)
        if history is not None and len(history):
            self._prime(history)

    @classmethod
    def from_snapshot(cls, refits: Sequence[Refit], snapshot: Snapshot, **needs: Any) -> Self:
        """Go on from what `snapshot` returned, to the last bit.

        Args:
            refits: The models in the order of their folds.
            snapshot: The state.
            needs: The other arguments of the class.
        """
        stream = cls(refits, None, symbol=snapshot["symbol"], **needs)
        stream._current, stream._stream = _restore_current(refits, snapshot)
        recent = snapshot["recent"]
        if recent is not None:
            stream._recent = recent.rename_axis("datetime").reset_index().to_dict("records")
        return stream

    def snapshot(self) -> dict[str, Any]:
        """The state: what `from_snapshot` needs to go on with the same numbers."""
        recent = pd.DataFrame(self._recent).set_index("datetime") if self._recent else None
        return {
            "symbol": self._symbol,
            "recent": recent,
            "current": self._current,
            "stream": _snapshot_of(self._stream),
        }

    def checkpoint(self, path: str | Path) -> Path:
        """Write the state as one file, whole or not at all; see `ForecastStream.checkpoint`.

        Args:
            path: The file; an earlier one is replaced.

        Raises:
            ModelError: If a model has no fingerprint.
            OSError: If the file can't be written; an earlier one is left as it was.
        """
        return write_checkpoint(path, self.snapshot(), fingerprint=self._fingerprint())

    def update(self, bar: Mapping[str, Any]) -> Forecast:
        """Take a closed bar and return what is known at its close; see `ForecastStream.update`."""
        self._change_model(bar["datetime"])
        forecast = self._unknown if self._stream is None else self._stream.update(bar)
        self._recent.append({name: bar[name] for name in self._columns if name in bar})
        if len(self._recent) > 2 * self._context_bars:  # now and then, so that a bar costs O(1)
            del self._recent[: -self._context_bars]
        return forecast

    def peek(self, bar: Mapping[str, Any]) -> Forecast:
        """Return what `update` would answer if `bar` closed as it is now."""
        self._change_model(bar["datetime"])
        return self._unknown if self._stream is None else self._stream.peek(bar)

    def _change_model(self, moment: Any) -> None:
        newest = self._newest_model(pd.Timestamp(moment))
        if newest == self._current:
            return
        self._current = newest
        recent = self._recent[-self._context_bars :]
        history = pd.DataFrame(recent).set_index("datetime") if recent else None
        model: Any = self._refits[newest].model
        market = {} if self._symbol is None else {"symbol": self._symbol}
        self._stream = model.stream(history, **market)

    def _newest_model(self, moment: pd.Timestamp) -> int:
        return bisect_right(self._starts, naive_utc(moment)) - 1

    def _prime(self, history: pd.DataFrame) -> None:
        # begin one context before the fold that the history ends in, where the batch begins too
        newest = max(self._newest_model(history.index[-1]), 0)
        start = position_of(history.index, self._refits[newest].test_start)
        begin = max(0, start - self._context_bars)
        for bar in history.iloc[begin:].rename_axis("datetime").reset_index().to_dict("records"):
            self.update({str(name): value for name, value in bar.items()})


class WalkForwardPanelStream(Mapping[str, WalkForwardStream]):
    """`WalkForwardForecaster.forecast` of a panel, moment by moment.

    Args:
        refits: The models in the order of their folds.
        history: Valid bars of all markets that came before.
        bars_columns: The columns that some model reads.
        context_bars: Bars by which a model begins before its first bar.
        fingerprint: Gives that of the walk forward, which a checkpoint is bound to.
    """

    def __init__(
        self,
        refits: Sequence[Refit],
        history: Panel,
        *,
        bars_columns: Sequence[str],
        context_bars: int,
        fingerprint: Callable[[], str | None],
    ) -> None:
        self._refits, self._fingerprint = refits, fingerprint
        self._starts = [naive_utc(refit.test_start) for refit in self._refits]
        self._unknown = _unknown_forecast(self._refits[0].model)
        self._symbols = history.symbols
        self._history: Mapping[str, pd.DataFrame] = history
        self._new: dict[str, list[dict[str, Any]]] = {symbol: [] for symbol in history}
        self._current = -1
        self._stream: Any = None
        self._streams: dict[str, WalkForwardStream] = {}
        if self._refits[0].model.features.needs_panel:
            if len(history.dates):
                self._change_model(history.dates[-1])
        else:
            self._streams = {
                symbol: WalkForwardStream(
                    refits,
                    bars,
                    bars_columns=bars_columns,
                    context_bars=context_bars,
                    symbol=symbol,
                    fingerprint=fingerprint,
                )
                for symbol, bars in history.items()
            }
            self._forget_bars()

    @classmethod
    def from_snapshot(cls, refits: Sequence[Refit], snapshot: Snapshot, **needs: Any) -> Self:
        """Go on from what `snapshot` returned, to the last bit.

        Args:
            refits: The models in the order of their folds.
            snapshot: The state.
            needs: The other arguments of the class.
        """
        nothing = pd.DataFrame(
            columns=needs["bars_columns"], dtype=float, index=pd.DatetimeIndex([])
        )
        symbols = snapshot["symbols"]
        stream = cls(refits, Panel(dict.fromkeys(symbols, LoadedBars(nothing, ()))), **needs)
        stream._streams = {
            symbol: WalkForwardStream.from_snapshot(refits, of, **needs)
            for symbol, of in snapshot["streams"].items()
        }
        stream._current, stream._stream = _restore_current(refits, snapshot)
        stream._history = snapshot["history"]
        stream._new = {symbol: [] for symbol in stream._history}
        return stream

    def snapshot(self) -> dict[str, Any]:
        """The state: what `from_snapshot` needs to go on with the same numbers."""
        return {
            "symbols": list(self._symbols),
            "streams": {symbol: stream.snapshot() for symbol, stream in self._streams.items()},
            "current": self._current,
            "stream": _snapshot_of(self._stream),
            "history": {symbol: self._known_bars(symbol) for symbol in self._history},
        }

    def checkpoint(self, path: str | Path) -> Path:
        """Write the state of all markets as one file; see `ForecastStream.checkpoint`.

        Where a feature looks across the markets, that is all their bars until the last model has
        begun.

        Args:
            path: The file; an earlier one is replaced.

        Raises:
            ModelError: If a model has no fingerprint.
            OSError: If the file can't be written; an earlier one is left as it was.
        """
        return write_checkpoint(path, self.snapshot(), fingerprint=self._fingerprint())

    def __getitem__(self, symbol: str) -> WalkForwardStream:
        return self._streams[symbol]

    def __iter__(self) -> Iterator[str]:
        return iter(self._streams)

    def __len__(self) -> int:
        return len(self._streams)

    def update(self, bars: Mapping[str, Mapping[str, Any]]) -> dict[str, Forecast]:
        """Take the closed bars of one moment and return what is known at their close.

        Args:
            bars: By symbol a bar as `ForecastStream.update` takes it, all of one time.
        """
        forecasts = self._ask("update", bars)
        for symbol in bars.keys() & self._new.keys():
            self._new[symbol].append(dict(bars[symbol]))
        return forecasts

    def peek(self, bars: Mapping[str, Mapping[str, Any]]) -> dict[str, Forecast]:
        """Return what `update` would answer if the bars closed as they are now."""
        return self._ask("peek", bars)

    def _ask(self, way: str, bars: Mapping[str, Mapping[str, Any]]) -> dict[str, Forecast]:
        for symbol in bars:
            if symbol not in self._symbols:
                raise ModelError(
                    f"The stream follows no market {symbol!r}. "
                    f"{suggest_names(symbol, self._symbols)} Begin a new stream with the history "
                    "of all markets."
                )
        if self._streams:
            return {
                symbol: getattr(self._streams[symbol], way)(bar) for symbol, bar in bars.items()
            }
        for bar in bars.values():
            self._change_model(pd.Timestamp(bar["datetime"]))
        if self._stream is None:
            return dict.fromkeys(bars, self._unknown)
        forecasts: dict[str, Forecast] = getattr(self._stream, way)(bars)
        return forecasts

    def _change_model(self, moment: pd.Timestamp) -> None:
        """Go on with the model of the moment's fold, which is shown all bars so far."""
        newest = bisect_right(self._starts, naive_utc(moment)) - 1
        if newest == self._current:
            return
        known = {symbol: LoadedBars(self._known_bars(symbol), ()) for symbol in self._history}
        self._current = newest
        model: Any = self._refits[newest].model
        self._stream = model.stream(Panel(known))
        if newest == len(self._refits) - 1:
            self._forget_bars()

    def _known_bars(self, symbol: str) -> pd.DataFrame:
        """All bars of a market so far."""
        bars, new = self._history[symbol], pd.DataFrame(self._new[symbol])
        if new.empty:
            return bars
        new = new.set_index("datetime")
        return pd.concat([bars, new]) if len(bars) else new

    def _forget_bars(self) -> None:
        """Keep no bars any longer: there is no later model that they would be shown to."""
        self._history, self._new = {}, {}
