"""The market-wide features of a panel: what each market says, side by side, and looks across."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from lstm_strategy.learning.features.indicators import (
    FeatureSpec,
    build_market_wide,
    market_spec,
)
from lstm_strategy.learning.features.kinds import MarketWide
from lstm_strategy.learning.features.traits import ColumnTraits, UnitInputs, feature_values
from lstm_strategy.support import naive_utc_index


@dataclass(frozen=True)
class MarketWideLook:
    """A market-wide feature, and the names of its columns in the order of what it is made of."""

    feature: MarketWide
    names: list[str]


@dataclass(frozen=True, eq=False)
class _Market:
    """The times of one market, and its own features by their specs, a column each."""

    times: pd.DatetimeIndex
    values: dict[str, list[np.ndarray]]


class MarketWideColumns:
    """Columns that look across the markets, made in one pass over the bars of a panel.

    Markets meet where their bars have the same time, in whatever timezone; a time without one
    counts as UTC. A market without a bar at that very time, or that doesn't know the feature yet,
    is left out there.

    Args:
        features: Market-wide features, each with what is known of its columns.
    """

    def __init__(self, features: Sequence[tuple[FeatureSpec, Sequence[ColumnTraits]]]) -> None:
        self._features = features
        self._markets: dict[str, _Market] = {}

    def add(self, symbol: str, bars: pd.DataFrame, inputs: UnitInputs) -> None:
        """Take in the bars of one market, shape (n_bars, n_columns), and what frees of units."""
        values: dict[str, list[np.ndarray]] = {}
        for spec, columns in self._features:
            if _name_source(spec) not in values:
                values[_name_source(spec)] = _market_values(spec, columns, bars, inputs)
        self._markets[symbol] = _Market(naive_utc_index(bars.index), values)

    def compute(self) -> dict[str, dict[str, np.ndarray]]:
        """Look across all markets that were added.

        Returns:
            By symbol and column, shape (n_bars,), known at the close of the row.
        """
        found: dict[str, dict[str, np.ndarray]] = {symbol: {} for symbol in self._markets}
        markets = list(self._markets.values())
        times = pd.DatetimeIndex(np.unique(np.concatenate([m.times.to_numpy() for m in markets])))
        rows_of = [times.get_indexer(market.times) for market in markets]
        has_bar = np.zeros((len(times), len(markets)), bool)
        for place, rows in enumerate(rows_of):
            has_bar[rows, place] = True
        for spec, columns in self._features:
            feature, source = build_market_wide(spec), _name_source(spec)
            for number, column in enumerate(columns):
                table = np.full(has_bar.shape, np.nan)
                for place, (rows, market) in enumerate(zip(rows_of, markets, strict=True)):
                    table[rows, place] = market.values[source][number]
                answer = feature.compute(table, has_bar)
                for place, (symbol, rows) in enumerate(zip(found, rows_of, strict=True)):
                    found[symbol][column.name] = answer[rows, place]
        return found


def _name_source(spec: FeatureSpec) -> str:
    """The feature of one market that a market-wide one is made of; some share it."""
    return json.dumps(market_spec(spec))


def market_traits(spec: FeatureSpec, columns: Sequence[ColumnTraits]) -> tuple[ColumnTraits, ...]:
    """What is known of the feature of one market that a market-wide feature is made of.

    Args:
        spec: One market-wide feature, checked.
        columns: What is known of its columns.

    Example:
        >>> of = {"kind": "rsi", "length": 14}
        >>> rank = ColumnTraits("PANEL_RANK_RSI_14", warm_up=14, memory=580)
        >>> market_traits({"kind": "panel_rank", "of": of}, [rank])[0].name
        'RSI_14'
    """
    feature = build_market_wide(spec)
    return tuple(
        replace(
            column,
            name=feature.market_column(column.name),
            warm_up=column.warm_up - feature.n_rows_before,
            memory=column.memory - feature.n_rows_before,
        )
        for column in columns
    )


def _market_values(
    spec: FeatureSpec, columns: Sequence[ColumnTraits], bars: pd.DataFrame, inputs: UnitInputs
) -> list[np.ndarray]:
    """The feature of one market that a market-wide one is made of; NaN until it has warmed up."""
    own = market_traits(spec, columns)
    warm_up = max(column.warm_up for column in own)
    values = feature_values(market_spec(spec), bars, own, inputs)
    is_known = np.arange(len(bars)) >= warm_up
    return [np.where(is_known & np.isfinite(array), array, np.nan) for array in values]
