import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from made_up import SMALL_FEATURES, random_walk
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from lstm_strategy import (
    FeatureSet,
    LSTMStrategy,
    LSTMStrategyError,
    WalkForward,
    compare,
    run_backtest,
    walk_forward,
)
from lstm_strategy.learning.reference.learners import LearnerForecaster, learning_baselines
from lstm_strategy.learning.serving import open_forecaster
from lstm_strategy.learning.targets import AnsweredRows, Direction

X_ALONE = [{"kind": "column", "column": "x"}]
BARS = random_walk(420, seed=11)
SPLITS = WalkForward(200, 90)
FIRST_TEST_BAR = 200

each_estimator = pytest.mark.parametrize("estimator", ["logistic", "boosting"])
each_flavour = pytest.mark.parametrize(
    ("estimator", "window"),
    [("logistic", 1), ("logistic", 4), ("boosting", 1), ("boosting", 4)],
)


def bars_that_follow(rises, x, *, seed=0):
    """Bars with a column ``x`` whose close after bar t rises where ``rises[t]``, else falls."""
    sizes = np.random.default_rng(seed).uniform(0.001, 0.01, len(x))
    moves = np.where(rises, sizes, -sizes)
    close = 50 * np.exp(np.cumsum(np.r_[0.0, moves[:-1]]))
    bars = random_walk(len(x))
    bars[["open", "close"]] = np.c_[np.r_[50.0, close[:-1]], close]
    body = bars[["open", "close"]]
    return bars.assign(high=body.max(axis=1), low=body.min(axis=1), x=x)


def noise(n, seed=1):
    return np.random.default_rng(seed).normal(size=n)


def share_right(forecaster, bars, rises, *, start):
    """The share of unseen bars, from position ``start`` on, that were forecast right."""
    forecast = forecaster.forecast(bars)["forecast"].to_numpy()[start:]
    return float(np.mean((forecast > 0.5) == rises[start:]))


def x_alone(estimator="logistic", **settings):
    return LearnerForecaster(estimator, features=X_ALONE, **settings)


def small(estimator="logistic", **settings):
    return LearnerForecaster(estimator, features=SMALL_FEATURES, **settings)


@pytest.fixture(scope="module")
def fitted():
    """The four flavours on 300 bars, by estimator and window."""
    return {
        (estimator, window): small(estimator, window=window).fit(BARS.iloc[:300])
        for estimator in ("logistic", "boosting")
        for window in (1, 4)
    }


@each_estimator
def test_a_rule_about_the_last_bar_is_learned(estimator):
    x = noise(1200)
    bars = bars_that_follow(x > 0, x)
    forecaster = x_alone(estimator).fit(bars.iloc[:800])
    assert share_right(forecaster, bars, x > 0, start=800) > 0.95


def test_trees_learn_a_rule_that_no_straight_line_can():
    x = noise(1200)
    rises = np.abs(x) > 0.67  # half of all bars
    bars = bars_that_follow(rises, x)
    right = {
        estimator: share_right(x_alone(estimator).fit(bars.iloc[:800]), bars, rises, start=800)
        for estimator in ("logistic", "boosting")
    }
    assert right["boosting"] > 0.9
    assert right["logistic"] < 0.8  # the best single threshold is right three times in four


@each_estimator
def test_only_the_window_learns_a_rule_about_five_bars_back(estimator):
    x = noise(1600)
    rises = np.roll(x, 5) > 0
    bars = bars_that_follow(rises, x)
    window = x_alone(estimator, window=8).fit(bars.iloc[:1200])
    last_bar = x_alone(estimator).fit(bars.iloc[:1200])
    assert share_right(window, bars, rises, start=1200) > 0.9
    assert share_right(last_bar, bars, rises, start=1200) < 0.6


@each_flavour
def test_forecasts_are_nan_in_the_warm_up_and_nowhere_else(fitted, estimator, window):
    forecaster = fitted[estimator, window]
    frame = forecaster.forecast(BARS)
    assert forecaster.warm_up == 5 + window - 1
    assert list(frame.columns) == ["signal", "forecast", "uncertainty"]
    assert frame.index.equals(BARS.index)
    known = [False] * forecaster.warm_up + [True] * (420 - forecaster.warm_up)
    assert frame.notna().all(axis=1).tolist() == frame.notna().any(axis=1).tolist() == known
    assert frame["uncertainty"].dropna().eq(0).all()


