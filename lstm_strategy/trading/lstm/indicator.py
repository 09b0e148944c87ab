"""A forecaster as backtrader lines, the same in every Cerebro mode.

Backtrader computes an indicator in one of three ways, and each gets what suits it:

* vector mode (`runonce` on preloaded bars): `once` asks the forecaster for the whole feed in one
  call;
* bar by bar on preloaded bars: the first call asks for the whole feed, later calls look it up;
* bar by bar on bars that are still arriving (live, replay, resample, `exactbars=1`): a stream
  takes one network step per bar. A bar that is still forming is only peeked at; the memory moves on
  when the next bar has begun.
"""

import logging
import math
from array import array
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

import backtrader as bt
import numpy as np
import pandas as pd

from lstm_strategy.errors import ModelError, TooFewBarsError, TradingError
from lstm_strategy.learning.forecaster import COMPLETE_COLUMNS, Forecaster, Stream
from lstm_strategy.learning.serving import forecast_with_cache, open_forecaster
from lstm_strategy.trading.backtrader_internals import owner_of
from lstm_strategy.trading.execution import note_one_unit
from lstm_strategy.trading.lstm.feed_bars import FeedBars
from lstm_strategy.trading.lstm.late_bars import is_far_ahead

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)


class LSTMIndicator(bt.Indicator):
    """The lines `signal`, `forecast`, `uncertainty` and `novelty` of a trained forecaster.

    The lines are known at the close of their bar. They are NaN in the model's warm-up, which
    counts in the minimum period.

    - `signal` is the exposure that the forecast asks for, -1…1.
    - `forecast` is what the model's target says: for the direction how likely a rise is, 0…1, with
      moves weighted by their size, so that rises and falls cancel at 0.5.
    - `uncertainty` is the standard deviation between the members of the ensemble.
    - `novelty` is how strange the hidden state is to the network: above 1 for hardly any bar like
      those of its training. It is NaN throughout where the model doesn't say.

    A live feed may deliver a bar again after a reconnect, or late: such a bar is skipped, counted
    in `n_skipped_bars`, and the lines keep their values on it. Where a bar is dated more than 30
    days ahead, and 30 times as far ahead as the bar that follows it, it is skipped instead. A
    volume that isn't known (NaN, or -1 as some brokers send it) counts as 0 where no feature of
    the model reads the volume.

    A model of a panel that learned something of each market takes the name of the data for that of
    the market, as `cerebro.adddata(feed, name="ES")` gives it.

    Args:
        *datas: One feed with open, high, low, close, volume and whatever else the model reads;
            by default the strategy's first.
        model: A fitted `LSTMForecaster` or any other forecaster, or the folder of a saved one.
            It has to be given by its name.

    Raises:
        TradingError: If the data lacks a line that the model reads, or backtrader has lost it on
            the way.
        TooFewBarsError: If there are fewer bars than the warm-up.
        ModelError: If the model can't be loaded.

    Example:
        >>> class Filtered(bt.Strategy):
        ...     def __init__(self):
        ...         self.lstm = LSTMIndicator(self.data, model="models/sp500")
        ...         self.go_long = bt.And(self.lstm.signal > 0.1, bt.ind.RSI() < 70)
        >>> LSTMIndicator.lines.getlinealiases()
        ('signal', 'forecast', 'uncertainty', 'novelty')
    """

    lines: Any = tuple(COMPLETE_COLUMNS)
    params = (("model", None),)
    plotinfo: ClassVar = {"plotname": "LSTM", "plothlines": [0.0]}
    plotlines: ClassVar = {name: {"_plotskip": True} for name in COMPLETE_COLUMNS[1:]}

    if TYPE_CHECKING:
        # The metaclass takes these before __init__ is called.
        def __init__(
            self, *datas: Any, model: Forecaster | str | Path | None, **settings: Any
        ) -> None: ...

    def __init__(self) -> None:  # type: ignore[no-redef]
        self._check_is_feed()
        self._forecaster = open_forecaster(self.p.model)
        self._feed_bars = FeedBars(self.data, self._forecaster)
        self.addminperiod(self._forecaster.warm_up + 1)
        self._ready: np.ndarray | None = None
        self._stream: Stream | None = None
        self._forming: dict[str, Any] = {}
        self._last_taken: pd.Timestamp | None = None
        self._bars_begun = 0
        self._skipped_bar = 0
        self.n_skipped_bars = 0

    def _plotlabel(self) -> list[str]:
        return []  # the default prints the whole model

    def __len__(self) -> int:
        # backtrader asks for it four times a bar, and by its own way it takes four calls each time
        return int(self.line.lencount)

    def preonce(self, start: int, end: int) -> None:
        """Nothing: `once` fills the warm-up too."""

    def oncestart(self, start: int, end: int) -> None:
        """Nothing: the default would call `once`, and the network would run twice."""

    def once(self, start: int, end: int) -> None:
        """Vector mode: all bars in one call of the forecaster."""
        note_one_unit(owner_of(self))
        values = self._whole_feed_forecasts()
        for line, column in zip(self.lines, values.T, strict=True):
            line.array[: len(column)] = array("d", column.tobytes())

    def prenext(self) -> None:
        """Bar by bar, in warm-up: the memory has to see these bars too."""
        self.next()

    def nextstart(self) -> None:
        """Bar by bar, the first bar after the warm-up: like any other."""
        self.next()

    def next(self) -> None:
        """Bar by bar: look the bar up, or take one step."""
        values = self._values_at(len(self.data))
        for line, value in zip(self.lines, values, strict=True):
            line[0] = value

    def _values_at(self, n_bars: int) -> Iterable[float]:
        if self._ready is not None:
            row: Iterable[float] = self._ready[n_bars - 1]
            return row
        if self._stream is not None:
            return self._streamed_values(self._stream, n_bars)
        self._choose_source(n_bars)
        return self._values_at(n_bars)

    def _choose_source(self, n_bars: int) -> None:
        note_one_unit(owner_of(self))
        is_preloaded = self.data.buflen() > n_bars
        if is_preloaded:
            self._ready = self._whole_feed_forecasts()
        else:
            forecaster: Any = self._forecaster
            market = {} if self._market is None else {"symbol": self._market}
            self._stream = forecaster.stream(**market)

    def _whole_feed_forecasts(self) -> np.ndarray:
        bars = self._feed_bars.read_all()
        if len(bars) <= self._forecaster.warm_up:
            raise TooFewBarsError(
                f"The model needs {self._forecaster.warm_up + 1:,} bars before its first signal, "
                f"and the data has {len(bars):,}. Load more history, or train with a shorter "
                "lookback or shorter features."
            )
        if self._market is None:
            frame = forecast_with_cache(self._forecaster, bars)
        else:
            frame = forecast_with_cache(self._forecaster, {self._market: bars})[self._market]
        return frame[COMPLETE_COLUMNS].to_numpy(np.float64)

    @property
    def _market(self) -> str | None:
        """Which market of a panel the bars are of, where the model may know it by its name."""
        name: str = getattr(self.data, "_name", "")
        return name if name and self._forecaster.takes_panels else None

    def _streamed_values(self, stream: Stream, n_bars: int) -> Iterable[float]:
        if n_bars > self._bars_begun:
            self._bars_begun = n_bars
            if self._forming:
                self._end_forming_bar(stream)
        if n_bars != self._skipped_bar:
            self._forming = self._feed_bars.read_present(self._last_taken)
        forecast = stream.peek(self._forming)
        if not hasattr(forecast, "signal"):
            raise ModelError(
                f"{type(stream).__name__}.peek must answer with an object that has a signal, got "
                f"{forecast!r}. Return Forecast(signal, forecast, uncertainty)."
            )
        # an object of the user's own may give the signal alone
        said = (getattr(forecast, name, math.nan) for name in COMPLETE_COLUMNS[1:])
        return forecast.signal, *said

    def _end_forming_bar(self, stream: Stream) -> None:
        """Take the bar before the one that has begun, or skip the one of the two that is wrong."""
        formed = self._forming["datetime"]
        begun = self._feed_bars.clock.time_after(self.data.datetime[0], formed)
        if begun > formed:
            stream.update(self._forming)
            self._last_taken = formed
        elif is_far_ahead(formed, self._last_taken, begun):
            self._skip(
                "The bar of %s is dated far after the one before it, of %s, and after the one that "
                "follows, of %s: its date can't be right.",
                *(formed, self._last_taken, begun),
            )
        else:
            self._skipped_bar = self._bars_begun
            self._skip("The bar of %s came again, or late: after that of %s.", begun, formed)

    def _skip(self, why: str, *times: Any) -> None:
        self.n_skipped_bars += 1
        if self.n_skipped_bars == 1:
            log.warning(
                f"{why} The model skips such bars; n_skipped_bars of the indicator counts them.",
                *times,
            )

    def _check_is_feed(self) -> None:
        if not all(hasattr(self.data.lines, name) for name in ("open", "close", "datetime")):
            raise TradingError(
                "LSTMIndicator needs a data feed with open, high, low, close and volume, got "
                f"{type(self.data).__name__}. Write LSTMIndicator(self.data, model=...): the "
                "feed first, the model by its name."
            )
