import json
import shutil

import joblib
import numpy as np
import pandas as pd
import pytest
from made_up import SMALL, SMALL_FEATURES, random_walk

from lstm_strategy import (
    LSTMForecaster,
    LSTMStrategy,
    LSTMStrategyError,
    WalkForward,
    run_backtest,
    walk_forward,
)
from lstm_strategy.bars import bars_fingerprint
from lstm_strategy.learning.network import keras
from lstm_strategy.learning.serving import open_forecaster, precompute_forecasts
from lstm_strategy.learning.walk_forward import fold_training
from lstm_strategy.support import seal

BARS = random_walk(420, seed=11)
QUICK = {**SMALL, "epochs": 1, "members": 1}
SPLITS = WalkForward(200, 90)
FIRST_TEST_BAR = 200


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("runs") / "walk"


@pytest.fixture(scope="module")
def walked(folder):
    prototype = LSTMForecaster(SMALL_FEATURES, **QUICK)
    return walk_forward(BARS, prototype, SPLITS, folder=folder, progress=False)


def test_every_bar_from_the_first_test_fold_on_is_forecast(walked):
    known = walked.forecast(BARS).notna().all(axis=1)
    assert known.tolist() == [False] * FIRST_TEST_BAR + [True] * (420 - FIRST_TEST_BAR)
    assert len(walked.refits) == 3


def test_no_bar_was_forecast_by_a_model_that_had_seen_it(walked):
    ledger = walked.ledger
    assert ledger.index.equals(BARS.index[FIRST_TEST_BAR:])
    position = BARS.index.get_indexer(ledger.index)
    last_seen = BARS.index.get_indexer(pd.DatetimeIndex(ledger["train_end"]))
    assert (last_seen + ledger["purge_bars"] < position).all()
    assert (ledger["purge_bars"] >= 1).all()


def test_the_ledger_tells_which_data_each_model_saw(walked):
    for _, rows in walked.ledger.groupby("fold"):
        row = rows.iloc[0]
        seen = BARS.loc[row["train_start"] : row["train_end"]]
        assert row["data_sha256"] == bars_fingerprint(seen)
    assert walked.ledger["data_sha256"].nunique() == 3


def test_the_models_say_the_same_as_the_ledger(walked):
    for refit, (_, rows) in zip(walked.refits, walked.ledger.groupby("fold"), strict=True):
        assert refit.model.training_end == rows["train_end"].iloc[0]
        assert refit.model.card.training.sha256 == rows["data_sha256"].iloc[0]
        assert refit.test_start == rows.index[0]


def test_its_card_is_that_of_the_first_model_also_once_its_forecasts_are_known(walked):
    first = walked.refits[0].model.card
    assert walked.card == first
    assert first.settings.seed == SMALL["seed"]
    assert precompute_forecasts(walked, BARS).card == first


def test_each_fold_is_forecast_by_its_own_model_with_memory_from_before_its_edge(walked):
    forecasts = walked.forecast(BARS)
    for number, refit in enumerate(walked.refits):
        start = FIRST_TEST_BAR + 90 * number
        stop = min(start + 90, 420)
        alone = refit.model.forecast(BARS.iloc[max(0, start - walked.context_bars) : stop])
        pd.testing.assert_frame_equal(forecasts.iloc[start:stop], alone.iloc[start - stop :])


def test_changing_bars_after_t_never_changes_a_forecast_at_or_before_t(walked):
    for t in (205, 290, 333):
        changed = BARS.copy()
        changed.iloc[t:] *= 1.7
        before = walked.forecast(BARS).iloc[:t]
        pd.testing.assert_frame_equal(walked.forecast(changed).iloc[:t], before, atol=1e-6)


def test_members_and_bars_before_the_first_fold_keep_the_index(walked):
    signals = walked.member_signals(BARS)
    pd.testing.assert_series_equal(signals[0], walked.forecast(BARS)["signal"], check_names=False)
    early = walked.forecast(BARS.iloc[:150])
    assert early.index.equals(BARS.index[:150])
    assert early.isna().all(axis=None)


@pytest.mark.parametrize("n_history", [0, 150, 250, 290, 400])
def test_the_stream_gives_the_numbers_of_the_batch_across_the_edges(walked, n_history):
    stream = walked.stream(BARS.iloc[:n_history] if n_history else None)
    bars = BARS.iloc[n_history:].reset_index().to_dict("records")
    streamed = pd.DataFrame([vars(stream.update(bar)) for bar in bars], BARS.index[n_history:])
    pd.testing.assert_frame_equal(streamed, walked.forecast(BARS).iloc[n_history:], atol=1e-5)


