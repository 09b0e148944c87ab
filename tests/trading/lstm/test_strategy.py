import numpy as np
import pytest
from made_up import ConstantForecaster, random_walk

from lstm_strategy import BrokerSettings, LSTMStrategy, LSTMStrategyError, run_backtest

BARS = random_walk(60, seed=2)
FREE = BrokerSettings(commission_rate=0, slippage_rate=0)


@pytest.mark.parametrize(
    ("signal", "params", "expected"),
    [
        pytest.param(0.5, {}, 0.5, id="half long"),
        pytest.param(-0.5, {}, -0.5, id="half short"),
        pytest.param(-0.5, {"long_only": True}, 0.0, id="long only"),
        pytest.param(0.2, {"min_signal": 0.3}, 0.0, id="signal too weak"),
        pytest.param(0.4, {"min_signal": 0.3}, 0.4, id="signal strong enough"),
    ],
)
def test_the_signal_is_the_exposure(signal, params, expected):
    result = run_backtest(
        LSTMStrategy, BARS, model=ConstantForecaster(signal), broker=FREE, **params
    )
    # filled at the open after the first close; within the rebalancing band from then on
    assert result.exposure.iloc[0] == 0
    np.testing.assert_allclose(result.exposure.iloc[1:], expected, atol=0.1)
    assert result.exposure.iloc[1] == pytest.approx(expected, abs=0.02)


def test_nothing_is_traded_before_the_model_has_warmed_up():
    result = run_backtest(LSTMStrategy, BARS, model=ConstantForecaster(1.0, warm_up=20))
    assert result.first_tradable == BARS.index[20]
    assert result.fills.index[0] == BARS.index[21]


@pytest.mark.parametrize("min_signal", [-0.1, 1.0])
def test_a_signal_bound_out_of_range_is_refused(min_signal):
    with pytest.raises(LSTMStrategyError, match=r"min_signal must be .* got .*Give a signal"):
        run_backtest(LSTMStrategy, BARS, model=ConstantForecaster(1), min_signal=min_signal)


def test_a_strategy_without_a_model_says_what_is_missing():
    with pytest.raises(LSTMStrategyError, match="model must be a forecaster or the folder"):
        run_backtest(LSTMStrategy, BARS)
