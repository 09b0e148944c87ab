"""What decides a comparison of the command line."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from lstm_strategy.bars import Panel, slice_panel
from lstm_strategy.cli.inputs import describe_markets, describe_source, slice_markets
from lstm_strategy.cli.windows import Windows
from lstm_strategy.errors import SettingsError
from lstm_strategy.evaluation.backtests import first_bar_after, training_end
from lstm_strategy.learning.forecaster import Forecaster, LSTMForecaster, TrainableForecaster
from lstm_strategy.learning.targets import Direction
from lstm_strategy.learning.walk_forward import WalkForward, WalkForwardForecaster, labels_of
from lstm_strategy.trading.cerebro import BrokerSettings

_TRAINED_SHARE = 0.7


def dates_frame(bars: pd.DataFrame | Panel) -> pd.DataFrame:
    """Something on the dates of the bars: the bars of one market, or nothing but the dates."""
    return pd.DataFrame(index=bars.dates) if isinstance(bars, Panel) else bars


@dataclass(frozen=True)
class ComparisonSetup:
    """All that decides a comparison.

    Attributes:
        source: What the user calls the bars.
        bars: All bars, or a panel of them; those before the first that is traded train and warm up.
        model: A forecaster, trained or to be trained.
        broker: What trading costs.
        name: What tables call the strategy of the model, which is the one that is judged.
        others: The user's own strategies by their name for tables, each with its parameters.
        contenders: Further LSTMs by their name for tables, to be trained on the same bars.
        is_trained: Whether the model is trained and used as it is.
        windows: How to retrain as time moves on; None to train once before `start`.
        start: The first bar to trade, as the user wrote it; None for the default.
        end: The last bar, inclusive; None for all.
        params: Parameters of the strategy that trades the forecasts.
        rules: Parameters that hold for baselines too.
        out_dir: Where results are written; None for nowhere.
        is_forced: Whether results of other settings there may be written over.
        n_jobs: The processes that train folds; None for as many as make sense.
        n_trials: The settings whose results were looked at, this one included.
        n_permutations: The shuffles of the permutation test; 0 for no test.
        permutation_block_bars: The bars that stay together in a shuffle.
        tensorboard: The folder where the training of the LSTM is logged; None for nowhere.
        experiment: The experiment of MLflow that logs the outcome; None for nowhere.
        draws_chart: Whether the trades are drawn on the prices.
        command: The line of the terminal that repeats it; "" for none.

    Example:
        >>> from lstm_strategy import BrokerSettings, LSTMForecaster, sample_bars
        >>> bars = sample_bars("sp500")
        >>> setup = ComparisonSetup("S&P 500", bars, LSTMForecaster(), BrokerSettings())
        >>> setup.first_traded  # the first 70% of the bars train
        Timestamp('2013-01-02 00:00:00')
    """

    source: str
    bars: pd.DataFrame | Panel
    model: Forecaster
    broker: BrokerSettings
    name: str = "LSTM"
    others: Mapping[str, tuple[type, dict[str, Any]]] = field(default_factory=dict)
    contenders: Mapping[str, LSTMForecaster] = field(default_factory=dict)
    is_trained: bool = False
    windows: Windows | None = None
    start: str | None = None
    end: str | None = None
    params: dict[str, Any] = field(default_factory=dict)
    rules: dict[str, bool] = field(default_factory=dict)
    out_dir: Path | None = None
    is_forced: bool = False
    n_jobs: int | None = None
    n_trials: int = 1
    n_permutations: int = 0
    permutation_block_bars: int = 1
    tensorboard: Path | None = None
    experiment: str | None = None
    draws_chart: bool = False
    command: str = ""

    @property
    def market(self) -> str:
        """What is traded, for a title: the name of the file without its ending, or the source."""
        return describe_source(self.source)

    @cached_property
    def known_bars(self) -> pd.DataFrame | Panel:
        """The bars up to the last that is traded; no model and no fold needs later ones."""
        return self.cut_end(self.bars)

    def cut_end(self, bars: pd.DataFrame | Panel) -> pd.DataFrame | Panel:
        """These bars, or others on the same dates, up to the last that is traded."""
        if isinstance(bars, Panel):
            return bars if self.end is None else slice_panel(bars, end=self.end)
        return bars.loc[: self.end]

    @cached_property
    def first_traded(self) -> pd.Timestamp:
        """The first bar that may be traded; a strategy that must warm up begins later."""
        if self.start is not None:
            return pd.Timestamp(labels_of(slice_markets(self.bars, self.start, self.end))[0])
        if self.is_trained:
            moment = training_end(self.model, dates_frame(self.bars))
            first = first_bar_after(moment, dates_frame(self.known_bars))
            return pd.Timestamp(labels_of(self.bars)[0]) if first is None else first
        if self.windows is not None:
            return pd.Timestamp(self.splits.folds(self.known_bars)[0].test_start)
        dates = labels_of(slice_markets(self.bars, None, self.end))
        return pd.Timestamp(dates[int(len(dates) * _TRAINED_SHARE)])

    @cached_property
    def splits(self) -> WalkForward:
        """How the folds of a walk forward are cut.

        Raises:
            SettingsError: If the setup trains once, or the windows don't fit the bars.
        """
        if self.windows is None:
            raise SettingsError("There are no folds without --walk-forward.")
        return self.windows.cut_folds(self.known_bars, self.untrained)

    @cached_property
    def untrained(self) -> LSTMForecaster:
        """The forecaster that is to be trained, told what trading costs.

        Raises:
            SettingsError: If the setup uses a trained one as it is.
        """
        if self.is_trained or not isinstance(self.model, LSTMForecaster):
            raise SettingsError("The model is trained already. Leave --model out to train one.")
        return self.model.with_costs(self.broker.cost_rate_on(self.known_bars))

    @property
    def asked_as_learners(self) -> LSTMForecaster:
        """The one whose features the learners see: one that is asked their question, if any is."""
        asked = [self.untrained, *self.contenders.values()]
        return next((each for each in asked if each.target == Direction()), self.untrained)

    def model_folders(self, first: str) -> dict[str, str]:
        """The name of each LSTM's folder, of which that of the judged one is given."""
        others = {name: f"{first}-{each.target.name}" for name, each in self.contenders.items()}
        return {self.name: first, **others}

    @property
    def strategy_params(self) -> dict[str, Any]:
        """The parameters of the LSTM's strategy, except the model."""
        return {**self.params, **self.rules}

    def training_bars(self, bars: pd.DataFrame | Panel) -> pd.DataFrame | Panel:
        """The bars to train on once, from these bars or others on the same dates.

        Raises:
            SettingsError: If there is none.
        """
        dates = labels_of(bars)
        before = dates[dates < self.first_traded]
        if before.empty:
            raise SettingsError(
                f"--start {self.start} leaves no bar to train on; there are "
                f"{describe_markets(bars)}. Choose a later start, or give a trained --model."
            )
        return slice_panel(bars, end=before[-1]) if isinstance(bars, Panel) else bars.loc[before]

    def describe_training(self) -> dict[str, Any]:
        """What the model was trained with, or will be, as plain values for JSON."""
        model: Forecaster = self.model
        description: dict[str, Any] = {}
        if isinstance(model, WalkForwardForecaster):
            description["folds"] = len(model.refits)
            model = model.refits[-1].model
        if self.is_trained:
            description["trained_until"] = str(model.training_end)
            if model.card is not None:  # models of the same settings may have seen other bars
                description["trained_on"] = model.card.training.sha256
        elif self.windows is not None:
            description["train_window"] = self.windows.train
            description["test_window"] = self.windows.test
        settings = model.describe_settings() if isinstance(model, TrainableForecaster) else {}
        if self.contenders:
            description["contenders"] = {
                name: each.describe_settings() for name, each in self.contenders.items()
            }
        return {**settings, **description}
