"""What a trial is scored by, without trading."""

import numpy as np
import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy import LSTMForecaster
from lstm_strategy.learning.search.objectives import OutOfSampleForecasts, auc_of, log_loss_of

BARS = random_walk(60)


def seen_of(forecast, bars=BARS, target="direction"):
    settings = LSTMForecaster(target=target).settings
    return OutOfSampleForecasts(bars, pd.DataFrame({"forecast": forecast}), settings, {})


def test_a_forecast_of_every_rise_has_the_best_scores():
    rises = (BARS["close"].shift(-1) > BARS["close"]).astype(float)
    knowing = seen_of(0.1 + 0.8 * rises.iloc[30:])
    assert auc_of(knowing) == 1.0
    assert log_loss_of(knowing) == pytest.approx(-np.log(0.9))
    assert auc_of(seen_of(1 - (0.1 + 0.8 * rises.iloc[30:]))) == 0.0


def test_the_markets_of_a_panel_are_scored_together():
    panel = {"A": BARS, "B": random_walk(60, seed=1)}
    rises = {s: (bars["close"].shift(-1) > bars["close"]).iloc[30:] for s, bars in panel.items()}
    right = {symbol: 0.1 + 0.8 * rise for symbol, rise in rises.items()}
    told = {"right": right, "half": {**right, "B": 1 - right["B"]}}
    scores = {
        name: log_loss_of(seen_of(pd.concat(each, names=["symbol", "datetime"]), bars=panel))
        for name, each in told.items()
    }
    assert scores["right"] == pytest.approx(-np.log(0.9))
    assert -np.log(0.9) < scores["half"] < -np.log(0.1)


def test_a_target_that_is_not_answered_by_yes_or_no_has_neither_score():
    seen = seen_of(BARS["close"].pct_change().iloc[30:], target="return")
    assert np.isnan(auc_of(seen)) and np.isnan(log_loss_of(seen))
