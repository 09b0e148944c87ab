import numpy as np
import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy import FeatureSet, LSTMStrategyError
from lstm_strategy.learning.features import mirror_bars
from lstm_strategy.learning.variance import ewm_volatility

BARS = random_walk(600)
OWN = ["scaled_return", "scaled_macd"]


def values_of(spec, bars=BARS):
    return FeatureSet([spec]).frame(bars).iloc[:, 0]


def test_a_return_is_scaled_by_the_volatility_of_so_many_bars():
    values = values_of({"kind": "scaled_return", "length": 4, "span": 10})
    assert values.name == "SCALED_RETURN_4_10"
    volatility = ewm_volatility(BARS["close"], span=10)
    moved = np.log(BARS["close"].iloc[-1] / BARS["close"].iloc[-5])
    assert values.iloc[-1] == pytest.approx(moved / (volatility.iloc[-1] * 2))


def test_a_loss_is_a_return_below_zero():
    returns, losses = (
        values_of({"kind": kind, "length": 3}) for kind in ("scaled_return", "scaled_loss")
    )
    np.testing.assert_allclose(losses, np.minimum(returns, 0))


def test_a_crash_counts_as_five_deviations():
    bars = BARS.copy()
    bars.loc[bars.index[500], ["low", "close"]] *= 0.5
    assert values_of({"kind": "scaled_return"}, bars).iloc[500] == -5


def test_a_macd_is_scaled_by_the_deviation_of_the_price_and_then_by_its_own():
    price = np.log(BARS["close"]).to_numpy()
    trend = np.full(len(price), np.nan)
    for t in range(62, len(price)):
        fast, slow = (
            np.average(price[: t + 1], weights=(1 - 1 / n) ** np.arange(t, -1, -1)) for n in (8, 24)
        )
        trend[t] = (fast - slow) / price[t - 62 : t + 1].std(ddof=1)
    values = values_of({"kind": "scaled_macd", "fast": 8, "slow": 24})
    assert values.first_valid_index() == BARS.index[62 + 251]
    for t in (62 + 251, 450, 599):
        expected = trend[t] / trend[t - 251 : t + 1].std(ddof=1)
        assert values.iloc[t] == pytest.approx(np.clip(expected, -5, 5))


@pytest.mark.parametrize("kind", OWN)
def test_in_the_mirror_the_values_are_exactly_the_opposite(kind):
    mirrored = mirror_bars(BARS, [{"kind": kind}])
    pd.testing.assert_series_equal(values_of({"kind": kind}, mirrored), -values_of({"kind": kind}))


def test_the_preset_has_eleven_columns():
    names = FeatureSet.preset("momentum_and_volatility").names
    assert [name.rpartition("_")[0].rpartition("_")[0] for name in names] == (
        ["SCALED_RETURN"] * 6 + ["SCALED_MACD"] * 3 + ["LOG_VARIANCE_RATIO"] * 2
    )


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        pytest.param({"kind": "scaled_return", "span": 1}, "span must be .* from 2 on", id="span"),
        pytest.param({"kind": "scaled_return", "length": 0}, "length must be", id="length"),
        pytest.param(
            {"kind": "scaled_macd", "fast": 9, "slow": 9}, "slow=9 and fast=9", id="order"
        ),
        pytest.param({"kind": "scaled_macd", "fast": "8"}, "fast must be a whole", id="text"),
    ],
)
def test_bad_arguments_are_named(spec, message):
    with pytest.raises(LSTMStrategyError, match=message):
        FeatureSet([spec])
