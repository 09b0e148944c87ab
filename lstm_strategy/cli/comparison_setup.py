"""What decides an evaluation, and the models that are trained for it."""

import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstm_strategy.cli.inputs import (
    bars_span,
    check_model_folder,
    fold_scalars,
    scalars,
    slice_bars,
)
from lstm_strategy.cli.output import print_training, say, status
from lstm_strategy.errors import SettingsError

if TYPE_CHECKING:
    import pandas as pd

    from lstm_strategy.learning.forecaster import LSTMForecaster
    from lstm_strategy.learning.serving import PrecomputedForecasts
    from lstm_strategy.support import Shared
    from lstm_strategy.trading.cerebro import BrokerSettings


TRAINED_SHARE = 0.7


_MOST_JOBS = 4  # processes that train folds; each loads Keras by itself


@dataclass(frozen=True)
class Windows:
    """How a walk forward moves along time; sizes as `WalkForward` takes them."""

    train: str
    test: str


@dataclass(frozen=True)
class Study:
    """All that decides an evaluation.

    source:            what the user calls the bars
    bars:              all of them; those before the first that is traded train and warm up
    model:             a forecaster: trained where `is_trained`, else to be trained
    windows:           to train anew along time; None to train once before `start`
    params, rules:     of the strategy that trades the forecasts; the rules hold for baselines, too
    n_jobs:            processes that train folds; None for as many as make sense
    n_trials:          settings whose results were looked at, this one included
    n_permutations:    of the null test; 0 for none
    null_block_bars:   blocks of bars that the null test leaves together
    tensorboard:       folder where the training of the LSTM is logged; None for nowhere
    experiment:        of MLflow, where the outcome is logged; None for nowhere
    draws_chart:       whether the trades are drawn on the prices
    """

    source: str
    bars: "pd.DataFrame"
    model: Any
    broker: "BrokerSettings"
    is_trained: bool = False
    windows: Windows | None = None
    start: str | None = None
    end: str | None = None
    params: dict[str, Any] = field(default_factory=dict)
    rules: dict[str, bool] = field(default_factory=dict)
    out_dir: Path | None = None
    n_jobs: int | None = None
    n_trials: int = 1
    n_permutations: int = 0
    null_block_bars: int = 1
    tensorboard: Path | None = None
    experiment: str | None = None
    draws_chart: bool = False

    @cached_property
    def known_bars(self) -> "pd.DataFrame":
        """The bars up to the last that is traded: no model and no fold needs later ones."""
        return self.bars.loc[: self.end]

    @cached_property
    def first_traded(self) -> "pd.Timestamp":
        """The first bar that may be traded; a strategy that must warm up begins later."""
        if self.start is not None:
            return slice_bars(self.bars, self.start, self.end).index[0]
        if self.is_trained:
            from lstm_strategy.evaluation.backtests import first_bar_after, training_end

            moment = training_end({"model": self.model}, self.bars)
            first = first_bar_after(moment, self.known_bars)
            return self.bars.index[0] if first is None else first
        if self.windows is not None:
            return self.splits.folds(self.known_bars)[0].test_start
        chosen = slice_bars(self.bars, None, self.end)
        return chosen.index[int(len(chosen) * TRAINED_SHARE)]

    @cached_property
    def splits(self) -> Any:
        """The folds of a walk forward."""
        from lstm_strategy import WalkForward

        assert self.windows is not None
        horizon = self.model.settings.horizon
        return WalkForward(self.windows.train, self.windows.test, horizon=horizon)

    @property
    def strategy_params(self) -> dict[str, Any]:
        """The parameters of the LSTM's strategy but for the model."""
        return {**self.params, **self.rules}


def training_settings(study: Study) -> dict[str, Any]:
    """What the model was or will be made with, as plain values."""
    from lstm_strategy.learning.walk_forward import WalkForwardForecaster

    model: Any = study.model
    made: dict[str, Any] = {}
    if isinstance(model, WalkForwardForecaster):
        model, made = model.refits[-1].model, {"folds": len(model.refits)}
    if study.is_trained:
        made |= {"trained_until": str(model.training_end)}
    elif study.windows is not None:
        made |= {"train_window": study.windows.train, "test_window": study.windows.test}
    return {
        "settings": model.settings.model_dump(mode="json"),
        "features": model.features.to_dict(),
        **made,
    }


