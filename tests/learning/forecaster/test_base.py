"""What a forecaster has without saying so, and what a foreign object is taken for."""

import pandas as pd
import pytest
from made_up import ConstantForecaster, random_walk

from lstm_strategy.learning.forecaster.base import (
    Forecaster,
    ForecasterKind,
    ForeignForecaster,
    TrainableForecaster,
)

BARS = random_walk(20)


class Foreign:
    """Knows how to forecast and nothing else."""

    def __init__(self, **known):
        vars(self).update(known)

    def forecast(self, bars):
        return ConstantForecaster(0.5, warm_up=2).forecast(bars)

    def stream(self):
        return "a stream"


def test_what_a_forecaster_does_not_say_has_a_default():
    forecaster = ConstantForecaster(0.5, warm_up=2)
    assert forecaster.kind == ForecasterKind.LSTM == "lstm"
    assert (forecaster.horizon, forecaster.context_bars) == (1, 2)
    assert (forecaster.fingerprint, forecaster.ledger, forecaster.card) == (None, None, None)
    signals = forecaster.member_signals(BARS)
    assert list(signals.columns) == [0]
    assert signals[0].tolist()[2:] == [0.5] * 18


@pytest.mark.parametrize("base", [Forecaster, TrainableForecaster])
def test_a_forecaster_that_cannot_forecast_is_none(base):
    with pytest.raises(TypeError, match=r"abstract.*forecast"):
        base()


def test_a_foreign_object_gets_the_defaults():
    forecaster = ForeignForecaster(Foreign())
    assert forecaster.bars_columns == ["open", "high", "low", "close", "volume"]
    assert (forecaster.warm_up, forecaster.context_bars, forecaster.training_end) == (0, 0, None)
    assert (forecaster.horizon, forecaster.fingerprint, forecaster.ledger) == (1, None, None)
    assert forecaster.stream() == "a stream"
    pd.testing.assert_series_equal(
        forecaster.member_signals(BARS)[0], forecaster.forecast(BARS)["signal"], check_names=False
    )


def test_what_a_foreign_object_says_counts():
    said = {
        "warm_up": 7,
        "bars_columns": ["close"],
        "training_end": BARS.index[5],
        "horizon": 3,
        "context_bars": 9,
        "fingerprint": "f",
        "ledger": BARS,
    }
    forecaster = ForeignForecaster(Foreign(**said))
    assert all(
        getattr(forecaster, name) is value for name, value in said.items() if name != "bars_columns"
    )
    assert forecaster.bars_columns == ["close"]
