"""Windows of a walk forward that nobody asked for, on the bars that people have."""

import pytest
from made_up import random_walk

from lstm_strategy import LSTMForecaster, LSTMStrategyError
from lstm_strategy.cli.windows import Windows

FORECASTER = LSTMForecaster()
MARKETS = {
    "twenty years of days": (random_walk(5_200, freq="B"), ("10 years", "1 year"), 10),
    "ten years of days": (random_walk(2_520, freq="B"), ("1260 bars", "252 bars"), 5),
    "three years of days": (random_walk(756, freq="B"), ("474 bars", "57 bars"), 5),
    "two years of hours": (random_walk(17_520, freq="h"), ("8760 bars", "1752 bars"), 5),
    "a week of minutes": (random_walk(2_000, freq="min"), ("1000 bars", "200 bars"), 5),
    "ten years of weeks": (random_walk(522, freq="W"), ("474 bars", "10 bars"), 5),
    "thirty years of weeks": (random_walk(1_566, freq="W"), ("10 years", "1 year"), 20),
    "fifty years of months": (random_walk(600, freq="MS"), ("474 bars", "26 bars"), 5),
}


@pytest.mark.parametrize("market", MARKETS)
def test_the_bars_that_people_have_walk_forward_without_an_option(market):
    bars, windows, n_folds = MARKETS[market]
    chosen = Windows.choose(None, None, bars, FORECASTER)
    assert (chosen.train, chosen.test) == windows
    folds = chosen.cut_folds(bars, FORECASTER).folds(bars)
    assert len(folds) == n_folds
    assert min(len(fold.train_indices) for fold in folds) >= 473  # what a training needs


def test_what_was_asked_for_is_taken():
    bars = random_walk(2_520, freq="B")
    assert Windows.choose("3 years", None, bars, FORECASTER) == Windows("3 years", "1 year")
    assert Windows.choose(None, "1 month", bars, FORECASTER) == Windows("1260 bars", "1 month")
    assert Windows.choose("9 bars", "1 bar", bars, FORECASTER) == Windows("9 bars", "1 bar")


@pytest.mark.parametrize("n_bars", [100, 400])
def test_too_few_bars_for_any_windows_are_refused_by_the_option(n_bars):
    bars = random_walk(n_bars)
    windows = Windows.choose(None, None, bars, FORECASTER)
    with pytest.raises(LSTMStrategyError, match=f"--train-window 10 years .* got {n_bars} from"):
        windows.cut_folds(bars, FORECASTER)
