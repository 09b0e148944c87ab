"""Settings chosen by search, and what is left of the best one after counting how many were tried.

The bars are cut in two. Within the first part every trial is scored by a walk forward, out of
sample. The last part, the holdout, is touched once, by the best setting alone.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import numpy as np
import optuna
import pandas as pd

from lstm_strategy.bars import bars_fingerprint, bars_per_year, validate_bars
from lstm_strategy.errors import TrainingError
from lstm_strategy.evaluation.backtests import BacktestResult, run_backtest
from lstm_strategy.evaluation.metrics import bar_returns, sharpe
from lstm_strategy.evaluation.statistics import (
    FEWEST_BARS,
    deflated_sharpe,
    independent_trials,
    overfitting_probability,
    best_lead_p_value,
)
from lstm_strategy.evaluation.tuning.holdout import forecast_holdout
from lstm_strategy.evaluation.tuning.result import Holdout, TuningResult
from lstm_strategy.learning.forecaster import LSTMForecaster
from lstm_strategy.learning.search import (
    DEFAULT_SPACE,
    DEFAULT_STRATEGY_SPACE,
    LEARNING_OBJECTIVES,
    Objective,
    OutOfSampleForecasts,
    Search,
    SearchSpace,
    Space,
    Task,
    auc_of,
    log_loss_of,
    search,
)
from lstm_strategy.learning.serving import precomputed_frame
from lstm_strategy.learning.walk_forward import WalkForward
from lstm_strategy.support import OnStep
from lstm_strategy.trading.cerebro import BrokerSettings
from lstm_strategy.trading.execution import silence_orders
from lstm_strategy.trading.lstm import LSTMStrategy

OBJECTIVES = ("sharpe", *LEARNING_OBJECTIVES)


def tune(
    bars: pd.DataFrame,
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
        bars: the whole span; its last part is the holdout.
        space: what may be tried: names to ``[choices]``, ``(low, high)`` or ``(low, high, "log")``,
            or a function of an Optuna trial; see `lstm_strategy.learning.search.space`. By default
            features, network, training, horizon and, for "sharpe", thresholds of the strategy.
        n_trials: trials in all, those of earlier runs and of other processes included.
        objective: "sharpe" after costs, "log_loss" or "auc" of the forecasts of the inner folds.
        forecaster: what the space doesn't name comes from here; it stays as it is.
        strategy: parameters of `LSTMStrategy` that the space doesn't name.
        broker: what trading costs.
        holdout: the share of the bars, the last ones, that only the best setting sees, once.
        splits: the inner folds; by default half of the inner bars train the first of `n_folds`.
        n_folds: how many inner folds there are without `splits`.
        folder: where trials and forecasts are kept, so that a search that was stopped goes on and
            several processes can share it. Without one nothing is kept.
        storage: an Optuna database URL, or ``journal:FILE``, instead of SQLite in the folder.
        seed: chooses what is tried; training takes its seed from the forecaster, the same one for
            every trial.
        prune: whether a trial stops after a fold with a score below the median of earlier trials.
        progress: True or False shows or hides a progress bar; None shows it where somebody looks;
            a function is called after each fold instead.
        n_jobs: processes that try settings side by side. None for what ``workers`` or
            ``joblib.parallel_config`` says, or else for this process alone.
        at_once: settings that are chosen before the first of them is scored. What is tried depends
            on it and not on `n_jobs`; None for 1 in this process alone, or else 8.

    Raises:
        BarsError: at the first bad bar.
        TrainingError: for a space, a storage or a folder that can't be used, or if no setting can
            be trained.
        TradingError: if the strategy can't be run with a setting.

    >>> tuned = tune(bars, {"units": [8, 16], "lookback": (20, 60)}, 20)   # doctest: +SKIP
    >>> tuned.forecaster.fit(bars[:"2015"])                                # doctest: +SKIP
    """
    bars = validate_bars(bars)
    _check_numbers(n_trials, holdout, n_folds, objective, storage, folder, at_once)
    base = forecaster or LSTMForecaster()
    trader = _Trader(broker or BrokerSettings(), dict(strategy or {}))
    inner = bars.iloc[: len(bars) - round(len(bars) * holdout)]
    task = Task(
        bars=inner,
        base=base,
        space=SearchSpace.of(_space_or_default(space, objective), trader.parameter_names),
        objective=LEARNING_OBJECTIVES.get(objective) or Objective("sharpe", trader.sharpe),
        splits=splits or _default_splits(len(inner), n_folds, base.settings.horizon),
        seed=seed,
        returns=trader.returns,
        described={
            "strategy or broker": repr((trader.broker, sorted(trader.strategy.items()))),
            "holdout": bars_fingerprint(bars),
        },
        prunes=prune,
    )
    how: dict[str, Any] = {"progress": progress, "n_jobs": n_jobs, "at_once": at_once}
    if folder is not None:
        return _tuned(bars, task, trader, n_trials, Path(folder), storage=storage, **how)
    with TemporaryDirectory(prefix="tune-") as temporary:
        return _tuned(bars, task, trader, n_trials, Path(temporary), in_memory=True, **how)


