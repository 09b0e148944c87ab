"""ONNX Runtime and Keras give the same numbers, and ONNX Runtime needs nothing of Keras."""

import itertools
import logging
import os
import pickle
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import SMALL, SMALL_FEATURES, random_walk

from lstm_strategy import LSTMForecaster, LSTMStrategyError
from lstm_strategy.learning.inference.agreement import agrees, build_engine
from lstm_strategy.learning.inference.engines import run_carried, run_windowed
from lstm_strategy.learning.inference.keras_engine import KerasEngine
from lstm_strategy.learning.inference.onnx_engine import OnnxEngine
from lstm_strategy.learning.inference.onnx_export import export_onnx
from lstm_strategy.learning.network import (
    answers_without_a_loop,
    build_lstm_member,
    build_scaling,
    check_not_forked,
    join_members,
    keras,
    members_of,
)

layers = keras.layers
BARS = random_walk(160, seed=3)
STRATEGY_FILE = Path(__file__).parents[3] / "strategies" / "lstm.py"


def network_of(*members):
    return join_members(build_scaling(rows_of(1, 200)[0]), members)


def both_engines(network):
    return KerasEngine(network), OnnxEngine(export_onnx(network))


def rows_of(n_sequences, n_rows):
    """Columns of very different size, one of which never changes."""
    normal = np.random.default_rng(1).normal(size=(n_sequences, n_rows, 3))
    return (normal * [1e-9, 50, 0] + [0, 100, 7]).astype("f4")


def lstm_of(*units, name="member"):
    return build_lstm_member(3, units=units, dropout=0.5, lookback=20, seed=len(units), name=name)


def user_network(build):
    keras.utils.set_random_seed(3)
    inputs = keras.Input((None, 3))
    outputs = layers.Dense(1, activation="sigmoid")(build(inputs))
    return keras.Model(inputs, outputs, name="member")


def gru_and_norm(rows):
    rows = layers.GRU(5, return_sequences=True)(rows)
    rows = layers.LayerNormalization()(rows)
    other = layers.SimpleRNN(5, return_sequences=True)(rows)
    return layers.Concatenate()([layers.Add()([rows, other]), layers.Multiply()([rows, other])])


def unusual_arguments(rows):
    rows = layers.GRU(4, return_sequences=True, reset_after=False, use_bias=False)(rows)
    rows, *_ = layers.LSTM(3, return_sequences=True, return_state=True, use_bias=False)(rows)
    rows = layers.Dense(6, use_bias=False)(layers.GaussianNoise(0.1)(rows))
    return layers.Activation("tanh")(rows)


def nested(rows):
    head = keras.Sequential([keras.Input((None, 4)), layers.Dense(5, "relu"), layers.Dropout(0.1)])
    return head(layers.LSTM(4, return_sequences=True, recurrent_activation="sigmoid")(rows))


NETWORKS = {
    "one layer": lambda: network_of(lstm_of(6)),
    "two layers": lambda: network_of(lstm_of(6, 3)),
    "three layers": lambda: network_of(lstm_of(6, 5, 4)),
    "three members": lambda: network_of(*(lstm_of(4, 3, name=f"member_{n}") for n in range(3))),
    "gru, rnn and norm": lambda: network_of(user_network(gru_and_norm)),
    "unusual arguments": lambda: network_of(user_network(unusual_arguments)),
    "nested": lambda: network_of(user_network(nested)),
}


@pytest.mark.parametrize("build", NETWORKS.values(), ids=NETWORKS)
def test_onnx_gives_the_forecasts_and_states_of_keras(build):
    original, onnx = both_engines(build())
    for n_sequences, n_rows in [(1, 1), (1, 300), (7, 20)]:
        rows = rows_of(n_sequences, n_rows)
        expected, states = original.scan(rows, original.initial_state(n_sequences))
        found, onnx_states = onnx.scan(rows, onnx.initial_state(n_sequences))
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
        assert len(onnx_states) == len(states)
        for state, onnx_state in zip(states, onnx_states, strict=True):
            np.testing.assert_allclose(onnx_state, state, rtol=1e-5, atol=1e-5)


def test_the_export_leaves_the_network_as_it_is():
    network = NETWORKS["nested"]()
    before = network.get_config()
    assert export_onnx(network) == export_onnx(network)
    assert network.get_config() == before


def starts_from_a_state(rows):
    rows, *state = layers.LSTM(3, return_sequences=True, return_state=True, name="first")(rows)
    return layers.LSTM(3, return_sequences=True, name="second")(rows, initial_state=state)