def test_peeking_across_an_edge_leaves_no_trace(walked):
    bars = BARS.reset_index().to_dict("records")
    peeking, undisturbed = walked.stream(BARS.iloc[:288]), walked.stream(BARS.iloc[:288])
    for bar in bars[288:293]:
        peeking.peek({**bar, "close": bar["low"]})
        assert peeking.update(bar) == undisturbed.update(bar)


def test_a_run_trades_out_of_sample_from_its_first_test_bar(walked):
    result = run_backtest(LSTMStrategy, BARS, model=walked)
    assert result.first_tradable == BARS.index[FIRST_TEST_BAR]
    assert not result.in_sample


def test_a_saved_run_gives_the_same_numbers(walked, folder, tmp_path):
    for again in (
        open_forecaster(folder),
        open_forecaster(walked.save(tmp_path / "copy")),
    ):
        pd.testing.assert_frame_equal(again.forecast(BARS), walked.forecast(BARS))
        assert again.training_end == walked.training_end
        assert again.ledger["data_sha256"].tolist() == walked.ledger["data_sha256"].tolist()


def test_a_run_is_never_saved_over_something_else(walked, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(LSTMStrategyError, match="isn't empty"):
        walked.save(tmp_path)


def test_finished_folds_survive_a_kill_and_are_not_trained_again(walked, tmp_path, monkeypatch):
    trained = []
    train = fold_training.fit_fold

    def train_until_killed(forecaster, bars, fold, **callbacks):
        if len(trained) == 2:
            raise KeyboardInterrupt
        trained.append(fold.number)
        return train(forecaster, bars, fold, **callbacks)

    prototype = LSTMForecaster(SMALL_FEATURES, **QUICK)
    monkeypatch.setattr(fold_training, "fit_fold", train_until_killed)
    with pytest.raises(KeyboardInterrupt):
        walk_forward(BARS, prototype, SPLITS, folder=tmp_path / "run", progress=False)
    with pytest.raises(LSTMStrategyError, match="no finished walk-forward run"):
        open_forecaster(tmp_path / "run")

    resumed = []
    monkeypatch.setattr(
        fold_training,
        "fit_fold",
        lambda f, b, fold, **_: resumed.append(fold.number) or train(f, b, fold),
    )
    again = walk_forward(BARS, prototype, SPLITS, folder=tmp_path / "run", progress=False)
    assert (trained, resumed) == ([1, 2], [3])
    pd.testing.assert_frame_equal(again.forecast(BARS), walked.forecast(BARS), atol=1e-6)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"bars": BARS.iloc[:-1]}, id="other bars"),
        pytest.param({"settings": {"epochs": 2}}, id="other settings"),
        pytest.param({"splits": WalkForward(200, 100)}, id="other folds"),
    ],
)
def test_a_folder_of_another_run_is_refused_and_left_alone(walked, folder, other):
    before = json.loads((folder / "walkforward.json").read_text())
    prototype = LSTMForecaster(SMALL_FEATURES, **{**QUICK, **other.get("settings", {})})
    with pytest.raises(LSTMStrategyError, match="other bars, settings or folds"):
        walk_forward(other.get("bars", BARS), prototype, other.get("splits", SPLITS), folder=folder)
    assert json.loads((folder / "walkforward.json").read_text()) == before


def test_folds_that_overlap_by_the_horizon_are_refused():
    with pytest.raises(LSTMStrategyError, match=r"horizon, 5 bars.*got 1.*horizon=5"):
        walk_forward(BARS, LSTMForecaster(SMALL_FEATURES, **QUICK, horizon=5), SPLITS)


def test_a_fold_that_cannot_be_trained_is_named():
    rising = BARS.copy()
    prices = np.linspace(50, 90, 200)
    for column, factor in {"open": 1, "high": 1.01, "low": 0.99, "close": 1}.items():
        rising.iloc[:200, rising.columns.get_loc(column)] = prices * factor
    with pytest.raises(LSTMStrategyError, match=r"Fold 1, trained on .*never falls"):
        walk_forward(rising, LSTMForecaster(SMALL_FEATURES, **QUICK), SPLITS, progress=False)


def test_too_few_bars_for_one_fold_are_counted():
    with pytest.raises(LSTMStrategyError, match="201"):
        walk_forward(BARS.iloc[:200], LSTMForecaster(SMALL_FEATURES, **QUICK), SPLITS)


def test_the_network_is_compiled_once_for_all_folds(monkeypatch):
    optimizers = []
    compile_network = keras.Model.compile

    def count(network, *arguments, **options):
        optimizers.extend(arguments)  # an engine is compiled without one
        return compile_network(network, *arguments, **options)

    monkeypatch.setattr(keras.Model, "compile", count)
    other_units = {**QUICK, "units": (9,)}  # which no other test trains
    walk_forward(BARS, LSTMForecaster(SMALL_FEATURES, **other_units), SPLITS, progress=False)
    assert len(optimizers) == 1


