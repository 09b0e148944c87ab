"""Refits along time, with a ledger of who forecast which bar."""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import joblib
import numpy as np
import pandas as pd

from lstm_strategy.bars import bars_fingerprint, span_dates, validate_bars
from lstm_strategy.errors import LSTMStrategyError, TrainingError, WorkersDiedError
from lstm_strategy.learning.forecaster import (
    CARD_FILE,
    WALK_FORWARD_FILE,
    LSTMForecaster,
    builder_name,
    read_folder,
    write_folder,
)
from lstm_strategy.learning.walk_forward.forecaster import (
    Refit,
    WalkForwardForecaster,
    fold_folder,
)
from lstm_strategy.learning.walk_forward.splitter import Fold, WalkForward
from lstm_strategy.support import (
    Shared,
    is_serial,
    run_tasks,
    shared,
    silence_tensorflow,
    steps_progress,
    write_json,
)

log = logging.getLogger(__name__)

OnFold = Callable[[int, int], None]
"""Called after each fold with: folds done, folds in all."""
FoldCallbacks = Callable[[Fold], Sequence[Any]]
"""A fold → the Keras callbacks that see its training."""


def walk_forward(
    bars: pd.DataFrame,
    forecaster: Any,
    splits: WalkForward,
    *,
    folder: str | Path | None = None,
    n_jobs: int | None = None,
    progress: bool | OnFold | None = None,
    callbacks: FoldCallbacks | None = None,
) -> "WalkForwardForecaster":
    """Train ``forecaster`` anew for every fold; returns one forecaster for the whole span.

    Args:
        bars: the whole span.
        forecaster: an ``LSTMForecaster`` (its settings count, it stays as it is), or any object
            with unfitted_copy, fit, forecast, stream and context_bars.
        splits: the folds; their ``horizon`` must be at least that of the forecaster.
        folder: where finished folds are kept, so that a run that was stopped goes on where it
            ended. Without one nothing is kept.
        n_jobs: processes that train folds side by side; each loads Keras by itself. None for
            what ``workers`` or ``joblib.parallel_config`` says, or else for this process alone.
        progress: True or False shows or hides a progress bar; None shows it where somebody
            looks; a function is called after each fold instead.
        callbacks: gives the ``callbacks`` of ``fit`` for a fold. With several processes it is
            pickled, and called where the fold is trained; kept folds aren't trained again.

    Raises:
        BarsError: at the first bad bar.
        TrainingError: naming the fold that can't be trained, a label that would reach into a
            test fold, a folder of another run, or a worker that died. Finished folds are kept.
    """
    bars = validate_bars(bars)
    horizon = getattr(getattr(forecaster, "settings", forecaster), "horizon", 1)
    if splits.purge_bars < horizon:
        raise TrainingError(
            f"The purge must be at least the forecaster's horizon, {horizon} bars, or training "
            f"labels overlap the test fold; got {splits.purge_bars}. Write "
            f"WalkForward(..., horizon={horizon})."
        )
    run = _Run(bars, forecaster, splits, splits.folds(bars), n_jobs, progress, callbacks)
    if folder is not None:
        walked = run.kept_in(Path(folder))
    elif is_serial(n_jobs):
        walked = run.in_this_process()
    else:
        with TemporaryDirectory(prefix="walk-forward-") as temporary:
            walked = run.kept_in(Path(temporary))
    _warn_of_endless_memory(walked)
    return walked


@dataclass(frozen=True, eq=False)
class _Run:
    """What `walk_forward` was asked for, and its folds."""

    bars: pd.DataFrame
    forecaster: Any
    splits: WalkForward
    folds: list[Fold]
    n_jobs: int | None
    progress: bool | OnFold | None
    callbacks: FoldCallbacks | None

    def in_this_process(self) -> WalkForwardForecaster:
        """Train one fold after the other, and keep nothing."""
        models: list[Any] = []
        with self._progress() as on_fold:
            for fold in self.folds:
                models.append(fit_fold(self.forecaster, self.bars, fold, callbacks=self.callbacks))
                if on_fold is not None:
                    on_fold(len(models), len(self.folds))
        return self._walked(models)

    def kept_in(self, folder: Path) -> WalkForwardForecaster:
        """Train the folds that the folder lacks, wherever tasks run, and keep all of them there."""
        key = _run_key(self.bars, self.forecaster, self.splits)
        _claim_folder(folder, key)
        self._train_missing(folder)
        models = [LSTMForecaster.load(fold_folder(folder, fold.number)) for fold in self.folds]
        walked = self._walked(models)
        walked.write_index(folder, key=key)
        return walked

    def _train_missing(self, folder: Path) -> None:
        missing = [
            fold
            for fold in self.folds
            if not (fold_folder(folder, fold.number) / CARD_FILE).exists()
        ]
        done = len(self.folds) - len(missing)
        with self._progress() as on_fold, shared(self.bars, n_jobs=self.n_jobs) as bars:
            tasks = (
                joblib.delayed(_trained_content)(
                    self.forecaster.unfitted_copy(), bars, fold, self.callbacks
                )
                for fold in missing
            )
            try:
                for number, content in run_tasks(tasks, n_jobs=self.n_jobs, in_order=False):
                    write_folder(fold_folder(folder, number), content)
                    done += 1
                    if on_fold is not None:
                        on_fold(done, len(self.folds))
            except WorkersDiedError as error:
                raise TrainingError(
                    f"After {done} of {len(self.folds)} folds: {error} The finished folds are "
                    "kept: run it again with the same folder, and fewer processes (n_jobs, or "
                    "--jobs)."
                ) from None

    def _progress(self) -> Any:
        return steps_progress(self.progress, "walk forward: folds")

    def _walked(self, models: list[Any]) -> WalkForwardForecaster:
        starts = (pd.Timestamp(fold.test_start) for fold in self.folds)
        refits = [Refit(model, start) for model, start in zip(models, starts, strict=True)]
        return WalkForwardForecaster(refits, _ledger(self.bars, self.folds))


