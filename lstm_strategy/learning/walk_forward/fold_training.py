"""A forecaster trained for one fold, here or wherever tasks run."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from lstm_strategy.bars import Panel, is_panel, span_dates
from lstm_strategy.errors import LSTMStrategyError, TrainingError
from lstm_strategy.learning import forecaster as forecaster_room
from lstm_strategy.learning.forecaster import TrainableForecaster, read_folder
from lstm_strategy.learning.walk_forward.fold import Fold
from lstm_strategy.learning.walk_forward.fold_edges import cut_positions, labels_of
from lstm_strategy.support import SharedValue, silence_tensorflow, temporary_folder

FoldCallbacks = Callable[[Fold], Sequence[Any]]
"""A function of a fold that gives the Keras callbacks for its training."""

_Model = TypeVar("_Model", bound=TrainableForecaster)


def fit_fold(
    forecaster: _Model,
    bars: pd.DataFrame | Panel,
    fold: Fold,
    *,
    callbacks: FoldCallbacks | None = None,
) -> _Model:
    """Train a copy of a forecaster for one fold, on what may be known before its test.

    Args:
        forecaster: Its settings count; it stays as it is.
        bars: The bars that the fold was made for, at least up to its test, or the whole panel. Its
            markets that have too few bars in the fold are forecast, but not learned from.
        fold: One of `WalkForward.folds(bars)`.
        callbacks: Gives the `callbacks` of `fit` for the fold.

    Returns:
        The trained copy.

    Raises:
        TrainingError: Naming the fold that can't be trained.

    Example:
        >>> from lstm_strategy import LSTMForecaster, WalkForward, sample_bars
        >>> bars = sample_bars("sp500")
        >>> fold = WalkForward("10 years", "1 year").folds(bars)[0]
        >>> fit_fold(LSTMForecaster(), bars, fold).training_end.year  # doctest: +SKIP
        2009
    """
    known: Any = cut_positions(bars, fold.seen)
    dates = labels_of(bars)[fold.seen]
    positions = np.arange(fold.seen.start, fold.seen.stop)
    is_validation = np.isin(positions, fold.validation_indices)
    leave_out = ~is_validation & ~np.isin(positions, fold.train_indices)
    try:
        with _silence_training_notices():
            return forecaster.unfitted_copy().fit(
                known,
                leave_out=leave_out if leave_out.any() else None,
                validation=is_validation if is_validation.any() else None,
                progress=False,
                **({"on_bad": "drop"} if is_panel(known) else {}),
                callbacks=() if callbacks is None else callbacks(fold),
            )
    except LSTMStrategyError as error:
        raise _name_fold(fold, dates[~leave_out], error) from error


def check_folds(
    forecaster: TrainableForecaster, bars: pd.DataFrame | Panel, folds: Sequence[Fold]
) -> None:
    """Refuse folds of which one has too few bars to train on, before any is trained.

    Raises:
        TrainingError: Naming the fold.
    """
    for fold in folds:
        known = labels_of(bars)[fold.seen]
        try:
            forecaster.check_enough_bars(len(known))
        except LSTMStrategyError as error:
            raise _name_fold(fold, known, error) from error


def _name_fold(fold: Fold, trained_on: pd.Index, error: LSTMStrategyError) -> TrainingError:
    first, last = span_dates(trained_on)
    return TrainingError(f"Fold {fold.number}, trained on {first} to {last}, failed. {error}")


def fit_fold_as_files(
    forecaster: TrainableForecaster,
    bars: SharedValue,
    fold: Fold,
    callbacks: FoldCallbacks | None,
) -> tuple[int, dict[str, bytes]]:
    """Train a fold as a task; returns its number and its saved model, which may travel."""
    silence_tensorflow()
    model = fit_fold(forecaster, bars.value, fold, callbacks=callbacks)
    with temporary_folder("fold") as temporary:
        return fold.number, read_folder(model.save(temporary / "model"))


@contextmanager
def _silence_training_notices() -> Iterator[None]:
    """Keep quiet what `fit` would log of one network: it would come for every fold and trial."""
    logger = logging.getLogger(forecaster_room.__name__)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
