"""The features of the newest bars of many markets, which may look across them."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd

from lstm_strategy.bars import CONTRACT_PRICE
from lstm_strategy.learning.features.feature_set import FeatureSet
from lstm_strategy.learning.features.market_wide import MarketWideLook
from lstm_strategy.learning.features.trailing.market import TrailingFeatures
from lstm_strategy.support import naive_utc_index

NewBars = Mapping[str, tuple[pd.Timestamp, list[float]]]
"""By symbol the time and the values of its newest bar, all of one moment."""


class TrailingPanel:
    """Rows of features, time by time: those that `FeatureSet.frames` gives for all bars so far.

    Each market's own features, and those that market-wide ones are made of, come from the bars
    that they still depend on (see `TrailingFeatures`); of the latter as many rows are kept as a
    look across the markets reads.

    Args:
        features: What is computed.
        history: Valid bars that came before, by symbol, without NaN where a column has been known;
            empty for a market that has none yet. The markets can't change later.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> columns = ["open", "high", "low", "close", "volume"]
        >>> panel = {s: sample_bars(s)[columns].iloc[:100] for s in ("sp500", "nasdaq")}
        >>> rank = {"kind": "panel_rank", "of": {"kind": "sma", "length": 5}}
        >>> trailing = TrailingPanel(
        ...     FeatureSet([rank]), {symbol: bars.iloc[:99] for symbol, bars in panel.items()}
        ... )
        >>> newest = {s: (bars.index[99], bars.iloc[99].tolist()) for s, bars in panel.items()}
        >>> {symbol: row.tolist() for symbol, row in trailing.rows_after(newest).items()}
        {'sp500': [-1.0], 'nasdaq': [1.0]}
    """

    def __init__(self, features: FeatureSet, history: Mapping[str, pd.DataFrame]) -> None:
        self._features = features
        self._symbols = list(history)
        self._n_bars = {symbol: len(bars) for symbol, bars in history.items()}
        own, sources = features.split()
        self._own = None if own is None else _Follower(own, features, history)
        self._sources = [_Source(source, looks, features, history) for source, looks in sources]

    @classmethod
    def from_snapshot(cls, features: FeatureSet, snapshot: Mapping[str, Any]) -> Self:
        """Go on from what `snapshot` returned, to the last bit.

        Args:
            features: What is computed.
            snapshot: What is kept of each market and of the looks across them.
        """
        n_bars = snapshot["n_bars"]
        nothing = pd.DataFrame(
            columns=features.read_columns, dtype=float, index=pd.DatetimeIndex([])
        )
        trailing = cls(features, dict.fromkeys(n_bars, nothing))
        trailing._n_bars = {symbol: int(number) for symbol, number in n_bars.items()}
        if trailing._own is not None:
            trailing._own.restore(snapshot["own"])
        for source, kept in zip(trailing._sources, snapshot["sources"], strict=True):
            source.restore(kept)
        return trailing

    def snapshot(self) -> dict[str, Any]:
        """What `from_snapshot` needs."""
        return {
            "n_bars": self._n_bars,
            "own": None if self._own is None else self._own.snapshot(),
            "sources": [source.snapshot() for source in self._sources],
        }

    def bars_of(self, symbol: str) -> pd.DataFrame:
        """The bars of a market that are kept."""
        return (self._own or self._sources[0]).bars_of(symbol)

    def rows_after(self, bars: NewBars) -> dict[str, np.ndarray]:
        """Compute the features of one more bar of some markets, which isn't kept.

        Args:
            bars: By symbol the time of its bar, in the market's timezone, and the values in the
                order of `FeatureSet.bars_columns`, or of `read_columns` if all histories have the
                price of a contract. All are of one moment; markets without a bar then are left
                out.

        Returns:
            By symbol, shape (n_features,); NaN where a feature isn't known yet.
        """
        known: dict[str, dict[str, float]] = {symbol: {} for symbol in bars}
        if self._own is not None:
            for symbol, row in self._own.rows_after(bars).items():
                known[symbol] |= dict(zip(self._own.names, row.tolist(), strict=True))
        for source in self._sources:
            for symbol, columns in source.look_after(bars).items():
                known[symbol] |= columns
        names = self._features.names
        unknown = np.full(len(names), np.nan)
        return {
            symbol: np.array([columns[name] for name in names])
            if self._n_bars[symbol] >= self._features.warm_up
            else unknown
            for symbol, columns in known.items()
        }

    def append(self, bars: NewBars) -> None:
        """Keep one more bar of some markets; see `rows_after`."""
        if self._own is not None:
            self._own.append(bars)
        for source in self._sources:
            source.append(bars)
        for symbol in bars:
            self._n_bars[symbol] += 1


class _Follower:
    """Features of one market, followed on each of them."""

    def __init__(
        self, features: FeatureSet, all_features: FeatureSet, history: Mapping[str, pd.DataFrame]
    ) -> None:
        self.names = features.names
        has_price = all(CONTRACT_PRICE in bars for bars in history.values())
        given, read = (
            of.read_columns if has_price else of.bars_columns for of in (all_features, features)
        )
        self._places = [given.index(name) for name in read]
        self._features = features
        self._trailing = {s: TrailingFeatures(features, bars) for s, bars in history.items()}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Go on from what `snapshot` returned."""
        self._trailing = {
            symbol: TrailingFeatures.from_snapshot(self._features, snapshot["markets"][symbol])
            for symbol in self._trailing
        }

    def snapshot(self) -> dict[str, Any]:
        """What is kept of each market."""
        return {"markets": {symbol: of.snapshot() for symbol, of in self._trailing.items()}}

    def bars_of(self, symbol: str) -> pd.DataFrame:
        """The bars of a market that are kept."""
        return self._trailing[symbol].bars

    def rows_after(self, bars: NewBars) -> dict[str, np.ndarray]:
        """The row of each market that has a bar."""
        return {
            symbol: self._trailing[symbol].row_after(time, self._pick(values))
            for symbol, (time, values) in bars.items()
        }

    def append(self, bars: NewBars) -> None:
        """Keep the bars."""
        for symbol, (time, values) in bars.items():
            self._trailing[symbol].append(time, self._pick(values))

    def _pick(self, values: list[float]) -> list[float]:
        return [values[place] for place in self._places]


