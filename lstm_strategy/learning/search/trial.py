"""One trial of a search: a setting scored out of sample by a walk forward, fold by fold."""

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property

import optuna
import pandas as pd
from optuna.trial import TrialState

from lstm_strategy.bars import Panel, is_panel, slice_panel
from lstm_strategy.errors import FeatureError, TrainingError
from lstm_strategy.learning.forecaster import LSTMForecaster
from lstm_strategy.learning.search.market_forecasts import add_returns, join_markets
from lstm_strategy.learning.search.objectives import Objective, OutOfSampleForecasts
from lstm_strategy.learning.search.space import SearchSpace, Setting
from lstm_strategy.learning.walk_forward import (
    Fold,
    WalkForward,
    check_folds,
    cut_positions,
    fingerprint_of,
    fit_fold,
    labels_of,
)

SETTING, FOLDS, ERROR, SECONDS = "setting", "folds", "error", "seconds"
"""What a trial in the study is said to have, besides its parameters and scores."""

_TRIALS_BEFORE_PRUNING = 5


@dataclass(frozen=True, eq=False)
class SearchTask:
    """What is searched: everything that decides the score of a setting.

    Attributes:
        bars: The bars of all trials, shape (n_bars, n_columns), or a panel of them.
        base: What the space doesn't name comes from here.
        space: The settings that may be tried.
        objective: What is made as good as it can be.
        splits: The folds of each trial.
        seed: Chooses what is tried.
        returns: Gives the bar returns of the forecasts when traded, which are kept beside them.
        description: What else the score depends on, by name, as text: costs, parameters.
        prunes: Whether a trial stops after a fold with a score below the median of earlier ones.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> from lstm_strategy.learning.search import LEARNING_OBJECTIVES
        >>> task = SearchTask(
        ...     bars=sample_bars("sp500"),
        ...     base=LSTMForecaster(),
        ...     space=SearchSpace.from_space({"lookback": (20, 60)}, []),
        ...     objective=LEARNING_OBJECTIVES["auc"],
        ...     splits=WalkForward("10 years", "2 years"),
        ...     seed=0,
        ...     returns=lambda seen: seen.forecasts["signal"] * 0,
        ... )
        >>> task.n_folds
        5
    """

    bars: pd.DataFrame | Panel
    base: LSTMForecaster
    space: SearchSpace
    objective: Objective
    splits: WalkForward
    seed: int
    returns: Callable[[OutOfSampleForecasts], pd.Series]
    description: Mapping[str, str] = field(default_factory=dict)
    prunes: bool = True

    @property
    def identity(self) -> dict[str, str]:
        """What tells this search from another one, by name, as text."""
        return {
            "bars": fingerprint_of(self.bars),
            "space": self.space.description,
            "objective": f"{self.objective.name}, pruned: {self.prunes}",
            "folds": repr(self.splits),
            "forecaster": json.dumps(self.base.describe_settings()),
            "seed": str(self.seed),
            **self.description,
        }

    @cached_property
    def n_folds(self) -> int:
        """Folds of a trial that isn't pruned."""
        return len(self.splits.folds(self.bars))

    def splits_for(self, horizon: int) -> WalkForward:
        """The folds, purged for a forecaster that looks so far ahead."""
        purge = None if self.splits.purge is None else max(self.splits.purge, horizon)
        return replace(self.splits, horizon=horizon, purge=purge)


@dataclass(frozen=True, eq=False)
class TrialOutcome:
    """What came of a setting.

    Attributes:
        scores: The score after each fold that was finished.
        is_whole: Whether all folds were; without that there are no forecasts.
        error: Why it couldn't be trained or scored; "" where it could.
        seconds: The time that it took.
        forecasts: Signal, forecast, uncertainty and return on the test bars; of a panel by symbol
            and date.
    """

    scores: tuple[float, ...]
    is_whole: bool
    error: str
    seconds: float
    forecasts: pd.DataFrame | None = None

    @property
    def state(self) -> TrialState:
        """The state of the trial in Optuna's words."""
        return TrialState.COMPLETE if self.is_whole else TrialState.PRUNED


