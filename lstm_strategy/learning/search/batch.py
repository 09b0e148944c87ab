"""Trials side by side: a batch is chosen, run in any number of processes, and then recorded.

What is chosen and what is pruned depends on earlier batches alone, never on who was faster. Only
this process knows the storage; a worker is given a setting and the scores of earlier trials.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import joblib
import optuna
from optuna.storages import BaseStorage, RDBStorage
from optuna.study import StudyDirection
from optuna.trial import TrialState, create_trial

from lstm_strategy.errors import FeatureError, TrainingError
from lstm_strategy.learning.search.space import Setting
from lstm_strategy.learning.search.storage import (
    HEARTBEAT_SECONDS,
    mark_worker,
    queue_trial,
    trials_in,
)
from lstm_strategy.learning.search.trial import (
    ERROR,
    FOLDS,
    SECONDS,
    SearchTask,
    TrialOutcome,
    build_pruner,
    run_trial,
    suggest_setting,
)
from lstm_strategy.support import SharedValue, run_tasks, silence_tensorflow


@dataclass(frozen=True, eq=False)
class BatchTrial:
    """A trial of a batch and its setting, or why it has none."""

    trial: optuna.Trial
    setting: Setting | None
    error: str = ""


@dataclass(frozen=True)
class PastScores:
    """What decides whether a trial is pruned: the scores of the completed ones, fold by fold."""

    direction: StudyDirection
    prunes: bool
    scores: tuple[dict[int, float], ...]

    def begin_trial(self) -> optuna.Trial:
        """Begin a trial that knows the past and takes scores, in a study of its own."""
        study = optuna.create_study(direction=self.direction, pruner=build_pruner(self.prunes))
        study.add_trials(
            [
                create_trial(value=scores[max(scores)], intermediate_values=scores)
                for scores in self.scores
            ]
        )
        return study.ask()


@contextmanager
def choose_batch(
    study: optuna.Study,
    storage: BaseStorage,
    task: SearchTask,
    *,
    n_trials: int,
    is_surplus: Callable[[optuna.Trial], bool],
) -> Iterator[list[BatchTrial]]:
    """Give up to `n_trials` trials with settings; one that isn't recorded in the end has failed."""
    batch: list[BatchTrial] = []
    try:
        for _ in range(n_trials):
            queue_trial(study)
            trial = study.ask()
            batch.append(BatchTrial(trial, None))
            mark_worker(trial)
            if is_surplus(trial):
                study.tell(batch.pop().trial, state=TrialState.FAIL)
                break
            batch[-1] = _choose_setting(task, trial)
        with _heartbeats(storage, [chosen.trial for chosen in batch]):
            yield batch
    finally:
        for chosen in batch:
            study.tell(chosen.trial, state=TrialState.FAIL, skip_if_finished=True)


def run_batch(
    batch: Sequence[BatchTrial], study: optuna.Study, task: SharedValue, *, n_jobs: int | None
) -> Iterator[tuple[int, TrialOutcome]]:
    """Run a batch, and give the number of each trial and what came of it, as they end."""
    prunes = task.value.prunes
    completed = trials_in(study, TrialState.COMPLETE) if prunes else []
    scores = tuple(trial.intermediate_values for trial in completed)
    past = PastScores(study.direction, prunes, scores)
    for chosen in batch:
        if chosen.setting is None:
            yield chosen.trial.number, TrialOutcome((), False, chosen.error, 0.0)
    tasks = (
        joblib.delayed(_run_trial_apart)(task, chosen.trial.number, chosen.setting, past)
        for chosen in batch
        if chosen.setting is not None
    )
    yield from run_tasks(tasks, n_jobs=n_jobs, in_order=False)


def record_outcome(study: optuna.Study, trial: optuna.Trial, outcome: TrialOutcome) -> None:
    """End a trial in the study with what came of it."""
    for number, score in enumerate(outcome.scores, start=1):
        trial.report(score, step=number)
    trial.set_user_attr(FOLDS, len(outcome.scores))
    trial.set_user_attr(SECONDS, outcome.seconds)
    if outcome.error:
        trial.set_user_attr(ERROR, outcome.error)
    # Optuna takes the last report as the value of a pruned trial
    study.tell(trial, outcome.scores[-1] if outcome.is_whole else None, state=outcome.state)


def _choose_setting(task: SearchTask, trial: optuna.Trial) -> BatchTrial:
    try:
        return BatchTrial(trial, suggest_setting(task, trial))
    except (TrainingError, FeatureError) as error:
        return BatchTrial(trial, None, str(error))


def _run_trial_apart(
    task: SharedValue, number: int, setting: Setting, past: PastScores
) -> tuple[int, TrialOutcome]:
    silence_tensorflow()
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    try:
        return number, run_trial(task.value, setting, past.begin_trial())
    finally:
        optuna.logging.set_verbosity(verbosity)


@contextmanager
def _heartbeats(storage: BaseStorage, trials: Sequence[optuna.Trial]) -> Iterator[None]:
    """Let other machines know now and then that the trials are being worked on."""
    if not isinstance(storage, RDBStorage):
        yield
        return
    ended = threading.Event()

    def beat() -> None:
        while True:
            for trial in trials:
                # Study.optimize does the same; for trials that are asked for there is no public way
                storage.record_heartbeat(trial._trial_id)
            if ended.wait(HEARTBEAT_SECONDS):
                return

    thread = threading.Thread(target=beat, daemon=True, name="heartbeats")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