def test_logistic_forecasts_are_those_of_a_fit_by_hand():
    window, horizon = 3, 2
    leave_out = np.zeros(300, dtype=bool)
    leave_out[50:90] = True
    bars = BARS.iloc[:300]
    features = FeatureSet(SMALL_FEATURES).frame(BARS)
    label = Direction().labels(bars, horizon)
    weight = Direction().weights(bars, horizon)
    side_by_side = {
        t: np.concatenate([features.iloc[t - 2], features.iloc[t - 1], features.iloc[t]])
        for t in range(5 + window - 1, len(BARS))
    }
    trained_on = [t for t in range(7, 298) if not leave_out[t]]
    rows = np.array([side_by_side[t] for t in trained_on])
    scaler = StandardScaler().fit(rows)
    by_hand = LogisticRegression(C=0.1 / 9, max_iter=1000).fit(
        scaler.transform(rows),
        label.iloc[trained_on],
        sample_weight=weight.iloc[trained_on] / weight.iloc[trained_on].mean(),
    )
    expected = by_hand.predict_proba(scaler.transform(np.array(list(side_by_side.values()))))[:, 1]

    forecaster = small(window=window, horizon=horizon).fit(bars, leave_out=leave_out)
    np.testing.assert_allclose(forecaster.forecast(BARS)["forecast"].iloc[7:], expected)
    in_training = expected[np.array(trained_on) - 7]
    width = max(np.quantile(np.abs(in_training - 0.5), 0.9), 0.05)
    assert forecaster._scale.width == pytest.approx(width)


@each_estimator
def test_the_signal_is_shrunk_by_what_held_up_on_the_last_fifth(estimator):
    x = noise(500)
    rises = x + noise(500, seed=2) > 0
    bars = bars_that_follow(rises, x).iloc[:401]  # the last bar has no label yet
    forecaster = x_alone(estimator).fit(bars)
    # rows 0 to 318 are learned from, since the label of row 319 is known at the close of row 320
    before = x_alone(estimator).fit(bars.iloc[:320]).forecast(bars)["forecast"].iloc[320:400]
    held_out = AnsweredRows(
        np.float64(rises[320:400, None]),
        before.to_numpy()[:, None],
        Direction().weights(bars, 1).to_numpy()[320:400],
        np.empty((80, 0)),
    )
    kept = Direction().fit_scale(held_out, held_out, horizon=1).confidence
    assert 0.5 < kept < 1
    frame = forecaster.forecast(bars)
    asked = (frame["forecast"] - 0.5) / forecaster._scale.width
    np.testing.assert_allclose(frame["signal"], kept * asked.clip(-1, 1))


@each_estimator
def test_nothing_is_left_of_a_signal_where_there_is_nothing_to_learn(estimator):
    x = noise(500)
    frame = (
        x_alone(estimator)
        .fit(bars_that_follow(noise(500, seed=3) > 0, x))
        .forecast(BARS.assign(x=0.3))
    )
    assert (frame["signal"] == 0).all()


def test_a_rise_that_comes_only_at_the_end_leaves_nothing_of_the_signal():
    rises = np.arange(200) >= 170  # all rows but the last fifth say the same
    frame = x_alone().fit(bars_that_follow(rises, noise(200))).forecast(BARS.assign(x=0.3))
    assert (frame["signal"] == 0).all()


def test_features_are_scaled_by_the_training_rows_only():
    x = noise(400)
    x[300:] += 1000.0
    bars = bars_that_follow(x > 0, x)
    leave_out = np.arange(300) < 100
    x_left_out = bars["x"].where(np.arange(400) >= 100, -1000.0)
    forecaster = x_alone().fit(bars.assign(x=x_left_out).iloc[:300], leave_out=leave_out)
    scaler = forecaster._fit.classifier[0]
    np.testing.assert_allclose(scaler.mean_, x[100:299].mean())  # bar 299 has no label yet
    np.testing.assert_allclose(scaler.scale_, x[100:299].std())


def test_a_forecast_that_hardly_leaves_one_half_is_not_blown_up():
    bars = bars_that_follow(np.arange(4000) % 2 == 0, noise(4000))
    forecaster = x_alone().fit(bars)
    frame = forecaster.forecast(bars)
    distance = (frame["forecast"] - 0.5).dropna()
    assert distance.abs().quantile(0.9) < 0.05
    assert forecaster._scale.width == 0.05


@each_estimator
def test_labels_that_are_left_out_are_not_learned(estimator):
    x = noise(1200)
    is_reversed = np.arange(1200) < 500
    bars = bars_that_follow((x > 0) ^ is_reversed, x)
    forecaster = x_alone(estimator).fit(bars.iloc[:900], leave_out=is_reversed[:900])
    assert share_right(forecaster, bars, x > 0, start=900) > 0.95


