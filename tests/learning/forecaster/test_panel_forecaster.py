import pickle

import numpy as np
import pandas as pd
import pytest
from made_up import SMALL, SMALL_FEATURES, random_walk

from lstm_strategy import FeatureSet, LSTMForecaster, LSTMStrategyError, simulate_bars
from lstm_strategy.bars import as_panel, bars_fingerprint
from lstm_strategy.learning.targets import Policy
from lstm_strategy.learning.training import build_training_set

PANEL = {
    "A": random_walk(300, seed=1),
    "B": random_walk(260, seed=2, start="2001-03-01"),
    "C": random_walk(200, seed=3, start="2001-02-01"),
}
ACROSS = [*SMALL_FEATURES, {"kind": "panel_mean", "of": {"kind": "log_return", "length": 1}}]


def train(features, **changes):
    """A model of the panel that keeps all of its signal, which nothing would be left of."""
    settings = SMALL | {"epochs": 1} | changes
    model = LSTMForecaster(features, **settings).fit(PANEL, progress=False)
    signal = model.card.signal.model_copy(update={"confidence": 1.0})
    model.card = model.card.model_copy(update={"signal": signal})
    return model


@pytest.fixture(scope="module")
def pooled():
    return train(SMALL_FEATURES)


@pytest.fixture(scope="module")
def across():
    return train(ACROSS)


def assert_same(frames, others, **tolerance):
    assert list(frames) == list(others)
    for symbol, frame in frames.items():
        pd.testing.assert_frame_equal(frame, others[symbol], **{"atol": 1e-6, **tolerance})


def test_a_panel_gets_a_frame_a_market(pooled):
    frames = pooled.forecast(PANEL)
    assert list(frames) == ["A", "B", "C"]
    for symbol, frame in frames.items():
        assert frame.index.equals(PANEL[symbol].index)
        assert frame["signal"].first_valid_index() == PANEL[symbol].index[pooled.warm_up]
    assert_same({"B": pooled.forecast(PANEL["B"])}, {"B": frames["B"]})
    members = pooled.member_signals(PANEL)["B"]
    assert members.shape == (260, 2)


@pytest.mark.parametrize("bars_together", [1, 300, 100_000])
def test_markets_that_are_forecast_together_get_what_each_gets_alone(
    pooled, bars_together, monkeypatch
):
    monkeypatch.setattr(
        "lstm_strategy.learning.forecaster.feature_forecaster._BARS_TOGETHER", bars_together
    )
    markets = {**PANEL, "short": random_walk(pooled.warm_up, seed=5)}
    alone = {symbol: pooled.forecast(bars) for symbol, bars in markets.items()}
    assert_same(pooled.forecast(markets), alone)
    assert alone["short"].isna().all(axis=None)


def test_a_market_that_was_not_in_the_training_is_forecast_too(pooled):
    new = random_walk(100, seed=8)
    assert_same(pooled.forecast({"D": new}), {"D": pooled.forecast(new)})


@pytest.mark.parametrize("model", ["pooled", "across"])
@pytest.mark.parametrize("cut", ["2001-07-15", "2001-09-30"])
def test_later_bars_of_any_market_change_no_earlier_forecast(model, cut, request):
    model = request.getfixturevalue(model)
    whole = model.forecast(PANEL)
    rng = np.random.default_rng(3)
    for changed in PANEL:
        others = {symbol: bars.copy() for symbol, bars in PANEL.items()}
        later = others[changed].index > cut
        others[changed].loc[later, :] *= np.exp(rng.normal(0, 0.1, (later.sum(), 1)))
        known = {s: frame.loc[:cut] for s, frame in model.forecast(others).items()}
        assert_same(known, {s: frame.loc[:cut] for s, frame in whole.items()})


def test_a_model_of_a_panel_is_saved_loaded_and_sent(pooled, tmp_path):
    frames = pooled.forecast(PANEL)
    loaded = LSTMForecaster.load(pooled.save(tmp_path / "model"))
    assert_same(loaded.forecast(PANEL), frames, atol=1e-5)
    assert loaded.card.training == pooled.card.training
    sent = pickle.loads(pickle.dumps(loaded))
    assert sent.fingerprint == loaded.fingerprint
    assert_same(sent.forecast(PANEL), loaded.forecast(PANEL))


def test_the_card_says_which_markets_were_learned_from(pooled):
    span = pooled.card.training
    assert (span.start, span.end) == (PANEL["A"].index[0], PANEL["B"].index[-1])
    assert span.n_bars == 760
    assert span.sha256 == as_panel(PANEL).fingerprint
    assert {s: (m.start, m.end, m.n_bars, m.sha256) for s, m in span.markets.items()} == {
        s: (b.index[0], b.index[-1], len(b), bars_fingerprint(b)) for s, b in PANEL.items()
    }


