"""How good the forecasts of one model are, on the bars that it is judged by."""

import numpy as np
import pandas as pd
from made_up import ConstantForecaster, random_walk

from lstm_strategy import LSTMForecaster
from lstm_strategy.evaluation.skill import hit_rates, information_coefficients, measure_model
from lstm_strategy.learning.reference import LearnerForecaster

BARS = random_walk(300)


class Told(ConstantForecaster):
    """Gives the signals that it was made with."""

    def __init__(self, signal):
        super().__init__(0.0)
        self.told = signal

    def forecast(self, bars):
        frame = pd.DataFrame({"signal": self.told.reindex(bars.index)})
        return frame.assign(forecast=0.5, uncertainty=0.0)


def test_signals_are_measured_between_start_and_end_and_no_later_bar_is_used():
    signal = pd.Series(np.random.default_rng(1).choice([-1.0, 1.0], 300), BARS.index)
    start, end = BARS.index[[100, 199]]
    skill = measure_model(Told(signal), BARS, start=start, end=end)
    assert skill.column == "signal"
    assert skill.hits.table["n_forecasts"].tolist() == [99, 95, 79]
    known = BARS[:end]
    pd.testing.assert_frame_equal(skill.hits.table, hit_rates(signal[start:end], known).table)
    expected = information_coefficients(signal[start:end], known).table
    pd.testing.assert_frame_equal(skill.information.table, expected)


def test_probabilities_of_a_direction_are_held_against_one_half():
    model = LearnerForecaster("logistic", features=[{"kind": "roc", "length": 5}])
    model = model.fit(BARS.iloc[:200])
    start, end = BARS.index[[201, 299]]
    skill = measure_model(model, BARS, start=start, end=end)
    told = model.forecast(BARS)["forecast"][start:end]
    expected = hit_rates(told, BARS, neutral=0.5).table
    pd.testing.assert_frame_equal(skill.hits.table, expected)
    assert (skill.column, skill.hits.neutral) == ("forecast", 0.5)


def test_one_who_always_says_up_has_hits_and_no_correlation():
    skill = measure_model(ConstantForecaster(0.5), BARS, start=BARS.index[0], end=BARS.index[-1])
    assert (skill.hits.table["lead"] == 0).all()
    assert skill.information is None


def test_neither_volatility_nor_silence_is_measured():
    ends = {"start": BARS.index[0], "end": BARS.index[-1]}
    assert measure_model(ConstantForecaster(0.0), BARS, **ends) is None
    assert measure_model(LSTMForecaster(target="volatility"), BARS, **ends) is None


def test_a_model_of_a_panel_is_measured_across_its_markets():
    panel = {symbol: random_walk(300, seed=seed) for seed, symbol in enumerate("ABCD")}
    foresight = {s: bars["close"].pct_change().shift(-1) for s, bars in panel.items()}

    class OfPanel(ConstantForecaster):
        takes_panels = True

        def forecast(self, bars):
            return {s: pd.DataFrame({"signal": foresight[s]}) for s in bars}

    start, end = BARS.index[[10, 250]]
    skill = measure_model(OfPanel(0.0), panel, start=start, end=end)
    assert skill.information.is_panel
    assert skill.information.table.loc[1, "rank_ic"] == 1.0
    assert skill.hits.table.loc[1, "hit_rate"] == 1.0
    assert skill.hits.table.loc[1, "n_days"] == 240
