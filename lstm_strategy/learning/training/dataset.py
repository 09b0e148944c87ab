"""From bars to rows: features with their labels, and who may learn from which of them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lstm_strategy.errors import TrainingError
from lstm_strategy.learning.features import FeatureSet, mirror_bars
from lstm_strategy.learning.targets import Target, label_weights, target_labels
from lstm_strategy.learning.training.settings import ForecasterSettings


@dataclass(frozen=True)
class TrainingSet:
    """Complete rows of features with their labels, and the rows that stop each member's training.

    ``features`` has shape (n_rows, n_features), ``labels`` and ``weights`` (n_rows,).
    ``held_out`` has a span of rows for each member of the ensemble: those that it never learns
    from and that early stopping watches. ``purge`` rows on either side of it are not learned from
    either, since labels reach that far. ``mirrored`` are the features of the same bars with rises
    and falls exchanged, if there are such features.
    """

    features: np.ndarray
    labels: np.ndarray
    weights: np.ndarray
    held_out: tuple[slice, ...]
    purge: int
    mirrored: np.ndarray | None = None

    def learned_by(self, member: int) -> tuple[slice, ...]:
        """The spans of rows that a member learns from: before and after what it holds out."""
        span = self.held_out[member]
        before = slice(0, max(0, span.start - self.purge))
        after = slice(span.stop + self.purge, len(self.features))
        return tuple(part for part in (before, after) if part.stop > part.start)

    @property
    def scaling_rows(self) -> np.ndarray:
        """The rows that any member learns from, mirrored ones too: what scaling may know."""
        is_learned = np.zeros(len(self.features), bool)
        for member in range(len(self.held_out)):
            for part in self.learned_by(member):
                is_learned[part] = True
        images = [self.features] if self.mirrored is None else [self.features, self.mirrored]
        return np.concatenate([image[is_learned] for image in images])


def held_out_spans(
    n_rows: int, *, share: float, members: int, lookback: int, purge: int
) -> tuple[slice, ...]:
    """A span of rows for each member to hold out, so that together they learn from all rows.

    The first member holds out the last ``share`` of the rows, the others stretches that lie
    evenly before it, with rows in front to settle the state. Where such a stretch would leave no
    chunk in one piece, its member holds out the last rows too.
    """
    size = round(n_rows * share)
    last, shortest = n_rows - size, 2 * lookback + purge
    starts = np.linspace(last, lookback // 2, members).round().astype(int)
    fits = [max(start, n_rows - start - size) >= shortest for start in starts]
    return tuple(
        slice(int(start), int(start) + size) if fit else slice(last, n_rows)
        for start, fit in zip(starts, fits, strict=True)
    )


def build_training_set(
    bars: pd.DataFrame,
    features: FeatureSet,
    settings: ForecasterSettings,
    *,
    leave_out: np.ndarray | None = None,
    validation: np.ndarray | None = None,
) -> tuple[TrainingSet, pd.DatetimeIndex]:
    """The rows of valid bars that can be learned from, and the bar that each belongs to.

    ``leave_out`` is true for bars whose label must not be learned from, ``validation`` for those
    that every member holds out, shape (n_bars,); without it the members hold out different ones.

    Raises:
        FeatureError: if the bars lack a column that a feature reads.
        TrainingError: if there are too few bars, or all labels are the same.
    """
    columns = features.frame(bars)
    labels = target_labels(bars, target=settings.target, horizon=settings.horizon)
    usable = (columns.notna().all(axis=1) & labels.notna()).to_numpy()
    if leave_out is not None:
        usable = usable & ~leave_out
    _check_enough_bars(settings, len(bars), int(usable.sum()))
    _check_both_classes(labels.to_numpy()[usable], settings.target, settings.horizon)
    weights = label_weights(bars, target=settings.target, horizon=settings.horizon)
    # what a target of the user's own is in the mirror, nobody has said
    has_mirror = settings.mirror and not callable(settings.target)
    mirror = mirror_bars(bars, features) if has_mirror else None
    rows = TrainingSet(
        features=columns.to_numpy()[usable],
        labels=labels.to_numpy(np.float32)[usable],
        weights=weights.to_numpy()[usable],
        held_out=_held_out(settings, usable, validation),
        purge=settings.horizon,
        mirrored=None if mirror is None else features.frame(mirror).to_numpy()[usable],
    )
    return rows, pd.DatetimeIndex(bars.index[usable])


def _held_out(
    settings: ForecasterSettings, usable: np.ndarray, validation: np.ndarray | None
) -> tuple[slice, ...]:
    n_rows = int(usable.sum())
    if validation is None:
        return held_out_spans(
            n_rows,
            share=settings.validation,
            members=settings.members,
            lookback=settings.lookback,
            purge=settings.horizon,
        )
    watched = np.flatnonzero(validation[usable])
    return (slice(int(watched[0]), int(watched[-1]) + 1),) * settings.members


def _check_enough_bars(settings: ForecasterSettings, n_bars: int, n_usable: int) -> None:
    lookback, share = settings.lookback, settings.validation
    needed_to_train = 2 * lookback + settings.horizon
    needed_to_validate = 3 * lookback // 2
    needed = int(np.ceil(max(needed_to_train / (1 - share), needed_to_validate / share))) + 1
    if n_usable < needed:
        raise TrainingError(
            f"Training needs {needed + n_bars - n_usable:,} bars with lookback={lookback} "
            f"({n_bars - n_usable} of them warm up the features), got {n_bars:,}. Load more "
            "history or shorten lookback."
        )


def _check_both_classes(labels: np.ndarray, target: Target, horizon: int) -> None:
    if (labels == labels[0]).all():
        never = "falls" if labels[0] else "rises"
        why = "" if callable(target) else f": the close never {never} over {horizon} bars"
        raise TrainingError(
            f"Every label is {labels[0]:g}{why}. There is nothing to learn; use other bars or "
            "another horizon."
        )
