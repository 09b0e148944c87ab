import numpy as np
import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy import (
    LSTMStrategy,
    LSTMStrategyError,
    WalkForward,
    run_backtest,
    simulate_bars,
    walk_forward,
)
from lstm_strategy.learning.forecaster import ForecasterKind
from lstm_strategy.learning.reference import VolatilityForecaster, volatility_baselines
from lstm_strategy.learning.variance import measure_variance

MODELS = ["ewma", "log_har", "log_har_leverage", "garch", "gjr_garch_t"]
BARS = simulate_bars("garch", 700, seed=2).bars
KNOWN = BARS.iloc[:500]

each_model = pytest.mark.parametrize("model", MODELS)


@pytest.fixture(scope="module")
def fitted():
    return {model: VolatilityForecaster(model).fit(KNOWN) for model in MODELS}


@each_model
def test_forecasts_are_annual_volatilities_from_the_same_bar_on(fitted, model):
    frame = fitted[model].forecast(BARS)
    assert list(frame) == ["signal", "forecast", "uncertainty"]
    assert frame.notna().all(axis=1).tolist() == [False] * 22 + [True] * 678
    # business days with 1% a day on average
    assert frame["forecast"].median() == pytest.approx(0.01 * np.sqrt(252), rel=0.4)
    assert (frame["uncertainty"].dropna() == 0).all()


@each_model
def test_forecasts_are_right_on_average_in_training(fitted, model):
    came = measure_variance(BARS).shift(-1) * 252
    ratio = came / fitted[model].forecast(BARS)["forecast"] ** 2
    assert ratio[22:499].mean() == pytest.approx(1, abs=0.15)


def test_the_signal_is_the_exposure_that_makes_the_target_volatility():
    model = VolatilityForecaster("ewma", target_volatility=0.3, max_exposure=2.0).fit(KNOWN)
    frame = model.forecast(BARS).dropna()
    np.testing.assert_allclose(frame["signal"], np.minimum(0.3 / frame["forecast"], 2.0))
    assert frame["signal"].max() == 2.0


@each_model
def test_changing_bars_after_t_never_changes_a_forecast_at_or_before_t(fitted, model):
    before = fitted[model].forecast(BARS)
    for t in (30, 400, 699):
        changed = BARS.copy()
        changed.iloc[t:, :4] *= 1.7
        later = fitted[model].forecast(changed)
        pd.testing.assert_frame_equal(later.iloc[:t], before.iloc[:t])
        pd.testing.assert_frame_equal(fitted[model].forecast(BARS.iloc[:t]), before.iloc[:t])


@each_model
@pytest.mark.parametrize("n_history", [0, 3, 690])
def test_the_stream_gives_the_numbers_of_the_batch(fitted, model, n_history):
    bars = BARS if n_history > 30 else BARS.iloc[:30]
    expected = fitted[model].forecast(bars).iloc[n_history:]
    stream = fitted[model].stream(bars.iloc[:n_history] if n_history else None)
    rows = bars.iloc[n_history:].reset_index().to_dict("records")
    streamed = pd.DataFrame([vars(stream.update(bar)) for bar in rows], expected.index)
    assert streamed.pop("novelty").isna().all()
    pd.testing.assert_frame_equal(streamed, expected, atol=1e-6)


def test_a_stream_follows_bars_of_another_timezone_and_refuses_those_without_one(fitted):
    bars = BARS.tz_localize("America/New_York")
    expected = fitted["garch"].forecast(bars)["forecast"].iloc[101]
    stream = fitted["garch"].stream(bars.iloc[:100])
    for t in (100, 101):
        bar = {"datetime": bars.index[t].tz_convert("UTC"), **bars.iloc[t]}
        forecast = stream.update(bar).forecast
    assert forecast == pytest.approx(expected)
    with pytest.raises(LSTMStrategyError, match="share one clock"):
        stream.update({"datetime": BARS.index[102], **bars.iloc[102]})


