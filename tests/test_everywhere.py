"""Whatever is combined, every way gives the same numbers, and none knows a bar to come."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_up import random_walk

from lstm_strategy import (
    BrokerSettings,
    FeatureSet,
    Future,
    LSTMStrategy,
    Perpetual,
    Spot,
)
from lstm_strategy.learning.features import alter_bars, settle_features
from lstm_strategy.learning.forecaster import FeatureForecaster, ForecasterKind
from lstm_strategy.learning.targets import (
    TARGETS,
    AnsweredRows,
    Policy,
    Quantiles,
    Return,
    TripleBarrier,
    Volatility,
    choose_target,
)
from lstm_strategy.trading.cerebro import build_cerebro, collect_run

N_BARS = 120
N_STREAMED = 30  # bars: a stream computes the features of each anew
MODES = [
    {"runonce": False},
    {"preload": False},
    {"exactbars": 1},
    {"exactbars": -1},
    {"exactbars": -2, "runonce": False},
]
# targets whose usual spans are shortened, so that few bars are enough
SHORT = {
    "return": Return(span=20),
    "quantiles": Quantiles(span=20),
    "triple_barrier": TripleBarrier(span=20),
    "policy": Policy(),
    "volatility": Volatility(slow=25),
}
EVERY = {name: SHORT.get(name, choose_target(name)) for name in TARGETS}


class RandomNetwork(FeatureForecaster):
    """Everything of a forecaster but the training: its weights are drawn."""

    kind = ForecasterKind.LEARNER
    is_fitted = True
    training_end = None
    horizon = 1
    n_members = 2
    settled_rows = 6
    target = engine = window_rows = _scale = None

    def __init__(self, specs, target, bars, *, memory, seed):
        rng = np.random.default_rng(seed)
        self.target, self.bars = target, bars
        self.features = settle_features(FeatureSet(specs), bars)
        needed = list(target.context)
        self.context = settle_features(FeatureSet(needed), bars) if needed else None
        self.window_rows = self.settled_rows if memory == "window" else None
        rows = self.features.frame(bars).dropna().to_numpy()
        self.engine = RandomEngine(
            rows.mean(axis=0),
            rows.std(axis=0) + 1e-9,
            rng.normal(size=(rows.shape[1], 4)),
            rng.normal(size=(4, self.n_members * target.head.n_outputs)),
            target.head.activation,
        )
        self._scale = self._fit_scale(bars)

    def _fit_scale(self, bars):
        """As training would measure it: on the rows whose answer is known."""
        labels = pd.DataFrame(self.target.labels(bars, 1))
        weights = pd.Series(self.target.weights(bars, 1), bars.index)
        inputs = self.inputs.frame(bars)
        known = labels.notna().all(axis=1) & inputs.notna().all(axis=1)
        (answers,) = self._forecast_rows([inputs.to_numpy()[known, : len(self.features.names)]])
        first = self.settled_rows - 1
        rows = AnsweredRows(
            labels[known].to_numpy()[first:],
            answers[first:, : self.target.head.n_outputs],
            weights[known].to_numpy()[first:],
            inputs.to_numpy()[known][first:, self._context_places],
        )
        scale = self.target.fit_scale(rows, rows, horizon=1)
        return scale.model_copy(update={"confidence": 1.0})  # luck would leave nothing to trade

    def _forecast_rows(self, markets):
        found = []
        for rows in markets:
            if self.window_rows is None:
                answers, _ = self.engine.scan(rows[None], self.engine.initial_state(1))
                answers = answers[0]
            else:
                ends = range(1, len(rows) + 1)
                parts = [rows[max(0, end - self.window_rows) : end] for end in ends]
                start = self.engine.initial_state(1)
                answers = np.stack(
                    [self.engine.scan(each[None], start)[0][0, -1] for each in parts]
                )
            answers[: self.settled_rows - 1] = np.nan
            found.append(answers)
        return found

    fit = save = unfitted_copy = None


class RandomEngine:
    """A recurrent layer and a head, in NumPy."""

    def __init__(self, mean, std, kernel, head, activation):
        self.mean, self.std, self.kernel, self.head = mean, std, kernel, head
        self.activate = {
            "sigmoid": lambda answers: 1.0 / (1.0 + np.exp(-answers)),
            "tanh": np.tanh,
            "linear": lambda answers: answers,
        }[activation]

    def initial_state(self, n_sequences):
        return [np.zeros((n_sequences, self.kernel.shape[1]))]

    def scan(self, rows, state):
        (hidden,), answers = state, []
        for number in range(rows.shape[1]):
            scaled = np.clip((rows[:, number] - self.mean) / self.std, -5.0, 5.0)
            hidden = 0.6 * hidden + 0.4 * np.tanh(scaled @ self.kernel)
            answers.append(self.activate(hidden @ self.head))
        return np.stack(answers, axis=1), [hidden]


def lengths(smallest=2):
    return st.integers(smallest, 12)


FEATURES = [
    st.builds(lambda length: {"kind": "log_return", "length": length}, st.integers(1, 12)),
    st.builds(lambda length: {"kind": "rsi", "length": length}, lengths()),
    st.builds(lambda length: {"kind": "ema", "length": length}, lengths()),
    st.builds(lambda length: {"kind": "natr", "length": length}, lengths()),
    st.builds(lambda length: {"kind": "willr", "length": length}, lengths()),
    st.builds(lambda length: {"kind": "relative_volume", "length": length}, lengths()),
    st.builds(lambda length: {"kind": "volatility", "length": length}, lengths(5)),
    st.builds(lambda length: {"kind": "scaled_return", "length": length}, lengths()),
    st.builds(lambda: {"kind": "macd", "fast": 3, "slow": 8, "signal": 3}),
    st.builds(lambda: {"kind": "obv"}),
    st.builds(lambda: {"kind": "true_range"}),
    st.builds(lambda: {"kind": "column", "column": "funding_rate"}),
]
INSTRUMENTS = [
    Spot(),
    Spot(commission_rate=0.0, borrow_rate=0.2, lot_size=0.01, min_order_value=50.0),
    Perpetual(leverage=3),
    Perpetual(leverage=10, margin_mode="cross", liquidation_fee_rate=0.003),
    Future(multiplier=2, initial_margin=20, commission_per_contract=0.05, lot_size=1),
]


@st.composite
def worlds(draw):
    """Bars, an instrument, a strategy's settings, and what a model sees and is asked."""
    seed, freq = draw(st.integers(0, 10**6)), draw(st.sampled_from(["D", "h", "15min"]))
    bars = random_walk(N_BARS, seed=seed, freq=freq)
    wildness = draw(st.sampled_from([1.0, 6.0]))
    prices = ["open", "high", "low", "close"]
    bars[prices] = bars["close"].iloc[0] * (bars[prices] / bars["close"].iloc[0]) ** wildness
    zone = draw(st.sampled_from([None, "UTC", "America/New_York"]))
    bars = bars if zone is None else bars.tz_localize("UTC").tz_convert(zone)
    settles = np.arange(N_BARS) % 8 == 0
    rates = np.random.default_rng(seed).normal(0, 2e-4, N_BARS)
    bars["funding_rate"] = np.where(settles, rates, np.nan)
    chosen = draw(st.lists(st.integers(0, len(FEATURES) - 1), min_size=1, max_size=3, unique=True))
    return {
        "bars": bars,
        "specs": [draw(FEATURES[number]) for number in chosen],
        "target": EVERY[draw(st.sampled_from(sorted(EVERY)))],
        "memory": draw(st.sampled_from(["carry", "window"])),
        "seed": seed,
        "instrument": draw(st.sampled_from(INSTRUMENTS)),
        "params": draw(
            st.sampled_from(
                [
                    {},
                    {"stop_loss_atr": 1.5, "atr_length": 5},
                    {"trailing_stop_atr": 2.0, "atr_length": 5, "long_only": True},
                    {"min_signal": 0.1},
                ]
            )
        ),
        "mode": draw(st.sampled_from(MODES)),
        "cut": draw(st.integers(10, N_BARS - 1)),
        "how": draw(st.sampled_from(["mirrored", "rally", "crash", "reordered"])),
    }