def _tuned(
    bars: pd.DataFrame,
    task: Task,
    trader: "_Trader",
    n_trials: int,
    folder: Path,
    **how: Any,
) -> TuningResult:
    found = search(task, n_trials, folder=folder, **how)
    setting = found.setting(found.best)
    returns = pd.DataFrame({n: kept["return"] for n, kept in found.forecasts.items()})
    holdout = _holdout(bars, task, trader, found, folder)
    return TuningResult(
        objective=task.objective,
        setting=setting,
        best_number=found.best.number,
        best_value=float(found.best.value or 0.0),
        forecaster=setting.applied_to(task.base),
        strategy={**trader.strategy, **setting.strategy},
        broker=trader.broker,
        trials=found.trials,
        returns=returns,
        importance=_importance(found, task.seed),
        bars_per_year=bars_per_year(pd.DatetimeIndex(bars.index)),
        holdout=holdout,
        **_luck(found, returns, task),
    )


class _Trader:
    """Trades what a trial forecast, after costs."""

    parameter_names = tuple(
        name for name in cast(Any, LSTMStrategy).params._getkeys() if name != "model"
    )

    def __init__(self, broker: BrokerSettings, strategy: dict[str, Any]) -> None:
        self.broker, self.strategy = broker, strategy

    def result(
        self, bars: pd.DataFrame, forecasts: pd.DataFrame, strategy: Mapping[str, Any]
    ) -> BacktestResult:
        """The strategy on the bars that were forecast; earlier ones only warm it up."""
        with silence_orders():
            return run_backtest(
                LSTMStrategy,
                bars,
                start=forecasts.index[0],
                end=forecasts.index[-1],
                broker=self.broker,
                name="LSTM, tuned",
                **{**self.strategy, **strategy, "model": precomputed_frame(forecasts, bars)},
            )

    def returns(self, seen: OutOfSampleForecasts) -> pd.Series:
        """Bar returns on the bars that were forecast; zero before the first trade and once ruined.

        Known at the close of each row.
        """
        result = self.result(seen.bars, seen.forecasts, seen.strategy)
        return bar_returns(result.equity).reindex(seen.forecasts.index).fillna(0.0)

    def sharpe(self, seen: OutOfSampleForecasts) -> float:
        """Annual Sharpe ratio after costs; zero where nothing was traded."""
        result = self.result(seen.bars, seen.forecasts, seen.strategy)
        return _zero_if_flat(sharpe(result.equity, result.bars_per_year))


