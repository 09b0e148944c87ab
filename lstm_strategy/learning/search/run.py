"""The search for settings: trials scored out of sample by a walk forward inside the bars.

`search` knows nothing of trading: a score that trades is handed in from the evaluation, whose
`tune` is what users call.
"""

import logging
import math
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import optuna
import pandas as pd
from optuna.trial import FrozenTrial, TrialState

from lstm_strategy.errors import FeatureError, TrainingError
from lstm_strategy.learning.search.batch import generation, run_batch, tell
from lstm_strategy.learning.search.sampler import OrdinalSampler
from lstm_strategy.learning.search.space import Setting
from lstm_strategy.learning.search.storage import (
    FINISHED,
    FORECASTS_FOLDER,
    claim_search_folder,
    is_waited_for,
    mark_worker,
    open_storage,
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
    Task,
    TrialOutcome,
    pruner,
    suggest_setting,
    tried,
)
from lstm_strategy.support import OnStep, SharedValue, is_serial, share, steps_progress

_TRIALS_AT_ONCE = 8  # where there are several processes; the same number, however many
_SECONDS_BETWEEN_LOOKS = 0.5


@dataclass(frozen=True, eq=False)
class Search:
    """A finished search.

    finished:   the trials that ended, pruned ones included, by number
    forecasts:  of the completed trials: signal, forecast, uncertainty, return on the test bars
    """

    finished: tuple[FrozenTrial, ...]
    forecasts: dict[int, pd.DataFrame]
    study: optuna.Study

    @property
    def best(self) -> FrozenTrial:
        """The completed trial with the best score, the first of equals."""
        return self.study.best_trial

    @staticmethod
    def setting(trial: FrozenTrial) -> Setting:
        """The setting that a trial tried."""
        return Setting(**trial.user_attrs[SETTING])

    @property
    def trials(self) -> pd.DataFrame:
        """One row a trial, on its number: state, value, folds, seconds, its parameters, error."""
        rows = [
            {
                "number": trial.number,
                "state": trial.state.name.lower(),
                "value": trial.value,
                "folds": trial.user_attrs.get(FOLDS, 0),
                "seconds": _seconds(trial),
                **trial.params,
                "error": trial.user_attrs.get(ERROR, ""),
            }
            for trial in self.finished
        ]
        table = pd.DataFrame(rows).set_index("number")
        return table[[*table.columns.drop("error"), "error"]]


def search(
    task: Task,
    n_trials: int,
    *,
    folder: Path,
    storage: str | None = None,
    in_memory: bool = False,
    progress: bool | OnStep | None = None,
    at_once: int | None = None,
    n_jobs: int | None = None,
) -> Search:
    """Try settings until `n_trials` have ended in this study, whoever tried them.

    `at_once` settings are chosen before any of them is scored, and tried in `n_jobs` processes;
    what is tried depends on `at_once`, not on `n_jobs`. By default it is 1 in this process alone,
    else 8. Forecasts are kept in `folder`. Raises `TrainingError` for a folder of another search, a
    storage that can't be used, and where no setting at all could be trained to the end.
    """
    n_folds = len(task.splits.folds(task.bars))
    if at_once is None:
        at_once = 1 if is_serial(n_jobs) else _TRIALS_AT_ONCE
    with _quiet_optuna():
        claim_search_folder(folder, task.identity | {"storage": storage or ""})
        opened = open_storage(storage, None if in_memory else folder)
        study = optuna.create_study(
            study_name=f"lstm-strategy {study_key(task.identity)[:16]}",
            storage=opened,
            direction="maximize" if task.objective.is_better_high else "minimize",
            sampler=OrdinalSampler(task.seed),
            pruner=pruner(task.prunes),
            load_if_exists=True,
        )
        with steps_progress(progress, f"tuning: {n_trials} trials") as told:
            has_heartbeat = isinstance(opened, optuna.storages.RDBStorage)
            with share(task, n_jobs=n_jobs) as handle:
                _Trials(
                    task, study, folder, n_trials, n_folds, has_heartbeat, told,
                    handle, at_once, n_jobs,
                ).run()  # fmt: skip
        finished = tuple(trials_in(study, *FINISHED))
        _check_any_completed(finished)
        return Search(finished, _kept_forecasts(finished, folder), study)


