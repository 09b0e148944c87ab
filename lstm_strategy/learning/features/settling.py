"""How many bars it takes to forget where history began: measured by beginning later."""

from dataclasses import replace

import numpy as np
import pandas as pd

from lstm_strategy.learning.features.feature_set import FeatureSet
from lstm_strategy.learning.features.traits import steady_warm_up

FEATURE_TOLERANCE = 1e-6
"""Of a column's standard deviation."""

_SETTLED_SHARE = 0.6  # agreement that begins later than this may be luck
_N_EVEN_STARTS = 6
_STEPS = (1, 2, 5, 21, 89)
_MOST_LEVELS = 64
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


def settle_features(features: FeatureSet, bars: pd.DataFrame) -> FeatureSet:
    """Measure warm-up and memory of features on the very bars that a model is trained on.

    They may be longer there than on the simulated bars that features are first measured on: a day
    has other numbers of bars, and a trailing stop lives longer in a calm market. Runs that begin
    at many bars, in the calmest and the wildest stretch, after the longest gap and among ties,
    are set beside the full run, and the longest memory counts. Where two runs don't agree before
    the bars end, it is the number of bars between.

    Args:
        features: What is measured.
        bars: Valid bars, shape (n_bars, n_columns).

    Returns:
        The same features, with a warm-up and a memory of at least those measured before any fit.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> hours = sample_bars().iloc[:600]
        >>> hours.index = pd.date_range("2024-01-01", periods=600, freq="h")
        >>> features = FeatureSet([{"kind": "vwap"}])
        >>> features.memory, settle_features(features, hours).memory
        (2, 24)
    """
    features = features.as_measured
    full = features.frame(bars)
    features = _settle_warm_up(features, bars, full)
    memories = longest_memories(features, bars, full=full)
    settled = {}
    for column in features.columns:
        margin = _margin(full[column.name], column.warm_up)
        memory = max(column.memory, margin * memories.get(column.name, 0))
        settled[column.name] = replace(column, memory=memory)
    return features.with_columns(settled)


def longest_memories(
    features: FeatureSet, bars: pd.DataFrame, *, full: pd.DataFrame | None = None
) -> dict[str, int]:
    """Measure the longest memory of each feature over runs that begin at many bars.

    Args:
        features: What is measured.
        bars: Valid bars, shape (n_bars, n_columns).
        full: What `features.frame(bars)` gives, if it is there already.

    Returns:
        By column the number of bars, that of the first value that agrees for good included; empty
        where there are too few bars to tell.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> features = FeatureSet([{"kind": "sma", "length": 7}])
        >>> longest_memories(features, sample_bars().iloc[:200])
        {'SMA_7': 7}
    """
    full = features.frame(bars) if full is None else full
    starts = _pick_starts(bars, memory=features.memory)
    memories = [_memories_from(start, features, bars, full) for start in starts]
    if not memories:
        return {}
    return dict(zip(features.names, np.max(memories, axis=0).tolist(), strict=True))


def _settle_warm_up(features: FeatureSet, bars: pd.DataFrame, full: pd.DataFrame) -> FeatureSet:
    """The features with a warm-up after which the first bars alone give the rows of all bars."""
    rows, deviation = full.to_numpy(), full.std().to_numpy()

    def is_right(n_bars: int) -> bool:
        row = features.frame(bars.iloc[:n_bars]).to_numpy()[-1:]
        return bool(agreement(rows[n_bars - 1 : n_bars], row, deviation=deviation).all())

    warm_up = steady_warm_up(is_right, features.warm_up, n_bars=len(bars), steps=_STEPS)
    if warm_up == features.warm_up:
        return features
    return features.with_columns(
        {
            column.name: replace(column, warm_up=warm_up, memory=max(column.memory, warm_up + 1))
            for column in features.columns
        }
    )


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


def _memories_from(
    start: int, features: FeatureSet, bars: pd.DataFrame, full: pd.DataFrame
) -> np.ndarray:
    """Bars after which a run that begins here agrees with the full run, shape (n_features,)."""
    deviation = full.std().to_numpy()
    length = 4 * features.memory
    while True:
        later = features.frame(bars.iloc[start : start + length]).to_numpy()
        expected = full.to_numpy()[start : start + length]
        differs = ~agreement(expected, later, deviation=deviation)
        differs[: features.warm_up] = False
        memories = np.where(differs.any(axis=0), len(later) + 1 - differs[::-1].argmax(axis=0), 1)
        if start + length >= len(bars) or memories.max() <= _SETTLED_SHARE * length:
            return memories
        length *= 2


def _margin(values: pd.Series, warm_up: int) -> int:
    n_levels = values.iloc[warm_up:].nunique()
    return _DISCRETE_MARGIN if n_levels <= _MOST_LEVELS else 1