def _holdout(
    bars: pd.DataFrame, task: Task, trader: _Trader, found: Search, folder: Path
) -> Holdout:
    setting = found.setting(found.best)
    forecasts, n_looks = forecast_holdout(bars, task, setting, found.best.number, folder)
    forecaster = setting.applied_to(task.base)
    seen = OutOfSampleForecasts(bars, forecasts, forecaster.settings, setting.strategy)
    result = trader.result(bars, forecasts, setting.strategy)
    scores = {
        "sharpe": _zero_if_flat(float(result.metrics["sharpe"])),
        "log_loss": log_loss_of(seen),
        "auc": auc_of(seen),
    }
    return Holdout(result=result, scores=scores, n_looks=n_looks)


def _luck(found: Search, returns: pd.DataFrame, task: Task) -> dict[str, Any]:
    """What the number of trials and their correlations leave of the best one."""
    n_trials = len(found.finished)
    n_independent = independent_trials(returns, n_trials)
    best = returns.get(found.best.number)
    if best is None or len(returns) < FEWEST_BARS:
        nothing = dict.fromkeys(("pbo", "deflated_sharpe", "spa_p_value"), math.nan)
        return {"n_independent": n_independent, **nothing}
    held = task.bars["close"].pct_change().reindex(returns.index).fillna(0.0)
    spread = returns.std(ddof=1)
    sharpes = (returns.mean() / spread).where(spread > 0, 0.0)
    by_luck = 1.0 / math.sqrt(len(returns) - 1)
    measured = float(np.nan_to_num(sharpes.std(ddof=1)))
    return {
        "n_independent": n_independent,
        "pbo": overfitting_probability(returns),
        "deflated_sharpe": deflated_sharpe(
            best, n_independent, trial_sharpe_std=max(by_luck, measured)
        ),
        "spa_p_value": best_lead_p_value(returns, held, seed=task.seed),
    }


def _importance(found: Search, seed: int) -> pd.Series:
    """Share of the score's variance that each dimension explains; empty where none can be told."""
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=seed)
    try:
        shares = optuna.importance.get_param_importances(found.study, evaluator=evaluator)
    except (RuntimeError, ValueError):  # one trial, or the same score in all
        shares = {}
    return pd.Series(shares, dtype=float, name="importance").sort_values(ascending=False)


def _space_or_default(space: Space | None, objective: str) -> Space:
    if space is not None:
        return space
    return DEFAULT_SPACE | (DEFAULT_STRATEGY_SPACE if objective == "sharpe" else {})


def _default_splits(n_bars: int, n_folds: int, horizon: int) -> WalkForward:
    train = n_bars // 2
    if train < 2 or n_bars - train < n_folds:
        raise TrainingError(
            f"The search needs at least {2 * n_folds + 2} bars before the holdout, got {n_bars}. "
            "Load more history."
        )
    return WalkForward(train, math.ceil((n_bars - train) / n_folds), horizon=horizon)


def _check_numbers(
    n_trials: int,
    holdout: float,
    n_folds: int,
    objective: str,
    storage: Any,
    folder: Any,
    at_once: int | None,
) -> None:
    if at_once is not None and at_once < 1:
        raise TrainingError(f"at_once must be at least 1, got {at_once}.")
    if n_trials < 1:
        raise TrainingError(f"n_trials must be at least 1, got {n_trials}.")
    if not 0.0 < holdout < 0.9:
        raise TrainingError(
            f"holdout must lie between 0 and 0.9, got {holdout}. 0.2 keeps the last fifth back."
        )
    if n_folds < 1:
        raise TrainingError(f"n_folds must be at least 1, got {n_folds}.")
    if objective not in OBJECTIVES:
        raise TrainingError(f"objective must be one of {', '.join(OBJECTIVES)}, got {objective!r}.")
    if storage is not None and folder is None:
        raise TrainingError(
            "storage keeps the trials, but their forecasts need a folder. Pass folder=... too."
        )


def _zero_if_flat(value: float) -> float:
    return 0.0 if value != value else value
