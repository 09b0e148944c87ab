"""Forecasts are made once, and anew whenever anything that decides them has changed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import backtrader as bt
import numpy as np
import pandas as pd
import pytest
from made_up import ConstantForecaster, random_walk

import lstm_strategy
from lstm_strategy import BarsFeed, FeatureSet, LSTMForecaster, LSTMStrategy
from lstm_strategy.learning.serving import forecast_cache
from lstm_strategy.learning.serving.forecast_cache import (
    ForecastFiles,
    ForecastMemory,
    digest_of_code,
    forecast_with_cache,
)
from lstm_strategy.learning.serving.open import open_forecaster, precompute_forecasts
from lstm_strategy.learning.walk_forward import Refit, WalkForwardForecaster
from lstm_strategy.support import sha256_of

BARS = random_walk(90, seed=4)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty cache on disk and in memory."""
    monkeypatch.setenv("LSTM_STRATEGY_CACHE", str(tmp_path / "cache"))
    forget(monkeypatch)
    return tmp_path / "cache"


def forget(monkeypatch):
    """What a new process knows: only the files."""
    empty = ForecastMemory(largest_bytes=forecast_cache.LARGEST_IN_MEMORY)
    monkeypatch.setattr(forecast_cache, "_memory", empty)


@pytest.fixture
def n_computed(monkeypatch):
    """How often features were computed, in a list that grows."""
    calls, frame = [], FeatureSet.frame

    def counted(self, bars):
        calls.append(len(bars))
        return frame(self, bars)

    monkeypatch.setattr(FeatureSet, "frame", counted)
    return calls


def test_the_same_forecasts_come_from_memory_and_from_disk(
    trained, folder, n_computed, monkeypatch
):
    expected = trained.forecast(BARS)
    n_computed.clear()
    for how_often in (1, 1, 1):
        pd.testing.assert_frame_equal(forecast_with_cache(trained, BARS), expected)
        assert len(n_computed) == how_often
    forget(monkeypatch)
    pd.testing.assert_frame_equal(forecast_with_cache(trained, BARS), expected)
    assert len(n_computed) == 1
    assert len(list(folder.iterdir())) == 1


def test_what_a_caller_does_to_its_forecasts_does_not_reach_the_cache(trained, folder):
    for _ in ("computed", "looked up"):
        frame = forecast_with_cache(trained, BARS)
        frame.loc[:, :] = 7.0
    pd.testing.assert_frame_equal(forecast_with_cache(trained, BARS), trained.forecast(BARS))


def test_a_sweep_runs_features_and_network_once(trained, model_folder, folder, n_computed):
    cerebro = bt.Cerebro(maxcpus=1)
    cerebro.adddata(BarsFeed(BARS))
    cerebro.optstrategy(LSTMStrategy, model=str(model_folder), long_only=[True, False])
    cerebro.run()
    precompute_forecasts(str(model_folder), BARS)
    assert len(n_computed) == 1


