"""The search for settings: trials scored out of sample by a walk forward inside the bars.

`search` knows nothing of trading: a score that trades is handed in from the evaluation, whose
`tune` is what users call.
"""

import logging
import math
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import optuna
import pandas as pd
from optuna.trial import FrozenTrial, TrialState

from lstm_strategy.bars.fingerprint import bars_fingerprint
from lstm_strategy.errors import FeatureError, TrainingError
from lstm_strategy.learning.forecaster import LSTMForecaster
from lstm_strategy.learning.objectives import Objective, OutOfSample
from lstm_strategy.learning.progress import OnStep, steps_progress
from lstm_strategy.learning.search_sampler import SamplerByOrdinal
from lstm_strategy.learning.search_space import SearchSpace, Setting
from lstm_strategy.learning.search_storage import (
    FINISHED,
    FORECASTS_FOLDER,
    claim_search_folder,
    is_waited_for,
    mark_worker,
    opened_storage,
    queue_trial,
    retry_dead_trials,
    study_key,
    trials_in,
)
from lstm_strategy.learning.splits import Fold, WalkForward
from lstm_strategy.learning.storage import builder_name
from lstm_strategy.learning.walkforward import trained_on_fold

_SETTING, _FOLDS, _ERROR = "setting", "folds", "error"
_TRIALS_BEFORE_PRUNING = 5
_SECONDS_BETWEEN_LOOKS = 0.5


@dataclass(frozen=True, eq=False)
class Task:
    """What is searched: everything that decides the score of a setting.

    described:   what else the score depends on, by name, as text: costs, parameters
    returns:     bar returns of the forecasts when traded, kept beside them
    """

    bars: pd.DataFrame
    base: LSTMForecaster
    space: SearchSpace
    objective: Objective
    splits: WalkForward
    seed: int
    returns: Callable[[OutOfSample], pd.Series]
    described: Mapping[str, str] = field(default_factory=dict)
    prunes: bool = True

    @property
    def identity(self) -> dict[str, str]:
        """What tells this search from another one, by name, as text."""
        forecaster = [self.base.settings.model_dump_json(), str(self.base.features.to_dict())]
        return {
            "bars": bars_fingerprint(self.bars),
            "space": self.space.described,
            "objective": f"{self.objective.name}, pruned: {self.prunes}",
            "folds": repr(self.splits),
            "forecaster": " ".join([*forecaster, str(builder_name(self.base.network))]),
            "seed": str(self.seed),
            **self.described,
        }

    def splits_for(self, horizon: int) -> WalkForward:
        """The folds, purged for a forecaster that looks so far ahead."""
        purge = None if self.splits.purge is None else max(self.splits.purge, horizon)
        return replace(self.splits, horizon=horizon, purge=purge)


