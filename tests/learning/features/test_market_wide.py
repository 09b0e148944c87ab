"""Features that look across the markets of a panel."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import random_walk

from lstm_strategy import FeatureSet, LSTMStrategyError
from lstm_strategy.errors import FeatureError, LooksAheadError
from lstm_strategy.learning.features import check_causal, check_inputs, mirror_bars, settle_features

X = {"kind": "column", "column": "x"}
RETURN = {"kind": "log_return", "length": 1}
EVERY_KIND = [
    {"kind": "panel_mean", "of": {"kind": "roc", "length": 3}},
    {"kind": "panel_rank", "of": RETURN},
    {"kind": "panel_correlation", "length": 5},
    {"kind": "panel_volatility", "span": 4},
]


def days_with(values, *, without=(), **changes):
    """Bars on days from 1 January on, a column x of these values; some days may be missing."""
    bars = random_walk(len(values), start="2024-01-01").assign(x=values, **changes)
    return bars.drop(bars.index[list(without)])


@pytest.fixture(scope="module")
def three_markets():
    """A has every day, B not the second one, and C begins on the third."""
    return {
        "A": days_with([1.0, 2.0, 3.0, 4.0]),
        "B": days_with([5.0, np.nan, 3.0, 0.0], without=[1]),
        "C": days_with([np.nan, np.nan, 9.0, 2.0], without=[0, 1]),
    }


@pytest.fixture(scope="module")
def walks():
    """Three random walks: one has holes, one begins late, one ends early."""
    a, b, c = (random_walk(60, seed=seed) for seed in (1, 2, 3))
    return {"A": a.drop(a.index[[7, 8, 30]]), "B": b.iloc[20:], "C": c.iloc[:45]}


def values_of(frames):
    return {symbol: frame.iloc[:, 0].tolist() for symbol, frame in frames.items()}


def test_the_mean_is_over_the_markets_with_a_bar_at_that_time(three_markets):
    features = FeatureSet([{"kind": "panel_mean", "of": X}])
    assert features.names == ["PANEL_MEAN_x"]
    assert values_of(features.frames(three_markets)) == {
        "A": [3.0, 2.0, 5.0, 2.0],
        "B": [3.0, 5.0, 2.0],
        "C": [5.0, 2.0],
    }


def test_the_rank_lies_between_minus_one_and_one_and_ties_share_theirs(three_markets):
    features = FeatureSet([{"kind": "panel_rank", "of": X}])
    assert values_of(features.frames(three_markets)) == {
        "A": [-1.0, 0.0, -0.5, 1.0],  # alone on the second day; tied with B on the third
        "B": [1.0, -0.5, -1.0],
        "C": [1.0, 0.0],
    }


def test_a_market_that_does_not_know_the_feature_is_left_out(three_markets):
    panel = three_markets | {"B": days_with([np.nan, np.nan, np.nan, 0.0])}
    features = FeatureSet([{"kind": "panel_mean", "of": X}, {"kind": "panel_rank", "of": X}])
    frame = features.frames(panel)["B"]
    assert frame["PANEL_MEAN_x"].tolist() == [1.0, 2.0, 6.0, 2.0]
    np.testing.assert_array_equal(frame["PANEL_RANK_x"], [np.nan, np.nan, np.nan, -1.0])


def test_the_correlation_is_that_with_the_mean_return_of_the_markets_with_a_bar(walks):
    features = FeatureSet([{"kind": "panel_correlation", "length": 5}])
    returns = pd.DataFrame({s: np.log(bars["close"]).diff() for s, bars in walks.items()})
    for symbol, frame in features.frames(walks).items():
        expected = []
        for place in range(len(frame)):
            days = frame.index[max(0, place - 4) : place + 1]
            own, of_panel = returns.loc[days, symbol], returns.loc[days].mean(axis=1)
            expected.append(np.corrcoef(own, of_panel)[0, 1] if place >= 5 else np.nan)
        np.testing.assert_allclose(frame["PANEL_CORRELATION_5"], expected, atol=1e-12)


def test_a_market_that_does_not_move_correlates_with_nothing():
    still = random_walk(20, seed=1)
    still[["open", "high", "low", "close"]] = 10.0
    features = FeatureSet([{"kind": "panel_correlation", "length": 5}])
    frames = features.frames({"A": random_walk(20), "B": still})
    assert (frames["B"].iloc[5:] == 0).all().all()


def test_the_volatility_is_the_mean_of_those_of_the_markets(walks):
    of_panel = FeatureSet([{"kind": "panel_volatility", "span": 4}]).frames(walks)
    own = FeatureSet([{"kind": "ewm_volatility", "span": 4}]).frames(walks)
    together = pd.DataFrame({symbol: frame.iloc[:, 0] for symbol, frame in own.items()})
    for frame in of_panel.values():
        expected = together.mean(axis=1).reindex(frame.index).iloc[4:]
        np.testing.assert_allclose(frame["PANEL_VOLATILITY_4"].iloc[4:], expected)
        assert frame.iloc[:4].isna().all().all()


def test_features_of_one_market_are_those_of_each(walks):
    features = FeatureSet([RETURN, {"kind": "rsi", "length": 5}])
    assert not features.needs_panel
    for symbol, frame in features.frames(walks).items():
        pd.testing.assert_frame_equal(frame, features.frame(walks[symbol]))
    beside = FeatureSet([RETURN, *EVERY_KIND, {"kind": "rsi", "length": 5}])
    assert beside.needs_panel
    for symbol, frame in beside.frames(walks).items():
        own = features.frame(walks[symbol]).iloc[beside.warm_up :]
        pd.testing.assert_frame_equal(frame[features.names].iloc[beside.warm_up :], own)
        assert frame.iloc[: beside.warm_up].isna().all().all()
        assert frame.iloc[beside.warm_up :].notna().all().all()


def test_markets_meet_across_timezones(walks):
    elsewhere = {
        symbol: bars.tz_localize("UTC").tz_convert("Asia/Tokyo") if symbol == "B" else bars
        for symbol, bars in walks.items()
    }
    features = FeatureSet(EVERY_KIND)
    frames = features.frames(elsewhere)
    for symbol, frame in features.frames(walks).items():
        np.testing.assert_array_equal(frames[symbol], frame)
        assert frames[symbol].index.equals(elsewhere[symbol].index)


@settings(max_examples=15)
@given(
    cut=st.integers(15, 59),
    seed=st.integers(0, 99),
    holes=st.lists(st.integers(1, 58), max_size=8),
)
def test_no_feature_reads_a_later_bar_of_any_market(cut, seed, holes):
    features = FeatureSet(EVERY_KIND)
    panel = {
        symbol: random_walk(60, seed=seed + number) for number, symbol in enumerate(("A", "B", "C"))
    }
    panel["B"] = panel["B"].drop(panel["B"].index[holes])
    panel["C"] = panel["C"].iloc[10:]
    day = panel["A"].index[cut - 1]
    other = {
        symbol: pd.concat([bars[:day], random_walk(60, seed=777)[day:].iloc[1:]])
        for symbol, bars in panel.items()
    }
    known = features.frames({symbol: bars[:day] for symbol, bars in panel.items()})
    full, altered = features.frames(panel), features.frames(other)
    for symbol, frame in known.items():
        pd.testing.assert_frame_equal(frame, full[symbol][:day], rtol=1e-9, atol=1e-12)
        pd.testing.assert_frame_equal(frame, altered[symbol][:day], rtol=1e-9, atol=1e-12)


def test_one_market_alone_is_refused_with_the_feature_and_the_remedy(walks):
    features = FeatureSet([RETURN, {"kind": "panel_rank", "of": RETURN}])
    with pytest.raises(FeatureError) as refusal:
        features.frame(walks["A"])
    assert str(refusal.value) == (
        "panel_rank(of=log_return(length=1)) looks across the markets of a panel, and there are "
        "the bars of one market only. Give bars by symbol, or leave the feature out."
    )
    with pytest.raises(FeatureError, match="frames takes a panel, bars by symbol, got DataFrame"):
        features.frames(walks["A"])


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"kind": "panel_mean"}, 'kind "panel_mean" needs the feature of one market'),
        ({"kind": "panel_mean", "of": "rsi"}, "must be a dict with a \"kind\", got 'rsi'"),
        ({"kind": "panel_rank", "of": {"kind": "rsy"}}, "Unknown feature kind 'rsy'"),
        ({"kind": "panel_rank", "of": X, "length": 3}, "panel_rank has no argument 'length'"),
        (
            {"kind": "panel_rank", "of": {"kind": "panel_volatility"}},
            "must be a feature of one market, got panel_volatility()",
        ),
        ({"kind": "panel_correlation", "length": 2}, "whole number of bars from 3 on, got 2"),
        ({"kind": "panel_volatility", "span": 0.5}, "whole number of bars from 2 on, got 0.5"),
        ({"kind": "panel_men", "of": X}, "Did you mean panel_mean"),
    ],
)
def test_a_spec_that_makes_no_sense_is_refused(spec, message):
    with pytest.raises(FeatureError) as refusal:
        FeatureSet([spec])
    assert message in str(refusal.value)


def test_a_market_without_a_column_that_a_feature_reads_is_named(three_markets):
    panel = three_markets | {"B": three_markets["B"].drop(columns="x")}
    features = FeatureSet([{"kind": "panel_mean", "of": X}])
    assert features.bars_columns[-1] == "x"
    with pytest.raises(FeatureError, match="market B: The features read the column 'x'"):
        features.frames(panel)


def test_they_are_saved_and_built_again():
    features = FeatureSet([*EVERY_KIND, {"kind": "panel_mean", "of": {"kind": "macd"}}])
    again = FeatureSet.from_dict(features.to_dict())
    assert again == features
    assert again.names[-3:] == [
        "PANEL_MEAN_MACD_12_26_9",
        "PANEL_MEAN_MACDh_12_26_9",
        "PANEL_MEAN_MACDs_12_26_9",
    ]


def test_warm_up_and_memory_follow_from_the_feature_of_one_market():
    (rsi,) = FeatureSet([{"kind": "rsi", "length": 5}]).columns
    mean, rank, correlation, volatility = FeatureSet(
        [
            {"kind": "panel_mean", "of": {"kind": "rsi", "length": 5}},
            {"kind": "panel_rank", "of": {"kind": "rsi", "length": 5}},
            *EVERY_KIND[2:],
        ]
    ).columns
    assert (mean.warm_up, mean.memory) == (rsi.warm_up, rsi.memory)
    assert (rank.warm_up, rank.memory) == (rsi.warm_up, 2 * rsi.memory)
    assert (correlation.warm_up, correlation.memory) == (5, 6)
    assert volatility.warm_up == 4


def test_a_later_start_of_all_markets_agrees_after_the_memory():
    panel = {symbol: random_walk(400, seed=seed) for seed, symbol in enumerate("ABC")}
    features = settle_features(FeatureSet(EVERY_KIND), panel)
    full = features.frames(panel)
    later = features.frames({symbol: bars.iloc[150:] for symbol, bars in panel.items()})
    for symbol, frame in later.items():
        rows = frame.iloc[features.memory :]
        np.testing.assert_allclose(rows, full[symbol].loc[rows.index], rtol=1e-5, atol=1e-9)


def test_features_that_are_sound_pass_the_check_and_columns_that_foretell_do_not():
    panel = {symbol: random_walk(300, seed=seed) for seed, symbol in enumerate("ABC")}
    panel = {symbol: bars.assign(x=bars["close"].shift()) for symbol, bars in panel.items()}
    features = FeatureSet([*EVERY_KIND, {"kind": "panel_mean", "of": X}])
    check_causal(features, panel, horizon=1)
    panel["B"] = panel["B"].assign(x=panel["B"]["close"].shift(-1))
    with pytest.raises(LooksAheadError, match=r"market B: The feature column\(column='x'\) looks"):
        check_causal(features, panel, horizon=1)


def test_a_look_at_the_bars_to_come_of_another_market_is_found():
    class Clairvoyant(FeatureSet):
        def frames(self, panel):
            frames = super().frames(panel)
            later = panel["B"]["close"].pct_change().shift(-1)
            return frames | {"A": frames["A"].assign(PANEL_MEAN_ROC_3=later)}

    panel = {symbol: random_walk(300, seed=seed) for seed, symbol in enumerate("ABC")}
    with pytest.raises(LooksAheadError, match="market A: The feature PANEL_MEAN_ROC_3 looks ahead"):
        check_causal(Clairvoyant(EVERY_KIND), panel, horizon=1)


def test_a_market_that_never_meets_another_is_refused(walks):
    late = random_walk(60, start="2001-01-01 12:00")
    features = FeatureSet(EVERY_KIND)
    with pytest.raises(
        LSTMStrategyError,
        match=r"market D has no date in common .* plain dates.* leave the feature out",
    ):
        check_causal(features, walks | {"D": late}, horizon=1)
    with pytest.raises(LSTMStrategyError, match="market A has no date in common with any other"):
        check_causal(features, {"A": walks["A"]}, horizon=1)


def test_in_the_mirror_means_and_ranks_are_the_opposite(walks):
    specs = [{"kind": "panel_mean", "of": RETURN}, {"kind": "panel_rank", "of": RETURN}]
    features = FeatureSet(specs)
    mirrored = features.frames({s: mirror_bars(bars, specs) for s, bars in walks.items()})
    for symbol, frame in features.frames(walks).items():
        np.testing.assert_allclose(mirrored[symbol], -frame, atol=1e-12)


def test_the_mirror_asks_what_becomes_of_a_column_that_is_ranked(three_markets):
    bars = three_markets["A"]
    assert mirror_bars(bars, [{"kind": "panel_rank", "of": X}]) is None
    negated = {"kind": "panel_rank", "of": X | {"mirrored": "negated"}}
    assert mirror_bars(bars, [negated])["x"].tolist() == [-1.0, -2.0, -3.0, -4.0]


def test_a_mean_of_volumes_reads_volume(walks):
    features = FeatureSet([{"kind": "panel_mean", "of": {"kind": "relative_volume", "length": 5}}])
    assert features.reads_volume
    with pytest.raises(FeatureError, match=r"relative_volume\(length=5\)\) reads it"):
        check_inputs(features, walks["A"].assign(volume=0.0))