@each_flavour
def test_changing_bars_after_t_never_changes_a_forecast_at_or_before_t(fitted, estimator, window):
    forecaster = fitted[estimator, window]
    for t in (12, 200, 419):
        changed = BARS.copy()
        changed.iloc[t:] *= 1.7
        before = forecaster.forecast(BARS).iloc[:t]
        pd.testing.assert_frame_equal(forecaster.forecast(changed).iloc[:t], before)
        pd.testing.assert_frame_equal(forecaster.forecast(BARS.iloc[:t]), before)


@each_flavour
@pytest.mark.parametrize("n_history", [0, 3, 30])
def test_the_stream_gives_the_numbers_of_the_batch(fitted, estimator, window, n_history):
    forecaster = fitted[estimator, window]
    bars = BARS.iloc[:40]
    stream = forecaster.stream(bars.iloc[:n_history] if n_history else None)
    rest = bars.iloc[n_history:].reset_index().to_dict("records")
    streamed = pd.DataFrame([vars(stream.update(bar)) for bar in rest], bars.index[n_history:])
    expected = forecaster.forecast(bars).iloc[n_history:]
    pd.testing.assert_frame_equal(streamed, expected, atol=1e-6)


@each_flavour
def test_peeking_at_a_forming_bar_leaves_no_trace(fitted, estimator, window):
    bars = BARS.reset_index().to_dict("records")
    undisturbed, peeking = (fitted[estimator, window].stream(BARS.iloc[:100]) for _ in range(2))
    for bar in bars[100:103]:
        peeking.peek({**bar, "close": bar["low"]})
        assert peeking.peek(bar) == undisturbed.peek(bar)
        assert peeking.update(bar) == undisturbed.update(bar)


@each_flavour
def test_the_same_seed_gives_the_same_numbers(fitted, estimator, window):
    again = small(estimator, window=window).fit(BARS.iloc[:300])
    pd.testing.assert_frame_equal(
        again.forecast(BARS), fitted[estimator, window].forecast(BARS), check_exact=True
    )


def test_another_seed_gives_other_trees(fitted):
    other = small("boosting", seed=1).fit(BARS.iloc[:300]).forecast(BARS)
    assert not other.equals(fitted["boosting", 1].forecast(BARS))


def test_too_few_bars_are_counted():
    # 5 warm up the features, 2 fill the window, 1 has no label yet, 100 are learned from
    small(window=3).fit(BARS.iloc[:108])
    with pytest.raises(LSTMStrategyError, match=r"of 3 bars needs 108 bars \(8 of.*got 107"):
        small(window=3).fit(BARS.iloc[:107])
    with pytest.raises(LSTMStrategyError, match="got 4"):
        small(window=3).fit(BARS.iloc[:4])


def test_labels_that_are_all_the_same_are_refused():
    bars = bars_that_follow(np.ones(200, bool), noise(200))
    with pytest.raises(LSTMStrategyError, match="Every label is 1: the close never falls over 2"):
        x_alone(horizon=2).fit(bars)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param({"estimator": "forest"}, "'logistic' or 'boosting'", id="kind"),
        pytest.param({"window": "3"}, "window must be a whole number, got '3'", id="text"),
        pytest.param({"window": 0}, "window must be .*got 0", id="window"),
        pytest.param({"horizon": 0}, "horizon must be .*got 0", id="horizon"),
        pytest.param({"seed": -1}, "seed must be .*got -1", id="seed"),
    ],
)
def test_arguments_that_are_off_are_named(arguments, message):
    with pytest.raises(LSTMStrategyError, match=message):
        small(**arguments)


def test_an_unfitted_forecaster_says_so():
    answer = np.zeros((1, 1))
    for ask in (
        lambda f: f.forecast(BARS),
        lambda f: f.stream(),
        lambda f: f.columns_of(answer, answer),
    ):
        with pytest.raises(LSTMStrategyError, match="isn't fitted"):
            ask(small())
    assert not small().is_fitted
    assert small().training_end is None


def test_a_copy_is_untrained_and_has_the_settings_but_for_the_changes(fitted):
    copy = fitted["boosting", 4].unfitted_copy(horizon=5)
    assert not copy.is_fitted
    assert copy.settings.model_dump() == {
        "estimator": "boosting", "window": 4, "horizon": 5, "seed": 0,
    }  # fmt: skip
    assert copy.horizon == 5
    assert copy.features is fitted["boosting", 4].features
    assert fitted["boosting", 4].training_end == BARS.index[299]