def test_peeking_leaves_no_trace_and_a_bar_out_of_order_is_refused(fitted):
    stream = fitted["ewma"].stream(BARS.iloc[:100])
    bar = {"datetime": BARS.index[100], **BARS.iloc[100]}
    assert stream.peek({**bar, "close": bar["low"]}) != stream.peek(bar) == stream.update(bar)
    with pytest.raises(LSTMStrategyError, match="in the order of time"):
        stream.update(bar)
    with pytest.raises(LSTMStrategyError, match="close is missing"):
        stream.update({"datetime": BARS.index[101], "open": 1.0, "high": 1.0, "low": 1.0})


@each_model
def test_a_horizon_of_bars_is_forecast_as_their_mean(model):
    week = VolatilityForecaster(model, horizon=5).fit(KNOWN)
    came = measure_variance(BARS).rolling(5).mean().shift(-5) * 252
    ratio = came / week.forecast(BARS)["forecast"] ** 2
    assert ratio[22:495].mean() == pytest.approx(1, abs=0.15)
    assert week.horizon == 5


@each_model
def test_labels_that_are_left_out_are_not_learned(model):
    factor = np.where((np.arange(700) >= 100) & (np.arange(700) < 200), 3.0, 1.0)
    returns = np.log(BARS["close"]).diff().fillna(0)
    measured = 1e-4 * np.exp(np.random.default_rng(1).normal(0, 0.3, 700))
    wild, calm = (
        pd.DataFrame(dict.fromkeys(["open", "high", "low", "close"], close)).assign(
            volume=1.0, rv=measured * times**2
        )
        for times in (factor, 1.0)
        for close in [100 * np.exp((returns * times).cumsum())]
    )
    leave_out = (np.arange(500) >= 98) & (np.arange(500) < 300)
    of_wild, of_calm = (
        VolatilityForecaster(model, column="rv")
        .fit(bars.iloc[:500], leave_out=leave_out)
        .forecast(calm)
        for bars in (wild, calm)
    )
    np.testing.assert_allclose(of_wild["forecast"], of_calm["forecast"], rtol=0.05)


@each_model
def test_a_realised_variance_of_the_users_is_what_is_forecast(model):
    tripled = measure_variance(BARS).bfill().clip(lower=1e-6) * 3
    bars = BARS.assign(rv=tripled)
    forecaster = VolatilityForecaster(model, column="rv").fit(bars.iloc[:500])
    assert forecaster.bars_columns[-1] == "rv"
    ratio = tripled.shift(-1) * 252 / forecaster.forecast(bars)["forecast"] ** 2
    assert ratio[22:499].mean() == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        pytest.param(0.0, r"rv must be a variance.*got 0 at", id="zero"),
        pytest.param(-1e-4, r"rv must be a variance.*got -0.0001 at", id="negative"),
        pytest.param(None, r"mean, 0\.\d+, is 1e.04 times the mean squared return", id="percent"),
    ],
)
def test_a_column_that_is_no_variance_per_bar_is_refused(value, message):
    rv = np.log(BARS["close"]).diff().bfill().abs().clip(lower=0.001) ** 2
    rv = rv * 1e4 if value is None else rv.mask(np.arange(700) == 300, value)
    with pytest.raises(LSTMStrategyError, match=message):
        VolatilityForecaster("log_har", column="rv").fit(BARS.assign(rv=rv).iloc[:500])


@each_model
def test_a_market_that_stops_moving_still_has_a_forecast(fitted, model):
    still = BARS.copy()
    still.iloc[520:, :4] = BARS["close"].iloc[519]
    frame = fitted[model].forecast(still)
    assert frame[22:].notna().all(axis=None)
    assert (frame["forecast"][22:] > 0).all()
    assert frame["signal"].iloc[-1] == 1.0


def test_bars_of_closes_alone_are_enough():
    bars = BARS.assign(**dict.fromkeys(["open", "high", "low"], BARS["close"]), volume=0.0)
    for name, model in volatility_baselines().items():
        assert model.fit(bars.iloc[:500]).forecast(bars)[22:].notna().all(axis=None), name


