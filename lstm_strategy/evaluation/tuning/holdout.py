"""The bars kept back from a search, and how often they were looked at."""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from lstm_strategy.learning.search import Setting, Task
from lstm_strategy.learning.walk_forward import walk_forward


def forecast_holdout(
    bars: pd.DataFrame, task: Task, setting: Setting, number: int, folder: Path
) -> tuple[pd.DataFrame, int]:
    """Forecasts of the bars after those of the task, and how many settings were tried on them.

    The walk forward goes on as it did inside: the same windows, the first trained on the bars up
    to the holdout. They are kept in the folder: the same best setting isn't trained twice, and
    another best one after more trials counts as another look.
    """
    file = folder / "holdout" / f"trial-{number:05d}.parquet"
    if not file.exists():
        file.parent.mkdir(exist_ok=True)
        unfinished = file.with_suffix(".unfinished")
        _forecasts(bars, task, setting).to_parquet(unfinished)
        unfinished.replace(file)
    return pd.read_parquet(file), len(list(file.parent.glob("*.parquet")))


def _forecasts(bars: pd.DataFrame, task: Task, setting: Setting) -> pd.DataFrame:
    forecaster = setting.applied_to(task.base)
    splits = task.splits_for(forecaster.settings.horizon)
    n_inner = len(task.bars)
    last = splits.folds(task.bars)[-1]
    n_train = n_inner if splits.expanding else last.test.start - last.train.start
    model = walk_forward(
        bars.iloc[n_inner - n_train :], forecaster, replace(splits, train=n_train), progress=False
    )
    return model.forecast(bars).iloc[n_inner:]
