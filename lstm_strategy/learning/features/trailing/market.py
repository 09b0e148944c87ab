"""The features of the newest bar, from as many bars before it as they depend on."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd

from lstm_strategy.bars import CONTRACT_PRICE
from lstm_strategy.learning.features.feature_set import FeatureSet
from lstm_strategy.learning.features.settling import agreement

_FEWEST_COMPARED = 32


class TrailingFeatures:
    """Rows of features, bar by bar: those that `FeatureSet.frame` gives for all bars so far.

    How far back a feature remembers depends on the market: a stop that trails the price remembers
    until it is hit. So the oldest bars go only once the newest rows of features are seen to be the
    same without them. About twice `FeatureSet.memory` bars are the usual number, however long the
    history is. Where they never are the same, or rounding decides on the value of a feature
    (`FeatureSet.forgets` is False), all bars are kept.

    Args:
        features: What is computed.
        history: Valid bars that came before, without NaN where a column has been known; may be
            empty.
        rows: What `features.frame(history)` gives, if it is there already.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> bars = sample_bars()[["open", "high", "low", "close", "volume"]].iloc[:100]
        >>> features = FeatureSet([{"kind": "sma", "length": 5}])
        >>> trailing = TrailingFeatures(features, bars.iloc[:99])
        >>> row = trailing.row_after(bars.index[99], bars.iloc[99].tolist())
        >>> row == features.frame(bars).iloc[99].to_numpy()
        array([ True])
    """

    def __init__(
        self, features: FeatureSet, history: pd.DataFrame, *, rows: pd.DataFrame | None = None
    ) -> None:
        self._features = features
        has_price = CONTRACT_PRICE in history
        self._bars = history[features.read_columns if has_price else features.bars_columns]
        self._n_compared = max(_FEWEST_COMPARED, features.memory // 2)
        self._n_kept = features.memory + self._n_compared
        self._next_look = 2 * self._n_kept
        self._forget_oldest(rows)

    @classmethod
    def from_snapshot(cls, features: FeatureSet, snapshot: Mapping[str, Any]) -> Self:
        """Go on from what `snapshot` returned, to the last bit.

        Args:
            features: What is computed.
            snapshot: The bars that were kept, and when the oldest of them may go.
        """
        bars, next_look = snapshot["bars"], snapshot["next_look"]
        if list(bars.columns) != features.read_columns or type(next_look) is not int:
            raise ValueError("its bars have other columns")
        trailing = cls(features, bars.iloc[:0])
        trailing._bars, trailing._next_look = bars, next_look
        return trailing

    def snapshot(self) -> dict[str, Any]:
        """What `from_snapshot` needs."""
        return {"bars": self._bars, "next_look": self._next_look}

    @property
    def bars(self) -> pd.DataFrame:
        """The bars that are kept."""
        return self._bars

    @property
    def last_time(self) -> pd.Timestamp | None:
        """The time of the newest bar; None before the first."""
        return self._bars.index[-1] if len(self._bars) else None

    @property
    def n_bars(self) -> int:
        """Bars that are kept."""
        return len(self._bars)

    def row_after(self, time: pd.Timestamp, values: list[float]) -> np.ndarray:
        """Compute the features of one more bar, which isn't kept.

        Args:
            time: The time of the bar.
            values: Its values, in the order of `FeatureSet.bars_columns`, or of `read_columns` if
                the history has the price of a contract.

        Returns:
            Shape (n_features,); NaN where a feature isn't known yet.
        """
        row: np.ndarray = self._features.frame(self._bars_with(time, values)).to_numpy()[-1]
        return row

    def append(self, time: pd.Timestamp, values: list[float]) -> None:
        """Keep one more bar; see `row_after`."""
        self._bars = self._bars_with(time, values)
        self._forget_oldest()

    def _bars_with(self, time: pd.Timestamp, values: list[float]) -> pd.DataFrame:
        index = pd.DatetimeIndex([time])
        return pd.DataFrame(
            np.vstack([self._bars.to_numpy(), values]),
            columns=self._bars.columns,
            index=self._bars.index.append(index) if len(self._bars) else index,
        )

    def _forget_oldest(self, full: pd.DataFrame | None = None) -> None:
        """Drop the bars without which the newest rows are the same, now and then."""
        if len(self._bars) < self._next_look or not self._features.forgets:
            return
        full = self._features.frame(self._bars) if full is None else full
        n_kept = self._n_kept
        while n_kept < len(self._bars):
            if self._is_enough(n_kept, full):
                self._bars = self._bars.iloc[-n_kept:]
                break
            n_kept *= 2
        self._next_look = max(2 * self._n_kept, len(self._bars) + self._n_compared)

    def _is_enough(self, n_bars: int, full: pd.DataFrame) -> bool:
        """Whether the last bars alone give the newest rows, on bars that say something."""
        recent = self._bars.iloc[-n_bars:]
        expected = full.to_numpy()[-self._n_compared :]
        closes = recent["close"].to_numpy()[-self._n_compared :]
        has_gap = np.isnan(expected[-1]) & full.notna().any().to_numpy()
        if has_gap.any() or closes.min() == closes.max():
            return False
        later = self._features.frame(recent).to_numpy()[-self._n_compared :]
        return bool(agreement(expected, later, deviation=full.std().to_numpy()).all())
