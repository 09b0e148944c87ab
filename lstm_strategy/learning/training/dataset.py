"""From bars to rows: features with their labels, and who may learn from which of them."""

import logging
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lstm_strategy.errors import TrainingError
from lstm_strategy.learning.features import FeatureSet, join_features, mirror_bars
from lstm_strategy.learning.training.settings import ForecasterSettings
from lstm_strategy.support import format_time, spell

log = logging.getLogger(__name__)

_MOST_NAMED = 3  # features in a message


@dataclass(frozen=True)
class MirrorImage:
    """The same rows with rises and falls exchanged.

    Attributes:
        features: Shape (n_rows, n_features).
        labels: Shape (n_rows, n_labels).
    """

    features: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class TrainingSet:
    """Complete rows of features with their labels, and the rows that stop each member's training.

    Attributes:
        features: Shape (n_rows, n_features), known at the close of the row's bar.
        labels: Shape (n_rows, n_labels), known `purge` bars later.
        weights: How much each label matters, shape (n_rows,).
        context: What the target needs to turn answers into forecasts, shape (n_rows, n_context).
        held_out: A span of rows for each member of the ensemble: those that it never learns from
            and that early stopping watches.
        purge: Rows on either side of a held-out span that aren't learned from either, since
            labels reach that far.
        mirrored: The mirror image of the rows, where the target and the features have one.

    Example:
        >>> rows = TrainingSet(
        ...     features=np.zeros((100, 2)),
        ...     labels=np.zeros((100, 1)),
        ...     weights=np.ones(100),
        ...     context=np.empty((100, 0)),
        ...     held_out=(slice(40, 60),),
        ...     purge=5,
        ... )
        >>> rows.learned_by(0)
        (slice(0, 35, None), slice(65, 100, None))
    """

    features: np.ndarray
    labels: np.ndarray
    weights: np.ndarray
    context: np.ndarray
    held_out: tuple[slice, ...]
    purge: int
    mirrored: MirrorImage | None = None

    def learned_by(self, member: int) -> tuple[slice, ...]:
        """The spans of rows that a member learns from: before and after what it holds out."""
        span = self.held_out[member]
        before = slice(0, max(0, span.start - self.purge))
        after = slice(span.stop + self.purge, len(self.features))
        return tuple(part for part in (before, after) if part.stop > part.start)

    @property
    def scaling_rows(self) -> np.ndarray:
        """The features of all rows that any member learns from, mirrored ones too.

        This is what the scaling may know; its shape is (n_scaling_rows, n_features).
        """
        is_learned = np.zeros(len(self.features), bool)
        for member in range(len(self.held_out)):
            for part in self.learned_by(member):
                is_learned[part] = True
        learned = self.features[is_learned]
        if self.mirrored is None:
            return learned
        return np.concatenate([learned, self.mirrored.features[is_learned]])


def build_training_set(
    bars: pd.DataFrame,
    features: FeatureSet,
    settings: ForecasterSettings,
    *,
    context: FeatureSet | None = None,
    leave_out: np.ndarray | None = None,
    validation: np.ndarray | None = None,
) -> tuple[TrainingSet, pd.DatetimeIndex]:
    """Collect the rows that can be learned from, and the bar that each belongs to.

    Args:
        bars: Valid bars, shape (n_bars, n_columns).
        features: What the network sees.
        settings: The target, its horizon, and who holds out how much.
        context: What the target needs besides, which the network doesn't see.
        leave_out: True for bars whose label must not be learned from, shape (n_bars,).
        validation: True for bars that every member holds out, shape (n_bars,); without it each
            member holds out another stretch.

    Returns:
        The rows, and the times of their bars.

    Raises:
        FeatureError: If the bars lack a column or a volume that a feature reads.
        TrainingError: If there are too few bars, a feature isn't known on enough of them, or all
            labels are the same.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> features = FeatureSet([{"kind": "rsi", "length": 14}])
        >>> rows, times = build_training_set(sample_bars(), features, ForecasterSettings())
        >>> len(rows.labels) == len(times), len(rows.held_out)
        (True, 5)
    """
    inputs = join_features(features, context)
    inputs.check_volume(bars)
    columns = inputs.frame(bars)
    labels = pd.DataFrame(settings.target.labels(bars, settings.horizon))
    mirrored = _mirror_columns(bars, features, settings, labels)
    usable = (columns.notna().all(axis=1) & labels.notna().all(axis=1)).to_numpy()
    if mirrored is not None:
        usable = usable & mirrored.notna().all(axis=1).to_numpy()
    if leave_out is not None:
        usable = usable & ~leave_out
    _check_known(columns.iloc[inputs.warm_up :], settings)
    check_enough_bars(settings, inputs, len(bars), n_usable=int(usable.sum()))
    _note_constant(columns.loc[usable, features.names])
    settings.target.check_labels(labels.to_numpy()[usable], settings.horizon)
    usable_labels = labels.to_numpy(np.float32)[usable]
    mirrored_labels = settings.target.mirror_labels(usable_labels)
    image = None
    if mirrored is not None and mirrored_labels is not None:
        image = MirrorImage(mirrored.to_numpy()[usable], mirrored_labels)
    rows = TrainingSet(
        features=columns[features.names].to_numpy()[usable],
        labels=usable_labels,
        weights=settings.target.weights(bars, settings.horizon).to_numpy()[usable],
        held_out=_choose_held_out(settings, usable, validation),
        purge=settings.horizon,
        mirrored=image,
        context=columns[[] if context is None else context.names].to_numpy()[usable],
    )
    return rows, pd.DatetimeIndex(bars.index[usable])


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