def test_another_process_reads_what_was_forecast_here(trained, model_folder, folder, tmp_path):
    forecast_with_cache(LSTMForecaster.load(model_folder), BARS)
    BARS.to_csv(tmp_path / "bars.csv")
    model, there = str(model_folder), str(tmp_path / "there.csv")
    code = (
        "from lstm_strategy import FeatureSet, LSTMForecaster, load_bars\n"
        "from lstm_strategy.learning.serving.open import precompute_forecasts\n"
        "def fail(*_): raise AssertionError('computed again')\n"
        "FeatureSet.frame = fail\n"
        f"precompute_forecasts({model!r}, load_bars('bars.csv')).frame.to_csv({there!r})\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path, timeout=120)
    np.testing.assert_allclose(pd.read_csv(there, index_col=0), trained.forecast(BARS), rtol=1e-12)


def changed_bars():
    changed = BARS.copy()
    changed.iloc[50, changed.columns.get_loc("close")] *= 1 + 1e-9
    return changed


def with_card(trained, **changes):
    other = trained.with_memory(trained.settings.memory)
    other.card = trained.card.model_copy(update=changes)
    return other


def retrained(trained):
    return trained.unfitted_copy(seed=9, epochs=1).fit(random_walk(400), progress=False)


@pytest.mark.parametrize(
    ("model", "bars"),
    [
        pytest.param(lambda trained: trained, changed_bars(), id="one price"),
        pytest.param(lambda trained: trained, BARS.iloc[1:], id="one bar less"),
        pytest.param(lambda trained: trained, BARS.tz_localize("UTC"), id="time zone"),
        pytest.param(lambda trained: trained.with_memory("window"), BARS, id="memory"),
        pytest.param(
            lambda trained: with_card(
                trained, signal=trained.card.signal.model_copy(update={"width": 0.3})
            ),
            BARS,
            id="signal",
        ),
        pytest.param(retrained, BARS, id="weights"),
    ],
)
def test_any_change_is_forecast_anew(trained, folder, n_computed, model, bars):
    model = model(trained)
    forecast_with_cache(trained, BARS)
    n_computed.clear()
    frame = forecast_with_cache(model, bars)
    assert n_computed == [len(bars)]
    pd.testing.assert_frame_equal(frame, model.forecast(bars))


def test_another_engine_is_another_model(model_folder, folder, n_computed):
    for engine in ("onnx", "keras"):
        forecast_with_cache(LSTMForecaster.load(model_folder, engine=engine), BARS)
    assert len(n_computed) == 2


def test_other_code_or_libraries_forecast_anew(trained, folder, n_computed, monkeypatch):
    forecast_with_cache(trained, BARS)
    monkeypatch.setattr(forecast_cache, "digest_of_code", lambda package: "edited")
    forecast_with_cache(trained, BARS)
    monkeypatch.setattr(forecast_cache, "_versions", lambda: {"numpy": "99"})
    forecast_with_cache(trained, BARS)
    assert len(n_computed) == 3


@pytest.mark.parametrize(
    ("file", "counts"),
    [
        pytest.param("bars/validate.py", True, id="bars"),
        pytest.param("learning/features/indicators.py", True, id="features"),
        pytest.param("learning/inference/onnx_engine.py", True, id="inference"),
        pytest.param("learning/forecaster/signal.py", True, id="signal"),
        pytest.param("support/time_zones.py", True, id="support"),
        pytest.param("trading/feed.py", False, id="trading"),
    ],
)
def test_an_edit_in_a_room_behind_forecasts_changes_the_digest_of_the_code(tmp_path, file, counts):
    package = Path(lstm_strategy.__file__).parent
    edited = shutil.copytree(package, tmp_path / "edited")
    assert digest_of_code(edited) == digest_of_code(package)
    digest_of_code.cache_clear()
    with (edited / file).open("a") as module:
        module.write("# edited\n")
    assert (digest_of_code(edited) != digest_of_code(package)) is counts


def test_the_models_of_a_walk_forward_are_cached_as_one(trained, folder, n_computed):
    ledger = pd.DataFrame()
    walks = [
        WalkForwardForecaster([Refit(trained, BARS.index[start])], ledger) for start in (60, 75)
    ]
    frames = [forecast_with_cache(walk, BARS) for walk in (*walks, *walks)]
    assert len(n_computed) == 2
    pd.testing.assert_frame_equal(frames[2], frames[0])
    assert frames[0]["signal"].notna().sum() > frames[1]["signal"].notna().sum()


def test_forecasters_of_others_are_asked_each_time(folder):
    class Derived(LSTMForecaster):
        pass

    constant = ConstantForecaster(0.5)
    for _ in range(2):
        forecast_with_cache(open_forecaster(constant), BARS)
    assert constant.n_batch_calls == 2
    assert Derived().fingerprint is None
    assert not folder.exists()


def test_a_damaged_file_counts_as_never_written(trained, folder, n_computed, monkeypatch):
    forecast_with_cache(trained, BARS)
    (file,) = folder.iterdir()
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    forget(monkeypatch)
    pd.testing.assert_frame_equal(forecast_with_cache(trained, BARS), trained.forecast(BARS))
    assert len(n_computed) == 3


def in_its_place(make):
    def replace(file):
        file.unlink()
        make(file)

    return replace


def make_huge(file):
    with file.open("r+b") as opened:
        opened.truncate(2**40)


def take_another_entry(file):
    files = ForecastFiles(file.parent, largest_bytes=10**6)
    files.put("other", np.ones((len(BARS), 3)))
    (file.parent / "other.forecast").replace(file)


def forge(file):
    """What another account could write who knows how files are made, but not own as this one."""
    ForecastFiles(file.parent, largest_bytes=10**6).put(file.stem, np.ones((len(BARS), 3)))
    file.chmod(0o666)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda file: file.write_bytes(b""), id="empty"),
        pytest.param(lambda file: file.write_bytes(file.read_bytes()[:-8]), id="torn"),
        pytest.param(in_its_place(Path.mkdir), id="folder"),
        pytest.param(in_its_place(os.mkfifo), id="pipe"),
        pytest.param(in_its_place(lambda file: file.symlink_to("/dev/zero")), id="device"),
        pytest.param(in_its_place(lambda file: file.symlink_to(file.name)), id="link to itself"),
        pytest.param(make_huge, id="huge"),
        pytest.param(take_another_entry, id="another entry"),
        pytest.param(forge, id="of other accounts"),
        pytest.param(
            lambda file: file.write_bytes(b"\x93NUMPY" + file.read_bytes()[6:]), id="another format"
        ),
    ],
)
def test_whatever_lies_in_the_place_of_a_file_is_forecast_anew(
    trained, folder, n_computed, monkeypatch, damage
):
    expected = forecast_with_cache(trained, BARS)
    (file,) = folder.iterdir()
    damage(file)
    forget(monkeypatch)
    n_computed.clear()
    pd.testing.assert_frame_equal(forecast_with_cache(trained, BARS), expected)
    assert len(n_computed) == 1


