"""The search for settings: trials scored out of sample by a walk forward inside the bars.

`search` knows nothing of trading: a score that trades is handed in from the evaluation, whose
`tune` is what users call.
"""

import math
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import optuna
import pandas as pd
from optuna.storages import BaseStorage, RDBStorage
from optuna.trial import FrozenTrial, TrialState

from lstm_strategy.errors import FeatureError, TrainingError, WorkersDiedError
from lstm_strategy.learning.search.batch import choose_batch, record_outcome, run_batch
from lstm_strategy.learning.search.kept_forecasts import read_forecasts, write_forecasts
from lstm_strategy.learning.search.sampler import OrdinalSampler
from lstm_strategy.learning.search.space import Setting
from lstm_strategy.learning.search.storage import (
    FINISHED,
    claim_search_folder,
    explain_lost_storage,
    is_waited_for,
    mark_worker,
    open_storage,
    open_study,
    queue_trial,
    retry_dead_trials,
    study_key,
    trials_in,
)
from lstm_strategy.learning.search.trial import (
    ERROR,
    FOLDS,
    SECONDS,
    SETTING,
    SearchTask,
    TrialOutcome,
    build_pruner,
    check_any_fits,
    run_trial,
    suggest_setting,
)
from lstm_strategy.support import OnStep, SharedValue, count_of, is_serial, share, steps_progress

_TRIALS_AT_ONCE = 8  # where there are several processes; the same number, however many
_SECONDS_BETWEEN_LOOKS = 0.5


@dataclass(frozen=True, eq=False)
class Search:
    """A finished search.

    Attributes:
        finished: The trials that ended, pruned ones included, in the order of the study.
        forecasts: Of the completed trials, by number: signal, forecast, uncertainty, return on the
            test bars.
        study: Optuna's study.

    Example:
        >>> study = optuna.create_study()
        >>> study.add_trial(optuna.create_trial(value=0.6, params={}, distributions={}))
        >>> Search(tuple(study.trials), {}, study).trials["value"].tolist()
        [0.6]
    """

    finished: tuple[FrozenTrial, ...]
    forecasts: dict[int, pd.DataFrame]
    study: optuna.Study

    @property
    def best(self) -> FrozenTrial:
        """The completed trial with the best score, the first of equals."""
        return self.study.best_trial

    def number(self, trial: FrozenTrial) -> int:
        """The number of a trial: how many ended before it in the order of the study.

        Optuna also counts those that were cut off and begun again, so its numbers depend on
        whether the search was stopped.
        """
        return [finished.number for finished in self.finished].index(trial.number)

    @staticmethod
    def setting(trial: FrozenTrial) -> Setting:
        """The setting of a trial."""
        return Setting(**trial.user_attrs[SETTING])

    @property
    def trials(self) -> pd.DataFrame:
        """One row per trial, on its number: state, value, folds, seconds, its parameters, error.

        The state is "complete", "pruned" for one that fell behind, or "failed" for one whose error
        says why it has no score.
        """
        rows = [
            {
                "number": number,
                "state": _state_of(trial),
                "value": trial.value,
                "folds": trial.user_attrs.get(FOLDS, 0),
                "seconds": _seconds_of_work(trial),
                **trial.params,
                "error": trial.user_attrs.get(ERROR, ""),
            }
            for number, trial in enumerate(self.finished)
        ]
        table = pd.DataFrame(rows).set_index("number")
        return table[[*table.columns.drop("error"), "error"]]