@dataclass(frozen=True, eq=False)
class Search:
    """A finished search.

    finished:   the trials that ended, pruned ones included, by number
    forecasts:  of the completed trials: signal, forecast, spread, return on the test bars
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
        return Setting(**trial.user_attrs[_SETTING])

    @property
    def trials(self) -> pd.DataFrame:
        """One row a trial, on its number: state, value, folds, seconds, its parameters, error."""
        rows = [
            {
                "number": trial.number,
                "state": trial.state.name.lower(),
                "value": trial.value,
                "folds": trial.user_attrs.get(_FOLDS, 0),
                "seconds": trial.duration.total_seconds() if trial.duration else math.nan,
                **trial.params,
                "error": trial.user_attrs.get(_ERROR, ""),
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
) -> Search:
    """Try settings until `n_trials` have ended in this study, whoever tried them.

    Forecasts are kept in `folder`. Raises `TrainingError` for a folder of another search, a
    storage that can't be used, and where no setting at all could be trained to the end.
    """
    n_folds = len(task.splits.folds(task.bars))
    with _quiet_optuna():
        claim_search_folder(folder, task.identity | {"storage": storage or ""})
        opened = opened_storage(storage, None if in_memory else folder)
        study = optuna.create_study(
            study_name=f"lstm-strategy {study_key(task.identity)[:16]}",
            storage=opened,
            direction="maximize" if task.objective.is_better_high else "minimize",
            sampler=SamplerByOrdinal(task.seed),
            pruner=_pruner(task.prunes),
            load_if_exists=True,
        )
        with steps_progress(progress, f"tuning: {n_trials} trials", n_trials * n_folds) as told:
            has_heartbeat = isinstance(opened, optuna.storages.RDBStorage)
            _Trials(task, study, folder, n_trials, n_folds, has_heartbeat, told).run()
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
        try:
            setting = self.task.space.setting(trial, self.task.base)
            trial.set_user_attr(_SETTING, asdict(setting))
            value, seen = math.nan, None
            for number, seen in enumerate(_fold_by_fold(self.task, setting), start=1):
                value = self.task.objective.score(seen)
                trial.set_user_attr(_FOLDS, number)
                self._tell(n_done, number)
                _check_is_number(value, self.task.objective.name)
                trial.report(value, step=number)
                if number < self.n_folds and trial.should_prune():
                    raise optuna.TrialPruned
        except (TrainingError, FeatureError) as error:
            # this setting can't be trained; others can
            trial.set_user_attr(_ERROR, str(error))
            raise optuna.TrialPruned from error
        assert seen is not None
        _write_forecasts(self.folder, trial.number, seen, self.task.returns(seen))
        return value

    def _withdraw_surplus(self, trial: optuna.Trial) -> None:
        """Two processes may both begin the last trial; the later one gives way."""
        earlier = trials_in(self.study, *FINISHED, TrialState.RUNNING)
        if sum(other.number < trial.number for other in earlier) >= self.n_trials:
            raise _SurplusTrialError


class _SurplusTrialError(Exception):
    """Enough trials are done or being done."""


def _fold_by_fold(task: Task, setting: Setting) -> Iterator[OutOfSample]:
    """What is known out of sample after each fold."""
    forecaster = setting.applied_to(task.base)
    parts: list[pd.DataFrame] = []
    for fold in task.splits_for(forecaster.settings.horizon).folds(task.bars):
        parts.append(_fold_forecasts(task.bars, forecaster, fold))
        yield OutOfSample(
            bars=task.bars.iloc[: fold.test.stop],
            forecasts=pd.concat(parts),
            settings=forecaster.settings,
            strategy=setting.strategy,
        )


def _fold_forecasts(bars: pd.DataFrame, forecaster: LSTMForecaster, fold: Fold) -> pd.DataFrame:
    model = trained_on_fold(forecaster, bars, fold)
    begin = max(0, fold.test.start - model.context_bars)
    forecasts: pd.DataFrame = model.forecast(bars.iloc[begin : fold.test.stop])
    return forecasts.iloc[fold.test.start - begin :]


def _check_is_number(value: float, name: str) -> None:
    if not math.isfinite(value):
        raise TrainingError(
            f"The {name} of the forecasts is {value}: there are too few bars in the test folds. "
            "Use fewer folds or more bars."
        )


def _check_any_completed(finished: tuple[FrozenTrial, ...]) -> None:
    if any(trial.state == TrialState.COMPLETE for trial in finished):
        return
    errors = [trial.user_attrs[_ERROR] for trial in finished if _ERROR in trial.user_attrs]
    raise TrainingError(
        f"None of {len(finished)} trials could be finished. The first one: "
        f"{errors[0] if errors else 'pruned.'}"
    )


def _forecasts_file(folder: Path, number: int) -> Path:
    return folder / FORECASTS_FOLDER / f"trial-{number:05d}.parquet"


def _write_forecasts(folder: Path, number: int, seen: OutOfSample, returns: pd.Series) -> None:
    file = _forecasts_file(folder, number)
    file.parent.mkdir(exist_ok=True)
    unfinished = file.with_suffix(".unfinished")
    seen.forecasts.assign(**{"return": returns}).to_parquet(unfinished)
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


def _pruner(prunes: bool) -> optuna.pruners.BasePruner:
    if not prunes:
        return optuna.pruners.NopPruner()
    return optuna.pruners.MedianPruner(n_startup_trials=_TRIALS_BEFORE_PRUNING)


@contextmanager
def _quiet_optuna() -> Iterator[None]:
    """Optuna says nothing of each trial, nor that parts of it may change."""
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(verbosity)
