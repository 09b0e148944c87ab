"""Each member of an ensemble alone, in the markets of a panel."""

import numpy as np
import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy import LSTMForecaster
from lstm_strategy.evaluation.backtests import check_markets, prepare_job
from lstm_strategy.evaluation.robustness.members import plan_members
from lstm_strategy.trading.lstm import LSTMStrategy

PANEL = {name: random_walk(160, seed=seed) for seed, name in enumerate("AB")}
BARS = check_markets(PANEL)
FEATURES = [{"kind": "log_return", "length": 1}]


@pytest.fixture(scope="module")
def model():
    """Two networks, all of whose signal is kept."""
    small = {"units": (2,), "lookback": 5, "epochs": 1, "members": 2, "seed": 3}
    forecaster = LSTMForecaster(FEATURES, **small).fit(
        {name: bars.iloc[:100] for name, bars in PANEL.items()}, progress=False
    )
    signal = forecaster.card.signal.model_copy(update={"confidence": 1.0})
    forecaster.card = forecaster.card.model_copy(update={"signal": signal})
    return forecaster


def job_of(model):
    last = next(iter(PANEL.values())).index[100]
    return prepare_job(LSTMStrategy, BARS, name="LSTM", params={"model": model}, start=last)


def test_each_member_trades_its_own_signals_in_all_markets(model):
    equities = plan_members(job_of(model), BARS, model=model).run(BARS)
    assert list(equities) == [0, 1]
    assert len(equities) == 60
    assert not np.allclose(equities[0], equities[1])
    for number in equities:
        signals = {name: frame[number] for name, frame in model.member_signals(PANEL).items()}

        class Alone(type(model)):
            def forecast(self, bars, signals=signals):
                told = model.forecast(bars)
                return {name: told[name].assign(signal=signals[name]) for name in told}

        alone = object.__new__(Alone)
        alone.__dict__.update(vars(model))
        job = job_of(alone)
        pd.testing.assert_series_equal(
            equities[number], job.to_result(job.run(BARS)).equity, check_names=False
        )


def test_a_model_of_one_member_has_none_alone(model):
    together = job_of(model)
    one = LSTMForecaster(FEATURES, units=(2,), lookback=5, epochs=1, members=1)
    one = one.fit({name: bars.iloc[:100] for name, bars in PANEL.items()}, progress=False)
    assert plan_members(together, BARS, model=one) is None
