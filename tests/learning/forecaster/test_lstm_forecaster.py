import inspect
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import SMALL, SMALL_FEATURES, random_walk

from lstm_strategy import FeatureSet, LSTMForecaster, LSTMStrategyError, simulate_bars
from lstm_strategy.learning.forecaster import assessment
from lstm_strategy.learning.forecaster.lstm_forecaster import _warn_of_other_bars
from lstm_strategy.learning.targets import Direction, Policy
from lstm_strategy.learning.training import ForecasterSettings, build_training_set

BARS = random_walk(160, seed=3)


def test_forecasts_are_nan_in_the_warm_up_and_nowhere_else(trained):
    frame = trained.forecast(BARS)
    warm_up = 5 + trained.card.memory.bars - 1
    assert trained.warm_up == warm_up
    assert list(frame.columns) == ["signal", "forecast", "uncertainty", "novelty"]
    assert frame.index.equals(BARS.index)
    assert frame.isna().all(axis=1).tolist() == [True] * warm_up + [False] * (160 - warm_up)
    assert not frame.iloc[warm_up:].isna().any(axis=None)


def test_a_window_has_no_memory_to_wait_for(trained):
    windowed = trained.with_memory("window")
    assert windowed.warm_up == 5 + 10 - 1
    assert windowed.forecast(BARS).isna().all(axis=1).sum() == 14


def test_a_carried_memory_has_forgotten_its_beginning_when_forecasts_begin(trained):
    full = trained.forecast(BARS)["signal"]
    for start in (10, 40, 75):
        later = trained.forecast(BARS.iloc[start:])["signal"].dropna()
        assert len(later) == 160 - start - trained.warm_up
        assert (later - full[later.index]).abs().max() <= 1e-3


def test_the_measured_memory_is_kept_with_the_model(trained, model_folder):
    memory = LSTMForecaster.load(model_folder).card.memory
    assert memory == trained.card.memory
    assert memory.converged
    assert memory.tolerance == 1e-3


def test_a_memory_that_never_settles_is_said_and_capped(caplog, monkeypatch):
    monkeypatch.setattr(assessment, "network_memory", lambda *measured: None)
    bars = random_walk(200)
    with caplog.at_level("WARNING", "lstm_strategy"):
        fitted = LSTMForecaster(SMALL_FEATURES, **SMALL | {"epochs": 1, "members": 1}).fit(bars)
    assert (fitted.card.memory.bars, fitted.card.memory.converged) == (48, False)  # 194 rows // 4
    assert "still remembers its first row" in caplog.text


def test_a_model_without_a_measured_memory_waits_for_its_lookback(trained):
    older = trained.with_memory("carry")
    older.card = trained.card.model_copy(update={"memory": None})
    assert older.warm_up == 5 + 10 - 1


def test_fit_refuses_a_column_that_tells_the_moves_to_come():
    bars = random_walk(200)
    bars["hint"] = bars["close"].shift(-1).ffill()
    with pytest.raises(LSTMStrategyError, match=r"column\(column='hint'\) looks ahead.*Shift"):
        LSTMForecaster([{"kind": "column", "column": "hint"}], **SMALL).fit(bars)


def test_fit_refuses_a_feature_that_was_made_to_look_ahead():
    saved = FeatureSet([{"kind": "dpo", "centered": False}]).to_dict()
    saved["specs"][0]["centered"] = True
    with pytest.raises(LSTMStrategyError, match=r"DPO_20 looks ahead.*centered=False"):
        LSTMForecaster(FeatureSet.from_dict(saved), **SMALL).fit(random_walk(200))