def search(
    task: SearchTask,
    n_trials: int,
    *,
    folder: Path,
    storage: str | None = None,
    in_memory: bool = False,
    progress: bool | OnStep | None = None,
    at_once: int | None = None,
    n_jobs: int | None = None,
) -> Search:
    """Try settings until enough trials have ended in the study, whichever process ran them.

    Args:
        task: What is searched.
        n_trials: Trials in all, those of earlier runs and of other processes included.
        folder: Where forecasts are kept, and the study if it has no other storage.
        storage: An Optuna database URL or `journal:FILE` in place of SQLite in the folder.
        in_memory: Whether the study is gone with this process.
        progress: True or False shows or hides a progress bar; None shows it where somebody
            looks; a function is called after each fold instead.
        at_once: Settings that are chosen before any of them is scored. What is tried depends on
            it and not on `n_jobs`; None for 1 in this process alone, else 8.
        n_jobs: Processes that try settings side by side; None for what joblib is set to.

    Returns:
        All trials, and the forecasts of the completed ones.

    Raises:
        TrainingError: For a folder of another search, a storage that can't be used, and where no
            setting at all could be trained to the end; before any is tried if none fits the bars.
        WorkersDiedError: If a process died, often for lack of memory.

    Example:
        >>> found = search(task, 20, folder=Path("search"))  # doctest: +SKIP
        >>> found.setting(found.best)  # doctest: +SKIP
        Setting(forecaster={'lookback': 41}, features=None, strategy={})
    """
    check_any_fits(task)
    if at_once is None:
        at_once = 1 if is_serial(n_jobs) else _TRIALS_AT_ONCE
    with (
        _quiet_optuna(),
        explain_lost_storage(storage, None if in_memory else folder),
        _tell_what_is_kept(is_kept=not in_memory),
    ):
        claim_search_folder(folder, task.identity | {"storage": storage or ""})
        opened = open_storage(storage, None if in_memory else folder)
        study = _open_study(task, opened, _name_of(storage, folder))
        with (
            steps_progress(progress, f"tuning: {count_of(n_trials, 'trial')}") as on_progress,
            share(task, n_jobs=n_jobs) as shared_task,
        ):
            _SearchRun(
                task=task,
                shared_task=shared_task,
                study=study,
                storage=opened,
                folder=folder,
                n_trials=n_trials,
                at_once=at_once,
                n_jobs=n_jobs,
                on_progress=on_progress,
            ).run()
        finished = tuple(trials_in(study, *FINISHED))
        _check_any_completed(finished)
        kept = read_forecasts(folder, finished)
        numbers = {trial.number: number for number, trial in enumerate(finished)}
        return Search(finished, {numbers[n]: kept[n] for n in kept}, study)


@contextmanager
def _tell_what_is_kept(*, is_kept: bool) -> Iterator[None]:
    try:
        yield
    except WorkersDiedError as error:
        if not is_kept:
            raise
        raise WorkersDiedError(
            f"{error} Run the same search again: finished trials are kept."
        ) from error