def gives_two_outputs(rows):
    inputs = keras.Input((None, 3))
    both = keras.Model(inputs, [layers.Dense(2)(inputs), layers.Dense(2)(inputs)], name="both")
    return layers.Add()(both(rows))


class CallsItself(keras.Model):
    """A network that is a method, which nobody can look into."""

    def __init__(self):
        super().__init__(name="own")
        self.dense = layers.Dense(2)

    def call(self, rows):
        return self.dense(rows)


UNKNOWN_TO_ONNX = {
    "a given state": (starts_from_a_state, "'second' is called with more than its input: initial"),
    "two outputs": (gives_two_outputs, "'both' has 2 outputs"),
    "a method": (lambda rows: CallsItself()(rows), "'own' has a call method of its own"),
    "backwards": (
        lambda rows: layers.GRU(2, return_sequences=True, go_backwards=True, name="late")(rows),
        "'late' goes backwards or is stateful",
    ),
    "no scale": (
        lambda rows: layers.LayerNormalization(scale=False, name="norm")(rows),
        "'norm' has no scale",
    ),
    "joined in time": (
        lambda rows: layers.Concatenate(axis=1, name="twice")([rows, rows]),
        "'twice' joins along another axis",
    ),
    "unknown layer": (
        lambda rows: layers.PReLU(shared_axes=[1], name="bend")(rows),
        "'bend' (PReLU) has none",
    ),
}


@pytest.mark.parametrize(("build", "reason"), UNKNOWN_TO_ONNX.values(), ids=UNKNOWN_TO_ONNX)
def test_a_network_without_a_form_in_onnx_is_named_with_the_reason(build, reason, caplog):
    with caplog.at_level(logging.INFO, "lstm_strategy"):
        assert export_onnx(network_of(user_network(build))) is None
    (message,) = caplog.messages
    assert "needs Keras to forecast" in message and reason in message


@pytest.fixture(scope="module")
def engines():
    return both_engines(network_of(lstm_of(6), lstm_of(5, 4, name="other")))


@given(cuts=st.lists(st.integers(0, 60), max_size=4))
@settings(max_examples=25)
def test_a_sequence_may_be_cut_anywhere(engines, cuts):
    _, onnx = engines
    rows = np.arange(180, dtype="f4").reshape(60, 3) % 7
    whole, _ = run_carried(onnx, rows, onnx.initial_state(1))
    edges = [0, *sorted(cuts), 60]
    parts, state = [], onnx.initial_state(1)
    for start, stop in itertools.pairwise(edges):
        if start < stop:
            part, state = run_carried(onnx, rows[start:stop], state)
            parts.append(part)
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=0, atol=1e-6)


def test_windows_are_those_of_keras(engines):
    original, onnx = engines
    rows = rows_of(1, 90)[0]
    expected = run_windowed(original, rows, lookback=20)
    found = run_windowed(onnx, rows, lookback=20)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    assert np.isnan(found[:19]).all() and not np.isnan(found[19:]).any()


class Bent:
    """An engine whose forecasts are off from some row on, or wherever a state comes in."""

    def __init__(self, engine, *, from_row=None, spoils_state=False):
        self._engine, self._from_row, self._spoils_state = engine, from_row, spoils_state

    def initial_state(self, n_sequences):
        return self._engine.initial_state(n_sequences)

    def scan(self, rows, state):
        forecasts, state = self._engine.scan(rows, state)
        if self._from_row is not None:
            forecasts[:, self._from_row :] += 2e-5
        return forecasts, [part * 0 for part in state] if self._spoils_state else state


def test_what_keras_answers_is_had_without_a_loop_where_there_is_a_kernel_for_it(engines):
    original, _ = engines
    rows = rows_of(1, 60)[0]
    expected, _ = run_carried(original, rows, original.initial_state(1))
    found = answers_without_a_loop(original.network, rows)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    lstm = members_of(original.network)[0].get_layer("member_lstm_0")
    assert lstm.inner_loop.__func__ is layers.LSTM.inner_loop  # as it was before
    inputs = keras.Input((None, rows.shape[1]))
    loops = layers.GRU(3, return_sequences=True)(inputs)
    other = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(loops))
    assert answers_without_a_loop(network_of(other), rows) is None


