"""How fast forecasts come, next to ``model.predict`` on the window of each bar.

Both networks have the same size. Features are computed beforehand: only the networks are timed.
"""

import tempfile

import pandas as pd

from benchmarks.peer import SETTINGS, windowed_network, windows_of
from benchmarks.timing import best_seconds
from lstm_strategy import LSTMForecaster, sample_bars
from lstm_strategy.learning.engines import carried_forecasts

N_BARS = 2_000
N_PREDICTED = 50  # bars; predict takes the same time for each of the others
N_STEPS = 100  # too short to be timed one by one
N_REPEATS = 3

PEERS = {
    "forecast_whole_feed": f"model.predict on the {SETTINGS.lookback}-bar window of each bar",
    "forecast_live_step": f"one model.predict on one {SETTINGS.lookback}-bar window",
}


def loaded_forecaster(bars: pd.DataFrame) -> LSTMForecaster:
    """A small model as a trading process has it: from its folder."""
    settings = SETTINGS.model_dump() | {"epochs": 1}
    trained = LSTMForecaster(**settings).fit(bars, progress=False)
    with tempfile.TemporaryDirectory() as folder:
        return LSTMForecaster.load(trained.save(f"{folder}/model"))


def measure() -> dict[str, float]:
    """Return how many times faster the whole feed and one live step are than the peer."""
    bars = sample_bars().iloc[:N_BARS]
    forecaster = loaded_forecaster(bars)
    engine, features = forecaster.engine, forecaster.features.frame(bars)
    rows = features.dropna().to_numpy("float32")
    network, windows = windowed_network(rows), windows_of(rows)

    def whole_feed():
        carried_forecasts(engine, rows, engine.initial_state(1))

    def live_steps():
        state = engine.initial_state(1)
        for row in rows[:N_STEPS]:
            _, state = carried_forecasts(engine, row[None], state)

    def predict_each():
        for window in windows[:N_PREDICTED]:
            network.predict(window[None], verbose=0)

    calls = {"feed": whole_feed, "steps": live_steps, "predict": predict_each}
    best_seconds(calls, repeats=1)  # compiles
    seconds = best_seconds(calls, repeats=N_REPEATS)
    predict_a_bar = seconds["predict"] / N_PREDICTED
    return {
        "forecast_whole_feed": predict_a_bar * len(rows) / seconds["feed"],
        "forecast_live_step": predict_a_bar / (seconds["steps"] / N_STEPS),
    }