def study_models(study: Study, folder: Path | None) -> dict[str, Any]:
    """The LSTM and, where it is trained here, learners without a memory beside it."""
    if study.is_trained:
        return {"LSTM": study.model}
    if study.windows is not None:
        n_folds = len(study.splits.folds(study.known_bars))
        say(
            f"{study.source}: walking forward over {bars_span(study.known_bars)}: {n_folds} folds, "
            f"each trained on the {study.windows.train} before it and tested on "
            f"{study.windows.test}."
        )
    lstm = trained_lstm(study, study.bars, folder=folder)
    with status("Training learners without a memory on the same bars"):
        return {"LSTM": lstm, **_learning_baselines(study)}


def trained_lstm(
    study: Study, bars: "pd.DataFrame", *, folder: Path | None = None, quietly: bool = False
) -> Any:
    """The LSTM of the study trained on these bars, which may be other ones on the same dates."""
    if study.windows is not None:
        from lstm_strategy import walk_forward
        from lstm_strategy.support import choose_jobs

        known = bars.loc[: study.end]
        most = choose_jobs(study.n_jobs, otherwise=min(os.cpu_count() or 1, _MOST_JOBS))
        n_jobs = None if most is None else min(len(study.splits.folds(known)), most)
        progress = False if quietly else None
        return walk_forward(
            known, study.model, study.splits, folder=folder, n_jobs=n_jobs, progress=progress,
            callbacks=None if quietly else fold_scalars(study.tensorboard),
        )  # fmt: skip
    before = bars_before(study, bars)
    if quietly:
        return study.model.unfitted_copy().fit(before, progress=False)
    if folder is not None:
        check_model_folder(folder)
    say(f"{study.source}: training on {bars_span(before)}.")
    model: LSTMForecaster = study.model.fit(before, callbacks=scalars(study.tensorboard))
    print_training(model)
    if folder is not None:
        model.save(folder)
    return model


def bars_before(study: Study, bars: "pd.DataFrame") -> "pd.DataFrame":
    """The bars to train on once. Raises `SettingsError` where there is none."""
    before = bars[bars.index < study.first_traded]
    if before.empty:
        raise SettingsError(
            f"--start {study.start} leaves no bar to train on; there are {bars_span(bars)}. "
            "Choose a later start, or give a trained --model."
        )
    return before


def _learning_baselines(study: Study) -> dict[str, Any]:
    import joblib

    from lstm_strategy.learning.reference import learning_baselines
    from lstm_strategy.support import choose_jobs, run_tasks, shared

    settings = study.model.settings
    rivals = learning_baselines(settings.seed, study.model.features, settings.horizon)
    if study.windows is None:
        before = bars_before(study, study.bars)
        return {name: rival.fit(before) for name, rival in rivals.items()}
    # side by side in the processes that trained the LSTM; forecasts travel lighter than models
    n_jobs = choose_jobs(study.n_jobs, otherwise=min(len(rivals), os.cpu_count() or 1))
    with shared((study.known_bars, study.bars), n_jobs=n_jobs) as both:
        tasks = (
            joblib.delayed(_forecasts_along_time)(both, rival, study.splits)
            for rival in rivals.values()
        )
        done = list(run_tasks(tasks, n_jobs=n_jobs))
    return dict(zip(rivals, done, strict=True))


def _forecasts_along_time(both: "Shared", forecaster: Any, splits: Any) -> "PrecomputedForecasts":
    from lstm_strategy import walk_forward
    from lstm_strategy.learning.serving import precompute_forecasts

    known_bars, bars = both.value
    walked = walk_forward(known_bars, forecaster, splits, n_jobs=1, progress=False)
    return precompute_forecasts(walked, bars)