def held_out_spans(
    n_rows: int, *, share: float, members: int, lookback: int, purge: int
) -> tuple[slice, ...]:
    """A span of rows for each member to hold out, so that together they learn from all rows.

    The first member holds out the last `share` of the rows, the others stretches that lie evenly
    before it, with rows in front to settle the state. Where such a stretch would leave no chunk
    in one piece, its member holds out the last rows too.
    """
    size = round(n_rows * share)
    last, shortest = n_rows - size, 2 * lookback + purge
    starts = np.linspace(last, lookback // 2, members).round().astype(int)
    fits = [max(start, n_rows - start - size) >= shortest for start in starts]
    return tuple(
        slice(int(start), int(start) + size) if fit else slice(last, n_rows)
        for start, fit in zip(starts, fits, strict=True)
    )


def _choose_held_out(
    settings: ForecasterSettings, usable: np.ndarray, validation: np.ndarray | None
) -> tuple[slice, ...]:
    """The rows that each member holds out: those asked for, or other ones for each."""
    if validation is None:
        return held_out_spans(
            int(usable.sum()),
            share=settings.validation,
            members=settings.members,
            lookback=settings.lookback,
            purge=settings.horizon,
        )
    watched = np.flatnonzero(validation[usable])
    return (slice(int(watched[0]), int(watched[-1]) + 1),) * settings.members


def _mirror_columns(
    bars: pd.DataFrame, features: FeatureSet, settings: ForecasterSettings, labels: pd.DataFrame
) -> pd.DataFrame | None:
    """The features with rises and falls exchanged; None where that isn't wanted or known."""
    if not settings.mirror or settings.target.mirror_labels(labels.to_numpy()) is None:
        return None
    mirrored_bars = mirror_bars(bars, features.specs)
    return None if mirrored_bars is None else features.frame(mirrored_bars)


def _check_known(columns: pd.DataFrame, settings: ForecasterSettings) -> None:
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


def _note_constant(rows: pd.DataFrame) -> None:
    values = rows.to_numpy()
    is_constant = (values == values[:1]).all(axis=0)
    if is_constant.any():
        log.warning(
            "Nothing can be learned from what never changes in the training bars: %s.",
            ", ".join(rows.columns[is_constant][:_MOST_NAMED]),
        )


def check_enough_bars(
    settings: ForecasterSettings, features: FeatureSet, n_bars: int, *, n_usable: int | None = None
) -> None:
    """Refuse bars that are too few to train on.

    Args:
        settings: How to train.
        features: What the bars are turned into.
        n_bars: The number of bars.
        n_usable: Those whose features and label are known; None for all behind the warm-up.

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
        f"Training needs {sum(uses.values()):,} bars with {spell('lookback', lookback)} and "
        f"{spell('horizon', horizon)} ({parts}), got {n_bars:,}. Load more history or shorten "
        f"{spell(shorter)}."
    )
