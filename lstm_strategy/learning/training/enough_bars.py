"""Whether the bars are enough to learn from, and what is odd about their features."""

import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd

from lstm_strategy.errors import TrainingError
from lstm_strategy.learning.features import FeatureSet
from lstm_strategy.learning.training.settings import ForecasterSettings
from lstm_strategy.support import count_of, format_time, spell

log = logging.getLogger(__name__)

_MOST_NAMED = 3  # features in a message


def fewest_rows(settings: ForecasterSettings) -> int:
    """How many rows with features and a label a training needs.

    Example:
        >>> fewest_rows(ForecasterSettings(lookback=60))
        451
    """
    lookback, share = settings.lookback, settings.validation
    needed_to_train = 2 * lookback + settings.horizon
    needed_to_validate = 3 * lookback // 2
    return int(np.ceil(max(needed_to_train / (1 - share), needed_to_validate / share))) + 1


def check_enough_bars(
    settings: ForecasterSettings,
    features: FeatureSet,
    n_bars: int,
    *,
    n_usable: int | None = None,
    unit: str = "bars",
) -> None:
    """Refuse bars that are too few to train on.

    Args:
        settings: How to train.
        features: What the bars are turned into.
        n_bars: The number of bars; of a panel that of dates.
        n_usable: Those whose features and label are known; None for all behind the warm-up.
        unit: What is counted.

    Raises:
        TrainingError: With the number that is needed, and what for.
    """
    lookback, horizon, needed = settings.lookback, settings.horizon, fewest_rows(settings)
    if n_usable is None:
        n_usable = n_bars - features.warm_up - horizon
    if n_usable >= needed:
        return
    uses = {
        "to learn from": needed,
        "to warm up the features": features.warm_up,
        "whose label isn't known yet": horizon,
        "with gaps or left out": max(0, n_bars - n_usable - features.warm_up - horizon),
    }
    parts = ", ".join(f"{count:,} {use}" for use, count in uses.items() if count)
    shorter = "horizon" if horizon > lookback else "lookback"
    raise TrainingError(
        f"Training needs {sum(uses.values()):,} {unit} with {spell('lookback', lookback)} and "
        f"{spell('horizon', horizon)} ({parts}), got {n_bars:,}. Load more history or shorten "
        f"{spell(shorter)}."
    )


def check_enough_rows(
    settings: ForecasterSettings, features: FeatureSet, n_bars: int, *, n_usable: int
) -> None:
    """Refuse a market of a panel that has no chunk to learn from.

    Args:
        settings: How to train.
        features: What the bars are turned into.
        n_bars: The bars of the market.
        n_usable: Those whose features and label are known.

    Raises:
        TrainingError: With the number that is needed.
    """
    needed = fewest_rows_of_market(settings)
    if n_usable < needed:
        raise TrainingError(
            f"it has {count_of(n_bars, 'bar')}, of which {n_usable:,} can be learned from, and "
            f"training needs {needed:,} with {spell('lookback', settings.lookback)} (the features "
            f"take {features.warm_up:,} to warm up). Leave the market out, load more of it, or "
            f"shorten {spell('lookback')}."
        )


def fewest_rows_of_market(settings: ForecasterSettings) -> int:
    """How many rows with features and a label a market of a panel needs: those of one chunk."""
    return 2 * settings.lookback


def check_known(columns: pd.DataFrame, settings: ForecasterSettings) -> None:
    """Name the features that aren't known behind the warm-up, and count the bars that they cost.

    Raises:
        TrainingError: If they leave too few bars where there would be enough.
    """
    n_unknown = columns.isna().sum().sort_values(ascending=False, kind="stable")
    n_unknown = n_unknown[n_unknown > 0]
    if n_unknown.empty:
        return
    n_bars, n_lost = len(columns), int(columns.isna().any(axis=1).sum())
    worst = n_unknown.index[0]
    needed = fewest_rows(settings)
    if n_bars >= needed > n_bars - n_lost:
        known = columns[worst].dropna()
        since = f", and first known at {format_time(known.index[0])}" if len(known) else ""
        raise TrainingError(
            f"The feature {worst} isn't known on {n_unknown.iloc[0]:,} of the {n_bars:,} bars "
            f"behind the warm-up{since}; the features together leave {n_bars - n_lost:,} bars, and "
            f"training needs {needed:,}. Leave it out, fill what it reads, or begin where it is "
            "known."
        )
    names = ", ".join(f"{name} ({n:,})" for name, n in n_unknown.iloc[:_MOST_NAMED].items())
    log.warning(
        "%s of the %s bars behind the warm-up aren't learned from, since a feature isn't known "
        "there: %s.",
        f"{n_lost:,}",
        f"{n_bars:,}",
        names,
    )


def note_constant(values: np.ndarray, names: Sequence[str]) -> None:
    """Name the features that never change, in rows of shape (n_rows, n_features)."""
    is_constant = (values == values[:1]).all(axis=0)
    if is_constant.any():
        log.warning(
            "Nothing can be learned from what never changes in the training bars: %s.",
            ", ".join(np.asarray(names)[is_constant][:_MOST_NAMED]),
        )
