"""A trained model fed one bar at a time."""

import numpy as np
import pandas as pd
import pytest
from made_up import SMALL, SMALL_FEATURES, random_walk

from lstm_strategy import LSTMForecaster, LSTMStrategyError
from lstm_strategy.learning.forecaster.lstm_forecaster import _warn_of_other_bars
from lstm_strategy.learning.reference import LearnerForecaster

BARS = random_walk(160, seed=3)


@pytest.mark.parametrize("memory", ["carry", "window"])
def test_the_stream_gives_the_numbers_of_the_batch(trained, memory):
    forecaster = trained.with_memory(memory)
    stream = forecaster.stream()
    rows = [stream.update(bar) for bar in BARS.reset_index().to_dict("records")]
    streamed = pd.DataFrame([vars(row) for row in rows], index=BARS.index)
    pd.testing.assert_frame_equal(streamed, forecaster.forecast(BARS), atol=1e-5)


@pytest.mark.parametrize("memory", ["carry", "window"])
@pytest.mark.parametrize("n_history", [3, 14, 15, 150])
def test_a_stream_goes_on_where_its_history_ends(trained, memory, n_history):
    forecaster = trained.with_memory(memory)
    stream = forecaster.stream(BARS.iloc[:n_history])
    rest = BARS.iloc[n_history:].reset_index().to_dict("records")
    streamed = pd.DataFrame(
        [vars(stream.update(bar)) for bar in rest], index=BARS.index[n_history:]
    )
    pd.testing.assert_frame_equal(streamed, forecaster.forecast(BARS).iloc[n_history:], atol=1e-5)


def test_a_bar_costs_the_same_however_long_the_history(trained, monkeypatch):
    n_bars = []
    frame = type(trained.features).frame
    monkeypatch.setattr(
        type(trained.features),
        "frame",
        lambda self, bars: n_bars.append(len(bars)) or frame(self, bars),
    )
    history = random_walk(2_000)
    streams = [trained.stream(history[-length:]) for length in (500, 2_000)]
    n_bars.clear()
    later = random_walk(3, start="2040-01-01").reset_index().to_dict("records")
    for stream in streams:
        for bar in later:
            stream.update(bar)
    assert n_bars[:3] == n_bars[3:]
    assert max(n_bars) < 2 * trained.features.memory


def test_peeking_at_a_forming_bar_leaves_no_trace(trained):
    bars = BARS.reset_index().to_dict("records")
    undisturbed, peeking = trained.stream(BARS.iloc[:100]), trained.stream(BARS.iloc[:100])
    for price in (40.0, 60.0):
        peeking.peek({**bars[100], "close": price, "low": 39.0, "high": 61.0})
    assert peeking.peek(bars[100]) == undisturbed.peek(bars[100])
    for bar in bars[100:103]:
        assert peeking.update(bar) == undisturbed.update(bar)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"close": "12x"}, "close must be a number, got '12x'", id="text"),
        pytest.param({"close": np.nan}, "close is nan at", id="nan"),
        pytest.param({"datetime": "1999-01-01"}, "in the order of time", id="earlier bar"),
        pytest.param({"datetime": "soon"}, "datetime must be a moment .*got 'soon'", id="no time"),
        pytest.param({"datetime": None}, "datetime must be a moment .*got None", id="NaT"),
        pytest.param({"low": 0.0}, "low is 0 at", id="price of zero"),
        pytest.param({"close": -5.0}, "close is -5 at", id="price below zero"),
        pytest.param({"high": 1.0}, "high 1 is below low", id="high below low"),
        pytest.param({"volume": -1.0}, "volume is -1 at", id="negative volume"),
        pytest.param({"high": 1e101}, "high is 1e.101 at", id="price without end"),
    ],
)
def test_a_stream_refuses_a_bad_bar_and_goes_on_undisturbed(trained, change, message):
    stream, undisturbed = trained.stream(BARS.iloc[:50]), trained.stream(BARS.iloc[:50])
    bar = BARS.reset_index().to_dict("records")[50]
    with pytest.raises(LSTMStrategyError, match=message):
        stream.update(bar | change)
    assert stream.update(bar) == undisturbed.update(bar)