@pytest.mark.parametrize(
    "bent",
    [
        pytest.param({"from_row": 0}, id="first row"),
        pytest.param({"from_row": 40}, id="after 40 rows"),
        pytest.param({"from_row": 299}, id="last row"),
        pytest.param({"spoils_state": True}, id="state lost"),
    ],
)
def test_an_engine_that_differs_anywhere_is_noticed(engines, bent):
    original, onnx = engines
    rows = rows_of(1, 300)[0]
    expected, _ = run_carried(original, rows, original.initial_state(1))
    assert agrees(onnx, expected, rows)
    assert not agrees(Bent(onnx, **bent), expected, rows)


@pytest.mark.parametrize(
    ("name", "broken", "message"),
    [
        pytest.param(
            "agreement.agrees",
            lambda *_, **__: False,
            "differs from Keras by more than 1e-05",
            id="other",
        ),
        pytest.param(
            "onnx_export.export_onnx", lambda _: b"no graph", "can't read", id="unreadable"
        ),
    ],
)
def test_an_onnx_model_that_differs_from_keras_is_not_kept(
    monkeypatch, caplog, name, broken, message
):
    monkeypatch.setattr(f"lstm_strategy.learning.inference.{name}", broken)
    with caplog.at_level(logging.WARNING, "lstm_strategy"):
        forecaster = LSTMForecaster(SMALL_FEATURES, **SMALL | {"epochs": 1, "members": 1})
        forecaster.fit(random_walk(300), progress=False)
    assert isinstance(forecaster.engine, KerasEngine)
    assert message in caplog.text


def test_where_there_is_a_gpu_forecasts_come_from_a_copy_on_the_cpu(monkeypatch):
    # a GPU multiplies in TensorFloat-32, whose three digits aren't those that are stored
    network = network_of(lstm_of(4))
    rows = rows_of(1, 20)[0]
    expected = np.asarray(keras.ops.convert_to_numpy(network(rows[None]))[0])
    monkeypatch.setattr("lstm_strategy.learning.network.devices.has_gpu", lambda: True)
    engine = KerasEngine(network)
    network.set_weights([np.full_like(weight, 7.0) for weight in network.get_weights()])

    assert engine.run_whole(rows) == pytest.approx(expected)
    stepped, _ = run_carried(engine, rows, engine.initial_state(1))
    assert stepped == pytest.approx(expected, abs=1e-6)


def test_an_onnx_model_that_differs_from_the_fused_kernel_alone_is_kept(monkeypatch):
    network = network_of(lstm_of(4))
    rows = rows_of(1, 80)[0]
    monkeypatch.setattr(
        "lstm_strategy.learning.inference.agreement.answers_without_a_loop",
        lambda network, rows: answers_without_a_loop(network, rows) + 2e-5,
    )
    engine, model = build_engine(network, rows)
    assert isinstance(engine, OnnxEngine) and model


def test_an_onnx_model_may_differ_by_what_rounding_moves_keras(monkeypatch):
    network = network_of(lstm_of(4))
    rows = rows_of(1, 80)[0]
    onnx, _ = build_engine(network, rows)
    expected = answers_without_a_loop(network, rows)
    late = np.arange(80)[:, None] > 60
    moved = expected + 3e-5 * late
    assert not agrees(onnx, moved, rows)
    assert agrees(onnx, moved, rows, tolerance=np.array([4e-5]))
    assert not agrees(onnx, expected + 0.01 * late, rows, tolerance=0.1)
    assert not agrees(onnx, expected + 3e-5, rows, tolerance=4e-5)  # not from the first row on


@pytest.mark.parametrize("memory", ["carry", "window"])
def test_batch_stream_and_reload_agree_between_the_engines(trained, tmp_path, memory):
    folder = trained.with_memory(memory).save(tmp_path / "model")
    onnx, original = (LSTMForecaster.load(folder, engine=name) for name in ("onnx", "keras"))
    assert isinstance(onnx.engine, OnnxEngine) and isinstance(original.engine, KerasEngine)
    expected = original.forecast(BARS)
    found = onnx.forecast(BARS)
    columns = ["forecast", "uncertainty"]
    np.testing.assert_allclose(found[columns], expected[columns], rtol=0, atol=1e-6)
    # a signal is the forecast's distance from one half, up to 20 times larger
    np.testing.assert_allclose(found["signal"], expected["signal"], rtol=0, atol=2e-5)
    streams = onnx.stream(BARS[:100]), original.stream(BARS[:100])
    for bar in BARS[100:130].reset_index().to_dict("records"):
        steps = [stream.update(bar) for stream in streams]
        np.testing.assert_allclose(steps[0].forecast, steps[1].forecast, rtol=0, atol=1e-6)