def test_progress_is_reported_after_each_fold():
    steps = []
    prototype = LSTMForecaster(SMALL_FEATURES, **QUICK)
    walk_forward(BARS, prototype, SPLITS, progress=lambda *step: steps.append(step))
    assert steps == [(1, 3), (2, 3), (3, 3)]


def test_validation_bars_of_the_splits_are_those_that_early_stopping_watches(tmp_path):
    splits = WalkForward(200, 220, validation=60)
    walked = walk_forward(BARS, LSTMForecaster(SMALL_FEATURES, **QUICK), splits, progress=False)
    (fold,) = splits.folds(BARS)
    (refit,) = walked.refits
    begins = pd.Timestamp(refit.model.card.training.validation_start)
    assert abs((begins - BARS.index[fold.validation.start]).days) <= 2
    assert walked.ledger["train_end"].iloc[0] == BARS.index[fold.validation.stop - 1]


def test_time_zones_are_kept(walked):
    aware = BARS.tz_localize("UTC").tz_convert("Asia/Tokyo")
    frame = walk_forward(
        aware, LSTMForecaster(SMALL_FEATURES, **QUICK), SPLITS, progress=False
    ).forecast(aware)
    np.testing.assert_allclose(frame, walked.forecast(BARS), atol=1e-6)


@pytest.mark.slow
def test_several_processes_give_the_same_numbers(walked, tmp_path):
    prototype = LSTMForecaster(SMALL_FEATURES, **QUICK)
    side_by_side = walk_forward(BARS, prototype, SPLITS, n_jobs=2, progress=False)
    pd.testing.assert_frame_equal(side_by_side.forecast(BARS), walked.forecast(BARS), atol=1e-5)


@pytest.mark.slow
def test_a_worker_that_dies_is_named_and_finished_folds_are_kept(tmp_path):
    class Deadly(LSTMForecaster):
        def fit(self, bars, **kwargs):
            import os
            import signal

            if bars.index[0] > BARS.index[100]:
                os.kill(os.getpid(), signal.SIGKILL)
            return super().fit(bars, **kwargs)

    joblib.externals.loky.get_reusable_executor().shutdown(wait=True)
    with pytest.raises(LSTMStrategyError, match=r"worker process died.*run it again"):
        walk_forward(
            BARS,
            Deadly(SMALL_FEATURES, **QUICK),
            WalkForward(200, 90),
            folder=tmp_path / "run",
            n_jobs=2,
            progress=False,
        )
    finished = list((tmp_path / "run" / "folds").glob("*/model.json"))
    assert len(finished) >= 1


