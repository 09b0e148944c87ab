"""Refits along time, with a ledger of which model forecast which bar."""

import json
import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import joblib
import pandas as pd

from lstm_strategy.bars import (
    Panel,
    as_panel,
    check_common_dates,
    is_panel,
    name_market,
    validate_bars,
)
from lstm_strategy.errors import TrainingError, WorkersDiedError, lacks_memory
from lstm_strategy.learning.features import check_training_inputs
from lstm_strategy.learning.forecaster import (
    LSTMForecaster,
    TrainableForecaster,
)
from lstm_strategy.learning.walk_forward.fold import Fold
from lstm_strategy.learning.walk_forward.fold_edges import (
    cut_positions,
    fingerprint_of,
    labels_of,
)
from lstm_strategy.learning.walk_forward.fold_training import (
    FoldCallbacks,
    check_folds,
    fit_fold,
    fit_fold_as_files,
)
from lstm_strategy.learning.walk_forward.forecaster import WalkForwardForecaster
from lstm_strategy.learning.walk_forward.refit import Refit
from lstm_strategy.learning.walk_forward.run_folder import RunFolder
from lstm_strategy.learning.walk_forward.splitter import WalkForward
from lstm_strategy.support import (
    count_of,
    explain_arguments,
    is_serial,
    run_tasks,
    sha256_of,
    share,
    spell,
    steps_progress,
    temporary_folder,
)

log = logging.getLogger(__name__)

OnFold = Callable[[int, int], None]
"""Called after each fold with the number of folds that are done and of all folds."""


@explain_arguments(TrainingError)
def walk_forward(
    bars: pd.DataFrame | Mapping[str, pd.DataFrame],
    forecaster: TrainableForecaster,
    splits: WalkForward,
    *,
    folder: str | Path | None = None,
    n_jobs: int | None = None,
    progress: bool | OnFold | None = None,
    callbacks: FoldCallbacks | None = None,
) -> WalkForwardForecaster:
    """Retrain a forecaster for every fold, and return one forecaster for the whole span.

    Args:
        bars: The whole span, shape (n_bars, n_columns); or a panel of such bars by symbol. Folds
            of a panel count its dates, those on which some market has a bar, and one model a fold
            learns from all markets that have bars enough in it.
        forecaster: An `LSTMForecaster` or another `TrainableForecaster`. Its settings count; it
            stays as it is.
        splits: The folds; their `horizon` must be at least that of the forecaster.
        folder: Where finished folds are kept, so that a run that was stopped goes on where it
            ended. Without one nothing is kept.
        n_jobs: Processes that train folds side by side; each loads Keras by itself. None for
            what `workers` or `joblib.parallel_config` says, or else for this process alone.
        progress: True or False shows or hides a progress bar; None shows it where somebody
            looks; a function is called after each fold instead.
        callbacks: Gives the `callbacks` of `fit` for a fold. With several processes it is
            pickled, and called where the fold is trained; kept folds aren't trained again.

    Returns:
        A forecaster whose every forecast is out of sample.

    Raises:
        BarsError: At the first bad bar.
        TrainingError: Naming the fold that can't be trained, a label that would reach into a
            test fold, a folder of another run, a worker that died or memory that ran out.
            Finished folds are kept.

    Example:
        >>> from lstm_strategy import LSTMForecaster, sample_bars
        >>> bars, splits = sample_bars("sp500"), WalkForward("10 years", "1 year")
        >>> walked = walk_forward(bars, LSTMForecaster(), splits)  # doctest: +SKIP
        >>> walked.forecast(bars)["signal"].first_valid_index().year  # doctest: +SKIP
        2009
    """
    known = _check_bars(bars, forecaster)
    if splits.purge_bars < forecaster.horizon:
        raise TrainingError(
            f"The purge must be at least the forecaster's horizon, {forecaster.horizon} bars, or "
            f"training labels overlap the test fold; got {splits.purge_bars}. Write "
            f"WalkForward(..., horizon={forecaster.horizon})."
        )
    folds = splits.folds(known)
    check_folds(forecaster, known, folds)
    run = _Run(known, forecaster, splits, folds, n_jobs, progress, callbacks)
    if folder is not None:
        walked = run.train_in_folder(Path(folder))
    elif is_serial(n_jobs):
        walked = run.train_here()
    else:
        with temporary_folder("walk-forward") as temporary:
            walked = run.train_in_folder(temporary, is_kept=False)
    _warn_of_endless_memory(walked)
    return walked


def _check_bars(
    bars: pd.DataFrame | Mapping[str, pd.DataFrame], forecaster: TrainableForecaster
) -> pd.DataFrame | Panel:
    """Valid bars, or a panel whose markets all have what the features read."""
    if not is_panel(bars):
        return validate_bars(bars)
    panel = as_panel(bars)
    if not forecaster.learns_from_panels:
        raise TrainingError(
            f"A {type(forecaster).__name__} learns from the bars of one market, and was given "
            f"{panel!r}. Give it one, such as panel[{panel.symbols[0]!r}], or take an "
            "LSTMForecaster."
        )
    check_common_dates(panel)
    for symbol, of_market in panel.items():
        with name_market(symbol):
            check_training_inputs(forecaster.features, of_market)
    return panel


