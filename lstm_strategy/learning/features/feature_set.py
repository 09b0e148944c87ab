"""What the network sees: causal, stationary columns computed by pandas-ta."""

import json
from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any, Self

import numpy as np
import pandas as pd
from pydantic import TypeAdapter, ValidationError

from lstm_strategy.bars import (
    CONTRACT_PRICE,
    hint_near_column,
    is_panel,
    name_market,
    proportional_bars,
)
from lstm_strategy.errors import FeatureError, escape_controls
from lstm_strategy.learning.features.indicators import (
    BASE_COLUMNS,
    FeatureSpecs,
    bars_columns_of,
    build_market_wide,
    check_spec,
    column_roles,
    format_spec,
    indicator_library,
    is_market_wide,
    market_spec,
    read_library,
)
from lstm_strategy.learning.features.market_wide import (
    MarketWideColumns,
    MarketWideLook,
    market_traits,
)
from lstm_strategy.learning.features.presets import PRESETS
from lstm_strategy.learning.features.traits import (
    ColumnTraits,
    UnitInputs,
    feature_values,
    measure_columns,
    reads_volume,
)
from lstm_strategy.support import describe_first_offence, refuse_choice, spell

_SAVED_COLUMNS = TypeAdapter(list[tuple[ColumnTraits, ...]])