def test_a_stream_names_the_column_that_a_bar_lacks(trained):
    bar = BARS.reset_index().to_dict("records")[0]
    del bar["volume"]
    with pytest.raises(LSTMStrategyError, match="volume is missing"):
        trained.stream().update(bar)


def test_a_column_of_the_user_reaches_batch_and_stream_alike():
    rng = np.random.default_rng(1)
    bars = random_walk(400).assign(funding_rate=rng.normal(size=400))
    bars.loc[bars.index[np.arange(400) % 8 != 3], "funding_rate"] = np.nan
    forecaster = LSTMForecaster(
        [*SMALL_FEATURES, {"kind": "column", "column": "funding_rate"}], **SMALL
    ).fit(bars, progress=False)
    stream = forecaster.stream()
    rows = [stream.update(bar) for bar in bars.reset_index().to_dict("records")[:80]]
    streamed = pd.DataFrame([vars(row) for row in rows], index=bars.index[:80])
    pd.testing.assert_frame_equal(streamed, forecaster.forecast(bars).iloc[:80], atol=1e-5)


def test_a_bar_without_volume_passes_where_no_feature_reads_it():
    bars = random_walk(200)
    model = LSTMForecaster([{"kind": "log_return", "length": 1}], **SMALL)
    model.fit(bars, progress=False)
    bar = bars.reset_index().to_dict("records")[150]
    expected = model.stream(bars.iloc[:150]).update(bar)
    for unknown in (np.nan, -1.0):
        assert model.stream(bars.iloc[:150]).update(bar | {"volume": unknown}) == expected
    del bar["volume"]
    assert model.stream(bars.iloc[:150]).update(bar) == expected


def test_bars_of_which_none_gets_a_forecast_are_said_with_the_feature(caplog):
    bars = random_walk(300).assign(funding_rate=np.sin(np.arange(300)))
    features = [
        {"kind": "log_return", "length": 1},
        {"kind": "column", "column": "funding_rate", "mirrored": "same"},
    ]
    model = LSTMForecaster(features, **SMALL).fit(bars, progress=False)
    assert model.forecast(bars.assign(funding_rate=np.nan))["signal"].isna().all()
    assert "on none all features are known; look at funding_rate." in caplog.text


def test_a_stream_follows_a_market_that_is_halted(trained):
    bars = random_walk(400)
    bars.iloc[150:, :4] = bars["close"].iloc[149]
    expected = trained.forecast(bars).iloc[-1]
    stream = trained.stream(bars.iloc[:390])
    for bar in bars.iloc[390:].reset_index().to_dict("records"):
        row = stream.update(bar)
    np.testing.assert_allclose(list(vars(row).values()), expected, atol=1e-6)
    assert not np.isnan(row.signal)
    trained.stream(bars.iloc[200:300])  # the price is the same on all of them
    assert len(trained.forecast(bars.iloc[200:])) == 200


@pytest.fixture(scope="module")
def hourly():
    """Hours of New York and a model with features that remember as the market wants them to."""
    index = pd.date_range("2024-01-01", periods=500, freq="h", tz="America/New_York")
    bars = random_walk(500, seed=6).set_axis(index).rename_axis("datetime")
    features = [{"kind": "vwap"}, {"kind": "psar"}, {"kind": "supertrend"}]
    return bars, LSTMForecaster(features, **SMALL).fit(bars.iloc[:350], progress=False)


def test_a_model_carries_the_memory_that_its_features_have_on_its_own_bars(hourly, tmp_path):
    _, model = hourly
    vwap, *_ = model.features.columns
    assert vwap.memory > 12  # of the 24 hours of a day; it is 1 on daily bars
    assert LSTMForecaster.load(model.save(tmp_path / "model")).features == model.features
    assert model.unfitted_copy().describe_settings() == model.describe_settings()


