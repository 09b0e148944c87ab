"""`lstm-strategy forecast` as a person at a terminal meets it."""

import pandas as pd
from made_up import random_walk
from printed import rows_of

from lstm_strategy import load_bars


def test_forecast_writes_what_the_forecaster_says(results, trained, model_folder):
    printed = results("forecast", "bars.csv", "--model", model_folder, "--out", "deep/results")
    kept = pd.read_csv("deep/results/forecast.csv", index_col="datetime", parse_dates=True)
    expected = trained.forecast(load_bars("bars.csv"))
    pd.testing.assert_frame_equal(kept, expected, check_freq=False, check_index_type=False)
    last = rows_of(printed)["2002-05-15"]
    assert last == [f"{value:.4f}" for value in expected.iloc[-1]]
    assert len([name for name in rows_of(printed) if name.startswith("2002")]) == 10
    assert "IN-SAMPLE" not in printed


def test_forecasts_of_training_bars_are_called_in_sample(results, model_folder):
    random_walk(400).to_csv("seen.csv")
    printed = results("forecast", "seen.csv", "--model", model_folder)
    assert "IN-SAMPLE up to 2002-02-04: the model was trained on these bars." in printed


def test_a_model_is_needed(refusal):
    assert "missing option '--model'" in refusal("forecast", "bars.csv")