def test_where_nothing_can_be_written_forecasts_are_made_all_the_same(
    trained, tmp_path, monkeypatch
):
    (tmp_path / "a file").write_text("mine")
    monkeypatch.setenv("LSTM_STRATEGY_CACHE", str(tmp_path / "a file"))
    forget(monkeypatch)
    pd.testing.assert_frame_equal(forecast_with_cache(trained, BARS), trained.forecast(BARS))
    assert (tmp_path / "a file").read_text() == "mine"


def test_off_keeps_nothing(trained, n_computed, monkeypatch):
    monkeypatch.setenv("LSTM_STRATEGY_CACHE", "off")
    for _ in range(2):
        forecast_with_cache(trained, BARS)
    assert len(n_computed) == 2


def test_without_the_variable_files_lie_in_the_users_cache_folder(trained, tmp_path, monkeypatch):
    monkeypatch.delenv("LSTM_STRATEGY_CACHE")
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name, **_: tmp_path / name)
    forget(monkeypatch)
    forecast_with_cache(trained, BARS)
    assert len(list((tmp_path / "lstm-strategy").iterdir())) == 1


@pytest.mark.parametrize("folder", ["", "~/forecasts"])
def test_a_user_without_a_home_gets_forecasts_that_are_kept_nowhere(
    trained, n_computed, monkeypatch, no_home, folder
):
    monkeypatch.setenv("LSTM_STRATEGY_CACHE", folder)
    for _ in range(2):
        pd.testing.assert_frame_equal(forecast_with_cache(trained, BARS), trained.forecast(BARS))
    assert len(n_computed) == 4


def test_the_files_unused_for_the_longest_go_first(tmp_path):
    array = np.arange(1_000.0)
    files = ForecastFiles(tmp_path, largest_bytes=3 * 8_500)
    others = {"thesis.txt", "weather.forecast"}
    for name in others:
        (tmp_path / name).write_text("x" * 50_000)
    names = [sha256_of(letter) for letter in "abcd"]
    for age, name in enumerate(names[:3]):
        files.put(name, array + age)
        os.utime(tmp_path / f"{name}.forecast", (1_000 + age, 1_000 + age))
    used_again = files.get(names[0], shape=(1_000,))  # now the newest
    np.testing.assert_array_equal(used_again, array)
    files.put(names[3], array)
    kept = {path.name for path in tmp_path.iterdir()}
    assert kept == {f"{names[number]}.forecast" for number in (0, 2, 3)} | others