def test_the_four_learning_baselines_see_what_the_lstm_sees():
    baselines = learning_baselines(seed=3, horizon=2)
    seen = {name: (f.settings.estimator, f.settings.window) for name, f in baselines.items()}
    assert seen == {
        "Logistic, last bar": ("logistic", 1),
        "Logistic, window": ("logistic", 20),
        "Boosting, last bar": ("boosting", 1),
        "Boosting, window": ("boosting", 20),
    }
    assert {(f.settings.seed, f.horizon) for f in baselines.values()} == {(3, 2)}
    assert all(f.features == FeatureSet.preset("default") for f in baselines.values())
    assert learning_baselines(features=X_ALONE)["Logistic, window"].features.names == ["x"]


@pytest.fixture(scope="module")
def walked():
    prototype = small("logistic", window=4)
    return walk_forward(BARS, prototype, SPLITS, progress=False)


def test_a_walk_forward_forecasts_every_bar_by_a_model_that_had_not_seen_it(walked):
    known = walked.forecast(BARS).notna().all(axis=1)
    assert known.tolist() == [False] * FIRST_TEST_BAR + [True] * (420 - FIRST_TEST_BAR)
    ends = [refit.model.training_end for refit in walked.refits]
    assert ends == [BARS.index[198], BARS.index[288], BARS.index[378]]  # a purge of one bar
    for refit, start, stop in zip(walked.refits, (200, 290, 380), (290, 380, 420), strict=True):
        alone = refit.model.forecast(BARS.iloc[:stop]).iloc[start:]
        pd.testing.assert_frame_equal(walked.forecast(BARS).iloc[start:stop], alone, atol=1e-6)


def test_a_walk_forward_streams_across_its_edges(walked):
    stream = walked.stream(BARS.iloc[:270])
    bars = BARS.iloc[270:310].reset_index().to_dict("records")
    streamed = pd.DataFrame([vars(stream.update(bar)) for bar in bars], BARS.index[270:310])
    pd.testing.assert_frame_equal(streamed, walked.forecast(BARS).iloc[270:310], atol=1e-6)


def test_validation_bars_of_a_fold_train_as_well():
    splits = WalkForward(200, 220, validation=60)
    walked = walk_forward(BARS, small(), splits, progress=False)
    (fold,) = splits.folds(BARS)
    stop = fold.validation.stop
    learned = np.isin(np.arange(stop), [*fold.train_indices, *fold.validation_indices])
    by_hand = small().fit(BARS.iloc[:stop], leave_out=~learned)
    pd.testing.assert_frame_equal(
        walked.refits[0].model.forecast(BARS), by_hand.forecast(BARS), check_exact=True
    )


def test_folds_that_overlap_by_the_horizon_are_refused():
    with pytest.raises(LSTMStrategyError, match="horizon, 5 bars"):
        walk_forward(BARS, small(horizon=5), SPLITS)


def test_a_walked_baseline_trades_and_is_compared(walked):
    assert open_forecaster(walked) is walked
    alone = run_backtest(LSTMStrategy, BARS, model=walked)
    assert alone.first_tradable == BARS.index[FIRST_TEST_BAR]
    assert not alone.in_sample
    trees = walk_forward(BARS, small("boosting"), SPLITS, progress=False)
    board = compare(
        {
            "Logistic": (LSTMStrategy, {"model": walked}),
            "Boosting": (LSTMStrategy, {"model": trees}),
        },
        BARS,
        n_jobs=1,
    )
    assert list(board.table.index) == ["Logistic", "Boosting"]
    pd.testing.assert_series_equal(board.equity["Logistic"], alone.equity, check_names=False)


def test_a_baseline_has_one_member(fitted):
    forecaster = fitted["boosting", 4]
    pd.testing.assert_frame_equal(
        forecaster.member_signals(BARS), forecaster.forecast(BARS)[["signal"]].set_axis([0], axis=1)
    )


def test_a_baseline_is_not_saved(tmp_path):
    with pytest.raises(LSTMStrategyError, match=r"can't be saved.*without folder"):
        walk_forward(BARS, small(), SPLITS, folder=tmp_path / "run", progress=False)


def test_the_module_and_a_forecast_load_no_tensorflow():
    code = (
        "import sys; from lstm_strategy.learning.reference.learners import learning_baselines;"
        "assert 'sklearn' not in sys.modules;"
        "from lstm_strategy import simulate_bars; bars = simulate_bars('noise', 300).bars;"
        "learning_baselines()['Logistic, window'].fit(bars).forecast(bars);"
        "print([name for name in ('tensorflow', 'keras') if name in sys.modules])"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert printed.strip() == "[]"
