"""A stream that is resumed from its checkpoint gives the numbers of one that never ended."""

import json
import os
import pickle
from functools import partial

import numpy as np
import pandas as pd
import pytest
from dateutil.tz import gettz
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_up import SMALL, SMALL_FEATURES, ConstantForecaster, random_walk

from lstm_strategy import LSTMForecaster, WalkForward, walk_forward
from lstm_strategy.errors import LSTMStrategyError, ModelError
from lstm_strategy.learning.forecaster import checkpoint, write_checkpoint
from lstm_strategy.learning.forecaster.checkpoint import resume_from
from lstm_strategy.learning.reference import LearnerForecaster
from lstm_strategy.support import seal

TINY = {"units": (2,), "epochs": 1, "members": 1, "lookback": 10, "seed": 1}
RETURN = {"kind": "log_return", "length": 1}
ACROSS = [RETURN, {"kind": "panel_rank", "of": {"kind": "rsi", "length": 5}}]
CARRY = [RETURN, {"kind": "funding_sum", "days": 1}, {"kind": "premium"}]
BARS = random_walk(394, seed=3)
PANEL = {"A": BARS.drop(BARS.index[[100, 285]]), "B": random_walk(394, seed=4)}
START = 384

in_turn = settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])


def records(bars, start=START):
    return bars.iloc[start:].reset_index().to_dict("records")


def moments(panel, start=START):
    times = panel["B"].index[start:]
    return [
        {s: {"datetime": time, **bars.loc[time]} for s, bars in panel.items() if time in bars.index}
        for time in times
    ]


def follow(stream, bars):
    """Every number that a stream gives, of one market or of many."""
    found = []
    for bar in bars:
        told = stream.update(bar)
        of_markets = told if isinstance(told, dict) else {"": told}
        found.append([list(vars(forecast).values()) for forecast in of_markets.values()])
    return found


def check_cut(model, begin, bars, cut, path):
    """A stream that ends after `cut` bars and is resumed by the same model."""
    expected = follow(begin(model), bars)
    ended = begin(model)
    before = follow(ended, bars[:cut])
    assert ended.checkpoint(path) == path
    found = before + follow(model.resume(path), bars[cut:])
    assert pickle.dumps(found) == pickle.dumps(expected)  # to the last bit, NaN included


def derivatives(bars):
    rng = np.random.default_rng(1)
    funding = np.where(np.arange(len(bars)) % 3 == 0, rng.normal(1e-4, 1e-4, len(bars)), np.nan)
    return bars.assign(
        funding_rate=funding, spot_close=bars["close"] * (1 + rng.normal(0, 1e-3, len(bars)))
    )


@pytest.fixture(scope="module")
def of_panel():
    return LSTMForecaster([RETURN], **TINY, scaling="market").fit(PANEL, progress=False)


@pytest.fixture(scope="module")
def across_panel():
    return LSTMForecaster(ACROSS, **TINY).fit(PANEL, progress=False)


@pytest.fixture(scope="module")
def of_futures():
    return LSTMForecaster(CARRY, **TINY).fit(derivatives(BARS), progress=False)


@pytest.fixture(scope="module")
def walked():
    quick = LSTMForecaster(SMALL_FEATURES, **{**SMALL, **TINY})
    return walk_forward(BARS, quick, WalkForward(340, 50), progress=False)


@pytest.fixture(scope="module")
def walked_across():
    return walk_forward(PANEL, LSTMForecaster(ACROSS, **TINY), WalkForward(340, 50), progress=False)


@pytest.mark.parametrize("memory", ["carry", "window"])
@in_turn
@given(cut=st.integers(0, 20), n_history=st.sampled_from([0, 5, 20, START]))
def test_wherever_a_stream_is_cut(trained, memory, tmp_path, cut, n_history):
    model = trained.with_memory(memory)
    bars = records(BARS, n_history)[:20]
    begin = partial(type(model).stream, history=BARS.iloc[:n_history] if n_history else None)
    check_cut(model, begin, bars, cut, tmp_path / "stream")


