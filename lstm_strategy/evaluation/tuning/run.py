"""`tune`: settings searched on the first part of the bars, and the best one tried on the last.

Within the first part every trial is scored by a walk forward, out of sample. The last part, the
holdout, is touched once, by the best setting alone.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
import pandas as pd

from lstm_strategy.bars import (
    Panel,
    as_panel,
    bars_per_year,
    is_panel,
    proportional_markets,
    validate_bars,
)
from lstm_strategy.errors import TrainingError
from lstm_strategy.evaluation.tuning.holdout import trade_holdout
from lstm_strategy.evaluation.tuning.luck import held_returns, measure_luck
from lstm_strategy.evaluation.tuning.result import TuningResult
from lstm_strategy.evaluation.tuning.trader import PARAMETER_NAMES, ForecastTrader
from lstm_strategy.learning.forecaster import LSTMForecaster
from lstm_strategy.learning.search import (
    DEFAULT_SPACE,
    DEFAULT_STRATEGY_SPACE,
    LEARNING_OBJECTIVES,
    Objective,
    Search,
    SearchSpace,
    SearchTask,
    Space,
    returns_by_date,
    search,
)
from lstm_strategy.learning.targets import BinaryTarget, Target
from lstm_strategy.learning.walk_forward import (
    WalkForward,
    cut_positions,
    fingerprint_of,
    labels_of,
)
from lstm_strategy.support import (
    OnStep,
    explain_arguments,
    refuse_choice,
    spell,
    temporary_folder,
)
from lstm_strategy.trading.cerebro import BrokerSettings, choose_broker

_FEWEST_TRIALS_TO_EXPLAIN = 10  # the shares of fewer are those of chance

OBJECTIVES = ("sharpe", *LEARNING_OBJECTIVES)


@explain_arguments(TrainingError)
def tune(
    bars: pd.DataFrame | Mapping[str, pd.DataFrame],
    space: Space | None = None,
    n_trials: int = 50,
    *,
    objective: str = "sharpe",
    forecaster: LSTMForecaster | None = None,
    strategy: Mapping[str, Any] | None = None,
    broker: BrokerSettings | None = None,
    holdout: float = 0.2,
    splits: WalkForward | None = None,
    n_folds: int = 4,
    folder: str | Path | None = None,
    storage: str | None = None,
    seed: int = 0,
    prune: bool = True,
    progress: bool | OnStep | None = None,
    n_jobs: int | None = None,
    at_once: int | None = None,
) -> TuningResult:
    """Search for settings, each scored out of sample, and try the best one on bars kept back.

    Args:
        bars: The whole span; its last part is the holdout. Of a panel each setting trains one
            network a fold on all markets, whose forecasts are traded as one portfolio, and dates
            take the place of bars.
        space: What may be tried: names to `[choices]`, `(low, high)` or `(low, high, "log")`, or a
            function of an Optuna trial; see `lstm_strategy.learning.search`. By default features,
            network, training, horizon and, for "sharpe", thresholds of the strategy.
        n_trials: Trials in all, those of earlier runs and of other processes included.
        objective: "sharpe" after costs; for a target that is answered by yes or no, as the
            direction is, also "log_loss" or "auc" of the forecasts of the inner folds.
        forecaster: What the space doesn't name comes from here; it stays as it is.
        strategy: Parameters of `LSTMStrategy` that the space doesn't name.
        broker: What trading costs; `BrokerSettings()` by default.
        holdout: The share of the bars, the last ones, that only the best setting sees, once. The
            default leaves four fifths to the search.
        splits: The inner folds; by default half of the inner bars train the first of `n_folds`.
        n_folds: How many inner folds there are without `splits`.
        folder: Where trials and forecasts are kept, so that a search that was stopped goes on and
            several processes can share it. Without one nothing is kept.
        storage: An Optuna database URL, or `journal:FILE`, instead of SQLite in the folder.
        seed: Chooses what is tried. Training takes its seed from the forecaster, the same one for
            every trial, so that settings are compared on equal luck.
        prune: Whether a trial stops after a fold with a score below the median of earlier trials.
        progress: True or False shows or hides a progress bar; None shows it if somebody is looking;
            a function is called after each fold instead.
        n_jobs: Processes that try settings side by side. None for what `workers` or
            `joblib.parallel_config` says, or else for this process alone.
        at_once: Settings that are chosen before the first of them is scored. What is tried depends
            on it and not on `n_jobs`; None for 1 in this process alone, or else 8.

    Returns:
        The best setting with an untrained forecaster, every trial, the backtest on the holdout, and
        how much of the best score may be luck.

    Raises:
        BarsError: At the first bad bar.
        TrainingError: For a space, a storage or a folder that can't be used, or if no setting can
            be trained.
        TradingError: If the strategy can't be run with a setting.

    Example:
        >>> tuned = tune(bars, {"units": [8, 16], "lookback": (20, 60)}, 20)  # doctest: +SKIP
        >>> tuned.forecaster.fit(bars[:"2015"])  # doctest: +SKIP
    """
    terms = _Terms(n_trials, objective, holdout, n_folds, folder, storage, at_once)
    broker = choose_broker(broker)
    given = as_panel(bars) if is_panel(bars) else validate_bars(bars)
    known = proportional_markets(given, keep=broker.counts_points)
    trader = ForecastTrader(broker, dict(strategy or {}))
    base = (forecaster or LSTMForecaster()).with_costs(trader.broker.cost_rate_on(known))
    _check_can_be_scored(base.target, objective)
    n_bars = len(labels_of(known))
    n_inner = n_bars - round(n_bars * holdout)
    task = SearchTask(
        bars=cut_positions(known, slice(0, n_inner)),
        base=base,
        space=SearchSpace.from_space(terms.space_or_default(space), PARAMETER_NAMES),
        objective=LEARNING_OBJECTIVES.get(objective) or Objective("sharpe", trader.sharpe),
        splits=splits or terms.default_splits(n_inner, base.settings.horizon),
        seed=seed,
        returns=trader.returns,
        description={
            "strategy or broker": repr((trader.broker, sorted(trader.strategy.items()))),
            "holdout": fingerprint_of(known),
        },
        prunes=prune,
    )
    with temporary_folder("tune") as temporary:
        kept_in = Path(folder or temporary)
        found = search(
            task,
            n_trials,
            folder=kept_in,
            storage=storage,
            in_memory=folder is None,
            progress=progress,
            at_once=at_once,
            n_jobs=n_jobs,
        )
        return _build_result(known, task, trader, found, kept_in)


def _check_can_be_scored(target: Target, objective: str) -> None:
    if objective in LEARNING_OBJECTIVES and not isinstance(target, BinaryTarget):
        raise TrainingError(
            f"{spell('objective', objective)} scores answers of yes or no, and the target "
            f"{target.name} gives others. Choose {spell('objective', 'sharpe')}."
        )


@dataclass(frozen=True)
class _Terms:
    """How the search goes, refused where it makes no sense."""

    n_trials: int
    objective: str
    holdout: float
    n_folds: int
    folder: str | Path | None
    storage: str | None
    at_once: int | None

    def __post_init__(self) -> None:
        for name in ("at_once", "n_trials", "n_folds"):
            number = getattr(self, name)
            if number is not None and number < 1:
                raise TrainingError(f"{name} must be at least 1, got {number}.")
        if not 0.0 < self.holdout < 0.9:
            raise TrainingError(
                f"holdout must lie between 0 and 0.9, got {self.holdout}. "
                "0.2 keeps the last fifth back."
            )
        if self.objective not in OBJECTIVES:
            raise TrainingError(refuse_choice("objective", self.objective, OBJECTIVES))
        if self.storage is not None and self.folder is None:
            raise TrainingError(
                "storage keeps the trials, but their forecasts need a folder. Pass folder=... too."
            )

    def space_or_default(self, space: Space | None) -> Space:
        if space is not None:
            return space
        return DEFAULT_SPACE | (DEFAULT_STRATEGY_SPACE if self.objective == "sharpe" else {})

    def default_splits(self, n_bars: int, horizon: int) -> WalkForward:
        """Half of the bars train the first fold; the others are the test folds."""
        train = n_bars // 2
        if train < 2 or n_bars - train < self.n_folds:
            raise TrainingError(
                f"The search needs at least {2 * self.n_folds + 2} bars before the holdout, got "
                f"{n_bars}. Load more history."
            )
        return WalkForward(train, math.ceil((n_bars - train) / self.n_folds), horizon=horizon)


def _build_result(
    bars: pd.DataFrame | Panel,
    task: SearchTask,
    trader: ForecastTrader,
    found: Search,
    folder: Path,
) -> TuningResult:
    best, number = found.best, found.number(found.best)
    setting = found.setting(best)
    returns = pd.DataFrame({n: returns_by_date(kept) for n, kept in found.forecasts.items()})
    held, n_trials = held_returns(task.bars), len(found.finished)
    luck = measure_luck(returns, number, held, n_trials=n_trials, seed=task.seed)
    return TuningResult(
        objective=task.objective,
        setting=setting,
        best_number=number,
        best_value=float(best.value or 0.0),
        forecaster=setting.apply_to(task.base),
        strategy={**trader.strategy, **setting.strategy},
        broker=trader.broker,
        trials=found.trials,
        returns=returns,
        importance=_parameter_importance(found, task.seed),
        bars_per_year=bars_per_year(pd.DatetimeIndex(labels_of(bars))),
        holdout=trade_holdout(bars, task, setting, trader, number=best.number, folder=folder),
        n_independent=luck.n_independent,
        pbo=luck.pbo,
        deflated_sharpe=luck.deflated_sharpe,
        spa_p_value=luck.spa_p_value,
    )


def _parameter_importance(found: Search, seed: int) -> pd.Series:
    """Share of the score's variance that each parameter explains; empty where it can't be told."""
    completed = found.study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
    if len(completed) < _FEWEST_TRIALS_TO_EXPLAIN:
        return pd.Series(dtype=float, name="importance")
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=seed)
    try:
        shares = optuna.importance.get_param_importances(found.study, evaluator=evaluator)
    except (RuntimeError, ValueError):  # the same score in all
        shares = {}
    return pd.Series(shares, dtype=float, name="importance").sort_values(ascending=False)
