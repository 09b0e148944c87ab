import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import SMALL_FEATURES, random_walk

from lstm_strategy import FeatureSet, LSTMStrategyError
from lstm_strategy.learning.training.dataset import build_training_set
from lstm_strategy.learning.training.held_out import held_out_spans
from lstm_strategy.learning.training.settings import ForecasterSettings
from lstm_strategy.learning.training.training_set import MirrorImage, TrainingSet

FEATURES = FeatureSet(SMALL_FEATURES)


def rows_of(*held_out, n_rows=100, purge=5, mirrored=None):
    numbers = np.arange(float(n_rows))
    context = np.empty((n_rows, 0))
    column = numbers[:, None]
    return TrainingSet(column, column, numbers, context, held_out, purge, mirrored)


def test_labels_on_either_side_of_the_held_out_rows_are_purged():
    rows = rows_of(slice(40, 60), slice(80, 100))
    assert rows.learned_by(0) == (slice(0, 35), slice(65, 100))
    assert rows.learned_by(1) == (slice(0, 75),)


def test_scaling_knows_only_rows_that_are_learned_from():
    rows = rows_of(
        slice(80, 100), mirrored=MirrorImage(-np.arange(100.0)[:, None], np.zeros((100, 1)))
    )
    np.testing.assert_array_equal(rows.scaling_rows[:, 0], [*np.arange(75.0), *-np.arange(75.0)])


def test_the_members_hold_out_all_rows_between_them():
    spans = held_out_spans(1000, share=0.2, members=5, lookback=20, purge=1)
    assert spans == tuple(slice(n, n + 200) for n in (800, 602, 405, 208, 10))


def test_a_single_member_holds_out_the_last_rows():
    assert held_out_spans(100, share=0.2, members=1, lookback=10, purge=1) == (slice(80, 100),)


@given(
    n_rows=st.integers(100, 900),
    share=st.floats(0.1, 0.6),
    members=st.integers(1, 7),
    lookback=st.integers(2, 20),
    purge=st.integers(1, 5),
)
def test_every_member_has_a_chunk_to_learn_from(n_rows, share, members, lookback, purge):
    settings = ForecasterSettings(
        members=members, lookback=lookback, horizon=purge, validation=share, mirror=False
    )
    bars = random_walk(n_rows, seed=1)
    try:
        rows, _ = build_training_set(bars, FEATURES, settings)
    except LSTMStrategyError as error:
        assert "Training needs" in str(error)
        return
    for member, held_out in enumerate(rows.held_out):
        longest = max(part.stop - part.start for part in rows.learned_by(member))
        assert longest >= 2 * lookback
        assert held_out.start >= lookback // 2
        assert held_out.stop - held_out.start >= 3 * lookback // 2


def test_bars_that_all_members_hold_out_can_be_named():
    bars = random_walk(300, seed=1)
    validation = np.arange(300) >= 250
    settings = ForecasterSettings(members=3, lookback=10, validation=0.1)
    rows, index = build_training_set(bars, FEATURES, settings, validation=validation)
    assert rows.held_out == (rows.held_out[0],) * 3
    assert index[rows.held_out[0].start] == bars.index[250]
    assert rows.held_out[0].stop == len(index)


def test_without_a_word_about_a_column_there_is_no_mirror(caplog):
    caplog.set_level("INFO")
    bars = random_walk(300).assign(funding_rate=np.random.default_rng(0).normal(size=300))
    features = FeatureSet([{"kind": "column", "column": "funding_rate"}])
    settings = ForecasterSettings(members=1, lookback=10)
    rows, _ = build_training_set(bars, features, settings)
    assert rows.mirrored is None
    assert "'funding_rate'" in caplog.text


def test_training_sees_mirrored_features_of_the_mirrored_bars():
    bars = random_walk(300)
    settings = ForecasterSettings(members=1, lookback=10)
    rows, index = build_training_set(bars, FEATURES, settings)
    log_return = FEATURES.names.index("LOGRET_1")
    np.testing.assert_allclose(rows.mirrored.features[:, log_return], -rows.features[:, log_return])
    np.testing.assert_array_equal(rows.mirrored.labels, 1 - rows.labels)
    assert len(rows.mirrored.features) == len(index)


def test_rows_that_the_mirror_lacks_are_left_out():
    # the first value of hilo waits for a cross, which comes later in the mirror
    bars = random_walk(300, seed=40)
    features = FeatureSet([{"kind": "hilo"}])
    rows, _ = build_training_set(bars, features, ForecasterSettings(members=1, lookback=10))
    n_known = int(features.frame(bars).notna().all(axis=1).sum()) - 1  # the last has no label
    assert np.isfinite(rows.mirrored.features).all()
    assert len(rows.mirrored.features) == len(rows.features) == n_known - 6


def test_a_training_set_of_bars_without_volume_names_the_features_that_read_it():
    bars = random_walk(100).assign(volume=0.0)
    with pytest.raises(LSTMStrategyError, match=r"relative_volume.* reads it"):
        build_training_set(bars, FEATURES, ForecasterSettings())


LINES = FeatureSet(
    [
        {"kind": "log_return", "length": 1},
        {"kind": "column", "column": "funding", "mirrored": "same"},
    ]
)
BRIEF = ForecasterSettings(members=1, lookback=10)


def test_a_feature_that_is_never_known_is_named():
    bars = random_walk(300).assign(funding=np.nan)
    message = "The feature funding isn't known on 299 of the 299 bars behind the warm-up; "
    with pytest.raises(LSTMStrategyError, match=message):
        build_training_set(bars, LINES, BRIEF)


