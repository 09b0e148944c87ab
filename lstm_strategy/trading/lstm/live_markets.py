"""What one model forecasts of several markets whose bars are still arriving."""

import logging
from collections.abc import Mapping
from typing import Any

import pandas as pd

from lstm_strategy.bars import LoadedBars, Panel
from lstm_strategy.learning.forecaster import Forecaster
from lstm_strategy.support import naive_utc
from lstm_strategy.trading.lstm.feed_bars import FeedBars
from lstm_strategy.trading.lstm.late_bars import is_far_ahead

log = logging.getLogger(__name__)


class LiveMarkets:
    """The forecasts of several markets, whose bars one stream takes moment by moment.

    So a model sees each market by its name, and across all that have a bar. The bars of a moment
    may arrive one by one: they are only peeked at until a bar of a later one has come. A bar that
    comes after that is skipped and counted, and the market keeps its forecast of before.

    Args:
        forecaster: A model that takes panels.
        datas: The feeds, by name.

    Attributes:
        forecasts: The newest forecast of each market that has had a bar, by name.
        n_skipped_bars: Bars that came late, or were dated far ahead.

    Raises:
        TradingError: If a feed lacks a line that the model reads.
    """

    def __init__(self, forecaster: Forecaster, datas: Mapping[str, Any]) -> None:
        self._datas = datas
        self._readers = {name: FeedBars(data, forecaster) for name, data in datas.items()}
        nothing = pd.DataFrame(
            columns=forecaster.bars_columns, dtype=float, index=pd.DatetimeIndex([])
        )
        panel: Any = Panel({name: LoadedBars(nothing, ()) for name in datas})
        self._stream: Any = forecaster.stream(panel)
        self._n_bars = dict.fromkeys(datas, 0)
        self._forming: dict[str, dict[str, Any]] = {}
        self._last_taken: pd.Timestamp | None = None
        self.forecasts: dict[str, Any] = {}
        self.n_skipped_bars = 0

    def look(self) -> None:
        """See which markets have a new bar, and forecast them."""
        for name, data in self._datas.items():
            n_bars = len(data.lines.datetime)
            if n_bars > self._n_bars[name]:
                self._n_bars[name] = n_bars
                self._note(name)
        self.forecasts |= self._stream.peek(self._forming)

    def _note(self, name: str) -> None:
        """Put the new bar of a market among those of its moment, or skip one of the two."""
        bar = self._readers[name].read_present()
        begun, formed = naive_utc(bar["datetime"]), self._moment
        if formed is None or begun > formed:
            self._take_moment()
        elif begun < formed and is_far_ahead(formed, self._last_taken, begun):
            self._skip("The bars of %s (UTC) are dated far ahead: of %s came after.", formed, begun)
            self._forming = {}
        elif begun < formed:
            self._skip("The bar of %s (UTC) of market %s came late.", begun, name)
            return
        self._forming[name] = bar

    def _take_moment(self) -> None:
        """Let the stream take the bars of the moment that has passed."""
        if self._forming:
            self._last_taken = self._moment
            self._stream.update(self._forming)
            self._forming = {}

    @property
    def _moment(self) -> pd.Timestamp | None:
        """The time of the bars that are only peeked at, in UTC."""
        return next((naive_utc(bar["datetime"]) for bar in self._forming.values()), None)

    def _skip(self, why: str, *details: Any) -> None:
        self.n_skipped_bars += 1
        if self.n_skipped_bars == 1:
            log.warning(f"{why} The model skips such bars; n_skipped_bars counts them.", *details)