def test_auto_takes_onnx_and_without_an_onnx_model_keras(
    trained, model_folder, tmp_path, monkeypatch
):
    assert isinstance(trained.engine, OnnxEngine)
    assert isinstance(LSTMForecaster.load(model_folder).engine, OnnxEngine)
    folder = shutil.copytree(model_folder, tmp_path / "earlier")
    (folder / "network.onnx").unlink()
    LSTMForecaster.load(folder, engine="keras").save(folder)
    (folder / "network.onnx").write_bytes(b"not the model's own")
    assert isinstance(LSTMForecaster.load(folder).engine, KerasEngine)
    with pytest.raises(LSTMStrategyError, match=r'has no ONNX model.* engine="keras"'):
        LSTMForecaster.load(folder, engine="onnx")


@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_a_damaged_onnx_model_is_refused_and_keras_still_reads_the_model(
    trained, model_folder, tmp_path, damage
):
    folder = shutil.copytree(model_folder, tmp_path / "damaged")
    onnx = folder / "network.onnx"
    if damage == "changed":
        onnx.write_bytes(onnx.read_bytes()[:-1] + b"x")
    else:
        onnx.unlink()
    for engine in ("auto", "onnx"):
        with pytest.raises(LSTMStrategyError, match=r"network.onnx isn't the \w+ .*was saved"):
            LSTMForecaster.load(folder, engine=engine)
    original = LSTMForecaster.load(folder, engine="keras")
    pd.testing.assert_frame_equal(
        original.forecast(BARS), trained.forecast(BARS), rtol=0, atol=2e-5
    )
    again = LSTMForecaster.load(original.save(tmp_path / "again"))
    assert isinstance(again.engine, KerasEngine)


def test_what_onnx_runtime_can_not_read_is_said_with_the_remedy():
    with pytest.raises(LSTMStrategyError, match=r'can\'t read the network: .* engine="keras"'):
        OnnxEngine(b"no graph")


def test_an_unknown_engine_is_refused(model_folder):
    with pytest.raises(LSTMStrategyError, match="one of auto, onnx, keras, got 'tensorflow'"):
        LSTMForecaster.load(model_folder, engine="tensorflow")


def test_without_onnx_runtime_keras_runs_the_model(model_folder, monkeypatch):
    from lstm_strategy.learning.inference import engines

    monkeypatch.setattr(engines, "find_spec", lambda name: None)
    assert isinstance(LSTMForecaster.load(model_folder).engine, KerasEngine)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(LSTMStrategyError, match=r"needs onnxruntime.* pip install onnxruntime"):
        LSTMForecaster.load(model_folder, engine="onnx")


def test_a_network_that_onnx_cannot_hold_says_so_and_keeps_to_keras(tmp_path, caplog):
    def gelu(n_features):
        inputs = keras.Input((None, n_features))
        rows = layers.Dense(3, activation="gelu", name="bend")(inputs)
        return keras.Model(inputs, layers.Dense(1, activation="sigmoid")(rows))

    forecaster = LSTMForecaster(SMALL_FEATURES, network=gelu, **SMALL | {"epochs": 1, "members": 1})
    with caplog.at_level(logging.INFO, "lstm_strategy"):
        forecaster.fit(random_walk(300), progress=False)
    assert "without an ONNX model" in caplog.text and "'bend' has the activation 'gelu'" in (
        caplog.text
    )
    folder = forecaster.save(tmp_path / "model")
    assert not (folder / "network.onnx").exists()
    assert isinstance(LSTMForecaster.load(folder).engine, KerasEngine)
    with pytest.raises(LSTMStrategyError, match="has no ONNX"):
        LSTMForecaster.load(folder, engine="onnx")


@pytest.mark.parametrize("engine", ["onnx", "keras"])
def test_a_forecaster_travels_by_pickle(trained, model_folder, engine):
    loaded = LSTMForecaster.load(model_folder, engine=engine)
    again = pickle.loads(pickle.dumps(loaded))
    assert type(again.engine) is type(loaded.engine)
    pd.testing.assert_frame_equal(again.forecast(BARS), loaded.forecast(BARS))


def test_an_unfitted_forecaster_travels_by_pickle():
    forecaster = LSTMForecaster(SMALL_FEATURES, **SMALL)
    assert pickle.loads(pickle.dumps(forecaster)).settings == forecaster.settings