@pytest.mark.parametrize("zone", ["Europe/Berlin", "UTC", "+02:00"])
def test_dates_keep_their_zone(trained, tmp_path, zone):
    bars = BARS.tz_localize("UTC").tz_convert(zone)
    begin = partial(type(trained).stream, history=bars.iloc[:START])
    check_cut(trained, begin, records(bars), 7, tmp_path / "stream")
    later = trained.resume(tmp_path / "stream")
    assert later._trailing.last_time == bars.index[START + 6]
    assert later._trailing.last_time.utcoffset() == bars.index[START + 6].utcoffset()


def test_old_bars_go_at_the_same_bar(trained, tmp_path):
    bars = random_walk(600, seed=9)
    start = trained.stream()._trailing._next_look - 4
    begin = partial(type(trained).stream, history=bars.iloc[:start])
    check_cut(trained, begin, records(bars, start)[:8], 2, tmp_path / "stream")
    stream = trained.resume(tmp_path / "stream")
    follow(stream, records(bars, start + 2)[:6])
    assert stream._trailing.n_bars < start


def test_of_the_keras_engine(model_folder, tmp_path):
    model = LSTMForecaster.load(model_folder, engine="keras")
    begin = partial(type(model).stream, history=BARS.iloc[:START])
    check_cut(model, begin, records(BARS), 5, tmp_path / "stream")
    with pytest.raises(ModelError, match="another model than this one, or of the same with"):
        LSTMForecaster.load(model_folder, engine="onnx").resume(tmp_path / "stream")


def test_of_a_market_with_columns_of_its_own(of_futures, tmp_path):
    bars = derivatives(BARS)
    begin = partial(type(of_futures).stream, history=bars.iloc[:START])
    check_cut(of_futures, begin, records(bars), 8, tmp_path / "stream")


@pytest.mark.parametrize("cut", [0, 1, 10])
@pytest.mark.parametrize("name", ["of_panel", "across_panel"])
def test_of_a_panel(request, name, tmp_path, cut):
    model = request.getfixturevalue(name)
    history = {symbol: bars[bars.index < BARS.index[START]] for symbol, bars in PANEL.items()}
    begin = partial(type(model).stream, history=history)
    check_cut(model, begin, moments(PANEL), cut, tmp_path / "stream")


def test_one_market_of_a_panel(of_panel, across_panel, tmp_path):
    begin = partial(type(of_panel).stream, history=BARS.iloc[:START], symbol="B")
    check_cut(of_panel, begin, records(BARS), 3, tmp_path / "stream")
    assert of_panel.resume(tmp_path / "stream").snapshot()["symbol"] == "B"
    with pytest.raises(ModelError, match="the stream of all markets"):
        across_panel.stream(PANEL)["B"].checkpoint(tmp_path / "stream")


# the second fold begins after six bars
@pytest.mark.parametrize(("n_history", "cut"), [(START, 0), (START, 6), (START, 7), (0, 392)])
def test_of_a_walk_forward(walked, tmp_path, n_history, cut):
    begin = partial(type(walked).stream, history=BARS.iloc[:n_history] if n_history else None)
    check_cut(walked, begin, records(BARS, n_history), cut, tmp_path / "stream")


@pytest.mark.parametrize("cut", [0, 6, 7])
def test_of_a_walk_forward_across_markets(walked_across, tmp_path, cut):
    history = {symbol: bars[bars.index < BARS.index[START]] for symbol, bars in PANEL.items()}
    begin = partial(type(walked_across).stream, history=history)
    check_cut(walked_across, begin, moments(PANEL), cut, tmp_path / "stream")