def check_any_fits(task: SearchTask) -> None:
    """Refuse a search of which every setting needs more bars than a fold has.

    Raises:
        TrainingError: With what the least demanding setting needs.
    """
    least = task.space.choose_least_demanding(task.base)
    if least is None:
        return
    try:
        check_folds(least, task.bars, task.splits_for(least.horizon).folds(task.bars))
    except TrainingError as error:
        raise TrainingError(
            "No setting of the space fits the bars, not even the one that needs the fewest. "
            f"{error}"
        ) from error


def suggest_setting(task: SearchTask, trial: optuna.Trial) -> Setting:
    """Let the sampler choose the setting of a trial, and keep it in the trial as well."""
    setting = task.space.suggest(trial, task.base)
    trial.set_user_attr(SETTING, asdict(setting))
    return setting


def run_trial(
    task: SearchTask,
    setting: Setting,
    trial: optuna.Trial,
    on_fold: Callable[[int], None] = lambda _: None,
) -> TrialOutcome:
    """Score a setting fold by fold, until its scores, reported to the trial, fall behind others."""
    scores: list[float] = []
    began = time.perf_counter()

    def end(error: str = "", forecasts: pd.DataFrame | None = None) -> TrialOutcome:
        seconds = time.perf_counter() - began
        return TrialOutcome(tuple(scores), forecasts is not None, error, seconds, forecasts)

    seen = None
    try:
        for number, seen in enumerate(_walk_folds(task, setting), start=1):
            score = task.objective.score(seen)
            on_fold(number)
            _check_is_number(score, task.objective.name)
            scores.append(score)
            trial.report(score, step=number)
            if number < task.n_folds and trial.should_prune():
                return end()
    except (TrainingError, FeatureError) as error:
        return end(str(error))  # this setting can't be trained; others can
    assert seen is not None
    return end(forecasts=add_returns(seen.forecasts, task.returns(seen)))


def build_pruner(prunes: bool) -> optuna.pruners.BasePruner:
    """Build what stops a trial that does worse than half of the earlier ones."""
    if not prunes:
        return optuna.pruners.NopPruner()
    return optuna.pruners.MedianPruner(n_startup_trials=_TRIALS_BEFORE_PRUNING)


def _walk_folds(task: SearchTask, setting: Setting) -> Iterator[OutOfSampleForecasts]:
    """What is known out of sample after each fold."""
    forecaster = setting.apply_to(task.base)
    parts: list[pd.DataFrame] = []
    folds = task.splits_for(forecaster.horizon).folds(task.bars)
    check_folds(forecaster, task.bars, folds)
    for fold in folds:
        parts.append(_forecast_fold(task.bars, forecaster, fold))
        yield OutOfSampleForecasts(
            bars=cut_positions(task.bars, slice(0, fold.test.stop)),
            forecasts=pd.concat(parts),
            settings=forecaster.settings,
            strategy=setting.strategy,
        )


def _forecast_fold(
    bars: pd.DataFrame | Panel, forecaster: LSTMForecaster, fold: Fold
) -> pd.DataFrame:
    model = fit_fold(forecaster, bars, fold)
    if is_panel(bars):
        known = slice_panel(bars, end=labels_of(bars)[fold.test.stop - 1])
        return join_markets(model.forecast(known), known, start=known.dates[fold.test.start])
    begin = max(0, fold.test.start - model.context_bars)
    return model.forecast(bars.iloc[begin : fold.test.stop]).iloc[fold.test.start - begin :]


def _check_is_number(score: float, name: str) -> None:
    if not math.isfinite(score):
        raise TrainingError(
            f"The {name} of the forecasts is {score}: there are too few bars in the test folds. "
            "Use fewer folds or more bars."
        )
