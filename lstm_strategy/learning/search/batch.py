"""Trials side by side: a generation is chosen, tried in any number of processes, and then told.

What is chosen and what is pruned depends on earlier generations alone, never on who was faster.
Only this process knows the storage; a worker is given a setting and the scores of earlier trials.
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
    Task,
    TrialOutcome,
    pruner,
    suggest_setting,
    tried,
)
from lstm_strategy.support import SharedValue, run_tasks, silence_tensorflow


@dataclass(frozen=True, eq=False)
class Choice:
    """A trial of a generation and its setting, or why it has none."""

    trial: optuna.Trial
    setting: Setting | None
    error: str = ""


@dataclass(frozen=True)
class _Past:
    """What decides whether a trial is pruned: the scores of the completed ones, fold by fold."""

    direction: StudyDirection
    prunes: bool
    scores: tuple[dict[int, float], ...]

    def trial(self) -> optuna.Trial:
        """A trial that knows the past and may be told scores, in a study of its own."""
        study = optuna.create_study(direction=self.direction, pruner=pruner(self.prunes))
        study.add_trials(
            [
                create_trial(value=scores[max(scores)], intermediate_values=scores)
                for scores in self.scores
            ]
        )
        return study.ask()


@contextmanager
def generation(
    study: optuna.Study, task: Task, most: int, is_surplus: Callable[[optuna.Trial], bool]
) -> Iterator[list[Choice]]:
    """Up to `most` trials with settings; those that weren't told at the end have failed."""
    chosen: list[Choice] = []
    storage = study._storage
    try:
        for _ in range(most):
            queue_trial(study)
            trial = study.ask()
            chosen.append(Choice(trial, None))
            mark_worker(trial)
            if is_surplus(trial):
                study.tell(chosen.pop().trial, state=TrialState.FAIL)
                break
            chosen[-1] = _choice(task, trial)
        with _signs_of_life(storage, [choice.trial._trial_id for choice in chosen]):
            yield chosen
    finally:
        for choice in chosen:
            study.tell(choice.trial, state=TrialState.FAIL, skip_if_finished=True)


def run_batch(
    chosen: Sequence[Choice], study: optuna.Study, task: SharedValue, *, n_jobs: int | None
) -> Iterator[tuple[int, TrialOutcome]]:
    """The number of each trial and what came of it, as they end."""
    prunes = task.value.prunes
    completed = trials_in(study, TrialState.COMPLETE) if prunes else []
    past = _Past(study.direction, prunes, tuple(t.intermediate_values for t in completed))
    for choice in chosen:
        if choice.setting is None:
            yield choice.trial.number, TrialOutcome((), False, choice.error, 0.0)
    tasks = (
        joblib.delayed(_tried_apart)(task, choice.trial.number, choice.setting, past)
        for choice in chosen
        if choice.setting is not None
    )
    yield from run_tasks(tasks, n_jobs=n_jobs, in_order=False)


def tell(study: optuna.Study, trial: optuna.Trial, outcome: TrialOutcome) -> None:
    """End a trial with what came of it."""
    for number, score in enumerate(outcome.scores, start=1):
        trial.report(score, step=number)
    trial.set_user_attr(FOLDS, len(outcome.scores))
    trial.set_user_attr(SECONDS, outcome.seconds)
    if outcome.error:
        trial.set_user_attr(ERROR, outcome.error)
    # Optuna takes the last report as the value of a pruned trial
    study.tell(trial, outcome.scores[-1] if outcome.is_whole else None, state=outcome.state)


def _choice(task: Task, trial: optuna.Trial) -> Choice:
    try:
        return Choice(trial, suggest_setting(task, trial))
    except (TrainingError, FeatureError) as error:
        return Choice(trial, None, str(error))


def _tried_apart(
    task: SharedValue, number: int, setting: Setting, past: _Past
) -> tuple[int, TrialOutcome]:
    silence_tensorflow()
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    try:
        return number, tried(task.value, setting, past.trial())
    finally:
        optuna.logging.set_verbosity(verbosity)


@contextmanager
def _signs_of_life(storage: BaseStorage, trial_ids: Sequence[int]) -> Iterator[None]:
    """Tell other machines now and then that the trials are being worked on."""
    if not isinstance(storage, RDBStorage):
        yield
        return
    ended = threading.Event()

    def beat() -> None:
        while True:
            for trial_id in trial_ids:
                storage.record_heartbeat(trial_id)
            if ended.wait(HEARTBEAT_SECONDS):
                return

    thread = threading.Thread(target=beat, daemon=True, name="signs of life")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
