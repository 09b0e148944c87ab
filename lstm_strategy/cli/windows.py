"""How a walk forward of the command line moves along time."""

import math
import re
from dataclasses import dataclass

import pandas as pd

from lstm_strategy.bars import Panel
from lstm_strategy.errors import SettingsError, TrainingError
from lstm_strategy.learning.forecaster import LSTMForecaster
from lstm_strategy.learning.training import fewest_rows
from lstm_strategy.learning.walk_forward import WalkForward, check_folds

_USUAL_TRAIN, _USUAL_TEST = "10 years", "1 year"
_USUAL_SPAN = pd.DateOffset(years=11)
_FEWEST_BARS = 250  # what a walk forward finds on fewer is chance
_FOLDS = 5


@dataclass(frozen=True)
class Windows:
    """How a walk forward moves along time.

    Attributes:
        train: What each fold trains on, as `WalkForward` takes it: "10 years".
        test: What each fold is tested on: "1 year".

    Example:
        >>> Windows(train="10 years", test="1 year").train
        '10 years'
    """

    train: str
    test: str

    @classmethod
    def choose(
        cls, train: str | None, test: str | None, bars: pd.DataFrame, forecaster: LSTMForecaster
    ) -> "Windows":
        """The windows that were asked for, or what fits the bars.

        Eleven years or more are walked by ten years and one. Of fewer, half train the first fold,
        or as many bars as a training needs, and the others are tested in five folds.

        Args:
            train: What each fold trains on; None for what fits.
            test: What each fold is tested on; None for what fits.
            bars: The bars up to the last that is traded.
            forecaster: What is trained.

        Example:
            >>> from lstm_strategy import sample_bars
            >>> ten_years = sample_bars("sp500")[:"2008"]
            >>> Windows.choose(None, None, ten_years, LSTMForecaster())
            Windows(train='1257 bars', test='252 bars')
        """
        if train is not None:
            return cls(train, test or _USUAL_TEST)
        needed = fewest_rows(forecaster.settings) + forecaster.features.warm_up
        needed += 2 * forecaster.horizon  # the last labels, and the purge before the test
        n_train = max(len(bars) // 2, needed)
        n_usual = int(bars.index.searchsorted(bars.index[0] + pd.DateOffset(years=10)))
        is_long = bars.index[-1] >= bars.index[0] + _USUAL_SPAN and n_usual >= needed
        if is_long or n_train >= len(bars) or len(bars) < _FEWEST_BARS:
            return cls(_USUAL_TRAIN, test or _USUAL_TEST)
        n_test = math.ceil((len(bars) - n_train) / _FOLDS)
        return cls(f"{n_train} bars", test or f"{n_test} bars")

    def cut_folds(self, bars: pd.DataFrame | Panel, forecaster: LSTMForecaster) -> WalkForward:
        """The folds on bars, with what `WalkForward` refuses in the words of the command line.

        Raises:
            SettingsError: If the windows don't fit the bars.
        """
        try:
            splits = WalkForward(self.train, self.test, horizon=forecaster.horizon)
            folds = splits.folds(bars)
        except TrainingError as error:
            windows = f"--train-window {self.train} --test-window {self.test}: "
            prefix = "" if re.search("--(train|test)-window", str(error)) else windows
            raise SettingsError(f"{prefix}{error}") from None
        try:
            check_folds(forecaster, bars, folds)
        except TrainingError as error:
            raise SettingsError(f"{error} Or train on a longer --train-window.") from None
        return splits