@dataclass(frozen=True, eq=False)
class _Run:
    """What `walk_forward` was asked for, and its folds."""

    bars: pd.DataFrame | Panel
    forecaster: TrainableForecaster
    splits: WalkForward
    folds: list[Fold]
    n_jobs: int | None
    progress: bool | OnFold | None
    callbacks: FoldCallbacks | None

    def train_here(self) -> WalkForwardForecaster:
        """Train one fold after the other, and keep nothing."""
        models: list[TrainableForecaster] = []
        with self._show_progress() as on_fold:
            for fold in self.folds:
                models.append(fit_fold(self.forecaster, self.bars, fold, callbacks=self.callbacks))
                if on_fold is not None:
                    on_fold(len(models), len(self.folds))
        return self._join(models)

    def train_in_folder(self, folder: Path, *, is_kept: bool = True) -> WalkForwardForecaster:
        """Train the folds that the folder lacks, wherever tasks run, and keep all of them there."""
        run = RunFolder(folder, self._key())
        run.claim()
        self._train_missing(run, is_kept=is_kept)
        walked = self._join([LSTMForecaster.load(run.fold_folder(f.number)) for f in self.folds])
        run.finish(walked.ledger, [refit.test_start for refit in walked.refits])
        return walked

    def _train_missing(self, run: RunFolder, *, is_kept: bool) -> None:
        missing = [fold for fold in self.folds if not run.is_finished(fold.number)]
        n_done = len(self.folds) - len(missing)
        with self._show_progress() as on_fold, share(self.bars, n_jobs=self.n_jobs) as bars:
            tasks = (
                joblib.delayed(fit_fold_as_files)(
                    self.forecaster.unfitted_copy(), bars, fold, self.callbacks
                )
                for fold in missing
            )
            try:
                for number, files in run_tasks(tasks, n_jobs=self.n_jobs, in_order=False):
                    run.keep_fold(number, files)
                    n_done += 1
                    if on_fold is not None:
                        on_fold(n_done, len(self.folds))
            except Exception as error:
                if isinstance(error, WorkersDiedError):
                    reason = str(error)
                elif lacks_memory(error):
                    reason = (
                        "There isn't memory enough for another one. Use fewer processes "
                        f"({spell('n_jobs')}) or a smaller network."
                    )
                else:
                    raise
                raise TrainingError(
                    f"After {n_done} of {count_of(len(self.folds), 'fold')}: {reason} "
                    f"{_ways_on(is_kept=is_kept)}"
                ) from error

    def _show_progress(self) -> AbstractContextManager[OnFold | None]:
        return steps_progress(self.progress, "walk forward: folds")

    def _join(self, models: list[TrainableForecaster]) -> WalkForwardForecaster:
        refits = [
            Refit(model, pd.Timestamp(fold.test_start))
            for model, fold in zip(models, self.folds, strict=True)
        ]
        return WalkForwardForecaster(refits, _build_ledger(self.bars, self.folds))

    def _key(self) -> str:
        """A digest of all that decides the models of the run."""
        settings = self.forecaster.describe_settings()
        return sha256_of(json.dumps([fingerprint_of(self.bars), settings, repr(self.splits)]))


def _ways_on(*, is_kept: bool) -> str:
    if is_kept:
        return "The finished folds are kept: run it again with the same folder."
    return "Without a folder no fold is kept: run it again with one."


def _warn_of_endless_memory(walked: WalkForwardForecaster) -> None:
    memories = [card.memory for card in walked.cards if card.memory is not None]
    n_endless = sum(not memory.converged for memory in memories)
    if n_endless:
        log.warning(
            "In %d of %s (target %s) the memory of the first row lasts beyond half of the training "
            "rows, so forecasts depend a little on where the bars begin. Train on more bars, or "
            "with memory='window'.",
            n_endless,
            count_of(len(walked.refits), "fold"),
            walked.cards[0].settings.target.name,
        )


def _build_ledger(bars: pd.DataFrame | Panel, folds: list[Fold]) -> pd.DataFrame:
    """One row a test bar: which model forecast it, and what that model had seen."""
    dates = labels_of(bars)
    rows = []
    for fold in folds:
        seen = dates[fold.seen]
        row = {
            "fold": fold.number,
            "train_start": seen[0],
            "train_end": seen[-1],
            "purge_bars": fold.test.start - fold.seen.stop,
            "data_sha256": fingerprint_of(cut_positions(bars, fold.seen)),
        }
        rows.append(pd.DataFrame(row, index=dates[fold.test]))
    return pd.concat(rows).rename_axis("datetime")
