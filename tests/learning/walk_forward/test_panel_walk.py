"""A walk forward over the dates of a panel."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from made_up import SMALL, SMALL_FEATURES, random_walk

from lstm_strategy import LSTMForecaster, LSTMStrategyError, WalkForward, walk_forward
from lstm_strategy.bars import as_panel, slice_panel
from lstm_strategy.learning.reference.volatility import volatility_baselines
from lstm_strategy.learning.walk_forward import WalkForwardForecaster

# C begins late in the first fold, D in the last test fold, and B ends within the second
PANEL = {
    "A": random_walk(360, seed=1),
    "B": random_walk(260, seed=2),
    "C": random_walk(170, seed=3, start="2001-07-10"),
    "D": random_walk(30, seed=4, start="2001-11-27"),
}
SPLITS = WalkForward(200, 80)
QUICK = LSTMForecaster(SMALL_FEATURES, **{**SMALL, "epochs": 1, "members": 1})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("runs") / "walk"


@pytest.fixture(scope="module")
def walked(folder):
    return walk_forward(PANEL, QUICK, SPLITS, folder=folder, progress=False)


def test_folds_count_the_dates_of_the_panel():
    dates = as_panel(PANEL).dates
    assert [fold.test for fold in SPLITS.folds(PANEL)] == [slice(200, 280), slice(280, 360)]
    assert SPLITS.describe(PANEL)["test_start"].tolist() == [dates[200], dates[280]]


def test_a_model_a_fold_learns_from_the_markets_that_have_bars_enough(walked):
    first, second = (refit.model.card.training.markets for refit in walked.refits)
    assert list(first) == ["A", "B"]  # C has 10 bars there
    assert list(second) == ["A", "B", "C"]
    assert second["C"].end == as_panel(PANEL).dates[278]  # one date is purged


def test_every_market_is_forecast_from_the_first_test_date_on(walked):
    frames = walked.forecast(PANEL)
    start = as_panel(PANEL).dates[200]
    assert list(frames) == list(PANEL)
    for symbol, bars in PANEL.items():
        frame = frames[symbol]
        assert frame.index.equals(bars.index)
        assert frame[frame.index < start].isna().all(axis=None)
    assert frames["A"].loc[start:].notna().all(axis=None)
    assert frames["B"].loc[start:].notna().all(axis=None)
    # what begins late is warmed up by its own bars
    warm_up = walked.refits[-1].model.warm_up
    assert frames["D"]["signal"].notna().sum() == max(0, 30 - warm_up)
    one = walked.forecast(PANEL["B"])
    pd.testing.assert_frame_equal(one, frames["B"], atol=1e-6)


def test_bars_of_a_test_fold_change_no_forecast_before_it(walked):
    cut = as_panel(PANEL).dates[230]
    changed = {symbol: bars.copy() for symbol, bars in PANEL.items()}
    for bars in changed.values():
        bars.loc[bars.index > cut, ["open", "high", "low", "close"]] *= 1.7
    again = walk_forward(changed, QUICK, SPLITS, progress=False).forecast(changed)
    for symbol, frame in walked.forecast(PANEL).items():
        pd.testing.assert_frame_equal(frame.loc[:cut], again[symbol].loc[:cut], atol=1e-6)


def test_the_ledger_names_the_panel_that_each_model_saw(walked):
    row = walked.ledger.iloc[0]
    seen = slice_panel(PANEL, row["train_start"], row["train_end"])
    assert row["data_sha256"] == seen.fingerprint
    assert walked.ledger.index.equals(as_panel(PANEL).dates[200:])


def test_finished_folds_are_not_trained_twice_and_load(walked, folder, monkeypatch):
    from lstm_strategy.learning.walk_forward import run

    monkeypatch.setattr(run, "fit_fold_as_files", None)
    again = walk_forward(PANEL, QUICK, SPLITS, folder=folder, progress=False)
    loaded = WalkForwardForecaster.load(folder)
    for other in (again, loaded):
        for symbol, frame in other.forecast(PANEL).items():
            pd.testing.assert_frame_equal(frame, walked.forecast(PANEL)[symbol], atol=1e-6)
    with pytest.raises(LSTMStrategyError, match="other bars, settings or folds"):
        other = {**PANEL, "A": PANEL["A"] * 1.5}
        walk_forward(other, QUICK, SPLITS, folder=folder, progress=False)


def test_streams_follow_the_forecasts_over_the_edge_of_a_fold(walked):
    dates = as_panel(PANEL).dates
    frames = walked.forecast(PANEL)
    streams = walked.stream(slice_panel(PANEL, end=dates[276]))
    assert list(streams) == ["A", "C"] or list(streams) == ["A", "B", "C"]
    for symbol in ("A", "C"):
        for time, bar in PANEL[symbol].loc[dates[277] : dates[284]].iterrows():
            row = streams[symbol].update({"datetime": time, **bar})
            known = frames[symbol].loc[time, "signal"]
            np.testing.assert_allclose(row.signal, known, atol=1e-6)


def test_what_learns_from_one_market_refuses_a_panel():
    (first, *_) = volatility_baselines().values()
    with pytest.raises(LSTMStrategyError, match=r"learns from the bars of one market"):
        walk_forward(PANEL, first, SPLITS)


def test_a_market_that_lacks_a_column_is_named_before_any_training():
    features = [*SMALL_FEATURES, {"kind": "column", "column": "carry", "mirrored": "same"}]
    panel = {s: bars.assign(carry=np.arange(float(len(bars)))) for s, bars in PANEL.items()}
    panel["C"] = PANEL["C"]
    forecaster = LSTMForecaster(features, **SMALL)
    with pytest.raises(LSTMStrategyError, match=r"market C: .* column 'carry'"):
        walk_forward(panel, forecaster, SPLITS)


def test_a_market_without_common_dates_is_refused_before_the_first_fold():
    apart = PANEL | {"E": random_walk(200, seed=5, start="2015-01-01")}
    with pytest.raises(LSTMStrategyError, match=r"^market E has no date in common with any other"):
        walk_forward(apart, QUICK, SPLITS, progress=False)


def count_bars_held(stream):
    return sum(map(len, (*stream._history.values(), *stream._new.values())))


def test_a_stream_of_markets_by_themselves_holds_no_bars(walked):
    dates = as_panel(PANEL).dates
    stream = walked.stream(slice_panel(PANEL, end=dates[276]))
    stream.update({"A": {"datetime": dates[277], **PANEL["A"].loc[dates[277]]}})
    assert count_bars_held(stream) == 0


def test_features_across_the_markets_are_walked_and_streamed():
    across = [*SMALL_FEATURES, {"kind": "panel_mean", "of": {"kind": "log_return", "length": 1}}]
    panel = {symbol: PANEL[symbol] for symbol in ("A", "C")}
    forecaster = LSTMForecaster(across, **{**SMALL, "epochs": 1, "members": 1})
    walked = walk_forward(panel, forecaster, SPLITS, progress=False)
    frames = walked.forecast(panel)
    dates = as_panel(panel).dates
    assert frames["A"].loc[dates[200] :].notna().all(axis=None)
    stream: Any = walked.stream(slice_panel(panel, end=dates[276]))
    for date in dates[277:284]:  # the second fold begins at 280
        bars = {s: {"datetime": date, **of.loc[date]} for s, of in panel.items()}
        expected = {s: frames[s].loc[date, "signal"] for s in panel}
        assert (count_bars_held(stream) > 0) == (date <= dates[280])
        for forecasts in (stream.peek(bars), stream.update(bars)):
            signals = {s: forecast.signal for s, forecast in forecasts.items()}
            assert signals == pytest.approx(expected, abs=1e-6)
    # no later fold's model will be shown bars
    assert count_bars_held(stream) == 0
    with pytest.raises(LSTMStrategyError, match=r"follows no market 'AA'.*Did you mean A"):
        stream.update({"AA": bars["A"]})


def test_members_of_a_walk_have_a_signal_in_every_market(walked):
    signals = walked.member_signals(PANEL)
    forecasts = walked.forecast(PANEL)
    assert list(signals) == list(PANEL)
    for symbol, frame in signals.items():
        assert frame.shape == (len(PANEL[symbol]), 1)
        known = forecasts[symbol]["signal"].notna()
        pd.testing.assert_series_equal(frame.notna().all(axis=1), known, check_names=False)


def test_bars_before_the_first_test_date_have_no_forecast_in_any_market(walked):
    early = {symbol: PANEL[symbol].iloc[:150] for symbol in "AB"}
    frames = walked.forecast(early)
    assert list(frames) == ["A", "B"]
    for symbol, frame in frames.items():
        assert frame.index.equals(early[symbol].index)
        assert frame.isna().all(axis=None)