@dataclass(frozen=True, eq=False)
class _SearchRun:
    """The loop over trials; other processes may run the same one on the same study."""

    task: SearchTask
    shared_task: SharedValue
    study: optuna.Study
    storage: BaseStorage
    folder: Path
    n_trials: int
    at_once: int
    n_jobs: int | None
    on_progress: OnStep | None

    def run(self) -> None:
        """Return when enough trials have ended, those of other processes included."""
        has_heartbeat = isinstance(self.storage, RDBStorage)
        while True:
            retry_dead_trials(self.study)
            n_done = self._count_finished()
            self._show_progress(n_done)
            if n_done >= self.n_trials:
                return
            running = trials_in(self.study, TrialState.RUNNING)
            n_running = sum(is_waited_for(t, has_heartbeat=has_heartbeat) for t in running)
            n_missing = self.n_trials - n_done - n_running
            if n_missing <= 0:
                time.sleep(_SECONDS_BETWEEN_LOOKS)  # should one of them fail, it's ours to do
            elif self.at_once > 1:
                self._run_batch(min(self.at_once, n_missing))
            else:
                queue_trial(self.study)
                self.study.optimize(self._score, n_trials=1, catch=(_SurplusTrialError,))

    def _count_finished(self) -> int:
        return len(trials_in(self.study, *FINISHED))

    def _show_progress(self, n_done: int, n_folds_more: int = 0) -> None:
        if self.on_progress is not None:
            total = self.n_trials * self.task.n_folds
            self.on_progress(min(n_done * self.task.n_folds + n_folds_more, total), total)

    def _score(self, trial: optuna.Trial) -> float:
        """Run one trial in this process, as Optuna's objective function."""
        mark_worker(trial)
        if self._is_surplus(trial):
            raise _SurplusTrialError
        n_done = self._count_finished()

        def on_fold(number: int) -> None:
            trial.set_user_attr(FOLDS, number)
            self._show_progress(n_done, number)

        try:
            setting = suggest_setting(self.task, trial)
        except (TrainingError, FeatureError) as error:
            trial.set_user_attr(ERROR, str(error))
            raise optuna.TrialPruned from error
        outcome = run_trial(self.task, setting, trial, on_fold)
        if outcome.forecasts is None:
            if outcome.error:
                trial.set_user_attr(ERROR, outcome.error)
            raise optuna.TrialPruned
        write_forecasts(self.folder, trial.number, outcome.forecasts)
        return outcome.scores[-1]

    def _run_batch(self, n_trials: int) -> None:
        """Run up to so many trials side by side, and record them when all are done."""
        n_done = self._count_finished()
        chosen = choose_batch(
            self.study, self.storage, self.task, n_trials=n_trials, is_surplus=self._is_surplus
        )
        with chosen as batch:
            outcomes: dict[int, TrialOutcome] = {}
            runs = run_batch(batch, self.study, self.shared_task, n_jobs=self.n_jobs)
            for number, outcome in runs:
                outcomes[number] = outcome
                self._show_progress(n_done + len(outcomes))
            for member in batch:
                outcome = outcomes[member.trial.number]
                if outcome.forecasts is not None:
                    write_forecasts(self.folder, member.trial.number, outcome.forecasts)
                record_outcome(self.study, member.trial, outcome)

    def _is_surplus(self, trial: optuna.Trial) -> bool:
        """Whether there are enough trials without this one.

        Two processes may both begin the last trial; the later one gives way. Optuna's
        `MaxTrialsCallback` would count both.
        """
        others = trials_in(self.study, *FINISHED, TrialState.RUNNING)
        n_earlier = sum(1 for other in others if other.number < trial.number)
        return n_earlier >= self.n_trials


class _SurplusTrialError(Exception):
    """Enough trials are done or being done."""


def _name_of(storage: str | None, folder: Path) -> str:
    return str(folder) if storage is None else storage


def _open_study(task: SearchTask, opened: BaseStorage, storage: str) -> optuna.Study:
    return open_study(
        storage,
        opened,
        study_name=f"lstm-strategy {study_key(task.identity)[:16]}",
        direction="maximize" if task.objective.is_better_high else "minimize",
        sampler=OrdinalSampler(task.seed),
        pruner=build_pruner(task.prunes),
    )


def _state_of(trial: FrozenTrial) -> str:
    """Whether a trial is "complete", "pruned", or "failed", in Optuna's words pruned as well."""
    return "failed" if trial.user_attrs.get(ERROR) else trial.state.name.lower()


def _seconds_of_work(trial: FrozenTrial) -> float:
    """The time that a trial itself took: one of several at once also waited for the others."""
    duration = trial.duration.total_seconds() if trial.duration else math.nan
    return float(trial.user_attrs.get(SECONDS, duration))


def _check_any_completed(finished: tuple[FrozenTrial, ...]) -> None:
    if any(trial.state == TrialState.COMPLETE for trial in finished):
        return
    errors = [trial.user_attrs[ERROR] for trial in finished if ERROR in trial.user_attrs]
    raise TrainingError(
        f"None of {count_of(len(finished), 'trial')} could be finished. The first one: "
        f"{errors[0] if errors else 'pruned.'}"
    )


@contextmanager
def _quiet_optuna() -> Iterator[None]:
    """Keep Optuna from logging each trial, and from warning that parts of it may change."""
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            # the trials of a batch aren't run by Study.optimize, and have their own heartbeats
            warnings.filterwarnings("ignore", "Heartbeat of storage is supposed to be used")
            yield
    finally:
        optuna.logging.set_verbosity(verbosity)
