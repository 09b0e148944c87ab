"""The bars kept back from a search: the best setting on them, and how often they were looked at."""

from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from lstm_strategy.bars import Panel, as_panel, is_panel
from lstm_strategy.evaluation.backtests import BacktestResult
from lstm_strategy.evaluation.tuning.trader import ForecastTrader, zero_if_flat
from lstm_strategy.learning.search import (
    OutOfSampleForecasts,
    SearchTask,
    Setting,
    auc_of,
    join_markets,
    log_loss_of,
    read_kept,
)
from lstm_strategy.learning.walk_forward import cut_positions, labels_of, walk_forward
from lstm_strategy.support import write_whole


@dataclass(frozen=True, eq=False)
class Holdout:
    """The best setting on the bars that no trial saw.

    Attributes:
        result: Its backtest.
        scores: Its sharpe (annual, after costs), log_loss and auc.
        n_looks: Settings that were tried on these bars so far; more than one weakens what they say.
    """

    result: BacktestResult
    scores: dict[str, float]
    n_looks: int


def trade_holdout(
    bars: pd.DataFrame | Panel,
    task: SearchTask,
    setting: Setting,
    trader: ForecastTrader,
    *,
    number: int,
    folder: Path,
) -> Holdout:
    """Forecast, trade and score the bars after those of the task with one setting.

    The forecasts are kept in the folder: the same best setting isn't trained twice, and another
    best one after more trials counts as another look.

    Args:
        bars: All the bars, those of the task first.
        task: What was searched.
        setting: The best setting.
        trader: Trades the forecasts.
        number: The trial of the setting.
        folder: Where the search keeps its forecasts.
    """
    file = folder / "holdout" / f"trial-{number:05d}.parquet"
    if not file.exists():
        write_whole(file, _forecast_holdout(bars, task, setting).to_parquet())
    forecasts = read_kept(file)
    settings = setting.apply_to(task.base).settings
    seen = OutOfSampleForecasts(bars, forecasts, settings, setting.strategy)
    result = trader.result(bars, forecasts, setting.strategy)
    scores = {
        "sharpe": zero_if_flat(float(result.metrics["sharpe"])),
        "log_loss": log_loss_of(seen),
        "auc": auc_of(seen),
    }
    return Holdout(result, scores, n_looks=len(list(file.parent.glob("*.parquet"))))


def _forecast_holdout(
    bars: pd.DataFrame | Panel, task: SearchTask, setting: Setting
) -> pd.DataFrame:
    """The walk forward goes on as inside: the same windows, the first up to the holdout."""
    forecaster = setting.apply_to(task.base)
    splits = task.splits_for(forecaster.settings.horizon)
    n_inner = len(labels_of(task.bars))
    last = splits.folds(task.bars)[-1]
    n_train = n_inner if splits.expanding else last.test.start - last.train.start
    known = cut_positions(bars, slice(n_inner - n_train, None))
    model = walk_forward(known, forecaster, replace(splits, train=n_train), progress=False)
    if is_panel(bars):
        panel = as_panel(bars)
        return join_markets(model.forecast(panel), panel, start=panel.dates[n_inner])
    return model.forecast(bars).iloc[n_inner:]
