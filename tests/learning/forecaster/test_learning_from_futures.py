"""Models of continuous futures learn from the returns of whoever held the contracts."""

import backtrader as bt
import numpy as np
import pandas as pd
import pytest

from lstm_strategy import (
    BarsFeed,
    FeatureSet,
    LSTMForecaster,
    LSTMIndicator,
    WalkForward,
    audit,
    walk_forward,
)
from lstm_strategy.bars import proportional_bars
from lstm_strategy.evaluation.audit import FindingKind
from lstm_strategy.learning.reference import LearnerForecaster, VolatilityForecaster

FEATURES = [
    {"kind": "log_return", "length": 1},
    {"kind": "rsi", "length": 5},
    {"kind": "ewm_volatility", "span": 10},
]


def futures_bars(n_bars: int, *, seed: int = 3) -> pd.DataFrame:
    """A series adjusted by difference, most of it below 0, that changes contract every 50 bars."""
    random = np.random.default_rng(seed)
    moves = random.normal(0.0, 0.01, n_bars)
    price = 100 * np.cumprod(1 + moves + np.where(np.arange(n_bars) % 50 == 49, 0.02, 0.0))
    close = np.cumsum(moves * np.append(100.0, price[:-1])) - 60
    reach = np.abs(random.normal(0.0, 0.3, (2, n_bars)))
    opened = close - random.normal(0.0, 0.3, n_bars)
    bars = {
        "open": opened,
        "high": np.maximum(opened, close) + reach[0],
        "low": np.minimum(opened, close) - reach[1],
        "close": close,
        "volume": 1000.0,
        "price": price,
    }
    return pd.DataFrame(bars, pd.date_range("2020-01-01", periods=n_bars, name="datetime"))


def fit_small(bars, **arguments):
    settings = {"units": (2,), "members": 1, "epochs": 1, "lookback": 10, "seed": 1, **arguments}
    return LSTMForecaster(FEATURES, **settings).fit(bars, progress=False)


BARS = futures_bars(420)


@pytest.fixture(scope="module")
def model():
    return fit_small(BARS[:300], target="return")


def test_features_are_those_of_the_returns_of_the_contracts():
    features = FeatureSet(FEATURES)
    expected = features.frame(proportional_bars(BARS).drop(columns="price"))
    pd.testing.assert_frame_equal(features.frame(BARS), expected)


def test_a_model_learns_the_same_from_a_series_and_from_its_returns(model):
    other = fit_small(proportional_bars(BARS)[:300].drop(columns="price"), target="return")
    known = proportional_bars(BARS).drop(columns="price")
    pd.testing.assert_frame_equal(model.forecast(BARS), other.forecast(known))


def test_the_card_tells_the_bars_as_they_were_given(model):
    assert model.card.training.sha256 == fit_small(BARS[:300], epochs=1).card.training.sha256
    assert model.card.training.traits.typical_move < 0.02
    assert model.card.training.traits.adjusted_by == "difference"


def test_a_stream_gives_the_numbers_of_all_bars_with_and_without_history(model):
    frame = model.forecast(BARS)
    for begin, stream in ((0, model.stream()), (300, model.stream(BARS[:300]))):
        for time, bar in BARS.iloc[begin : begin + 130].iterrows():
            forecast = stream.update({"datetime": time, **bar})
            expected = frame.loc[time]
            assert forecast.forecast == pytest.approx(expected["forecast"], abs=1e-6, nan_ok=True)
            assert forecast.signal == pytest.approx(expected["signal"], abs=1e-6, nan_ok=True)


def test_a_stream_of_a_series_wants_the_price_of_every_bar(model):
    stream = model.stream(BARS[:350])
    bar = {"datetime": BARS.index[350], **BARS.iloc[350].drop("price")}
    with pytest.raises(ValueError, match="price is missing"):
        stream.update(bar)


def test_later_bars_change_no_forecast(model):
    other = BARS.copy()
    other.loc[other.index[380] :, ["open", "high", "low", "close"]] += 7.0
    before = slice(None, BARS.index[379])
    pd.testing.assert_frame_equal(
        model.forecast(BARS)[before], model.forecast(other)[before], rtol=1e-6
    )


@pytest.mark.parametrize("runonce", [True, False])
def test_the_indicator_reads_the_price_of_the_contract(model, runonce):
    class Watcher(bt.Strategy):
        def __init__(self):
            self.lstm = LSTMIndicator(self.data, model=model)
            self.seen = []

        def next(self):
            self.seen.append(self.lstm.forecast[0])

    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(BarsFeed(BARS[:180]))
    cerebro.addstrategy(Watcher)
    seen = cerebro.run(runonce=runonce, preload=runonce)[0].seen
    expected = model.forecast(BARS[:180])["forecast"].dropna().to_numpy()
    assert seen == pytest.approx(expected, abs=1e-6)


def test_an_audit_finds_the_training_bars_and_nothing_that_looks_ahead(model):
    report = audit(BARS, model=model)
    assert report.is_clean
    assert not [note for note in report.notes if note.kind is FindingKind.NO_TRAINING_BARS]


def test_a_panel_of_futures_and_shares_is_one_panel():
    shares = proportional_bars(futures_bars(420, seed=8)).drop(columns="price")
    panel = {"CORN": BARS, "SPY": shares}
    model = fit_small({symbol: bars[:300] for symbol, bars in panel.items()})
    frames = model.forecast(panel)
    alone = model.forecast({"CORN": proportional_bars(BARS).drop(columns="price"), "SPY": shares})
    for symbol in panel:
        pd.testing.assert_frame_equal(frames[symbol], alone[symbol])
    stream = model.stream({symbol: bars[:400] for symbol, bars in panel.items()})
    for time in BARS.index[400:405]:
        bars = {s: {"datetime": time, **of.loc[time]} for s, of in panel.items()}
        for symbol, forecast in stream.update(bars).items():
            expected = frames[symbol].loc[time, "forecast"]
            assert forecast.forecast == pytest.approx(expected, abs=1e-6)


def test_a_walk_forward_and_its_stream_see_the_same_returns():
    forecaster = LSTMForecaster(
        FEATURES, target="return", units=(2,), members=1, epochs=1, lookback=10, seed=1
    )
    bars = futures_bars(520)
    walked = walk_forward(bars, forecaster, WalkForward(train=300, test=100), progress=False)
    frame = walked.forecast(bars)
    stream = walked.stream(bars[:450])
    for time, bar in bars.iloc[450:].iterrows():
        forecast = stream.update({"datetime": time, **bar})
        assert forecast.forecast == pytest.approx(frame.loc[time, "forecast"], abs=1e-6)


def test_reference_models_see_the_same_returns():
    known = proportional_bars(BARS).drop(columns="price")
    for build in (
        lambda: VolatilityForecaster("log_har"),
        lambda: LearnerForecaster("logistic", features=FEATURES),
    ):
        model, other = build().fit(BARS[:400]), build().fit(known[:400])
        frame = model.forecast(BARS)
        pd.testing.assert_frame_equal(frame, other.forecast(known))
        stream = model.stream(BARS[:410])
        row = stream.update({"datetime": BARS.index[410], **BARS.iloc[410]})
        assert row.forecast == pytest.approx(frame["forecast"].iloc[410], abs=1e-6)