NO_KERAS = """
import sys
{work}
loaded = sorted({{name.split(".")[0] for name in sys.modules}} & {{"keras", "tensorflow"}})
assert not loaded, ({use!r}, loaded)
"""

COMMAND = """
from lstm_strategy import cli
sys.argv = ["lstm-strategy", *{words!r}]
try:
    cli.main()
except SystemExit as done:
    assert not done.code, done.code
"""


def run_without_keras(uses, folder, *, before="", timeout=120):
    """Run pieces of code by their names, one after the other in one process."""
    pieces = [NO_KERAS.format(work=work, use=use) for use, work in uses.items()]
    done = subprocess.run(
        [sys.executable, "-c", before + "".join(pieces)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def workplace(trained, tmp_path_factory):
    """A folder with bars, a model and the models of a walk forward."""
    from lstm_strategy import WalkForward, walk_forward

    folder = tmp_path_factory.mktemp("workplace")
    random_walk(500).to_csv(folder / "bars.csv")
    trained.save(folder / "model")
    bars = random_walk(500)
    splits = WalkForward("300 bars", "100 bars")
    untrained = trained.unfitted_copy(epochs=1)
    walk_forward(bars, untrained, splits, folder=folder / "walk", progress=False)
    return folder


@pytest.mark.parametrize(
    ("command", "model"),
    [
        ("forecast", "walk"),
        pytest.param("forecast", "model", marks=pytest.mark.slow),
        pytest.param("backtest", "model", marks=pytest.mark.slow),
        pytest.param("backtest", "walk", marks=pytest.mark.slow),
        pytest.param("compare", "model", marks=pytest.mark.slow),
        pytest.param("compare", "walk", marks=pytest.mark.slow),
    ],
)
def test_the_command_line_runs_a_saved_model_without_keras(workplace, command, model):
    start = [] if command == "forecast" else ["--start", "2002-03"]
    code = COMMAND.format(words=[command, "bars.csv", *start, "--model", model])
    printed = run_without_keras({command: code}, workplace)
    assert "LSTM" in printed or command == "forecast"


PYTHON_USES = {
    "import": "import lstm_strategy.learning.inference",
    "save again": (
        "from lstm_strategy import LSTMForecaster\n"
        "LSTMForecaster.load('model').save('copy')\n"
        "assert LSTMForecaster.load('copy').is_fitted"
    ),
    "btrun": (
        "import backtrader as bt\n"
        "from backtrader.btrun import btrun\n"
        "from lstm_strategy import load_bars\n"
        "load_bars('bars.csv').assign(openinterest=0).to_csv('bt.csv', date_format='%Y-%m-%d')\n"
        "btrun(['--csvformat', 'btcsv', '--data', 'bt.csv', '--strategy', "
        f"{str(STRATEGY_FILE)!r} + \":LSTM:model='model'\"])"
    ),
    "optstrategy": (
        "import backtrader as bt\n"
        "from lstm_strategy import BarsFeed, LSTMStrategy, load_bars\n"
        "cerebro = bt.Cerebro(maxcpus=2)\n"
        "cerebro.adddata(BarsFeed(load_bars('bars.csv')))\n"
        "cerebro.optstrategy(LSTMStrategy, model='model', long_only=[True, False])\n"
        "cerebro.addanalyzer(bt.analyzers.TimeReturn, timeframe=bt.TimeFrame.NoTimeFrame)\n"
        "results = [run[0].analyzers[0].get_analysis() for run in cerebro.run()]\n"
        "ends = [list(result.values())[0] for result in results]\n"
        "assert len(set(ends)) == 2, ends"
    ),
}


# what begins processes of its own has one for itself
@pytest.mark.parametrize(
    "uses", [["import", "save again"], ["btrun"], ["optstrategy"]], ids=" ".join
)
def test_python_uses_a_saved_model_without_keras(workplace, uses):
    run_without_keras({use: PYTHON_USES[use] for use in uses}, workplace)


# takes long to import, and a machine that trades can do without it
NEVER_NEEDED_TO_TRADE = [
    *("arch", "bokeh", "coverage", "joblib", "matplotlib", "numba", "onnx", "optuna", "quantstats"),
    *("requests", "scipy", "seaborn", "sklearn", "sqlalchemy", "statsmodels", "yfinance"),
]
REFUSE_TO_IMPORT = f"import sys\nsys.modules.update(dict.fromkeys({NEVER_NEEDED_TO_TRADE}))\n"


LIGHT_USES = {
    "stream": (
        "from lstm_strategy import LSTMForecaster, load_bars\n"
        "bars = load_bars('bars.csv')\n"
        "stream = LSTMForecaster.load('model').stream(bars[:400])\n"
        "for bar in bars[400:410].reset_index().to_dict('records'): step = stream.update(bar)\n"
        "assert 0 < step.forecast < 1"
    ),
    "run_backtest": (
        "from lstm_strategy import LSTMStrategy, load_bars, run_backtest\n"
        "run_backtest(LSTMStrategy, load_bars('bars.csv'), start='2002-03', model='model')"
    ),
    "the command forecast": COMMAND.format(words=["forecast", "bars.csv", "--model", "model"]),
    "the command backtest": COMMAND.format(
        words=["backtest", "bars.csv", "--model", "model", "--start", "2002-03"]
    ),
}


def test_trading_a_saved_model_imports_nothing_heavy(workplace):
    run_without_keras(LIGHT_USES, workplace, before=REFUSE_TO_IMPORT)


@pytest.mark.slow  # two backends are loaded and compiled, each in a process of its own
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_models_trained_on_another_backend_have_an_onnx_model_and_callbacks_too(backend, tmp_path):
    if find_spec(backend) is None:
        pytest.skip(f"{backend} isn't installed")
    random_walk(300).to_csv(tmp_path / "bars.csv")
    work = f"""
import os, sys
os.environ["KERAS_BACKEND"] = {backend!r}
from lstm_strategy import LSTMForecaster, load_bars
from lstm_strategy.tracking import TensorBoardLogs
from keras.callbacks import ModelCheckpoint
bars = load_bars("bars.csv")
forecaster = LSTMForecaster({SMALL_FEATURES!r}, **{SMALL | {"epochs": 2}!r})
callbacks = [TensorBoardLogs("logs"), ModelCheckpoint("member.keras")]
forecaster.fit(bars, progress=False, callbacks=callbacks).save("model")
assert sorted(os.listdir("logs")) == ["member_1", "member_2"]
assert os.path.isfile("member.keras")
assert forecaster.card.backend == {backend!r}
onnx, keras = (LSTMForecaster.load("model", engine=engine) for engine in ("onnx", "keras"))
apart = (onnx.forecast(bars) - keras.forecast(bars))[["forecast", "uncertainty"]].abs().max().max()
assert apart < 1e-6, apart
"""
    done = subprocess.run(
        [sys.executable, "-c", work], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_onnx_runtime_leaves_no_telemetry_in_the_cache_folder(model_folder, tmp_path):
    code = (
        "from lstm_strategy import LSTMForecaster\n"
        f"LSTMForecaster.load({str(model_folder)!r}, engine='onnx')\n"
    )
    kept = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    homes = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], check=True, env=kept | homes)
    assert not [path for path in tmp_path.rglob("*") if "onnxruntime" in path.name]


def test_keras_is_refused_in_another_process_than_the_one_that_loaded_it(monkeypatch):
    network = network_of(lstm_of(3))
    monkeypatch.setattr(f"{check_not_forked.__module__}._IMPORTED_IN", os.getpid() + 1)
    with pytest.raises(LSTMStrategyError, match="maxcpus=1"):
        KerasEngine(network)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="only where processes are forked")
def test_optstrategy_with_keras_in_a_fork_of_its_process_is_refused_instead_of_hanging(tmp_path):
    work = """
import backtrader as bt
from made_up import SMALL, SMALL_FEATURES, random_walk
from lstm_strategy import BarsFeed, LSTMForecaster, LSTMStrategy, LSTMStrategyError
bars = random_walk(160)
LSTMForecaster(SMALL_FEATURES, **SMALL).fit(bars, progress=False).save("model")
model = LSTMForecaster.load("model", engine="keras")
cerebro = bt.Cerebro(maxcpus=2)
cerebro.adddata(BarsFeed(bars))
cerebro.optstrategy(LSTMStrategy, model=[model], long_only=[True, False])
try:
    cerebro.run()
except LSTMStrategyError as error:
    assert "maxcpus=1" in str(error), error
else:
    raise AssertionError("nothing was refused")
"""
    environment = {
        **os.environ,
        "LSTM_STRATEGY_CACHE": "off",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    subprocess.run(
        [sys.executable, "-c", work], cwd=tmp_path, env=environment, check=True, timeout=120
    )