def _trained_content(
    forecaster: Any, bars: Shared, fold: Fold, callbacks: FoldCallbacks | None
) -> tuple[int, dict[str, bytes]]:
    """The number of the fold and its saved model, which may travel to another machine."""
    silence_tensorflow()
    known = bars.value.iloc[: fold.test.start]
    model = fit_fold(forecaster, known, fold, callbacks=callbacks)
    with TemporaryDirectory(prefix="fold-") as temporary:
        return fold.number, read_folder(model.save(Path(temporary) / "model"))


def fit_fold(
    forecaster: Any, bars: pd.DataFrame, fold: Fold, *, callbacks: FoldCallbacks | None = None
) -> Any:
    """A copy of the forecaster, trained for one fold on what may be known before its test.

    Raises:
        TrainingError: naming the fold that can't be trained.
    """
    last = fold.validation if fold.validation is not None else fold.train
    known = bars.iloc[fold.train.start : last.stop]
    position = np.arange(fold.train.start, last.stop)
    is_validation = np.isin(position, fold.validation_indices)
    leave_out = ~is_validation & ~np.isin(position, fold.train_indices)
    try:
        with _notices_of_one_training_off():
            return forecaster.unfitted_copy().fit(
                known,
                leave_out=leave_out if leave_out.any() else None,
                validation=is_validation if is_validation.any() else None,
                progress=False,
                # a forecaster of another kind needn't know of callbacks
                **({} if callbacks is None else {"callbacks": callbacks(fold)}),
            )
    except LSTMStrategyError as error:
        first, final = span_dates(known.index[~leave_out])
        raise TrainingError(
            f"Fold {fold.number}, trained on {first} to {final}: {error}"
        ) from error


@contextmanager
def _notices_of_one_training_off() -> Iterator[None]:
    """What `fit` tells of one network would come for every fold, and every trial of a search."""
    logger = logging.getLogger(LSTMForecaster.__module__)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _warn_of_endless_memory(walked: WalkForwardForecaster) -> None:
    cards = [getattr(refit.model, "card", None) for refit in walked.refits]
    memories = [card.memory for card in cards if card is not None and card.memory is not None]
    endless = sum(not memory.converged for memory in memories)
    if endless:
        log.warning(
            "%d of %d networks still remember their first row after half of their training rows, "
            "so their forecasts depend a little on where the bars begin. Train on more bars, or "
            "with memory='window'.",
            endless, len(walked.refits),
        )  # fmt: skip


def _ledger(bars: pd.DataFrame, folds: list[Fold]) -> pd.DataFrame:
    """One row a test bar: who forecast it, and what that model had seen."""
    rows = []
    for fold in folds:
        last = fold.validation if fold.validation is not None else fold.train
        known = bars.iloc[fold.train.start : last.stop]
        seen = {
            "fold": fold.number,
            "train_start": known.index[0],
            "train_end": known.index[-1],
            "purge_bars": fold.test.start - last.stop,
            "data_sha256": bars_fingerprint(known),
        }
        rows.append(pd.DataFrame(seen, index=bars.index[fold.test]))
    return pd.concat(rows).rename_axis("datetime")


def _run_key(bars: pd.DataFrame, forecaster: Any, splits: WalkForward) -> str:
    settings = forecaster.settings.model_dump_json()
    described = [
        bars_fingerprint(bars),
        settings,
        json.dumps(forecaster.features.to_dict()),
        builder_name(getattr(forecaster, "network", None)),
    ]
    return hashlib.sha256("\n".join([*described, repr(splits)]).encode()).hexdigest()


def _claim_folder(folder: Path, key: str) -> None:
    index = folder / WALK_FORWARD_FILE
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not index.exists())):
        raise TrainingError(
            f"{folder} holds something else, so nothing is written there. Choose another folder."
        )
    if index.exists():
        if json.loads(index.read_text()).get("key") != key:
            raise TrainingError(
                f"{folder} holds a run with other bars, settings or folds. Choose another folder, "
                "or remove that one yourself."
            )
        return
    folder.mkdir(parents=True, exist_ok=True)
    write_json(index, {"key": key})