def rows_of_stream(model, bars, n_history):
    """What a stream says of the first bars after its history."""
    stream = model.stream(bars.iloc[:n_history] if n_history else None)
    rest = bars.iloc[n_history : n_history + N_STREAMED]
    rows = [vars(stream.update(bar)) for bar in rest.reset_index().to_dict("records")]
    return pd.DataFrame(rows, rest.index)[["signal", "forecast", "uncertainty"]]


def run_of(world, model, bars, mode=None):
    """A backtest in a mode of Cerebro's."""
    broker = BrokerSettings(instrument=world["instrument"], cash=10_000.0)
    cerebro = build_cerebro(LSTMStrategy, bars, model=model, broker=broker, **world["params"])
    (strategy,) = cerebro.run(**(mode or {}))
    return collect_run(strategy, name="made up")


def assert_same_run(run, other):
    pd.testing.assert_series_equal(run.equity, other.equity, rtol=1e-6)
    pd.testing.assert_frame_equal(run.fills, other.fills, rtol=1e-4, atol=1e-4)
    pd.testing.assert_frame_equal(run.funding, other.funding, rtol=1e-4, atol=1e-4)
    pd.testing.assert_frame_equal(run.liquidations, other.liquidations, rtol=1e-4, atol=1e-4)
    assert run.order_counts == other.order_counts