def test_a_walk_forward_filters_each_fold_with_what_was_known_before_it():
    prototype = VolatilityForecaster("gjr_garch_t")
    walked = walk_forward(BARS, prototype, WalkForward(500, 150, expanding=True), progress=False)
    frame = walked.forecast(BARS)
    assert frame.notna().all(axis=1).tolist() == [False] * 500 + [True] * 200
    for refit, start, stop in zip(walked.refits, (500, 650), (650, 700), strict=True):
        by_hand = prototype.unfitted_copy().fit(BARS.iloc[: start - 1])
        expected = by_hand.forecast(BARS).iloc[start:stop]
        pd.testing.assert_frame_equal(frame.iloc[start:stop], expected, atol=1e-6)
        assert refit.model.training_end == BARS.index[start - 2]
    assert walked.kind == ForecasterKind.LEARNER
    stream = walked.stream(BARS.iloc[:645])
    rows = BARS.iloc[645:655].reset_index().to_dict("records")
    streamed = [stream.update(bar).forecast for bar in rows]
    np.testing.assert_allclose(streamed, frame["forecast"].iloc[645:655], rtol=1e-6)


def test_a_walked_model_trades(fitted):
    result = run_backtest(LSTMStrategy, BARS, model=fitted["log_har"])
    assert result.exposure.max() == pytest.approx(1.0, abs=0.1)


def test_a_model_is_not_saved(fitted, tmp_path):
    with pytest.raises(LSTMStrategyError, match=r"can't be saved.*without folder"):
        fitted["garch"].save(tmp_path / "model")


def test_an_unfitted_model_says_so():
    for ask in (lambda model: model.forecast(BARS), lambda model: model.stream()):
        with pytest.raises(LSTMStrategyError, match="isn't fitted"):
            ask(VolatilityForecaster("ewma"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param({"model": "arima"}, "model must be one of 'ewma'|model .*got 'arima'", id="m"),
        pytest.param({"horizon": 0}, "horizon must be .*got 0", id="horizon"),
        pytest.param({"decay": "0.9"}, "decay must be a number, got '0.9'", id="text"),
        pytest.param({"decay": 1.0}, "decay must be .*got 1", id="decay"),
        pytest.param({"target_volatility": 0.0}, "target_volatility must be", id="target"),
        pytest.param({"estimator": "parkinsons"}, "Did you mean parkinson", id="estimator"),
        pytest.param({"estimator": "yang_zhang"}, "yang_zhang needs several", id="several"),
        pytest.param({"estimator": "parkinson", "column": "rv"}, "both say", id="both"),
    ],
)
def test_arguments_that_are_off_are_named(arguments, message):
    with pytest.raises(LSTMStrategyError, match=message):
        VolatilityForecaster(**{"model": "ewma", **arguments})


def test_too_few_bars_are_counted():
    bars = random_walk(125)
    VolatilityForecaster("ewma").fit(bars.iloc[:123])
    with pytest.raises(LSTMStrategyError, match=r"needs 123 bars.*got 122"):
        VolatilityForecaster("ewma").fit(bars.iloc[:122])


def test_the_baselines_share_what_is_measured():
    baselines = volatility_baselines(horizon=5, estimator="parkinson", max_exposure=2.0)
    settings = {
        tuple(sorted(model.settings.model_dump(exclude={"model"}).items(), key=str))
        for model in baselines.values()
    }
    assert len(settings) == 1
    assert [model.settings.model for model in baselines.values()] == MODELS


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"datetime": "soon"}, "datetime must be a moment such as"),
        ({"close": "high"}, "close must be a number, got 'high'"),
        ({"close": np.nan}, "close is nan at"),
        ({"high": 0.0}, "at 19"),
        ({"datetime": BARS.index[3]}, "in the order of time"),
    ],
)
def test_a_stream_refuses_what_is_no_bar_in_one_line_and_stays_as_it_was(fitted, change, message):
    stream = fitted["ewma"].stream(BARS.iloc[:100])
    bar = {"datetime": BARS.index[100], **BARS.iloc[100]}
    with pytest.raises(LSTMStrategyError, match=message):
        stream.update({**bar, **change})
    del bar["volume"]  # which no model of volatility reads
    assert stream.update(bar).forecast > 0
