import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import random_walk

from lstm_strategy import FeatureSet, LSTMStrategyError
from lstm_strategy.errors import FeatureError
from lstm_strategy.learning.features import check_inputs, complete_bars
from lstm_strategy.learning.features.indicators import indicator_columns
from lstm_strategy.learning.features.kinds import relative_volume
from lstm_strategy.learning.features.presets import PRESETS

BARS = random_walk(700)


def test_specs_follow_the_pandas_ta_convention_and_keep_their_order():
    features = FeatureSet(
        [
            {"kind": "rsi", "length": 14},
            {"kind": "macd", "fast": 8, "slow": 21, "signal": 9},
            {"kind": "sma", "close": "volume", "length": 20, "prefix": "VOLUME"},
        ]
    )
    assert features.names == [
        "RSI_14", "MACD_8_21_9", "MACDh_8_21_9", "MACDs_8_21_9", "VOLUME_SMA_20",
    ]  # fmt: skip
    assert list(features.frame(BARS).columns) == features.names


def test_a_price_level_becomes_its_distance_from_the_close():
    frame = FeatureSet([{"kind": "sma", "length": 10}]).frame(BARS)
    expected = BARS["close"].rolling(10).mean() / BARS["close"] - 1
    np.testing.assert_allclose(frame["SMA_10"], expected, atol=1e-12)


def test_a_price_difference_becomes_a_fraction_of_the_close():
    frame = FeatureSet([{"kind": "mom", "length": 5}]).frame(BARS)
    np.testing.assert_allclose(frame["MOM_5"], BARS["close"].diff(5) / BARS["close"])


def test_a_running_total_of_volume_becomes_its_change_over_the_typical_volume():
    frame = FeatureSet([{"kind": "obv"}]).frame(BARS)
    signed = np.sign(BARS["close"].diff()) * BARS["volume"]
    expected = signed / BARS["volume"].rolling(20).mean()
    np.testing.assert_allclose(frame["OBV"].iloc[19:], expected.iloc[19:])


def test_relative_volume_is_the_log_of_volume_over_its_own_median():
    bars = pd.DataFrame({"volume": [10.0, 20.0, 40.0, 0.0, 20.0]})
    values = relative_volume(bars, length=3)["RELVOL_3"]
    np.testing.assert_allclose(values, [np.nan, np.nan, np.log(2), np.log(1e-3), 0.0])


def test_relative_volume_is_neutral_where_nothing_trades():
    bars = pd.DataFrame({"volume": [0.0, 0.0, 0.0]})
    np.testing.assert_allclose(relative_volume(bars, length=2)["RELVOL_2"], [np.nan, 0.0, 0.0])


@pytest.mark.parametrize(
    ("preset", "reader"),
    [("default", "relative_volume"), ("momentum", "mfi"), ("trend", "obv")],
)
def test_features_that_read_volume_are_refused_by_name_where_there_is_none(preset, reader):
    features = FeatureSet.preset(preset)
    check_inputs(features, BARS)
    with pytest.raises(FeatureError, match=rf"have no volume .*{reader}.* reads it\. Leave out"):
        check_inputs(features, BARS.assign(volume=0.0))


@pytest.mark.parametrize("preset", ["prices", "volatility", "momentum_and_volatility"])
def test_features_of_prices_alone_need_no_volume(preset):
    check_inputs(FeatureSet.preset(preset), BARS.assign(volume=0.0))


def test_a_quiet_stretch_shorter_than_the_warm_up_is_no_market_without_volume():
    check_inputs(FeatureSet.preset("trend"), BARS.assign(volume=0.0).iloc[:30])


@pytest.mark.parametrize(
    "spec",
    [
        {"kind": "linregangle"},  # the angle of a line through prices
        {"kind": "slope", "as_angle": True},
        {"kind": "fisher"},  # takes a range below 0.001 for 0.001
        {"kind": "decay"},  # takes a fixed number off a price
    ],
    ids=lambda spec: spec["kind"],
)
def test_a_feature_that_depends_on_the_unit_of_price_is_refused(spec):
    with pytest.raises(FeatureError, match=f"{spec['kind']}.* depends on the unit of price"):
        FeatureSet([spec])