class FeatureSet:
    """Named, ordered, causal feature columns, computed from bars.

    Each feature is a dict in pandas-ta's own convention: its `kind` and the arguments of that
    kind. Some kinds are our own: `{"kind": "column", "column": "funding_rate"}` passes a column of
    the bars through (held at its last known value where it is NaN),
    `{"kind": "relative_volume", "length": 20}` is the log of the volume over its own median, and
    `{"kind": "yang_zhang", "length": 22}` is a volatility per bar; docs/indicators.md lists all of
    them. All values are free of the unit of price and volume, and known at the close of their row.

    Some look across the markets of a panel: `{"kind": "panel_mean", "of": {"kind": "rsi",
    "length": 14}}` is the mean of a feature over the markets that have a bar at that time,
    `panel_rank` the market's rank by it (-1 lowest, 1 highest), `{"kind": "panel_correlation",
    "length": 63}` how closely the market has followed the panel's mean return, and
    `{"kind": "panel_volatility", "span": 60}` the markets' mean volatility.

    Args:
        specs: The features, at least one.

    Attributes:
        specs: The features as plain data.
        library: The name of the feature library.
        library_version: Its version.

    Raises:
        FeatureError: For an unknown kind or argument (with the nearest names), a feature that
            looks ahead, never forgets where history began, or depends on the unit of price or
            volume, or one that is there twice.

    Example:
        >>> FeatureSet([{"kind": "rsi", "length": 14}, {"kind": "macd"}]).names
        ['RSI_14', 'MACD_12_26_9', 'MACDh_12_26_9', 'MACDs_12_26_9']
    """

    _is_measured = True  # False: `with_columns` or `from_dict` has given it other traits

    def __init__(self, specs: FeatureSpecs) -> None:
        if not isinstance(specs, Sequence) or isinstance(specs, str) or not len(specs):
            raise FeatureError(
                f"FeatureSet takes a list of dicts with at least one feature, got {specs!r}. "
                f"For a preset write FeatureSet.preset({next(iter(PRESETS))!r})."
            )
        self.specs = [check_spec(spec) for spec in specs]
        self._columns = [measure_columns(spec) for spec in self.specs]
        _, self.library, self.library_version = indicator_library()
        self._check_names()

    @classmethod
    def preset(cls, name: str) -> Self:
        """Build one of the ready sets.

        Args:
            name: "default", "momentum", "volatility", "trend", "momentum_and_volatility", for
                markets without volume "prices", or "perpetual" for bars with a `funding_rate` and
                a `spot_close`.

        Raises:
            FeatureError: For another name.
        """
        if name not in PRESETS:
            raise FeatureError(refuse_choice(spell("preset"), name, PRESETS))
        return cls(PRESETS[name])

    @property
    def names(self) -> list[str]:
        """The feature columns, in the order of the specs."""
        return [column.name for column in self.columns]

    @property
    def columns(self) -> tuple[ColumnTraits, ...]:
        """What is known of each column: its unit, its warm-up, its memory."""
        return tuple(column for columns in self._columns for column in columns)

    def spec_of(self, name: str) -> dict[str, Any]:
        """Find the feature that gives a column; an empty dict for a column of another set."""
        for spec, columns in zip(self.specs, self._columns, strict=True):
            if name in {column.name for column in columns}:
                return spec
        return {}

    def with_columns(self, columns: Mapping[str, ColumnTraits]) -> Self:
        """Return the same features with other traits of some columns.

        Args:
            columns: What is known of a column, by its name.
        """
        other = copy(self)
        other._is_measured = False
        other._columns = [
            tuple(columns.get(column.name, column) for column in known) for known in self._columns
        ]
        return other

    def split(self) -> tuple[Self | None, list[tuple[Self, list[MarketWideLook]]]]:
        """Return the features of one market, and those that market-wide ones are made of.

        Returns:
            The former, or None where there are none; and by feature that is looked at across the
            markets a set of its own, with the looks at it.
        """
        pairs = list(zip(self.specs, self._columns, strict=True))
        own = [pair for pair in pairs if not is_market_wide(pair[0])]
        sources: list[tuple[Self, list[MarketWideLook]]] = []
        for spec, columns in pairs:
            if is_market_wide(spec):
                source = self._of([(dict(market_spec(spec)), market_traits(spec, columns))])
                look = MarketWideLook(build_market_wide(spec), [column.name for column in columns])
                same = [looks for other, looks in sources if other == source]
                if same:
                    same[0].append(look)
                else:
                    sources.append((source, [look]))
        return self._of(own) if own else None, sources

    def _of(self, pairs: Sequence[tuple[dict[str, Any], tuple[ColumnTraits, ...]]]) -> Self:
        """A set of these features with these traits."""
        other = copy(self)
        other._is_measured = False
        other.specs = [spec for spec, _ in pairs]
        other._columns = [columns for _, columns in pairs]
        return other

    def joined_with(self, others: Self) -> Self:
        """Return these features and those of another set that aren't among them."""
        joined = copy(self)
        joined._is_measured = False
        known = set(self.names)
        new = [
            (spec, columns)
            for spec, columns in zip(others.specs, others._columns, strict=True)
            if not known.issuperset(column.name for column in columns)
        ]
        joined.specs = [*self.specs, *(spec for spec, _ in new)]
        joined._columns = [*self._columns, *(columns for _, columns in new)]
        joined._check_names()
        return joined

    @property
    def as_measured(self) -> Self:
        """The same features as they were measured on simulated bars, before any fit."""
        return self if self._is_measured else type(self)(self.specs)

    @property
    def warm_up(self) -> int:
        """Bars before the first row in which every feature has a value."""
        return max(column.warm_up for column in self.columns)

    @property
    def memory(self) -> int:
        """Bars after which the values no longer depend on where history began (to 1e-7 σ)."""
        return max(column.memory for column in self.columns)

    @property
    def forgets(self) -> bool:
        """Whether the values agree for good after that; if not, only all bars give them exactly."""
        return all(column.forgets for column in self.columns)

    @property
    def bars_columns(self) -> list[str]:
        """The columns that the bars must have: open high low close volume, and the user's own."""
        extra = (name for spec in self.specs for name in bars_columns_of(spec))
        return list(dict.fromkeys((*BASE_COLUMNS, *extra)))

    @property
    def read_columns(self) -> list[str]:
        """The same, and the price of the contract, which only a continuous series has."""
        return list(dict.fromkeys((*self.bars_columns, CONTRACT_PRICE)))

    @property
    def held_columns(self) -> list[str]:
        """Those of `read_columns` in which NaN stands for the last known value.

        In the others it says that nothing happened, or which of two values is missing.
        """
        seen = {name for spec in self.specs for name in column_roles(spec)}
        return [name for name in self.read_columns if name not in seen]

    def hold_values(self, bars: pd.DataFrame) -> pd.DataFrame:
        """The columns that the features read, the last known value in place of NaN where it holds.

        Args:
            bars: Bars with at least `bars_columns`; they stay as they are.

        Returns:
            The columns `read_columns`; a contract price that isn't there is NaN.
        """
        known = bars.reindex(columns=self.read_columns).astype(float)
        return known.assign(**known[self.held_columns].ffill())

    @property
    def own_columns(self) -> list[str]:
        """The user's columns that foretell the moves to come where they are a bar too early."""
        shown = [spec["column"] for spec in self.market_specs if spec["kind"] == "column"]
        roles = {name: role for spec in self.specs for name, role in column_roles(spec).items()}
        beside = [name for name, role in roles.items() if role.is_beside_close]
        return list(dict.fromkeys([*shown, *beside]))

    @property
    def needs_panel(self) -> bool:
        """Whether a feature looks across the markets of a panel."""
        return any(is_market_wide(spec) for spec in self.specs)

    @property
    def market_specs(self) -> list[dict[str, Any]]:
        """The features of one market: this set's own, and those that market-wide ones are made of.

        A feature that is meant twice comes once.
        """
        specs: list[dict[str, Any]] = []
        for spec in map(dict, map(market_spec, self.specs)):
            if spec not in specs:
                specs.append(spec)
        return specs

    @property
    def reads_volume(self) -> bool:
        """Whether a feature changes with the volume."""
        return bool(self.volume_readers)

    @property
    def volume_readers(self) -> list[str]:
        """The features that change with the volume, as they are written."""
        return [format_spec(spec) for spec in self.specs if reads_volume(spec)]

    def frame(self, bars: pd.DataFrame) -> pd.DataFrame:
        """Compute the feature columns for every bar.

        Of a continuous series that was adjusted by difference, the columns are those of bars with
        the returns of its contracts (see `proportional_bars`).

        Args:
            bars: Valid bars with at least `bars_columns`; they stay as they are.

        Returns:
            Shape (n_bars, n_features) on the index of `bars`, known at the close of the row; all
            NaN in the first `warm_up` rows, and NaN wherever a user's own column isn't known yet.

        Raises:
            FeatureError: If the bars lack a column that a feature reads, or a feature looks across
                the markets of a panel.
        """
        if self.needs_panel:
            wide = next(spec for spec in self.specs if is_market_wide(spec))
            raise FeatureError(
                f"{format_spec(wide)} looks across the markets of a panel, and there are the bars "
                "of one market only. Give bars by symbol, or leave the feature out."
            )
        return self._own_columns(self._known_columns(bars))

    def frames(self, panel: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
        """Compute the feature columns for every bar of every market.

        Market-wide features read the bars of other markets that have the same time, never later
        ones; a market without a bar at that time is left out there, and so is one that doesn't
        know the feature yet. Times meet across timezones; those without one count as UTC.

        Args:
            panel: Valid bars by symbol, with at least `bars_columns`; they stay as they are.

        Returns:
            By symbol what `frame` gives for its bars. Warm-up counts the bars of the market.

        Raises:
            FeatureError: If it isn't a panel, or the bars of a market lack a column that a feature
                reads.

        Example:
            >>> from lstm_strategy import sample_bars
            >>> panel = {"SP": sample_bars("sp500"), "NQ": sample_bars("nasdaq")}
            >>> of = {"kind": "log_return", "length": 1}
            >>> frames = FeatureSet([{"kind": "panel_rank", "of": of}]).frames(panel)
            >>> frames["SP"]["PANEL_RANK_LOGRET_1"].tail(3).tolist()
            [1.0, -1.0, 1.0]
        """
        if not is_panel(panel):
            raise FeatureError(
                f"frames takes a panel, bars by symbol, got {type(panel).__name__}. Pass "
                '{"SPY": bars}, or call frame with the bars of one market.'
            )
        together = list(zip(self.specs, self._columns, strict=True))
        across = MarketWideColumns([pair for pair in together if is_market_wide(pair[0])])
        frames = {}
        for symbol, bars in panel.items():
            with name_market(symbol):
                known = self._known_columns(bars)
                frames[symbol] = self._own_columns(known)
                if self.needs_panel:
                    across.add(symbol, known, UnitInputs(known))
        if self.needs_panel and frames:
            for symbol, columns in across.compute().items():
                for name, values in columns.items():
                    values[: self.warm_up] = np.nan
                    frames[symbol][name] = values
        return frames

    def _known_columns(self, bars: pd.DataFrame) -> pd.DataFrame:
        """The columns of the bars that the features read."""
        self.check_columns(bars)
        return proportional_bars(bars)[self.bars_columns]

    def check_columns(self, bars: pd.DataFrame) -> None:
        """Refuse bars that lack a column that a feature reads.

        Args:
            bars: The bars of a market.

        Raises:
            FeatureError: With the name of the column.
        """
        missing = [name for name in self.bars_columns if name not in bars]
        if not missing:
            return
        names = ", ".join(map(str, bars.columns))
        hint = hint_near_column(missing[0], bars.columns)
        readers = [format_spec(spec) for spec in self.specs if missing[0] in column_roles(spec)]
        if readers:
            raise FeatureError(
                f"{', '.join(readers)} {'reads' if len(readers) == 1 else 'read'} the column "
                f"{missing[0]!r}, and the bars only have {names}. Add it to the bars, or leave "
                f"{'that feature' if len(readers) == 1 else 'those features'} out.{hint}"
            )
        raise FeatureError(
            f"The features read the column {missing[0]!r}, and the bars only have {names}. Add it "
            f"to the bars.{hint}"
        )

    def _own_columns(self, known: pd.DataFrame) -> pd.DataFrame:
        """The columns of one market; those that look across the markets are NaN."""
        if len(known) <= self.warm_up:
            return pd.DataFrame(np.nan, index=known.index, columns=self.names)
        inputs = UnitInputs(known)
        parts = []
        for spec, columns in zip(self.specs, self._columns, strict=True):
            if is_market_wide(spec):
                parts += [np.full(len(known), np.nan)] * len(columns)
            else:
                parts += feature_values(spec, known, columns, inputs)
        values = np.column_stack(parts)
        values[~np.isfinite(values)] = np.nan
        values[: self.warm_up] = np.nan
        return pd.DataFrame(values, index=known.index, columns=self.names)

    def describe(self) -> dict[str, Any]:
        """Return the specs and where they are computed, as JSON can hold it."""
        return {
            "library": self.library,
            "library_version": self.library_version,
            "specs": self.specs,
        }

    def to_dict(self) -> dict[str, Any]:
        """Return everything that makes the same columns again, as JSON can hold it."""
        return {
            **self.describe(),
            "columns": [[column.to_dict() for column in columns] for columns in self._columns],
        }

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Self:
        """Build the feature set that `to_dict` described.

        Args:
            saved: What `to_dict` gave.

        Raises:
            FeatureError: If it came from another feature library than the installed one, or
                isn't what `to_dict` gives.
        """
        _, library, library_version = indicator_library()
        feature_set = cls.__new__(cls)
        feature_set._is_measured = False
        try:
            feature_set.specs = [check_spec(spec) for spec in saved["specs"]]
            feature_set._columns = _SAVED_COLUMNS.validate_json(
                json.dumps(saved["columns"]), strict=True
            )
            if len(feature_set.specs) != len(feature_set._columns):
                raise ValueError("there are more features or fewer than columns of features")
            feature_set.library, feature_set.library_version = read_library(saved)
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, FeatureError):
                raise
            offence = describe_first_offence(error) if isinstance(error, ValidationError) else error
            raise FeatureError(
                f"The saved features are damaged ({type(error).__name__}: {offence}). Save or "
                "train the model again."
            ) from None
        feature_set._check_names()
        if (feature_set.library, feature_set.library_version) != (library, library_version):
            raise FeatureError(
                f"The features were made with {feature_set.library} {feature_set.library_version}, "
                f"and {library} {library_version} is installed; the numbers may differ. Install "
                f"{feature_set.library}=={feature_set.library_version} or train again."
            )
        return feature_set

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FeatureSet) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return escape_controls(f"FeatureSet({', '.join(self.names)})")

    def _check_names(self) -> None:
        names = self.names
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise FeatureError(
                f"Two features give the same column {twice[0]!r}. Remove one, or tell them "
                'apart with "suffix".'
            )


def join_features(features: FeatureSet, others: FeatureSet | None) -> FeatureSet:
    """Put the columns of two feature sets side by side; a column of both comes once.

    Args:
        features: The columns that come first.
        others: The columns after them, or None for no others.

    Returns:
        Features with the traits that each had.

    Example:
        >>> rsi, roc = {"kind": "rsi", "length": 5}, {"kind": "roc", "length": 3}
        >>> join_features(FeatureSet([rsi]), FeatureSet([roc, rsi])).names
        ['RSI_5', 'ROC_3']
    """
    return features if others is None else features.joined_with(others)


def choose_features(features: FeatureSet | FeatureSpecs | None) -> FeatureSet:
    """Find the feature set that is meant by what a user passes.

    Args:
        features: A feature set, the list that makes one, or None for the preset "default".

    Returns:
        The feature set.

    Raises:
        FeatureError: If the features can't be used.

    Example:
        >>> choose_features([{"kind": "rsi", "length": 14}])
        FeatureSet(RSI_14)
    """
    if features is None:
        return FeatureSet.preset("default")
    return features if isinstance(features, FeatureSet) else FeatureSet(features)