def test_features_that_remember_as_the_market_wants_are_streamed_as_in_the_batch(hourly):
    bars, model = hourly
    later = bars.iloc[380:]
    stream = model.stream()
    rows = [stream.update(bar) for bar in later.reset_index().to_dict("records")]
    streamed = pd.DataFrame([vars(row) for row in rows], index=later.index)
    pd.testing.assert_frame_equal(streamed, model.forecast(later), atol=1e-5)
    assert streamed["signal"].notna().any()


def test_a_second_fit_forgets_the_bars_of_the_first(hourly):
    bars, _ = hourly
    hours, days = (
        bars.iloc[:300],
        bars.iloc[:300].set_axis(pd.date_range("2020-01-01", periods=300, name="datetime")),
    )
    model = LearnerForecaster("logistic", features=[{"kind": "vwap"}])
    memories = [model.fit(part).features.memory for part in (days, hours, days)]
    assert memories[0] == memories[2] < memories[1]


def test_bars_with_a_timezone_are_refused_among_bars_without(trained):
    bars = BARS.reset_index().to_dict("records")
    stream = trained.stream(BARS.iloc[:50])
    aware = bars[50]["datetime"].tz_localize("UTC")
    with pytest.raises(LSTMStrategyError, match=r"share one clock.*Give all of them a timezone"):
        stream.update(bars[50] | {"datetime": aware})
    stream.update(bars[50])


# What is odd about the bars of a stream


def streamed(model, bars, history=None):
    stream = model.stream(history)
    return [stream.update(bar) for bar in bars.reset_index().to_dict("records")]


def messages(caplog):
    return [record.getMessage() for record in caplog.records]


def test_usual_bars_are_streamed_without_a_word(trained, caplog):
    streamed(trained, BARS.iloc[:60])
    streamed(trained, BARS.iloc[100:103], BARS.iloc[:100])
    assert messages(caplog) == []


def test_a_spike_is_said_once(trained, caplog):
    bars = BARS.iloc[:30].copy()
    for spike in (20, 25):
        bars.iloc[spike, :4] = 1e9
    streamed(trained, bars)
    (message,) = messages(caplog)
    assert f"to 1e+09 at {bars.index[20]}, more than a factor of 1,000" in message


@pytest.mark.parametrize("n_history", [0, 15])
def test_a_bar_dated_far_ahead_is_said_and_named_by_the_refusal_of_the_next(
    trained, n_history, caplog
):
    stream = trained.stream(BARS.iloc[:n_history] if n_history else None)
    for bar in BARS.iloc[n_history:20].reset_index().to_dict("records"):
        stream.update(bar)
    bar = BARS.iloc[[20]].reset_index().to_dict("records")[0]
    stream.update(bar | {"datetime": pd.Timestamp("2031-05-05")})
    (message,) = messages(caplog)
    assert message.startswith("The bar of 2031-05-05 00:00:00 comes ")
    with pytest.raises(LSTMStrategyError, match="if 2031-05-05 00:00:00 is wrong, begin a new"):
        stream.update(bar)


def test_a_long_holiday_of_weekly_bars_is_no_wrong_date(trained, caplog):
    weeks = random_walk(20, freq="W")
    streamed(trained, weeks.drop(weeks.index[12:16]))
    assert messages(caplog) == []


@pytest.mark.parametrize("n_history", [30, 60])
def test_bars_of_another_length_are_said_bar_by_bar_too(trained, n_history, caplog):
    _warn_of_other_bars.cache_clear()
    weeks = random_walk(61, seed=3, freq="W")
    streamed(trained, weeks.iloc[n_history:], weeks.iloc[:n_history])
    (message,) = messages(caplog)
    assert "bars of 7 days instead of 1 day" in message


def test_twice_the_context_as_history_leaves_only_rounding(trained):
    bars = random_walk(700, seed=3)
    n_history = 2 * trained.context_bars
    assert n_history < 500
    expected = trained.forecast(bars)
    stream = trained.stream(bars.iloc[650 - n_history : 650])
    rest = bars.iloc[650:].reset_index().to_dict("records")
    found = pd.DataFrame([vars(stream.update(bar)) for bar in rest], index=bars.index[650:])
    pd.testing.assert_frame_equal(found, expected.iloc[650:], atol=1e-6)