class _Source(_Follower):
    """A feature of one market that looks across the markets are made of, and these looks."""

    def __init__(
        self,
        features: FeatureSet,
        looks: list[MarketWideLook],
        all_features: FeatureSet,
        history: Mapping[str, pd.DataFrame],
    ) -> None:
        super().__init__(features, all_features, history)
        self._looks = looks
        self._symbols = list(history)
        self._n_kept = max(look.feature.n_rows_before for look in looks)
        self._tables, self._has_bar = _lay_out(features, history)
        self._looked_at: tuple[NewBars, tuple[np.ndarray, np.ndarray]] | None = None
        self._forget_oldest()

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Go on from what `snapshot` returned."""
        super().restore(snapshot)
        tables, has_bar = snapshot["tables"], snapshot["has_bar"]
        if tables.shape != (*has_bar.shape, len(self.names)) or has_bar.dtype != bool:
            raise ValueError("its tables have other markets or columns")
        if has_bar.shape[1:] != (len(self._symbols),):
            raise ValueError("its tables have other markets")
        self._tables, self._has_bar = tables, has_bar

    def snapshot(self) -> dict[str, Any]:
        """What is kept of each market, and what looks across them read."""
        return {**super().snapshot(), "tables": self._tables, "has_bar": self._has_bar}

    def look_after(self, bars: NewBars) -> dict[str, dict[str, float]]:
        """The columns of all looks, by symbol, for each market that has a bar."""
        tables, has_bar = self._with(bars)
        found: dict[str, dict[str, float]] = {symbol: {} for symbol in bars}
        for look in self._looks:
            for number, name in enumerate(look.names):
                answer = look.feature.compute(tables[:, :, number], has_bar)[-1]
                for symbol in bars:
                    found[symbol][name] = float(answer[self._symbols.index(symbol)])
        return found

    def append(self, bars: NewBars) -> None:
        """Keep the bars, and what they say."""
        self._tables, self._has_bar = self._with(bars)
        self._looked_at = None
        self._forget_oldest()
        super().append(bars)

    def _with(self, bars: NewBars) -> tuple[np.ndarray, np.ndarray]:
        """The tables with one row more."""
        # bars are mostly looked at just before they are kept: don't compute them twice
        if self._looked_at is None or self._looked_at[0] != bars:
            self._looked_at = bars, self._extend(bars)
        return self._looked_at[1]

    def _extend(self, bars: NewBars) -> tuple[np.ndarray, np.ndarray]:
        row = np.full((1, len(self._symbols), len(self.names)), np.nan)
        has_bar = np.zeros((1, len(self._symbols)), bool)
        for symbol, of_market in self.rows_after(bars).items():
            place = self._symbols.index(symbol)
            row[0, place], has_bar[0, place] = of_market, True
        return np.concatenate([self._tables, row]), np.concatenate([self._has_bar, has_bar])

    def _forget_oldest(self) -> None:
        """Drop the rows that no market's next look reads."""
        n_later = self._has_bar[::-1].cumsum(axis=0)[::-1]
        read = np.flatnonzero((self._has_bar & (n_later <= self._n_kept)).any(axis=1))
        first = int(read[0]) if len(read) else len(self._has_bar)
        self._tables, self._has_bar = self._tables[first:], self._has_bar[first:]


def _lay_out(
    features: FeatureSet, history: Mapping[str, pd.DataFrame]
) -> tuple[np.ndarray, np.ndarray]:
    """Features of all markets, shape (n_times, n_markets, n_columns), and where there are bars."""
    frames = [features.frame(bars) for bars in history.values()]
    times = [naive_utc_index(frame.index) for frame in frames]
    all_times = pd.DatetimeIndex(np.unique(np.concatenate([index.to_numpy() for index in times])))
    tables = np.full((len(all_times), len(frames), len(features.names)), np.nan)
    has_bar = np.zeros(tables.shape[:2], bool)
    for place, (frame, index) in enumerate(zip(frames, times, strict=True)):
        rows = all_times.get_indexer(index)
        tables[rows, place], has_bar[rows, place] = frame.to_numpy(), True
    return tables, has_bar