def test_a_resumed_stream_is_resumed_again(trained, tmp_path):
    bars = records(BARS)
    expected = follow(trained.stream(BARS.iloc[:START]), bars)
    stream, found = trained.stream(BARS.iloc[:START]), []
    for bar in bars:
        found += follow(stream, [bar])
        stream = trained.resume(stream.checkpoint(tmp_path / "stream"))
    assert found == expected


def test_it_is_resumed_where_the_model_is_loaded_again(trained, model_folder, tmp_path):
    stream = trained.stream(BARS.iloc[:START])
    stream.checkpoint(tmp_path / "stream")
    loaded = LSTMForecaster.load(model_folder)
    loaded.card = loaded.card.model_copy(update={"signal": trained.card.signal})
    assert follow(loaded.resume(tmp_path / "stream"), records(BARS)) == follow(
        stream, records(BARS)
    )


def test_a_bar_of_before_the_checkpoint_is_refused(trained, tmp_path):
    trained.stream(BARS.iloc[:START]).checkpoint(tmp_path / "stream")
    with pytest.raises(LSTMStrategyError, match="in the order of time"):
        trained.resume(tmp_path / "stream").update(records(BARS, START - 1)[0])


def test_a_checkpoint_of_another_model_or_version_is_refused(trained, tmp_path, monkeypatch):
    path = tmp_path / "stream"
    trained.stream(BARS.iloc[:START]).checkpoint(path)
    with pytest.raises(ModelError, match="is of another model than this one"):
        trained.with_memory("window").resume(path)
    monkeypatch.setattr(checkpoint, "library_versions", lambda names: {"lstm-strategy": "99.1"})
    with pytest.raises(ModelError, match=r"and this is lstm-strategy 99\.1 with format 1"):
        trained.resume(path)


def test_what_has_no_fingerprint_writes_no_checkpoint(trained, tmp_path):
    learner = LearnerForecaster("logistic", features=[{"kind": "rsi", "length": 5}]).fit(BARS)
    with pytest.raises(ModelError, match="bound to the fingerprint of its model"):
        learner.stream(BARS).checkpoint(tmp_path / "stream")
    assert list(tmp_path.iterdir()) == []
    trained.stream(BARS.iloc[:START]).checkpoint(tmp_path / "stream")
    with pytest.raises(ModelError, match="of another model"):
        ConstantForecaster(0.5).resume(tmp_path / "stream")


def test_a_file_that_is_missing_damaged_or_cut_off_is_refused(trained, tmp_path):
    with pytest.raises(ModelError, match="No checkpoint at"):
        trained.resume(tmp_path / "none")
    with pytest.raises(ModelError, match="is damaged: "):
        trained.resume(tmp_path)
    path = tmp_path / "stream"
    trained.stream(BARS.iloc[:START]).checkpoint(path)
    whole = path.read_bytes()
    places = np.random.default_rng(0).integers(len(whole), size=40)
    torn = [whole[:place] for place in (0, 1, whole.index(b"\n"), *places)]
    flipped = [
        whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :] for place in places.tolist()
    ]
    for content in (*torn, *flipped, whole + b"\0", b"[]\n", b"{}\n", b'{"sha256": 1}\n'):
        path.write_bytes(content)
        with pytest.raises(ModelError, match="isn't a checkpoint of a stream, or is damaged"):
            trained.resume(path)


def change_map(header, name, change):
    kept = header["state"]["map"]
    return {**header, "state": {"map": {**kept, name: change(kept[name])}}}