def test_what_a_dead_process_left_unfinished_is_removed(tmp_path):
    name = sha256_of("a")
    old, new, foreign = f".{name}.forecast.17.part", f".{name}.forecast.18.part", ".a.forecast.part"
    for part in (old, new, foreign):
        (tmp_path / part).write_bytes(b"half")
    for part in (old, foreign):
        os.utime(tmp_path / part, (1_000, 1_000))
    other = sha256_of("b")
    ForecastFiles(tmp_path, largest_bytes=100_000).put(other, np.zeros(3))
    assert {path.name for path in tmp_path.iterdir()} == {new, foreign, f"{other}.forecast"}


def test_the_memory_lets_go_of_what_was_unused_for_the_longest():
    memory = ForecastMemory(largest_bytes=2 * 80)
    for name in "ab":
        memory.put(name, np.zeros(10))
    memory.get("a")
    memory.put("c", np.zeros(10))
    assert [name for name in "abc" if memory.get(name) is not None] == ["a", "c"]


def test_processes_write_read_and_remove_at_once(tmp_path):
    code = (
        "import sys, numpy as np\n"
        "from lstm_strategy.support import sha256_of\n"
        "from pathlib import Path\n"
        "from lstm_strategy.learning.serving.forecast_cache import ForecastFiles\n"
        "files = ForecastFiles(Path(sys.argv[1]), largest_bytes=5 * 900)\n"
        "for turn in range(150):\n"
        "    name = sha256_of(str(turn % 7))\n"
        "    files.put(name, np.full(100, turn % 7))\n"
        "    found = files.get(sha256_of(str((turn + 3) % 7)), shape=(100,))\n"
        "    assert found is None or (found == (turn + 3) % 7).all()\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, tmp_path], stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for process in running:
        _, complaints = process.communicate(timeout=120)
        assert process.returncode == 0, complaints
    files = list(tmp_path.iterdir())
    assert 0 < sum(file.stat().st_size for file in files) <= 5 * 900
    assert all(file.suffix == ".forecast" for file in files)


class PooledForecaster(ConstantForecaster):
    """Asks for the share that a market's last close has of all last closes of a panel."""

    takes_panels, fingerprint = True, "pooled"

    def forecast(self, bars):
        self.n_batch_calls += 1
        total = sum(of["close"].iloc[-1] for of in bars.values())
        return {
            symbol: pd.DataFrame(
                of["close"].iloc[-1] / total, of.index, ["signal", "forecast", "uncertainty"]
            )
            for symbol, of in bars.items()
        }


def test_the_forecasts_of_a_panel_are_kept_for_that_very_panel(folder, monkeypatch):
    model, panel = PooledForecaster(0.5), {"A": BARS, "B": random_walk(70, seed=5)}
    expected = PooledForecaster(0.5).forecast(panel)
    for _ in range(2):
        frames = forecast_with_cache(model, panel)
        assert list(frames) == ["A", "B"]
        for symbol, frame in frames.items():
            assert frame.pop("novelty").isna().all()
            pd.testing.assert_frame_equal(frame, expected[symbol])
        forget(monkeypatch)
    assert model.n_batch_calls == 1
    other = forecast_with_cache(model, {**panel, "B": random_walk(70, seed=6)})
    assert model.n_batch_calls == 2
    assert not other["A"][list(expected["A"])].equals(expected["A"])


def test_a_model_of_one_market_is_asked_about_each_market_of_a_panel(folder):
    model = ConstantForecaster(0.5)
    frames = forecast_with_cache(model, {"A": BARS, "B": BARS.iloc[:30]})
    assert {symbol: len(frame) for symbol, frame in frames.items()} == {"A": 90, "B": 30}