@pytest.mark.parametrize("preset", PRESETS)
def test_no_preset_depends_on_the_unit_of_price_or_volume(preset):
    features = FeatureSet.preset(preset)
    bars = complete_bars(features.specs, BARS)
    units = {**dict.fromkeys(["open", "high", "low", "close", "spot_close"], 7.0), "volume": 1000.0}
    scaled = bars * [units.get(name, 1.0) for name in bars.columns]
    np.testing.assert_allclose(
        features.frame(scaled).iloc[300:], features.frame(bars).iloc[300:], rtol=1e-6, atol=1e-9
    )


@pytest.mark.parametrize("preset", PRESETS)
def test_warm_up_is_the_number_of_incomplete_rows_at_the_beginning(preset):
    features = FeatureSet.preset(preset)
    is_complete = features.frame(complete_bars(features.specs, BARS)).notna().all(axis=1)
    assert is_complete.tolist() == [False] * features.warm_up + [True] * (700 - features.warm_up)


@pytest.mark.parametrize("preset", PRESETS)
def test_memory_is_enough_history_for_the_same_values(preset):
    features = FeatureSet.preset(preset)
    bars = complete_bars(features.specs, BARS)
    full, late = features.frame(bars), features.frame(bars.iloc[-features.memory :])
    difference = (full.iloc[-1] - late.iloc[-1]).abs() / full.std()
    assert difference.max() < 1e-6


@pytest.mark.parametrize("preset", PRESETS)
@given(t=st.integers(1, 699), factor=st.floats(0.5, 2))
@settings(max_examples=10)
def test_changing_bars_after_t_never_changes_a_feature_at_or_before_t(preset, t, factor):
    features = FeatureSet.preset(preset)
    bars = complete_bars(features.specs, BARS)
    changed = bars.copy()
    changed.iloc[t:] *= factor
    before = features.frame(bars).iloc[:t]
    pd.testing.assert_frame_equal(features.frame(changed).iloc[:t], before)
    pd.testing.assert_frame_equal(features.frame(bars.iloc[:t]), before, rtol=1e-9, atol=1e-12)


def test_the_bars_of_the_caller_stay_as_they_are():
    before = BARS.copy()
    FeatureSet.preset("trend").frame(BARS)
    pd.testing.assert_frame_equal(BARS, before)


def test_a_column_of_the_user_holds_its_last_known_value():
    funding = [np.nan, 0.1, np.nan, np.nan, 0.3, np.nan]
    bars = BARS.iloc[:6].assign(funding_rate=funding)
    features = FeatureSet([{"kind": "column", "column": "funding_rate"}])
    assert features.bars_columns[-1] == "funding_rate"
    np.testing.assert_array_equal(
        features.frame(bars)["funding_rate"], [np.nan, 0.1, 0.1, 0.1, 0.3, 0.3]
    )


def test_a_missing_column_of_the_user_is_named():
    features = FeatureSet([{"kind": "column", "column": "funding_rate"}])
    with pytest.raises(LSTMStrategyError, match=r"'funding_rate'.*open, high, low, close, volume"):
        features.frame(BARS)


def test_what_is_saved_makes_the_same_columns_again():
    features = FeatureSet.preset("trend")
    again = FeatureSet.from_dict(json.loads(json.dumps(features.to_dict())))
    assert again == features
    pd.testing.assert_frame_equal(again.frame(BARS), features.frame(BARS))


def test_columns_of_another_feature_library_are_refused():
    saved = FeatureSet.preset("default").to_dict() | {"library": "pandas-ta"}
    with pytest.raises(LSTMStrategyError, match=r"made with pandas-ta .* Install pandas-ta=="):
        FeatureSet.from_dict(saved)


