import logging

import numpy as np
import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy import FeatureSet, LSTMStrategyError
from lstm_strategy.learning.features import TrailingFeatures, mirror_bars
from lstm_strategy.learning.variance import ESTIMATORS, ewm_volatility

BARS = random_walk(400)
RATIO = {"kind": "log_variance_ratio", "length": 2, "slow": 6}


def values_of(spec, bars=BARS):
    return FeatureSet([spec]).frame(bars).iloc[:, 0]


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_each_estimator_is_a_kind_that_gives_the_volatility_per_bar(estimator):
    values = values_of({"kind": estimator, "length": 5})
    assert values.name == f"{estimator.upper()}_5"
    np.testing.assert_allclose(values.iloc[5:], np.sqrt(ESTIMATORS[estimator](BARS, 5)).iloc[5:])


def test_a_variance_is_set_beside_the_slow_one():
    squares = np.log(BARS["close"]).diff() ** 2
    expected = np.log(squares.rolling(2).mean() / squares.rolling(6).mean())
    values = values_of({**RATIO, "estimator": "close_to_close"})
    assert values.name == "LOG_VARIANCE_RATIO_close_to_close_2_6"
    expected = expected.clip(lower=np.log(0.01))
    np.testing.assert_allclose(values.iloc[6:], expected.iloc[6:], atol=1e-6)


def test_a_bar_whose_prices_are_all_the_same_has_the_lowest_ratio():
    bars = BARS.copy()
    bars.loc[bars.index[300], ["open", "high", "low", "close"]] = bars["close"].iloc[299]
    values = values_of({"kind": "log_variance_ratio", "length": 1, "slow": 20}, bars)
    assert values.iloc[300] == pytest.approx(np.log(0.01))
    assert values.iloc[301:].notna().all()


@pytest.mark.parametrize("preset", ["volatility", "momentum_and_volatility"])
def test_where_nothing_has_moved_all_features_are_known_and_none_is_large(preset):
    still = BARS[["open", "high", "low", "close"]] * 0 + 7.0
    frame = FeatureSet.preset(preset).frame(still.assign(volume=1.0))
    assert (frame.iloc[-1] == 0).all()


def test_a_realised_variance_of_the_users_is_set_beside_its_own_slow_mean():
    bars = BARS.iloc[:8].assign(rv=[1.0, 2, 3, 4, np.nan, 6, 7, 8])
    values = values_of({**RATIO, "column": "rv"}, bars)
    assert values.name == "LOG_VARIANCE_RATIO_rv_2_6"
    held = [1.0, 2, 3, 4, 4, 6, 7, 8]
    expected = [np.log(np.mean(held[t - 1 : t + 1]) / np.mean(held[t - 5 : t + 1])) for t in (5, 7)]
    np.testing.assert_allclose(values.iloc[[5, 7]], expected)


def test_a_realised_variance_that_is_zero_is_refused_by_feature_column_and_bar():
    bars = BARS.iloc[:8].assign(rv=[1.0, 1, 0, 1, 1, 1, 1, 1])
    with pytest.raises(LSTMStrategyError, match=r"column='rv'\).*rv must be .*got 0 at 2001-01-03"):
        values_of({**RATIO, "column": "rv"}, bars)


def test_a_realised_variance_is_the_same_in_the_mirror(caplog):
    bars = BARS.assign(rv=np.arange(1.0, 401.0))
    features = [{**RATIO, "column": "rv"}]
    with caplog.at_level(logging.INFO):
        mirrored = mirror_bars(bars, features)
    assert not caplog.records
    assert mirrored["rv"].equals(bars["rv"])


def test_the_volatility_that_exposures_are_scaled_with_is_a_kind():
    values = values_of({"kind": "ewm_volatility", "span": 20})
    assert values.name == "EWM_VOLATILITY_20"
    pd.testing.assert_series_equal(
        values, ewm_volatility(BARS["close"], span=20), check_names=False
    )


@pytest.mark.parametrize("preset", ["volatility", "momentum_and_volatility"])
def test_a_stream_gives_the_numbers_of_the_batch(preset):
    features = FeatureSet.preset(preset)
    batch = features.frame(BARS)
    trailing = TrailingFeatures(features, BARS.iloc[:390])
    for t in range(390, 400):
        row = trailing.row_after(BARS.index[t], BARS.iloc[t].tolist())
        trailing.append(BARS.index[t], BARS.iloc[t].tolist())
        np.testing.assert_allclose(row, batch.iloc[t], atol=1e-9)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        pytest.param({"estimator": "yang_zang"}, "Did you mean yang_zhang", id="estimator"),
        pytest.param({"estimator": "yang_zhang", "length": 1}, "at least 2 bars", id="one bar"),
        pytest.param({"slow": 2.5}, "slow must be a whole number of bars from 1", id="slow"),
        pytest.param({"length": 9}, "slow must be more bars than length, got slow=6", id="order"),
        pytest.param({"column": "rv", "estimator": "parkinson"}, "both say how", id="both"),
        pytest.param({"lenght": 3}, "Did you mean length", id="typo"),
    ],
)
def test_bad_arguments_are_named(spec, message):
    with pytest.raises(LSTMStrategyError, match=message):
        FeatureSet([{**RATIO, **spec}])


def test_the_volatility_of_a_column_of_variances_is_a_feature():
    variances = np.linspace(1e-4, 4e-4, len(BARS))
    bars = BARS.assign(rv=variances)
    values = values_of({"kind": "volatility", "length": 2, "column": "rv"}, bars)
    assert values.name == "VOLATILITY_rv_2"
    np.testing.assert_allclose(values.iloc[1:], np.sqrt((variances[1:] + variances[:-1]) / 2))
    measured = values_of({"kind": "volatility", "length": 5, "estimator": "parkinson"})
    np.testing.assert_allclose(measured, values_of({"kind": "parkinson", "length": 5}))