def test_scaling_is_that_of_the_training_rows(trained):
    rows = build_training_set(random_walk(400), trained.features, trained.settings)[0].scaling_rows
    np.testing.assert_allclose(trained.scaling["mean"], rows.mean(axis=0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(trained.scaling["std"], rows.std(axis=0), rtol=1e-4)


def test_signals_are_exposures_and_forecasts_are_probabilities(trained):
    known = trained.forecast(BARS).dropna()
    assert known["signal"].abs().max() <= 1
    assert known["forecast"].between(0, 1).all()
    assert (known["uncertainty"] > 0).all()


def test_the_signal_is_the_forecast_seen_from_the_break_even_threshold(trained):
    known = trained.forecast(BARS).dropna()
    scale = trained.card.signal
    expected = ((known["forecast"] - scale.threshold) / scale.width).clip(-1, 1)
    np.testing.assert_allclose(known["signal"], expected)


def test_the_members_alone_make_the_ensemble(trained):
    signals = trained.member_signals(BARS)
    scale = trained.card.signal
    forecasts = signals.iloc[14:] * scale.width + scale.threshold
    frame = trained.forecast(BARS).iloc[14:]
    inside = (signals.iloc[14:].abs() < 1).all(axis=1)
    assert inside.sum() > 20
    np.testing.assert_allclose(forecasts.mean(axis=1)[inside], frame["forecast"][inside])
    np.testing.assert_allclose(forecasts.std(axis=1, ddof=0)[inside], frame["uncertainty"][inside])
    assert signals.iloc[:14].isna().all(axis=None)


@given(t=st.integers(15, 159), factor=st.floats(0.5, 2))
@settings(max_examples=15)
def test_changing_bars_after_t_never_changes_a_forecast_at_or_before_t(trained, t, factor):
    changed = BARS.copy()
    changed.iloc[t:] *= factor
    before = trained.forecast(BARS).iloc[:t]
    pd.testing.assert_frame_equal(trained.forecast(changed).iloc[:t], before, atol=1e-6)
    pd.testing.assert_frame_equal(trained.forecast(BARS.iloc[:t]), before, atol=1e-6)


@pytest.mark.slow
def test_carried_memory_finds_what_a_window_finds():
    from sklearn.metrics import roc_auc_score

    bars = simulate_bars("remembered_news", seed=21).bars
    start = bars.index[len(bars) * 3 // 4]
    carry = LSTMForecaster(seed=21).fit(bars[bars.index < start], progress=False)
    rises = (bars["close"].diff().shift(-1) > 0)[start:].iloc[:-1]
    auc = {
        memory: roc_auc_score(
            rises, carry.with_memory(memory).forecast(bars)["forecast"][rises.index]
        )
        for memory in ("carry", "window")
    }
    assert auc["window"] > 0.55
    assert auc["carry"] > auc["window"] - 0.005


def test_carried_memory_reaches_further_back_than_the_lookback(trained):
    changed = BARS.copy()
    changed.iloc[:100] = random_walk(100, seed=9).set_index(BARS.index[:100])
    last = slice(120, 130)  # 20 bars behind the change, lookback 10
    carry, window = trained, trained.with_memory("window")
    difference = {
        name: np.abs(f.forecast(BARS)["forecast"] - f.forecast(changed)["forecast"])[last].max()
        for name, f in {"carry": carry, "window": window}.items()
    }
    assert difference["carry"] > 1e-6
    assert difference["window"] < difference["carry"]


def test_the_same_seed_gives_the_same_network(trained):
    again = LSTMForecaster(SMALL_FEATURES, **SMALL).fit(random_walk(400), progress=False)
    columns = ["forecast", "uncertainty"]
    pd.testing.assert_frame_equal(again.forecast(BARS)[columns], trained.forecast(BARS)[columns])
    pd.testing.assert_frame_equal(again.history, trained.history)


def test_another_seed_gives_another_network(trained):
    other = LSTMForecaster(SMALL_FEATURES, **{**SMALL, "seed": 6})
    other.fit(random_walk(400), progress=False)
    apart = (other.forecast(BARS) - trained.forecast(BARS)).abs().max()
    assert apart[["forecast", "uncertainty"]].min() > 1e-4


def test_progress_is_told_after_each_epoch_of_each_seed():
    told = []
    forecaster = LSTMForecaster(SMALL_FEATURES, **SMALL)
    forecaster.fit(random_walk(300), progress=lambda *what: told.append(what))
    assert [(seed, epoch) for seed, epoch, _ in told] == [
        (seed, epoch) for seed in range(2) for epoch in range(1, 4)
    ]
    losses = [loss for *_, loss in told]
    np.testing.assert_allclose(losses, forecaster.history["val_loss"], rtol=1e-6)


def test_an_unfitted_forecaster_says_so(tmp_path):
    forecaster = LSTMForecaster(SMALL_FEATURES)
    for attempt in (
        lambda: forecaster.forecast(BARS),
        forecaster.stream,
        lambda: forecaster.save(tmp_path / "model"),
    ):
        with pytest.raises(LSTMStrategyError, match="isn't fitted"):
            attempt()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        pytest.param({"horizon": 0}, "horizon must be at least 1, got 0", id="horizon"),
        pytest.param({"units": (8, 8, 8, 8)}, "units must have at most 3", id="four layers"),
        pytest.param(
            {"units": "24"},
            r"units must be a tuple of numbers, got '24'\. The default is \(24,\)\.",
            id="text for units",
        ),
        pytest.param(
            {"seed": "x"}, r"seed must be a whole number, got 'x'\. The default is 0\.", id="text"
        ),
        pytest.param({"epochs": "5"}, "epochs must be a whole number, got '5'", id="a number"),
        pytest.param({"dropout": "0.5"}, "dropout must be a number, got '0.5'", id="a fraction"),
        pytest.param({"mirror": "no"}, "mirror must be True or False, got 'no'", id="a flag"),
        pytest.param({"units": ("8",)}, "units.0 must be a whole number, got '8'", id="a width"),
        pytest.param({"dropout": 1.5}, "dropout must be less than 1, got 1.5", id="dropout"),
        pytest.param({"target": "price"}, r"one of direction, .*got 'price'", id="target"),
        pytest.param({"memory": "long"}, "memory must be 'carry' or 'window'", id="memory"),
        pytest.param({"look_back": 9}, "no argument 'look_back'. Did you mean lookback", id="name"),
    ],
)
def test_bad_arguments_are_refused_before_any_work(settings, message):
    with pytest.raises(LSTMStrategyError, match=message):
        LSTMForecaster.from_arguments(settings)


def test_numbers_of_numpy_are_kept_as_plain_ones():
    given = LSTMForecaster(
        epochs=np.int64(3), units=[np.int32(8)], dropout=np.float32(0.5), mirror=np.bool_(False)
    ).settings
    plain = LSTMForecaster(epochs=3, units=(8,), dropout=0.5, mirror=False).settings
    assert given.model_dump_json() == plain.model_dump_json()
    assert (type(given.epochs), type(given.units[0])) == (int, int)


def test_the_signature_and_the_settings_have_the_same_arguments_and_defaults():
    signature = inspect.signature(LSTMForecaster).parameters
    arguments = {
        name: parameter.default
        for name, parameter in signature.items()
        if name not in ("features", "network")
    }
    defaults = {name: field.default for name, field in ForecasterSettings.model_fields.items()}
    left_to_the_target = dict.fromkeys(asdict(Direction().training))
    assert arguments == {**defaults, **left_to_the_target, "target": "direction"}
    assert LSTMForecaster().settings == ForecasterSettings()


def test_what_is_left_to_the_target_is_chosen_again_for_another_one():
    forecaster = LSTMForecaster(epochs=7)
    other = forecaster.unfitted_copy(target=Policy(prior="long"))
    assert (forecaster.settings.mirror, other.settings.mirror) == (True, False)
    assert other.settings.epochs == 7


def test_a_target_is_asked_with_its_own_preset_unless_features_are_given():
    presets = {
        "direction": "default",
        "volatility": "volatility",
        "policy": "momentum_and_volatility",
        Policy(prior="flat"): "default",
    }
    for target, preset in presets.items():
        features = LSTMForecaster(target=target).features
        assert features.names == FeatureSet.preset(preset).names
    assert LSTMForecaster(SMALL_FEATURES, target="policy").features.names == (
        FeatureSet(SMALL_FEATURES).names
    )


def test_too_few_bars_for_the_network_are_counted():
    forecaster = LSTMForecaster(SMALL_FEATURES, **SMALL)
    with pytest.raises(LSTMStrategyError, match=r"needs (\d+) bars .* got 40") as caught:
        forecaster.fit(random_walk(40))
    needed = int(str(caught.value).split("needs ")[1].split(" ")[0])
    LSTMForecaster(SMALL_FEATURES, **{**SMALL, "epochs": 1, "members": 1}).fit(
        random_walk(needed), progress=False
    )


def test_a_target_that_never_changes_is_refused():
    rising = random_walk(300)
    prices = np.linspace(50, 80, 300)
    rising = rising.assign(open=prices, high=prices * 1.01, low=prices * 0.99, close=prices)
    with pytest.raises(LSTMStrategyError, match="Every label is 1: the close never falls"):
        LSTMForecaster(SMALL_FEATURES, **SMALL).fit(rising)


def test_bars_unlike_those_of_the_training_are_said_once(trained, tmp_path, caplog):
    _warn_of_other_bars.cache_clear()
    hours = BARS.set_axis(pd.date_range("2024-01-01", periods=160, freq="h"))
    loaded = LSTMForecaster.load(trained.save(tmp_path / "model"))
    for _ in range(2):
        loaded.forecast(BARS)
        loaded.forecast(hours)
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 1 and "wasn't trained on such bars: bars of 1 hour instead of" in said[0]