@pytest.mark.parametrize("damage", [{"specs": 5}, {"columns": [[{}]]}], ids=str)
def test_damaged_saved_features_are_refused(damage):
    saved = FeatureSet.preset("default").to_dict() | damage
    with pytest.raises(LSTMStrategyError, match="saved features are damaged"):
        FeatureSet.from_dict(saved)


def test_an_option_that_only_the_source_of_an_indicator_names_is_welcome():
    plain, adjusted = (
        FeatureSet([{"kind": "ema", "length": 5, **option}]).frame(BARS)["EMA_5"]
        for option in ({}, {"adjust": True})
    )
    assert (plain - adjusted).abs().max() > 1e-4


@pytest.mark.parametrize(
    ("specs", "message"),
    [
        pytest.param([{"kind": "rsj"}], "'rsj'. Did you mean .*rsi", id="unknown kind"),
        pytest.param([{"kind": "rsi", "lenght": 3}], "Did you mean length", id="argument typo"),
        pytest.param([{"length": 3}], 'a dict with a "kind"', id="no kind"),
        pytest.param("default", r"FeatureSet.preset\('default'\)", id="a preset's name"),
        pytest.param([{"kind": "rsi", "len": 3}], "no argument 'len'", id="unknown argument"),
        pytest.param([{"kind": "rsi", "length": -1}], "whole number of bars", id="length"),
        pytest.param(5, "takes a list of dicts", id="not a list"),
        pytest.param([], "at least one feature", id="nothing"),
        pytest.param([{"kind": "rsi"}, {"kind": "rsi"}], "same column 'RSI_14'", id="twice"),
        pytest.param([{"kind": "dpo"}], "looks ahead.*centered=False", id="centred dpo"),
        pytest.param([{"kind": "ichimoku"}], "looks ahead.*include_chikou", id="ichimoku"),
        pytest.param([{"kind": "tos_stdevall"}], "looks ahead", id="fit on the whole file"),
        pytest.param([{"kind": "sma", "length": 9, "offset": -2}], "looks ahead", id="offset"),
        pytest.param([{"kind": "drawdown"}], "never forgets", id="since the first bar"),
        pytest.param([{"kind": "sma", "length": 99_999}], "Shorten its length", id="too long"),
        pytest.param([{"kind": "column"}], "name of a column", id="column without a name"),
    ],
)
def test_bad_features_are_refused_with_a_remedy(specs, message):
    with pytest.raises(LSTMStrategyError, match=message):
        FeatureSet(specs)


def test_an_unknown_preset_is_answered_with_the_known_ones():
    with pytest.raises(LSTMStrategyError, match="default, momentum, volatility, trend"):
        FeatureSet.preset("best")


def test_the_causal_forms_of_indicators_that_can_look_ahead_are_welcome():
    causal = [{"kind": "dpo", "centered": False}, {"kind": "ichimoku", "include_chikou": False}]
    assert "DPO_20" in FeatureSet(causal).names


def test_features_give_the_same_columns_alone_and_in_a_set():
    specs = [
        {"kind": "obv"},
        {"kind": "ad"},
        {"kind": "atr", "length": 9},
        {"kind": "ema", "length": 9},
        {"kind": "relative_volume", "length": 9},
    ]
    bars = random_walk(300)
    together = FeatureSet(specs).frame(bars)
    assert together.shape[1] == len(specs)
    for spec in specs:
        alone = FeatureSet([spec]).frame(bars)
        is_known = together.notna().all(axis=1)
        pd.testing.assert_frame_equal(alone[is_known], together[alone.columns][is_known])


def test_a_single_bar_is_no_reason_to_warn(caplog):
    bar = random_walk(1)
    (column,) = indicator_columns({"kind": "vwap"}, bar).to_numpy().T
    assert column == pytest.approx(bar[["high", "low", "close"]].mean(axis=1))
    assert caplog.records == []


@pytest.mark.parametrize("kind", [["rsi"], {"name": "rsi"}, None, 7])
def test_a_kind_that_is_no_name_is_refused(kind):
    with pytest.raises(FeatureError, match=r'"kind" of a feature must be a name'):
        FeatureSet([{"kind": kind, "length": 5}])
