"""The bars of a feed as a forecaster reads them: all at once, with the columns that it needs."""

from functools import cached_property
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd

from lstm_strategy.bars import CONTRACT_PRICE
from lstm_strategy.errors import TradingError
from lstm_strategy.learning.features import FeatureSet
from lstm_strategy.learning.forecaster import Forecaster
from lstm_strategy.trading.clock import FeedClock


class FeedBars:
    """The bars of a feed as a forecaster reads them.

    Args:
        data: The feed.
        forecaster: The model.

    Attributes:
        clock: The times of the bars.

    Raises:
        TradingError: If the feed lacks a line that the model reads, or backtrader loses it.
    """

    def __init__(self, data: Any, forecaster: Forecaster) -> None:
        self._data, self._forecaster = data, forecaster
        self._check_lines()
        self.clock = FeedClock(data)

    def read_all(self) -> pd.DataFrame:
        """Return all bars of a preloaded feed, with the columns that the model reads."""
        n_bars = self._data.buflen()
        columns = {
            name: np.array(getattr(self._data.lines, name).array[:n_bars]) for name in self.columns
        }
        for name in self.own_columns():
            if np.isnan(columns[name]).all():
                raise self._lost_column(name)
        if "volume" in columns:
            if self._forecaster.reads_volume and np.isnan(columns["volume"]).all():
                raise self._lost_volume()
            columns["volume"] = self.known_volume(columns["volume"])
        times = np.array(self._data.lines.datetime.array[:n_bars])
        return pd.DataFrame(columns, index=self.clock.times(times))

    @cached_property
    def columns(self) -> list[str]:
        """The columns that the model reads, and the price of the contract where the feed has it."""
        columns = self._forecaster.bars_columns
        has_price = hasattr(self._data.lines, CONTRACT_PRICE) and CONTRACT_PRICE not in columns
        return [*columns, CONTRACT_PRICE] if has_price else columns

    def read_present(self, last: pd.Timestamp | None = None) -> dict[str, Any]:
        """Return the present bar as a stream takes it.

        Args:
            last: The time of the bar before; None where it isn't known.
        """
        bar = {name: getattr(self._data.lines, name)[0] for name in self.columns}
        if "volume" in bar:
            bar["volume"] = float(self.known_volume(np.array(bar["volume"])))
        return {"datetime": self.clock.time_after(self._data.datetime[0], last), **bar}

    def known_volume(self, volume: np.ndarray) -> np.ndarray:
        """The volume, with 0 where a broker gives none and the model doesn't read it."""
        is_known = volume >= 0
        if is_known.all() or self._forecaster.reads_volume:
            return volume
        return np.where(is_known, volume, 0.0)

    def own_columns(self) -> list[str]:
        """The columns that the model reads and backtrader doesn't have in every feed."""
        usual = bt.feed.DataBase.lines.getlinealiases()
        return [name for name in self.columns if name not in usual]

    def _check_lines(self) -> None:
        """Refuse a feed that lacks a line which the model reads."""
        for name in self._forecaster.bars_columns:
            if not hasattr(self._data.lines, name):
                raise TradingError(
                    f"The model reads the line {name!r}, and the data doesn't have it. Feed the "
                    "bars with lstm_strategy.BarsFeed(bars), which keeps every numeric column."
                )
        for name in self.own_columns():
            if self._data.resampling or self._data.replaying:
                raise self._lost_column(name)

    def _lost_column(self, name: str) -> TradingError:
        return TradingError(
            f"The model reads the column {name!r}, which is unknown on every bar: resampledata, "
            "replaydata and filters of backtrader carry its own seven lines only. Make longer bars "
            "that keep it with lstm_strategy.bars.aggregate_bars(bars, '1W') and feed those; or "
            "fill the column."
        )

    def _lost_volume(self) -> TradingError:
        card = self._forecaster.card
        readers = [] if card is None else FeatureSet.from_dict(card.features).volume_readers
        names = ", ".join(readers) or "a feature"
        return TradingError(
            f"The feed has no volume, which {names} of the model reads. Feed bars with a volume, "
            'or train with features that read none, such as the preset "prices".'
        )