def test_streams_of_a_panel_follow_its_forecasts(pooled):
    frames = pooled.forecast(PANEL)
    streams = pooled.stream({symbol: bars.iloc[:-3] for symbol, bars in PANEL.items()})
    for symbol, bars in PANEL.items():
        for time, bar in bars.iloc[-3:].iterrows():
            row = streams[symbol].update({"datetime": time, **bar})
            assert row.signal == pytest.approx(frames[symbol].loc[time, "signal"], abs=1e-6)


def test_a_model_that_looks_across_markets_needs_them(across):
    frames = across.forecast(PANEL)
    assert not frames["A"]["signal"].iloc[across.warm_up :].isna().any()
    for ask in (across.forecast, across.stream):
        with pytest.raises(LSTMStrategyError, match="looks across the markets of a panel"):
            ask(PANEL["A"])


def test_a_panel_is_refused_by_a_model_of_one_market(trained):
    message = r"trained on the bars of one market.*3 markets: A, B, C.*panel\['A'\]"
    for ask in (trained.forecast, trained.stream, trained.member_signals):
        with pytest.raises(LSTMStrategyError, match=message):
            ask(PANEL)


def test_a_year_has_the_bars_of_its_market():
    panel = {
        "days": random_walk(300, seed=1),
        "business": random_walk(300, seed=2, freq="B"),
        "week": random_walk(300, seed=3, freq="W"),
    }
    settings = SMALL | {"epochs": 1, "members": 1}
    model = LSTMForecaster(SMALL_FEATURES, target="policy", **settings).fit(panel, progress=False)
    years = {s: market.bars_per_year for s, market in model.card.training.markets.items()}
    assert years == {"days": 365, "business": 252, "week": 52}
    frames = model.forecast(panel)
    # the volatility of a week is that of a bar, times the root of 52 and not of 252
    usual = model.forecast(panel["week"])["signal"].dropna()
    capped = (frames["week"]["signal"].dropna() / usual).clip(upper=np.sqrt(252 / 52))
    assert usual.median() < frames["week"]["signal"].median()
    assert capped.min() >= 1


def test_markets_that_cannot_be_learned_from_are_dropped_where_the_user_says_so(caplog):
    panel = {
        "A": PANEL["A"],
        "short": random_walk(22, seed=4),
        "silent": PANEL["C"].assign(volume=0.0),
        "still": PANEL["C"].assign(open=5.0, high=5.0, low=5.0, close=5.0),
    }
    model = LSTMForecaster(SMALL_FEATURES, **{**SMALL, "epochs": 1, "members": 1})
    with pytest.raises(LSTMStrategyError, match=r"market silent: .* no volume"):
        model.fit({**panel, "still": PANEL["C"]}, progress=False)
    with pytest.raises(LSTMStrategyError, match="market short: it has 22 bars"):
        model.fit({"A": panel["A"], "short": panel["short"]}, progress=False)
    model.fit(panel, on_bad="drop", progress=False)
    assert list(model.card.training.markets) == ["A"]
    assert model.card.training.sha256 == as_panel({"A": PANEL["A"]}).fingerprint
    (message,) = [m for m in caplog.messages if "leaves out" in m]
    assert message.startswith("The training leaves out 3 of 4 markets: market silent: ")
    with pytest.raises(LSTMStrategyError, match=r"on_bad must be .* got 'skip'"):
        model.fit(panel, on_bad="skip", progress=False)
    with pytest.raises(LSTMStrategyError, match="no market of the panel can be learned from"):
        model.fit({"short": panel["short"]}, on_bad="drop", progress=False)


def test_a_market_that_shares_no_date_with_another_is_refused_by_its_name():
    apart = PANEL | {"D": random_walk(200, seed=4, start="2015-01-01")}
    with pytest.raises(LSTMStrategyError, match=r"^market D has no date in common with any other"):
        LSTMForecaster(SMALL_FEATURES, **SMALL).fit(apart, progress=False)


def test_a_policy_that_pays_costs_by_market_is_trained_saved_and_loaded(tmp_path):
    panel = {"A": random_walk(260, seed=1), "B": random_walk(260, seed=2)}
    policy = Policy(prior="flat", cost_rate={"A": 0.0, "B": 0.002})
    model = LSTMForecaster(SMALL_FEATURES, target=policy, **{**SMALL, "epochs": 1, "members": 1})
    model.fit(panel, progress=False)
    loaded = LSTMForecaster.load(model.save(tmp_path / "model"))
    assert loaded.target == policy
    assert_same(loaded.forecast(panel), model.forecast(panel), atol=1e-5)
    with pytest.raises(LSTMStrategyError, match="no rate for the market C"):
        model.fit({**panel, "C": panel["A"]}, progress=False)


