"""How many bars it takes to forget where history began: measured by beginning later."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd

from lstm_strategy.bars import name_market
from lstm_strategy.learning.features.causality import pick_evenly
from lstm_strategy.learning.features.feature_set import FeatureSet
from lstm_strategy.learning.features.indicators import (
    column_roles,
    is_market_wide,
    market_spec,
)
from lstm_strategy.learning.features.once import once_for_bars
from lstm_strategy.learning.features.traits import (
    ColumnTraits,
    coarse_bars,
    complete_bars,
    look_across,
    steady_warm_up,
)

FEATURE_TOLERANCE = 1e-6
"""Of a column's standard deviation."""

_SETTLED_SHARE = 0.6  # agreement that begins later than this may be luck
_N_EVEN_STARTS = 6
_STEPS = (1, 2, 5, 21, 89)
_MOST_LEVELS = 64
_MOST_MARKETS = 6
_N_COARSE_BARS = 1_500
_FEWEST_AGREEING, _TIMES_AGREEING = 100, 3  # bars of agreement that make a later difference odd
_DISCRETE_MARGIN = 4  # two runs may agree on a column of few levels long before they are the same


def bars_to_agree(full: np.ndarray, later: np.ndarray, *, tolerance: float) -> int | None:
    """Count the bars after which a run that began later agrees with the full run for good.

    Args:
        full: Values of the full run, shape (n_bars,), from the first bar of the later run on.
        later: Values of the later run, same shape. NaN agrees with nothing but NaN.
        tolerance: How far apart values may be and still agree.

    Returns:
        The number of bars; None if there is no agreement in the last two fifths of them.

    Example:
        >>> bars_to_agree(
        ...     np.array([1.0, 1, 1, 1, 1]), np.array([0.0, 0.9, 1, 1, 1]), tolerance=0.01
        ... )
        2
    """
    with np.errstate(invalid="ignore"):
        agrees = (np.abs(full - later) <= tolerance) | (np.isnan(full) & np.isnan(later))
    n_bars = 0 if agrees.all() else int(len(agrees) - (~agrees)[::-1].argmax())
    return n_bars if n_bars <= _SETTLED_SHARE * len(agrees) else None


