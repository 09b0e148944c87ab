"""Streams of many markets give the numbers of the batch, moment by moment."""

import numpy as np
import pytest
from made_up import random_walk

from lstm_strategy import LSTMForecaster
from lstm_strategy.errors import BarsError, FeatureError

RETURN = {"kind": "log_return", "length": 1}
ACROSS = [
    RETURN,
    {"kind": "panel_rank", "of": RETURN},
    {"kind": "panel_correlation", "length": 5},
]
TINY = {"units": (2,), "epochs": 1, "members": 1, "lookback": 10, "seed": 1}
N_KNOWN = 280


@pytest.fixture(scope="module")
def panel():
    """Three random walks: A has holes, and C ends early."""
    a, b, c = (random_walk(300, seed=seed) for seed in (1, 2, 3))
    return {"A": a.drop(a.index[[100, 285, 286]]), "B": b, "C": c.iloc[:290]}


@pytest.fixture(scope="module")
def model(panel):
    return LSTMForecaster(ACROSS, **TINY).fit(panel, progress=False)


def known_part(panel):
    day = panel["B"].index[N_KNOWN]
    return {symbol: bars[bars.index < day] for symbol, bars in panel.items()}


def bars_at(panel, time):
    return {
        symbol: {"datetime": time, **bars.loc[time]}
        for symbol, bars in panel.items()
        if time in bars.index
    }


def follow(stream, panel):
    """The forecasts after the known part, by symbol; each moment is peeked at first."""
    told = {symbol: [] for symbol in panel}
    for time in panel["B"].index[N_KNOWN:]:
        bars = bars_at(panel, time)
        peeked, forecasts = stream.peek(bars), stream.update(bars)
        assert peeked == forecasts
        assert list(forecasts) == list(bars)
        for symbol, forecast in forecasts.items():
            told[symbol].append(list(vars(forecast).values()))
    return told


def test_forecasts_across_markets_are_those_of_the_batch(model, panel):
    history = known_part(panel)
    stream = model.stream(history)
    assert list(stream) == ["A", "B", "C"]
    told = follow(stream, panel)
    for symbol, frame in model.forecast(panel).items():
        expected = frame.iloc[len(history[symbol]) :]
        np.testing.assert_allclose(told[symbol], expected, rtol=0, atol=1e-6)
        assert len(expected) > 5


def test_forecasts_of_each_market_by_itself_are_those_of_the_batch(panel):
    model = LSTMForecaster([RETURN], **TINY).fit(panel, progress=False)
    told = follow(model.stream(known_part(panel)), panel)
    expected = model.forecast(panel)
    for symbol, rows in told.items():
        np.testing.assert_allclose(rows, expected[symbol].iloc[-len(rows) :], rtol=0, atol=1e-6)
    alone = model.stream(known_part(panel))["B"]
    time = panel["B"].index[N_KNOWN]
    forecast = alone.update(bars_at(panel, time)["B"])
    assert forecast.forecast == pytest.approx(told["B"][0][1], abs=1e-9)


def test_what_was_peeked_at_with_other_bars_of_other_markets_is_not_kept(model, panel):
    time = panel["B"].index[N_KNOWN]
    bars = bars_at(panel, time)
    expected = model.stream(known_part(panel)).update(bars)
    stream = model.stream(known_part(panel))
    stream.peek(bars | {"A": {**bars["A"], "close": 2 * bars["A"]["close"], "high": 1e6}})
    assert stream.update(bars) == expected


def test_markets_may_keep_their_own_timezones(model, panel):
    abroad = panel | {"A": panel["A"].tz_localize("UTC").tz_convert("Asia/Tokyo")}
    time = panel["B"].index[N_KNOWN]
    bars = bars_at(panel, time)
    expected = model.stream(known_part(panel)).update(bars)
    history = known_part(panel) | {"A": abroad["A"].iloc[: N_KNOWN - 1]}
    bars["A"]["datetime"] = time.tz_localize("UTC")
    assert model.stream(history).update(bars) == expected


def test_bars_that_cannot_be_taken_leave_the_stream_as_it_was(model, panel):
    time = panel["B"].index[N_KNOWN]
    bars = bars_at(panel, time)
    expected = model.stream(known_part(panel)).update(bars)
    stream = model.stream(known_part(panel))
    with pytest.raises(BarsError, match="the stream follows no market 'D'"):
        stream.update(bars | {"D": bars["A"]})
    later = {**bars["B"], "datetime": panel["B"].index[N_KNOWN + 1]}
    with pytest.raises(BarsError, match="all bars of an update must have one time, got 2001-10-08"):
        stream.update(bars | {"B": later})
    with pytest.raises(BarsError, match="market C: close is nan"):
        stream.update(bars | {"C": {**bars["C"], "close": np.nan}})
    stream.peek(bars)
    with pytest.raises(FeatureError, match="Give the bars of all markets at once"):
        stream["A"].update(bars["A"])
    assert stream.update(bars) == expected
    assert stream.update({}) == {}


def test_a_moment_across_markets_is_taken_once(model, panel):
    first, second = (bars_at(panel, time) for time in panel["B"].index[N_KNOWN : N_KNOWN + 2])
    stream = model.stream(known_part(panel))
    stream.update({"A": first["A"], "B": first["B"]})
    with pytest.raises(BarsError, match="a bar of 2001-10-08 00:00:00 UTC was taken before those"):
        stream.update({"C": first["C"]})
    ahead = known_part(panel) | {"C": panel["C"].iloc[: N_KNOWN + 1]}
    with pytest.raises(BarsError, match="Give all bars of a moment in one update"):
        model.stream(ahead).update({"A": first["A"]})
    assert len(stream.update(second)) == 3


def test_a_market_that_meets_no_other_is_refused(model, panel):
    alone = {"B": panel["B"]}
    late = panel | {"D": random_walk(300, start="2001-01-01 12:00")}
    for given, symbol in ((alone, "B"), (late, "D")):
        for ask in (model.forecast, model.stream):
            with pytest.raises(FeatureError, match=f"market {symbol} has no date"):
                ask(given)
