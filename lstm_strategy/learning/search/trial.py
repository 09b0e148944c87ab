"""One trial of a search: a setting scored out of sample by a walk forward, fold by fold."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace

import optuna
import pandas as pd
from optuna.trial import TrialState

from lstm_strategy.bars import bars_fingerprint
from lstm_strategy.errors import FeatureError, TrainingError
from lstm_strategy.learning.forecaster import LSTMForecaster, builder_name
from lstm_strategy.learning.search.objectives import Objective, OutOfSampleForecasts
from lstm_strategy.learning.search.space import SearchSpace, Setting
from lstm_strategy.learning.walk_forward import Fold, WalkForward, fit_fold

SETTING, FOLDS, ERROR, SECONDS = "setting", "folds", "error", "seconds"
_TRIALS_BEFORE_PRUNING = 5


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
    returns: Callable[[OutOfSampleForecasts], pd.Series]
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
class TrialOutcome:
    """What came of a setting.

    scores:      after each fold that was finished
    is_whole:    whether all folds were; without it there are no forecasts
    error:       why it couldn't be trained; "" where it could
    seconds:     that it took
    forecasts:   signal, forecast, uncertainty, return on the test bars
    """

    scores: tuple[float, ...]
    is_whole: bool
    error: str
    seconds: float
    forecasts: pd.DataFrame | None = None

    @property
    def state(self) -> TrialState:
        """As Optuna calls it."""
        return TrialState.COMPLETE if self.is_whole else TrialState.PRUNED


def suggest_setting(task: Task, trial: optuna.Trial) -> Setting:
    """The setting that the sampler chooses for a trial, left in it as well."""
    setting = task.space.setting(trial, task.base)
    trial.set_user_attr(SETTING, asdict(setting))
    return setting


def tried(
    task: Task,
    setting: Setting,
    trial: optuna.Trial,
    on_fold: Callable[[int], None] = lambda _: None,
) -> TrialOutcome:
    """Score a setting fold by fold, until its scores, told to the trial, fall behind others."""
    scores: list[float] = []
    began = time.perf_counter()
    n_folds = len(task.splits.folds(task.bars))
    seen = None
    try:
        for number, seen in enumerate(_fold_by_fold(task, setting), start=1):
            value = task.objective.score(seen)
            on_fold(number)
            _check_is_number(value, task.objective.name)
            scores.append(value)
            trial.report(value, step=number)
            if number < n_folds and trial.should_prune():
                return TrialOutcome(tuple(scores), False, "", time.perf_counter() - began)
    except (TrainingError, FeatureError) as error:
        # this setting can't be trained; others can
        return TrialOutcome(tuple(scores), False, str(error), time.perf_counter() - began)
    assert seen is not None
    forecasts = seen.forecasts.assign(**{"return": task.returns(seen)})
    return TrialOutcome(tuple(scores), True, "", time.perf_counter() - began, forecasts)


def pruner(prunes: bool) -> optuna.pruners.BasePruner:
    """What stops a trial that does worse than half of the earlier ones."""
    if not prunes:
        return optuna.pruners.NopPruner()
    return optuna.pruners.MedianPruner(n_startup_trials=_TRIALS_BEFORE_PRUNING)


def _fold_by_fold(task: Task, setting: Setting) -> Iterator[OutOfSampleForecasts]:
    """What is known out of sample after each fold."""
    forecaster = setting.applied_to(task.base)
    parts: list[pd.DataFrame] = []
    for fold in task.splits_for(forecaster.settings.horizon).folds(task.bars):
        parts.append(_fold_forecasts(task.bars, forecaster, fold))
        yield OutOfSampleForecasts(
            bars=task.bars.iloc[: fold.test.stop],
            forecasts=pd.concat(parts),
            settings=forecaster.settings,
            strategy=setting.strategy,
        )


def _fold_forecasts(bars: pd.DataFrame, forecaster: LSTMForecaster, fold: Fold) -> pd.DataFrame:
    model = fit_fold(forecaster, bars, fold)
    begin = max(0, fold.test.start - model.context_bars)
    forecasts: pd.DataFrame = model.forecast(bars.iloc[begin : fold.test.stop])
    return forecasts.iloc[fold.test.start - begin :]


def _check_is_number(value: float, name: str) -> None:
    if not math.isfinite(value):
        raise TrainingError(
            f"The {name} of the forecasts is {value}: there are too few bars in the test folds. "
            "Use fewer folds or more bars."
        )