SEALED = {
    "no state": lambda of: {**of, "state": None},
    "no market": lambda of: {**of, "state": {"map": {}}},
    "unknown kind": lambda of: {**of, "state": {"code": "1"}},
    "array that isn't there": lambda of: change_map(of, "window", lambda _: {"array": 99}),
    "huge array": lambda of: {**of, "arrays": [["<f8", [10**9, 10**9]]]},
    "objects": lambda of: {**of, "arrays": [["|O", [1]]]},
    "negative shape": lambda of: {**of, "arrays": [["<f8", [-1]]]},
    "rows of another width": lambda of: change_map(of, "window", lambda _: {"array": 0}),
    "text for a number": lambda of: change_map(of, "n_rows_seen", lambda _: "many"),
    "no bars": lambda of: change_map(of, "trailing", lambda _: {"map": {}}),
    "a zone that is a path": lambda of: {
        **of,
        "state": {"map": {"symbol": {"time": [0, "ns", "../../etc/passwd"]}}},
    },
    "a zone that is a file": lambda of: {
        **of,
        "state": {"map": {"symbol": {"time": [0, "ns", "dateutil//etc/passwd"]}}},
    },
    "fewer states": lambda of: change_map(of, "state", lambda of: of[:1]),
}


@pytest.mark.parametrize("name", SEALED)
def test_what_a_stranger_has_sealed_is_refused_in_one_sentence(trained, tmp_path, name):
    path = tmp_path / "stream"
    trained.stream(BARS.iloc[:START]).checkpoint(path)
    header, _, content = path.read_bytes().partition(b"\n")
    changed = seal(SEALED[name](json.loads(header)))
    path.write_bytes(json.dumps(changed).encode() + b"\n" + content)
    with pytest.raises(ModelError, match="isn't a checkpoint of a stream, or is damaged"):
        trained.resume(path)


def test_an_earlier_checkpoint_stays_where_a_new_one_can_not_be_written(trained, tmp_path):
    path = tmp_path / "folder" / "stream"
    stream = trained.stream(BARS.iloc[:START])
    stream.checkpoint(path)
    kept = path.read_bytes()
    (tmp_path / "folder").chmod(0o500)
    try:
        if os.access(tmp_path / "folder", os.W_OK):
            pytest.skip("this user may write anywhere")
        with pytest.raises(OSError, match="Permission denied"):
            stream.checkpoint(path)
    finally:
        (tmp_path / "folder").chmod(0o700)
    assert path.read_bytes() == kept


def test_every_kind_of_value_comes_back_as_it_was(tmp_path):
    times = pd.DatetimeIndex(["2024-03-31 01:30", "2024-03-31 03:30"], tz="Europe/Berlin").as_unit(
        "s"
    )
    bars = pd.DataFrame({"close": [1.0, np.nan]}, times)
    snapshot = {
        "array": np.arange(6, dtype="f4").reshape(2, 3).T,
        "mask": np.array([[True], [False]]),
        "bars": bars,
        "time": times[1],
        "plain": [1, "two", None, True, 0.5],
        "$": {"of {market}": {"nothing": bars.iloc[:0]}},
    }
    path = write_checkpoint(tmp_path / "stream", snapshot, fingerprint="mine")
    found = resume_from(path, dict, fingerprint="mine")
    np.testing.assert_array_equal(found["array"], snapshot["array"])
    np.testing.assert_array_equal(found["mask"], snapshot["mask"])
    pd.testing.assert_frame_equal(found["bars"], bars)
    assert (found["time"], found["time"].unit) == (times[1], "s")
    assert found["plain"] == snapshot["plain"]
    assert found["$"]["of {market}"]["nothing"].index.tz is not None


def test_a_zone_without_a_name_is_refused(trained, tmp_path):
    bars = BARS.tz_localize(gettz("Europe/Berlin"))
    with pytest.raises(ModelError, match=r"which has no name that a checkpoint could keep"):
        trained.stream(bars).checkpoint(tmp_path / "stream")


def test_a_model_that_was_trained_again_leaves_its_streams_without_a_checkpoint(tmp_path):
    model = LSTMForecaster([RETURN], **TINY).fit(BARS, progress=False)
    stream = model.stream(BARS)
    model.fit(BARS.iloc[:390], progress=False)
    with pytest.raises(ModelError, match="trained again after the stream had begun"):
        stream.checkpoint(tmp_path / "stream")