@dataclass(frozen=True, eq=False)
class _Trials:
    """The loop over trials; other processes may run the same one on the same study."""

    task: Task
    study: optuna.Study
    folder: Path
    n_trials: int
    n_folds: int
    has_heartbeat: bool
    told: OnStep | None
    shared: SharedValue
    at_once: int
    n_jobs: int | None

    def run(self) -> None:
        """Return when enough trials have ended, those of other processes included."""
        while True:
            retry_dead_trials(self.study)
            n_done = len(trials_in(self.study, *FINISHED))
            self._tell(n_done, 0)
            if n_done >= self.n_trials:
                return
            running = trials_in(self.study, TrialState.RUNNING)
            waited = [t for t in running if is_waited_for(t, has_heartbeat=self.has_heartbeat)]
            if n_done + len(waited) >= self.n_trials:
                time.sleep(_SECONDS_BETWEEN_LOOKS)  # should one of them fail, it's ours to do
            elif self.at_once > 1:
                self._generation(min(self.at_once, self.n_trials - n_done - len(waited)))
            else:
                queue_trial(self.study)
                self.study.optimize(self._value, n_trials=1, catch=(_SurplusTrialError,))

    def _tell(self, n_done: int, n_folds_more: int) -> None:
        if self.told is not None:
            total = self.n_trials * self.n_folds
            self.told(min(n_done * self.n_folds + n_folds_more, total), total)

    def _value(self, trial: optuna.Trial) -> float:
        mark_worker(trial)
        self._withdraw_surplus(trial)
        n_done = len(trials_in(self.study, *FINISHED))

        def on_fold(number: int) -> None:
            trial.set_user_attr(FOLDS, number)
            self._tell(n_done, number)

        try:
            setting = suggest_setting(self.task, trial)
        except (TrainingError, FeatureError) as error:
            trial.set_user_attr(ERROR, str(error))
            raise optuna.TrialPruned from error
        outcome = tried(self.task, setting, trial, on_fold)
        if outcome.forecasts is None:
            if outcome.error:
                trial.set_user_attr(ERROR, outcome.error)
            raise optuna.TrialPruned
        _write_forecasts(self.folder, trial.number, outcome.forecasts)
        return outcome.scores[-1]

    def _generation(self, most: int) -> None:
        """Try up to so many settings side by side; the study knows of none until all are done."""
        n_done = len(trials_in(self.study, *FINISHED))
        with generation(self.study, self.task, most, self._is_surplus) as chosen:
            outcomes: dict[int, TrialOutcome] = {}
            for number, outcome in run_batch(chosen, self.study, self.shared, n_jobs=self.n_jobs):
                outcomes[number] = outcome
                self._tell(n_done + len(outcomes) - 1, self.n_folds)
            for choice in chosen:
                outcome = outcomes[choice.trial.number]
                if outcome.forecasts is not None:
                    _write_forecasts(self.folder, choice.trial.number, outcome.forecasts)
                tell(self.study, choice.trial, outcome)

    def _withdraw_surplus(self, trial: optuna.Trial) -> None:
        """Two processes may both begin the last trial; the later one gives way."""
        if self._is_surplus(trial):
            raise _SurplusTrialError

    def _is_surplus(self, trial: optuna.Trial) -> bool:
        earlier = trials_in(self.study, *FINISHED, TrialState.RUNNING)
        return sum(other.number < trial.number for other in earlier) >= self.n_trials


class _SurplusTrialError(Exception):
    """Enough trials are done or being done."""


def _seconds(trial: FrozenTrial) -> float:
    """That the work took; a trial of several at once also waited for the others."""
    lasted = trial.duration.total_seconds() if trial.duration else math.nan
    return float(trial.user_attrs.get(SECONDS, lasted))


def _check_any_completed(finished: tuple[FrozenTrial, ...]) -> None:
    if any(trial.state == TrialState.COMPLETE for trial in finished):
        return
    errors = [trial.user_attrs[ERROR] for trial in finished if ERROR in trial.user_attrs]
    raise TrainingError(
        f"None of {len(finished)} trials could be finished. The first one: "
        f"{errors[0] if errors else 'pruned.'}"
    )


def _forecasts_file(folder: Path, number: int) -> Path:
    return folder / FORECASTS_FOLDER / f"trial-{number:05d}.parquet"


def _write_forecasts(folder: Path, number: int, forecasts: pd.DataFrame) -> None:
    """Keep the forecasts of a trial, whole or not at all."""
    file = _forecasts_file(folder, number)
    file.parent.mkdir(exist_ok=True)
    unfinished = file.with_suffix(".unfinished")
    forecasts.to_parquet(unfinished)
    unfinished.replace(file)


def _kept_forecasts(finished: tuple[FrozenTrial, ...], folder: Path) -> dict[int, pd.DataFrame]:
    complete = [trial.number for trial in finished if trial.state == TrialState.COMPLETE]
    files = {number: _forecasts_file(folder, number) for number in complete}
    lacking = [number for number, file in files.items() if not file.exists()]
    if lacking:
        logging.getLogger(__name__).warning(
            "The forecasts of %d of %d trials lie in other folders, so they count as trials but "
            "not in the correlations. Let all processes share one folder.",
            len(lacking), len(files),
        )  # fmt: skip
    return {n: pd.read_parquet(file) for n, file in files.items() if n not in lacking}


@contextmanager
def _quiet_optuna() -> Iterator[None]:
    """Optuna says nothing of each trial, nor that parts of it may change."""
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            # trials at once aren't run by Study.optimize, and send their own signs of life
            warnings.filterwarnings("ignore", "Heartbeat of storage is supposed to be used")
            yield
    finally:
        optuna.logging.set_verbosity(verbosity)