@pytest.mark.slow
def test_pooling_finds_what_one_market_is_too_short_for():
    market = simulate_bars("remembered_news", 2_600, seed=3, n_assets=12)
    known = {symbol: bars.iloc[:1_800] for symbol, bars in market.bars.items()}
    settings = {"members": 1, "batch_size": 32, "epochs": 40, "seed": 1}

    def share_of_oracle(frame, symbol):
        """The Sharpe ratio of the forecasts over that of the oracle, on bars after the training."""
        returns = market.bars[symbol]["close"].pct_change().shift(-1).iloc[1_800:-1]
        leaning = (frame["forecast"] - 0.5).reindex(returns.index)
        earned, best = leaning * returns, market.oracle[symbol].reindex(returns.index) * returns
        return (earned.mean() / earned.std()) / (best.mean() / best.std())

    pooled = LSTMForecaster(**settings).fit(known, progress=False).forecast(market.bars)
    shares = {symbol: share_of_oracle(frame, symbol) for symbol, frame in pooled.items()}
    alone = LSTMForecaster(**settings).fit(known["A01"], progress=False)
    assert np.median(list(shares.values())) > 0.5
    assert shares["A01"] > share_of_oracle(alone.forecast(market.bars["A01"]), "A01")


def test_a_policy_is_trained_on_what_a_portfolio_of_all_markets_earns():
    policy = Policy(prior="flat", panel_utility="portfolio")
    settings = {**SMALL, "epochs": 2, "batch_size": 6}
    model = LSTMForecaster(SMALL_FEATURES, target=policy, **settings).fit(PANEL, progress=False)
    assert np.isfinite(model.history["val_loss"]).all()
    pooled = LSTMForecaster(SMALL_FEATURES, target=Policy(prior="flat"), **settings)
    assert not pooled.fit(PANEL, progress=False).history.equals(model.history)


@pytest.fixture(scope="module")
def carried():
    """Two markets alike but for the unit of their carry, and one that isn't trained on."""
    rng = np.random.default_rng(0)
    panel = {symbol: PANEL[symbol].assign(carry=0.0) for symbol in ("A", "B", "C")}
    for bars in panel.values():
        bars["carry"] = rng.normal(0.01, 0.02, len(bars))
    return panel


WITH_CARRY = [
    *SMALL_FEATURES,
    {"kind": "column", "column": "carry", "mirrored": "negated"},
]


def train_with(panel, scaling):
    settings = {**SMALL, "epochs": 1, "members": 1}
    known = {symbol: panel[symbol] for symbol in ("A", "B")}
    return LSTMForecaster(WITH_CARRY, scaling=scaling, **settings).fit(known, progress=False)


def test_markets_that_are_scaled_by_themselves_may_have_units_of_their_own(carried, tmp_path):
    other_unit = carried | {"B": carried["B"].assign(carry=3_000 * carried["B"]["carry"])}
    usual, other = (train_with(panel, "market") for panel in (carried, other_unit))
    frames = other.forecast(other_unit)
    expected = usual.forecast(carried)
    for symbol in ("A", "B"):
        pd.testing.assert_frame_equal(frames[symbol], expected[symbol], atol=1e-3)
    loaded = LSTMForecaster.load(other.save(tmp_path / "model"))
    assert_same(loaded.forecast(other_unit), frames, atol=1e-5)
    # a market that wasn't there, and bars without a symbol, come as they are
    assert_same({"C": other.forecast(carried["C"])}, {"C": frames["C"]})
    assert not np.allclose(other.forecast(other_unit["B"])["forecast"], frames["B"]["forecast"])
    streams = other.stream({symbol: bars.iloc[:-2] for symbol, bars in other_unit.items()})
    lone = other.stream(other_unit["B"].iloc[:-2], symbol="B")
    for time, bar in other_unit["B"].iloc[-2:].iterrows():
        for stream in (streams["B"], lone):
            row = stream.update({"datetime": time, **bar})
            assert row.forecast == pytest.approx(frames["B"].loc[time, "forecast"], abs=1e-6)


def test_scaling_by_market_has_seen_only_rows_that_are_learned_from(carried):
    model = LSTMForecaster(WITH_CARRY, scaling="market", **SMALL | {"members": 1})
    changed = {symbol: bars.copy() for symbol, bars in carried.items()}
    for bars in changed.values():
        bars.loc["2001-10-01":, "carry"] *= 50  # the only member holds these dates out
    features = FeatureSet(WITH_CARRY)
    units = [
        build_training_set(panel, features, model.settings)[0].panel.units
        for panel in (carried, changed)
    ]
    assert units[0] == units[1]
    assert set(units[0]) == {"A", "B", "C"}