def feature_memories(
    features: FeatureSet, bars: pd.DataFrame, *, full: pd.DataFrame | None = None
) -> dict[str, int | None]:
    """Measure for each feature the bars that it needs to forget where history began.

    Runs that begin after a quarter and after half of the bars are set beside the full run; the
    longer of the two counts.

    Args:
        features: What is measured.
        bars: Valid bars.
        full: What `features.frame(bars)` gives, if it is there already.

    Returns:
        By column the number of bars, that of the first such value included; None for one that
        never agrees within `FEATURE_TOLERANCE` of its standard deviation.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> features = FeatureSet([{"kind": "sma", "length": 7}])
        >>> feature_memories(features, sample_bars().iloc[:200])
        {'SMA_7': 7}
    """
    full = features.frame(bars) if full is None else full
    later = {start: features.frame(bars.iloc[start:]) for start in (len(bars) // 4, len(bars) // 2)}
    warm_ups = {column.name: column.warm_up for column in features.columns}
    memories: dict[str, int | None] = {}
    for name in map(str, full.columns):
        settled = [
            _bars_to_settle(full[name].iloc[start:], frame[name]) for start, frame in later.items()
        ]
        known = [n_bars for n_bars in settled if n_bars is not None]
        never = len(known) < len(settled)
        memories[name] = None if never else max(*known, warm_ups.get(name, 0)) + 1
    return memories


def _bars_to_settle(full: pd.Series, later: pd.Series) -> int | None:
    """`bars_to_agree` of one column, with the tolerance that its size asks for."""
    values, began = full.to_numpy(np.float64), later.to_numpy(np.float64)
    deviation = float(np.nanstd(values)) if np.isfinite(values).any() else 0.0
    # the first rows of a set are NaN until its slowest feature is there: they say nothing
    comparable = np.where(np.isfinite(began), values, np.nan)
    return bars_to_agree(comparable, began, tolerance=FEATURE_TOLERANCE * deviation + 1e-15)


def agreement(full: np.ndarray, later: np.ndarray, *, deviation: np.ndarray) -> np.ndarray:
    """Say where rows of features agree to `FEATURE_TOLERANCE`.

    Args:
        full: Rows of the full run, shape (n_rows, n_features).
        later: The same rows of a run that began later.
        deviation: The standard deviation of each column, shape (n_features,).

    Returns:
        Shape (n_rows, n_features). NaN agrees with nothing but NaN.

    Example:
        >>> rows, others = np.array([[1.0, np.nan]]), np.array([[1.1, np.nan]])
        >>> agreement(rows, others, deviation=np.array([0.5, np.nan]))
        array([[False,  True]])
    """
    size = np.nan_to_num(np.abs(full)).max(axis=0, initial=0.0)
    tolerance = FEATURE_TOLERANCE * np.nan_to_num(deviation) + 1e-13 * size + 1e-15
    agrees: np.ndarray = (np.abs(full - later) <= tolerance) | (np.isnan(full) & np.isnan(later))
    return agrees


@once_for_bars
def settle_features(
    features: FeatureSet, bars: pd.DataFrame | Mapping[str, pd.DataFrame]
) -> FeatureSet:
    """Measure warm-up and memory of features on the very bars that a model is trained on.

    They may be longer there than on the simulated bars that features are first measured on: a day
    has other numbers of bars, and a trailing stop lives longer in a calm market.

    Args:
        features: What is measured.
        bars: Valid bars, shape (n_bars, n_columns), or a panel of such by symbol. Of a panel at
            most 6 markets are measured, spread evenly, and the longest of what they show counts.

    Returns:
        The same features, with a warm-up and a memory of at least those measured before any fit.
        Both are numbers of bars of the market; for a market-wide feature every market needs so
        many.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> hours = sample_bars().iloc[:600]
        >>> hours.index = pd.date_range("2024-01-01", periods=600, freq="h")
        >>> features = FeatureSet([{"kind": "vwap"}])
        >>> features.memory, settle_features(features, hours).memory
        (1, 24)
    """
    if not isinstance(bars, pd.DataFrame):
        return _settle_on_panel(features, bars)
    features = features.as_measured
    full = features.frame(bars)
    features = _settle_warm_up(features, bars, full)
    memories = measure_memories(features, bars, full=full)
    undecided = _columns_that_rounding_decides(json.dumps(features.specs))
    settled = {}
    for column in features.columns:
        measured = memories.get(column.name, Memory(0, True))
        margin = _margin(full[column.name], column.warm_up)
        settled[column.name] = replace(
            column,
            memory=max(column.memory, margin * measured.bars),
            forgets=measured.is_certain and column.name not in undecided,
        )
    return features.with_columns(settled)


def _settle_on_panel(features: FeatureSet, panel: Mapping[str, pd.DataFrame]) -> FeatureSet:
    """The features with the longest warm-up and memory that they show on some of the markets."""
    symbols = list(panel)
    chosen = [symbols[place] for place in pick_evenly(list(range(len(symbols))), _MOST_MARKETS)]
    markets = {symbol: panel[symbol] for symbol in chosen}
    features = features.as_measured
    own = [spec for spec in features.specs if not is_market_wide(spec)]
    settled = _settle_on_each(FeatureSet(own), markets) if own else {}
    for spec in features.specs:
        if is_market_wide(spec):
            of_market = _settle_on_each(FeatureSet([market_spec(spec)]), markets)
            across = look_across(spec, tuple(of_market.values()))
            settled |= {column.name: column for column in across}
    return features.with_columns(settled)


def _settle_on_each(
    features: FeatureSet, markets: Mapping[str, pd.DataFrame]
) -> dict[str, ColumnTraits]:
    """The columns of features of one market, with the longest of what the markets show."""
    longest: dict[str, ColumnTraits] = {}
    for symbol, bars in markets.items():
        with name_market(symbol):
            columns = settle_features(features, bars).columns
        for column in columns:
            known = longest.get(column.name, column)
            longest[column.name] = replace(
                column,
                warm_up=max(column.warm_up, known.warm_up),
                memory=max(column.memory, known.memory),
                forgets=column.forgets and known.forgets,
            )
    return longest


@cache
def _columns_that_rounding_decides(specs_json: str) -> frozenset[str]:
    """The columns that differ now and then on bars where a price often equals a mean of prices."""
    features = FeatureSet(json.loads(specs_json))
    bars = complete_bars(features.market_specs, coarse_bars(_N_COARSE_BARS))
    memories = measure_memories(features, bars)
    return frozenset(name for name, memory in memories.items() if not memory.is_certain)


@dataclass(frozen=True)
class Memory:
    """How long a feature remembered where history began, over runs that began at many bars.

    Attributes:
        bars: The longest number of bars, that of the first value that agreed included.
        is_certain: Whether no run differed again later. One does where rounding decides: a close
            that equals its mean to the last digit is above it for one run and not for the other.

    Example:
        >>> Memory(7, True).bars
        7
    """

    bars: int
    is_certain: bool


def measure_memories(
    features: FeatureSet, bars: pd.DataFrame, *, full: pd.DataFrame | None = None
) -> dict[str, Memory]:
    """Measure how long each feature remembers on these bars.

    Runs that begin at many bars, in the calmest and the wildest stretch, after the longest gap and
    among ties, are set beside the full run up to the last bar; the longest memory counts. Where
    two runs don't agree before the bars end, it is the number of bars between.

    Args:
        features: What is measured.
        bars: Valid bars, shape (n_bars, n_columns).
        full: What `features.frame(bars)` gives, if it is there already.

    Returns:
        The memory by column; empty where there are too few bars to tell.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> features = FeatureSet([{"kind": "sma", "length": 7}])
        >>> measure_memories(features, sample_bars().iloc[:200])
        {'SMA_7': Memory(bars=7, is_certain=True)}
    """
    full = features.frame(bars) if full is None else full
    starts = _pick_starts(bars, memory=features.memory)
    runs = [_compare_run(start, features, bars, full) for start in starts]
    if not runs:
        return {}
    return {
        name: Memory(max(run.bars for run in column), all(run.is_certain for run in column))
        for name, column in zip(features.names, zip(*runs, strict=True), strict=True)
    }


def _settle_warm_up(features: FeatureSet, bars: pd.DataFrame, full: pd.DataFrame) -> FeatureSet:
    """The features with a warm-up after which the first bars alone give the rows of all bars."""
    rows, deviation = full.to_numpy(), full.std().to_numpy()

    def is_right(n_bars: int) -> bool:
        row = features.frame(bars.iloc[:n_bars]).to_numpy()[-1:]
        return bool(agreement(rows[n_bars - 1 : n_bars], row, deviation=deviation).all())

    known = max(features.warm_up, _rows_until_known(features, bars, full))
    warm_up = steady_warm_up(is_right, known, n_bars=len(bars), steps=_STEPS)
    if warm_up == features.warm_up:
        return features
    return features.with_columns(
        {
            column.name: replace(column, warm_up=warm_up, memory=max(column.memory, warm_up + 1))
            for column in features.columns
        }
    )


def _rows_until_known(features: FeatureSet, bars: pd.DataFrame, full: pd.DataFrame) -> int:
    """The rows that a window of time needs on these bars before its first value.

    Only columns count that all bars know there: others wait for the user's own columns.
    """
    of_time = [name for name in features.names if column_roles(features.spec_of(name))]
    start = len(bars) // 2
    if not of_time or len(bars) < 2:
        return 0
    is_known = full[of_time].notna().to_numpy()[start:]
    later = features.frame(bars.iloc[start:])[of_time].notna().to_numpy()
    n_waiting = [int(known.argmax()) if known.any() else 0 for known in later.T]
    pairs = zip(n_waiting, is_known.T, strict=True)
    return max(n_rows if known[:n_rows].all() else 0 for n_rows, known in pairs)


def _pick_starts(bars: pd.DataFrame, *, memory: int) -> list[int]:
    """Bars to begin at, spread evenly and where it is hard, with bars enough behind them."""
    last = len(bars) - int(memory / _SETTLED_SHARE) - 2
    if last < 1:
        return []
    moves = np.abs(np.diff(np.log(bars["close"].to_numpy()), prepend=np.nan))
    stretch = pd.Series(moves).rolling(min(memory, last) + 1).mean().shift(-min(memory, last))
    times = pd.DatetimeIndex(bars.index).asi8.astype(np.float64)
    gaps = np.diff(times, prepend=times[0])
    ties = pd.Series(moves == 0)
    run = ties.groupby((~ties).cumsum()).cumsum()
    hard = [
        int(np.nanargmin(stretch[1 : last + 1])) + 1,
        int(np.nanargmax(stretch[1 : last + 1])) + 1,
        int(np.argmax(gaps)),
        int(run.argmax()),
    ]
    even = np.linspace(1, last, _N_EVEN_STARTS).astype(int).tolist()
    return sorted({min(max(start, 1), last) for start in (*even, *hard)})


def _compare_run(
    start: int, features: FeatureSet, bars: pd.DataFrame, full: pd.DataFrame
) -> list[Memory]:
    """The memory of each column, as the run that begins here shows it."""
    rows = full.to_numpy()[start:]
    later = features.frame(bars.iloc[start:]).to_numpy()
    differs = ~agreement(rows, later, deviation=full.std().to_numpy())
    differs[: features.warm_up] = False
    is_known = ~np.isnan(rows)
    return [
        _read_memory(np.flatnonzero(wrong) + 1, features.warm_up, column.warm_up, is_known=known)
        for wrong, known, column in zip(differs.T, is_known.T, features.columns, strict=True)
    ]


def _read_memory(
    differing: np.ndarray, warm_up: int, column_warm_up: int, *, is_known: np.ndarray | None = None
) -> Memory:
    """The memory of a column that differs at these bars of a run, counted from 1.

    Where it isn't known to the full run either, nothing agrees or differs.
    """
    if not len(differing):
        return Memory(column_warm_up + 1, True)
    ages = np.concatenate([[warm_up], differing])
    n_known = ages if is_known is None else np.append(0, is_known.cumsum())[ages]
    agreed = np.diff(n_known) > np.maximum(_FEWEST_AGREEING, _TIMES_AGREEING * ages[:-1])
    if agreed.any():
        return Memory(int(ages[agreed.argmax()]) + 1, False)
    return Memory(int(ages[-1]) + 1, True)


def _margin(values: pd.Series, warm_up: int) -> int:
    n_levels = values.iloc[warm_up:].nunique()
    return _DISCRETE_MARGIN if n_levels <= _MOST_LEVELS else 1
