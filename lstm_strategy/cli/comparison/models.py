"""The models of a comparison: the LSTMs and, where they are trained here, simpler learners."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast

import joblib
import pandas as pd

from lstm_strategy.bars import Panel
from lstm_strategy.cli.comparison.setup import ComparisonSetup
from lstm_strategy.cli.inputs import fold_callbacks, tensorboard_callbacks
from lstm_strategy.cli.model_folders import check_model_folder
from lstm_strategy.errors import SettingsError, TrainingError
from lstm_strategy.learning.forecaster import Forecaster, LSTMForecaster, TrainableForecaster
from lstm_strategy.learning.reference import learning_baselines, volatility_baselines
from lstm_strategy.learning.serving import PrecomputedForecasts, precompute_forecasts
from lstm_strategy.learning.targets import Volatility
from lstm_strategy.learning.walk_forward import (
    WalkForward,
    WalkForwardForecaster,
    check_folds,
    walk_forward,
)
from lstm_strategy.support import SharedValue, choose_jobs, run_tasks, share

_MOST_JOBS = 4  # processes that train folds; each loads Keras by itself


def train_along_time(
    setup: ComparisonSetup,
    bars: pd.DataFrame | Panel,
    *,
    folder: Path | None = None,
    is_quiet: bool = False,
) -> WalkForwardForecaster:
    """The LSTM, retrained for every fold, on the setup's bars or others on the same dates."""
    known = setup.cut_end(bars)
    most = choose_jobs(setup.n_jobs, otherwise=min(os.cpu_count() or 1, _MOST_JOBS))
    try:
        return walk_forward(
            known,
            setup.untrained,
            setup.splits,
            folder=folder,
            n_jobs=None if most is None else min(len(setup.splits.folds(known)), most),
            progress=False if is_quiet else None,
            callbacks=None if is_quiet else fold_callbacks(setup.tensorboard),
        )
    except TrainingError as error:
        if "Training needs" not in str(error):
            raise
        raise TrainingError(f"{error} Or train on a longer --train-window.") from None


def train_once(setup: ComparisonSetup, folder: Path | None) -> LSTMForecaster:
    """The LSTM trained on the bars before the first that is traded, and kept in a folder."""
    if folder is not None:
        check_model_folder(folder)
    before = setup.training_bars(setup.bars)
    callbacks = tensorboard_callbacks(setup.tensorboard)
    model = setup.untrained.fit(before, callbacks=callbacks)
    if folder is not None:
        model.save(folder)
    return model


def train_on_others(setup: ComparisonSetup, bars: pd.DataFrame | Panel) -> Forecaster:
    """The LSTM trained in the same way on other bars of the same dates, without any output."""
    if setup.windows is not None:
        return train_along_time(setup, bars, is_quiet=True)
    return setup.untrained.unfitted_copy().fit(setup.training_bars(bars), progress=False)


def train_contenders(setup: ComparisonSetup, folder: Path | None) -> dict[str, Forecaster]:
    """The further LSTMs, each trained in the way of the one that is judged.

    Args:
        setup: What decides the comparison.
        folder: That of the judged one, beside which theirs lie; None to keep nothing.
    """
    models: dict[str, Forecaster] = {}
    names = {} if folder is None else setup.model_folders(folder.name)
    for name, contender in setup.contenders.items():
        own = replace(setup, model=contender, contenders={})
        place = None if folder is None else folder.with_name(names[name])
        if setup.windows is None:
            models[name] = train_once(own, place)
        else:
            models[name] = train_along_time(own, setup.bars, folder=place)
    return models


def train_learners(setup: ComparisonSetup) -> dict[str, Forecaster]:
    """What the LSTM should beat, on the same bars.

    They are learners of the direction without a memory, on the same features; where the LSTM is
    asked for the volatility, models of that.
    """
    rivals = _build_rivals(setup.asked_as_learners)
    if setup.windows is None:
        before = cast(pd.DataFrame, setup.training_bars(setup.bars))  # a panel has no learners
        return {name: rival.fit(before) for name, rival in rivals.items()}
    # they share the processes that trained the LSTM; forecasts are smaller to send than models
    n_jobs = choose_jobs(setup.n_jobs, otherwise=min(len(rivals), os.cpu_count() or 1))
    with share((setup.known_bars, setup.bars), n_jobs=n_jobs) as both:
        tasks = (
            joblib.delayed(_forecast_along_time)(both, rival, setup.splits)
            for rival in rivals.values()
        )
        forecasts = list(run_tasks(tasks, n_jobs=n_jobs))
    return dict(zip(rivals, forecasts, strict=True))


def check_learners(setup: ComparisonSetup) -> None:
    """Refuse bars that are too few for one of the learners, before the LSTM is trained.

    Raises:
        SettingsError: With the number that is needed.
    """
    for rival in _build_rivals(setup.asked_as_learners).values():
        try:
            if setup.windows is None:
                rival.check_enough_bars(len(setup.training_bars(setup.bars)))
            else:
                check_folds(rival, setup.known_bars, setup.splits.folds(setup.known_bars))
        except TrainingError as error:
            longer = "choose a later --start"
            if setup.windows is not None:
                longer = "train on a longer --train-window"
            raise SettingsError(f"{error} Or {longer}.") from None


def _build_rivals(lstm: LSTMForecaster) -> Mapping[str, TrainableForecaster]:
    target = lstm.target
    if not isinstance(target, Volatility):
        return learning_baselines(lstm.settings.seed, lstm.features, lstm.horizon)
    return volatility_baselines(
        horizon=lstm.horizon,
        estimator=None if target.estimator == "yang_zhang" else target.estimator,
        column=target.column,
        target_volatility=target.target_volatility,
        max_exposure=target.max_exposure,
    )


def _forecast_along_time(
    both: SharedValue, forecaster: TrainableForecaster, splits: WalkForward
) -> PrecomputedForecasts:
    known_bars, bars = both.value
    walked = walk_forward(known_bars, forecaster, splits, n_jobs=1, progress=False)
    forecasts: PrecomputedForecasts = precompute_forecasts(walked, bars)
    return forecasts