def check_world(world, kind=RandomNetwork):
    """Raise where two ways to the same numbers differ, or bars to come change anything."""
    bars, cut = world["bars"], world["cut"]
    model = kind(world["specs"], world["target"], bars, memory=world["memory"], seed=world["seed"])
    frame = model.forecast(bars)[["signal", "forecast", "uncertainty"]]
    assert frame["signal"].isna().tolist()[: model.warm_up] == [True] * model.warm_up
    for n_history in (0, cut):
        streamed = rows_of_stream(model, bars, n_history)
        expected = frame.loc[streamed.index]
        pd.testing.assert_frame_equal(streamed, expected, atol=1e-6, rtol=1e-6)
    altered = alter_bars(bars, cut, how=world["how"])
    for known in (bars.iloc[:cut], altered):
        again = model.forecast(known)[frame.columns].iloc[:cut]
        pd.testing.assert_frame_equal(again, frame.iloc[:cut], atol=1e-9, rtol=1e-9)
    run = run_of(world, model, bars)
    assert_same_run(run, run_of(world, model, bars, world["mode"]))
    other = run_of(world, model, altered)
    last = bars.index[cut - 1]
    pd.testing.assert_series_equal(run.equity[:last], other.equity[:last])
    pd.testing.assert_frame_equal(run.fills[:last], other.fills[:last])
    return run


@given(worlds())
@settings(max_examples=6, suppress_health_check=[HealthCheck.too_slow])
def test_numbers_are_the_same_in_every_way_and_know_no_bar_to_come(world):
    check_world(world)


class PeeksAtTheNextBar(RandomNetwork):
    def forecast(self, bars):
        return super().forecast(bars).shift(-1)

    def stream(self, history=None):  # type: ignore[override]
        return Rows(self.forecast(self.bars), 0 if history is None else len(history))


class ForgetsItsMemory(RandomNetwork):
    def stream(self, history=None):  # type: ignore[override]
        return super().stream(None if history is None else history.iloc[-self.warm_up - 1 :])


class Rows:
    """A stream that reads off what is known already."""

    def __init__(self, frame, n_bars):
        self.rows = frame.iloc[n_bars:].itertuples(index=False)

    def update(self, bar):
        return SimpleNamespace(**next(self.rows)._asdict())


@pytest.mark.parametrize(
    ("kind", "memory"), [(PeeksAtTheNextBar, "window"), (ForgetsItsMemory, "carry")]
)
def test_a_model_that_breaks_either_promise_is_found(kind, memory):
    world = {
        "bars": random_walk(N_BARS, seed=4),
        "specs": [{"kind": "log_return", "length": 1}],
        "target": choose_target("direction"),
        "memory": memory,
        "seed": 4,
        "instrument": Spot(),
        "params": {},
        "mode": {"runonce": False},
        "cut": 80,
        "how": "crash",
    }
    assert len(check_world(world).fills) > 5
    with pytest.raises(AssertionError):
        check_world(world, kind)


@pytest.mark.slow
def test_they_are_in_150_worlds_and_many_of_them_trade_borrow_and_pay_funding():
    runs = []

    @given(worlds())
    @settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
    def every_world(world):
        runs.append(check_world(world))

    every_world()
    assert len(runs) >= 150
    assert sum(len(run.fills) > 5 for run in runs) >= 50
    assert sum((run.fills["size"] < 0).any() for run in runs) >= 50
    assert sum(len(run.funding) > 0 for run in runs) >= 20