@pytest.mark.parametrize("n_jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_memory_that_runs_out_costs_no_finished_fold(walked, tmp_path, n_jobs):
    class Hungry(LSTMForecaster):
        def fit(self, bars, **kwargs):
            if bars.index[0] > BARS.index[100] and (tmp_path / "little").exists():
                raise MemoryError
            return super().fit(bars, **kwargs)

    def run():
        prototype = Hungry(SMALL_FEATURES, **QUICK)
        settings = {"folder": tmp_path / "run", "n_jobs": n_jobs, "progress": False}
        return walk_forward(BARS, prototype, SPLITS, **settings)

    (tmp_path / "little").touch()
    with pytest.raises(LSTMStrategyError, match=r"of 3 folds: There isn't memory enough") as short:
        run()
    assert "The finished folds are kept: run it again with the same folder" in str(short.value)
    finished = {path: path.read_bytes() for path in (tmp_path / "run").rglob("folds/*/*")}
    assert finished
    (tmp_path / "little").unlink()
    pd.testing.assert_frame_equal(run().forecast(BARS), walked.forecast(BARS), atol=1e-5)
    assert {path: path.read_bytes() for path in finished} == finished


@pytest.mark.slow
def test_without_a_folder_no_fold_is_said_to_be_kept():
    class Hungry(LSTMForecaster):
        def fit(self, bars, **kwargs):
            raise MemoryError

    with pytest.raises(LSTMStrategyError, match="Without a folder no fold is kept: run it again"):
        prototype = Hungry(SMALL_FEATURES, **QUICK)
        walk_forward(BARS, prototype, SPLITS, n_jobs=2, progress=False)


def test_what_is_amiss_with_every_fold_is_said_once(caplog, monkeypatch):
    measure = "lstm_strategy.learning.forecaster.assessment.network_memory"
    monkeypatch.setattr(measure, lambda *measured: None)
    with caplog.at_level("WARNING", "lstm_strategy"):
        walk_forward(BARS, LSTMForecaster(SMALL_FEATURES, **QUICK), SPLITS, progress=False)
    assert [record.message.split(",")[0] for record in caplog.records] == [
        "In 3 of 3 folds (target direction) the memory of the first row lasts beyond half of the "
        "training rows"
    ]


@pytest.fixture
def kept(walked, folder, tmp_path):
    """A copy of the finished run, and a call that goes on with it."""
    copy = tmp_path / "kept"
    shutil.copytree(folder, copy)
    return copy


def go_on(folder, **settings):
    prototype = LSTMForecaster(SMALL_FEATURES, **{**QUICK, **settings})
    return walk_forward(BARS, prototype, SPLITS, folder=folder, progress=False)


@pytest.mark.parametrize("n_bytes", [0, 1, 20, 60, 100])
def test_a_run_goes_on_whose_index_was_cut_off(walked, kept, monkeypatch, n_bytes):
    index = (kept / "walkforward.json").read_bytes()
    (kept / "walkforward.json").write_bytes(index[:n_bytes])
    (kept / ".walkforward.json.1f2e.part").write_bytes(index[:n_bytes])
    monkeypatch.setattr(fold_training, "fit_fold", None)  # nothing is trained again
    pd.testing.assert_frame_equal(go_on(kept).forecast(BARS), walked.forecast(BARS))
    assert (kept / "walkforward.json").read_bytes() == index
    assert {path.name for path in kept.iterdir()} == {"walkforward.json", "ledger.csv", "folds"}


@pytest.mark.parametrize(
    "content", ["", '{\n  "key": "0', "years of work"], ids=["empty", "begun", "foreign"]
)
def test_an_index_that_something_else_lies_beside_is_left_alone(tmp_path, content):
    (tmp_path / "walkforward.json").write_text(content)
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(LSTMStrategyError, match=r"holds (something else|a run with other)"):
        go_on(tmp_path)
    assert (tmp_path / "walkforward.json").read_text() == content


@pytest.mark.parametrize("n_lines", [200, 0])
def test_a_ledger_that_lost_rows_is_refused_and_written_again(kept, monkeypatch, n_lines):
    ledger = (kept / "ledger.csv").read_text()
    (kept / "ledger.csv").write_text("".join(ledger.splitlines(keepends=True)[:n_lines]))
    with pytest.raises(LSTMStrategyError, match=r"isn't the ledger .* Call walk_forward with"):
        open_forecaster(kept)
    monkeypatch.setattr(fold_training, "fit_fold", None)  # nothing is trained again
    go_on(kept)
    assert (kept / "ledger.csv").read_text() == ledger


def test_of_two_runs_that_claim_one_folder_the_later_one_is_refused(tmp_path, monkeypatch):
    def begin_another(*_, **__):
        with pytest.raises(LSTMStrategyError, match="other bars, settings or folds"):
            go_on(tmp_path, epochs=2)
        raise KeyboardInterrupt

    monkeypatch.setattr(fold_training, "fit_fold", begin_another)
    with pytest.raises(KeyboardInterrupt):
        go_on(tmp_path)


def swap_in_a_fold_of_another_run(kept, other):
    shutil.copytree(other / "folds" / "002", kept / "folds" / "002", dirs_exist_ok=True)


def swap_folds(kept, _):
    shutil.copytree(kept / "folds" / "001", kept / "folds" / "002", dirs_exist_ok=True)


def save_over_a_fold(kept, other):
    mark = (kept / "folds" / "002" / "fold.json").read_bytes()
    swap_in_a_fold_of_another_run(kept, other)
    (kept / "folds" / "002" / "fold.json").write_bytes(mark)


@pytest.mark.parametrize("change", [swap_in_a_fold_of_another_run, swap_folds, save_over_a_fold])
def test_a_fold_that_another_run_trained_is_never_taken(kept, tmp_path, change):
    go_on(tmp_path / "other", epochs=2)
    change(kept, tmp_path / "other")
    with pytest.raises(LSTMStrategyError, match=r"002 isn't a fold of this run.*remove that fold"):
        go_on(kept)
    with pytest.raises(LSTMStrategyError, match=r"002 isn't the model that this run trained"):
        open_forecaster(kept)


def test_a_model_that_is_said_to_forecast_what_it_has_seen_is_refused(kept):
    index = json.loads((kept / "walkforward.json").read_text())
    index["test_starts"][1] = BARS.index[250].isoformat()
    (kept / "walkforward.json").write_text(json.dumps(index))
    with pytest.raises(LSTMStrategyError, match="isn't the index that was written"):
        open_forecaster(kept)
    (kept / "walkforward.json").write_text(json.dumps(seal(index)))
    with pytest.raises(LSTMStrategyError, match=r"claims the forecasts from .* which it has seen"):
        open_forecaster(kept)