def test_a_feature_that_is_known_too_late_is_named_with_its_first_bar():
    bars = random_walk(300)
    bars = bars.assign(funding=np.where(np.arange(300) < 290, np.nan, np.arange(300)))
    message = f"first known at {bars.index[290].date()}; the features together leave 10 bars"
    with pytest.raises(LSTMStrategyError, match=message):
        build_training_set(bars, LINES, BRIEF)


def test_too_few_bars_are_no_fault_of_a_feature():
    bars = random_walk(20).assign(funding=np.nan)
    with pytest.raises(LSTMStrategyError, match=r"Training needs .* Load more history"):
        build_training_set(bars, LINES, BRIEF)


def test_bars_lost_to_a_feature_are_counted_by_its_name(caplog):
    bars = random_walk(300)
    bars = bars.assign(funding=np.where(np.arange(300) < 100, np.nan, np.arange(300)))
    rows, _ = build_training_set(bars, LINES, BRIEF)
    assert len(rows.labels) == 199  # the last bar's label isn't known yet
    (message,) = [record.getMessage() for record in caplog.records]
    assert message == (
        "99 of the 299 bars behind the warm-up aren't learned from, since a feature isn't known "
        "there: funding (99)."
    )


def test_a_feature_that_never_changes_in_the_training_is_named(caplog):
    build_training_set(random_walk(300).assign(funding=0.1), LINES, BRIEF)
    (message,) = [record.getMessage() for record in caplog.records]
    assert message.startswith("Nothing can be learned from what never changes")
    assert "funding" in message


def test_features_that_are_known_and_change_are_not_remarked(caplog):
    build_training_set(random_walk(300), FEATURES, BRIEF)
    assert not caplog.records


def panel_of(**n_bars):
    return {
        symbol: random_walk(n, seed=number, start=f"200{number}-01-01")
        for number, (symbol, n) in enumerate(n_bars.items())
    }


def test_the_rows_of_a_panel_stand_market_by_market():
    panel = panel_of(A=300, B=250)
    rows, dates = build_training_set(panel, FEATURES, BRIEF)
    assert rows.markets == (slice(0, 294), slice(294, 294 + 244))
    for market, (symbol, bars) in zip(rows.markets, panel.items(), strict=True):
        alone, times = build_training_set(bars, FEATURES, BRIEF)
        np.testing.assert_allclose(rows.features[market], alone.features, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(rows.labels[market], alone.labels)
        np.testing.assert_array_equal(rows.mirrored.labels[market], alone.mirrored.labels)
        assert dates[rows.panel.dates[market]].equals(times), symbol
    assert rows.features.dtype == np.float32


def test_a_panel_of_one_market_is_learned_from_as_the_market_is():
    bars = random_walk(400, seed=2)
    settings = ForecasterSettings(members=3, lookback=10, horizon=4)
    alone, times = build_training_set(bars, FEATURES, settings)
    rows, dates = build_training_set({"A": bars}, FEATURES, settings)
    assert dates.equals(times)
    assert rows.held_out == alone.held_out
    for member in range(3):
        assert rows.learned_by(member) == alone.learned_by(member)
        assert rows.held_out_by(member) == alone.held_out_by(member)
        assert rows.halves_held_out_by(member) == alone.halves_held_out_by(member)
    np.testing.assert_array_equal(rows.weights, alone.weights / alone.weights.mean())


def test_the_markets_of_a_panel_weigh_alike():
    calm, wild = random_walk(300, seed=1), random_walk(300, seed=2)
    wild[["open", "high", "low", "close"]] **= 5  # returns of five times the size
    for target in ("direction", "return", "triple_barrier"):
        settings = ForecasterSettings(members=1, lookback=10, target=target)
        rows, _ = build_training_set({"A": calm, "B": wild}, FEATURES, settings)
        means = [rows.weights[market].mean() for market in rows.markets]
        np.testing.assert_allclose(means, 1)
        sizes = [np.abs(rows.labels[market]).mean() for market in rows.markets]
        assert max(sizes) < 1.5 * min(sizes)


def test_dates_of_a_panel_can_be_held_out_and_left_out():
    panel = panel_of(A=300, B=250)
    dates = pd.DatetimeIndex(sorted(set(panel["A"].index) | set(panel["B"].index)))
    validation, leave_out = dates >= "2001-08-01", (dates >= "2001-06-01") & (dates < "2001-07-01")
    rows, known = build_training_set(
        panel, FEATURES, BRIEF, leave_out=leave_out, validation=validation
    )
    assert known[rows.held_out[0].start] == pd.Timestamp("2001-08-01")
    assert not ((known >= "2001-06-01") & (known < "2001-07-01")).any()


def test_a_market_with_too_few_bars_is_named():
    message = r"market B: it has 22 bars, of which 16 can be learned from.*Leave the market out"
    with pytest.raises(LSTMStrategyError, match=message):
        build_training_set(panel_of(A=300, B=22), FEATURES, BRIEF)


def test_a_market_that_lacks_a_column_is_named():
    panel = panel_of(A=300, B=300)
    panel["A"] = panel["A"].assign(funding=np.arange(300.0))
    with pytest.raises(LSTMStrategyError, match=r"market B: .* column 'funding'"):
        build_training_set(panel, LINES, BRIEF)


def test_a_market_without_volume_is_named():
    panel = panel_of(A=300, B=300)
    panel["B"] = panel["B"].assign(volume=0.0)
    with pytest.raises(LSTMStrategyError, match=r"market B: .* relative_volume"):
        build_training_set(panel, FEATURES, BRIEF)
