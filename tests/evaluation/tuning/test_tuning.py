"""`tune`: what is tried, what is kept, what the holdout sees, and how a stopped search goes on."""

import dataclasses
import math
import tomllib
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy import (
    BrokerSettings,
    LSTMForecaster,
    LSTMStrategyError,
    WalkForward,
    run_backtest,
    tune,
    walk_forward,
)
from lstm_strategy.errors import TrainingError, WorkersDiedError
from lstm_strategy.evaluation.tuning import trader
from lstm_strategy.trading.lstm import LSTMStrategy

BARS = random_walk(420)
SPACE = {"units": [4, 6], "learning_rate": (0.01, 0.1, "log"), "min_signal": (0.0, 0.3)}
FEATURES = [
    {"kind": "log_return", "length": 1},
    {"kind": "rsi", "length": 5},
    {"kind": "relative_volume", "length": 5},
]
TINY = {"units": (6,), "lookback": 10, "epochs": 1, "members": 1, "seed": 5, "learning_rate": 0.02}


def base():
    return LSTMForecaster(FEATURES, **TINY)


def tune_small(n_trials=3, *, space=SPACE, **options):
    options = {"forecaster": base(), "n_folds": 2, "progress": False, **options}
    return tune(BARS, space, n_trials, **options)


@pytest.fixture(scope="module", autouse=True)
def _keep_signals():
    """Nothing can be learned on a random walk, and nothing would be left of signals to trade."""
    with pytest.MonkeyPatch.context() as patch:
        confidence = "lstm_strategy.learning.targets.binary.measure_confidence"
        patch.setattr(confidence, lambda *_, **__: 1.0)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("search") / "kept"


@pytest.fixture(scope="module")
def result(folder):
    return tune_small(folder=folder, prune=False)


def test_every_trial_is_scored_on_all_folds_and_kept(result, folder):
    assert result.trials["state"].tolist() == ["complete"] * 3
    assert result.trials["folds"].tolist() == [2, 2, 2]
    assert len(list((folder / "forecasts").glob("*.parquet"))) == 3
    kept = pd.read_parquet(folder / "forecasts" / "trial-00000.parquet")
    assert list(kept.columns) == ["signal", "forecast", "uncertainty", "novelty", "return"]
    # 420 bars, 84 kept back; of the other 336 the first half trains
    assert list(kept.index) == list(BARS.index[168:336])


def test_the_best_is_the_highest_sharpe_and_can_be_made_again(result):
    assert result.best_value == result.trials["value"].max()
    assert result.best == {
        "units": [result.trials.loc[result.best_number, "units"]],
        **result.trials.loc[result.best_number, ["learning_rate", "min_signal"]].to_dict(),
    }
    assert not result.forecaster.is_fitted
    assert result.forecaster.settings.learning_rate == result.best["learning_rate"]
    assert result.forecaster.settings.seed == TINY["seed"]


def test_the_score_is_the_sharpe_ratio_of_a_walk_forward_by_hand(result):
    inner = BARS.iloc[:336]
    model = walk_forward(inner, result.forecaster, WalkForward(168, 84), progress=False)
    start = inner.index[168]
    own = run_backtest(LSTMStrategy, inner, start=start, model=model, **result.strategy)
    assert own.metrics["sharpe"] == pytest.approx(result.best_value, abs=1e-3)
    assert result.returns[result.best_number].std() > 0


def test_the_holdout_is_seen_by_the_best_alone_and_once(result, folder):
    assert [f.name for f in (folder / "holdout").iterdir()] == [
        f"trial-{result.best_number:05d}.parquet"
    ]
    assert result.holdout.n_looks == 1
    equity = result.holdout.result.equity
    assert (equity.index[0], equity.index[-1]) == (BARS.index[336], BARS.index[-1])
    assert not result.holdout.result.in_sample


@pytest.mark.slow
def test_no_trial_changes_when_the_holdout_does(result):
    other = BARS.copy()
    other.iloc[336:, :4] *= 1.5
    again = tune(other, SPACE, 3, forecaster=base(), n_folds=2, prune=False, progress=False)
    pd.testing.assert_frame_equal(again.returns, result.returns)


def test_the_number_of_trials_and_their_correlation_enter_the_judgement(result):
    assert result.n_trials == 3
    assert 1 <= result.n_independent <= 3
    assert 0 <= result.pbo <= 1
    assert 0 < result.deflated_sharpe < 1
    assert 0 < result.spa_p_value <= 1


def test_what_is_saved_is_a_configuration_that_makes_the_same_forecaster(result, tmp_path):
    result.save(tmp_path)
    assert {f.name for f in tmp_path.iterdir()} == {
        *("best.toml", "history.png", "trials.csv"),
    }
    assert list(result.undrawn) == ["importance"]
    told = pd.Series({"units": 0.7, "horizon": 0.3})
    dataclasses.replace(result, importance=told).save(tmp_path / "told")
    assert (tmp_path / "told" / "importance.png").is_file()
    single = dataclasses.replace(result, trials=result.trials.iloc[:1])
    assert single.undrawn["history"] == "One trial has no course that could be drawn."
    text = (tmp_path / "best.toml").read_text()
    assert text.startswith(f"# Best of 3 trials: number {result.best_number}. Its Sharpe ratio is ")
    config = tomllib.loads(text)
    made = LSTMForecaster(**config["forecaster"])
    assert made.settings == result.forecaster.settings
    assert made.features == result.forecaster.features
    assert config["strategy"] == result.strategy
    assert BrokerSettings(**config["broker"]) == result.broker
    assert len(pd.read_csv(tmp_path / "trials.csv")) == 3


def test_a_name_in_two_tables_is_told_apart_by_a_comment(result):
    text = dataclasses.replace(result, strategy={"band": 0.4, "min_signal": 0.1}).to_toml()
    lines = text.splitlines()
    above = [lines[at - 1] for at, line in enumerate(lines) if line.startswith("band = ")]
    assert above == [
        "# the band of strategies that name none of their own, such as the baselines",
        "# the band of the LSTM, in place of the one under [broker]",
    ]
    assert "# the" not in dataclasses.replace(result, strategy={"min_signal": 0.1}).to_toml()


def test_figures_and_notebook_view_show_the_outcome(result):
    import matplotlib.pyplot as plt

    history = result.plot()
    assert "3 trials" in history.axes[0].get_title(loc="left")
    assert "the best on the holdout" in str(history.legends[0].texts)
    (words,) = result.figure("importance").axes[0].texts
    assert words.get_text() == "There are too few trials to say."
    assert plt.get_fignums() == []
    card = result._repr_html_()
    assert "<b>Best of 3 trials</b>" in card
    assert f"{result.holdout.scores['sharpe']:.4f} (" in card
    assert "trial</th>" in card and "error</th>" not in card  # no trial has any
    with pytest.raises(LSTMStrategyError, match="kind must be one of history, importance"):
        result.plot("slice")


def test_a_finished_search_is_only_read_again(result, folder, monkeypatch):
    monkeypatch.setattr(LSTMForecaster, "fit", None)
    again = tune_small(folder=folder, prune=False)
    pd.testing.assert_frame_equal(again.trials, result.trials)
    assert again.pbo == result.pbo


@pytest.mark.slow
@pytest.mark.parametrize("end", [KeyboardInterrupt, MemoryError])
def test_a_search_that_was_stopped_tries_what_it_would_have_tried(
    result, tmp_path, monkeypatch, end
):
    fit, calls = LSTMForecaster.fit, []

    def die_in_the_second_trial(*arguments, **options):
        calls.append(1)
        if len(calls) == 4:
            raise end
        return fit(*arguments, **options)

    monkeypatch.setattr(LSTMForecaster, "fit", die_in_the_second_trial)
    with pytest.raises(end):
        tune_small(folder=tmp_path, prune=False)
    monkeypatch.setattr(LSTMForecaster, "fit", fit)
    resumed = tune_small(folder=tmp_path, prune=False)
    assert resumed.n_trials == 3
    assert resumed.trials.index.tolist() == [0, 1, 2]
    assert resumed.to_toml() == result.to_toml()
    assert resumed.save(tmp_path / "again").joinpath("best.toml").read_text() == result.to_toml()
    columns = ["units", "learning_rate", "min_signal", "value"]
    np.testing.assert_allclose(
        resumed.trials[columns].to_numpy(float), result.trials[columns].to_numpy(float), rtol=1e-6
    )


OTHERS = {
    "bars": {"bars": random_walk(420, seed=1)},
    "space": {"space": {"units": [4, 7]}},
    "objective": {"objective": "auc"},
    "folds": {"n_folds": 3},
    "forecaster": {"forecaster": LSTMForecaster(FEATURES, **{**TINY, "epochs": 2})},
    "seed": {"seed": 1},
    "strategy or broker": {"broker": BrokerSettings(commission_rate=0.0)},
    "storage": {"storage": "journal:somewhere"},
}


@pytest.mark.parametrize("other", OTHERS)
def test_a_folder_of_another_search_is_refused(result, folder, other):
    options = {"bars": BARS, "space": SPACE, "forecaster": base(), "n_folds": 2, **OTHERS[other]}
    with pytest.raises(LSTMStrategyError, match=f"search that differs in its {other}. Choose"):
        tune(n_trials=3, folder=folder, prune=False, progress=False, **options)


def test_a_search_that_came_to_nothing_leaves_its_folder_to_a_fixed_one(tmp_path):
    with pytest.raises(LSTMStrategyError, match="min_signal must be less than 1"):
        tune_small(1, folder=tmp_path, strategy={"min_signal": 7}, space={"units": [4]})
    assert tune_small(1, folder=tmp_path, space={"units": [4]}).n_trials == 1


def test_a_folder_of_other_files_is_refused(tmp_path):
    (tmp_path / "thesis.doc").write_text("mine")
    with pytest.raises(LSTMStrategyError, match="holds something else"):
        tune_small(folder=tmp_path)
    assert [f.name for f in tmp_path.iterdir()] == ["thesis.doc"]


@pytest.mark.slow
def test_a_journal_file_keeps_a_search_as_well(result, tmp_path):
    options = {"folder": tmp_path / "a", "storage": f"journal:{tmp_path / 'log'}", "prune": False}
    tune_small(1, **options)
    both = tune_small(2, **options)
    assert both.trials["value"].tolist() == pytest.approx(result.trials["value"].tolist()[:2])
    assert (tmp_path / "log").read_text().count('"worker"') == 2


@pytest.mark.slow
def test_a_trial_worse_than_half_stops_after_its_first_fold(monkeypatch):
    scores = iter([*[0.9] * 10, 0.1, 0.8])  # the first five trials are never stopped
    monkeypatch.setattr(trader, "sharpe", lambda *arguments: next(scores))
    found = tune_small(7)
    assert found.trials["state"].tolist() == [*["complete"] * 5, "pruned", "pruned"]
    assert found.trials["folds"].tolist() == [*[2] * 5, 1, 1]
    assert list(found.returns) == [0, 1, 2, 3, 4]
    assert found.n_trials == 7


def test_one_completed_trial_has_no_probability_of_overfitting():
    found = tune_small(1)
    assert found.n_independent == 1
    assert np.isnan(found.pbo)


def test_a_setting_that_cannot_be_trained_is_a_trial_with_its_error():
    found = tune_small(2, space=one_too_long)
    assert found.trials["state"].tolist() == ["failed", "complete"]
    assert found.trials["folds"].tolist() == [0, 2]
    assert "Fold 1, " in found.trials.loc[0, "error"]
    assert "Training needs " in found.trials.loc[0, "error"]
    assert list(found.ranked.index) == [1, 0]


def one_too_long(trial):
    trial.suggest_float("luck", 0, 1)
    return {"lookback": 300 if trial.number == 0 else 10}


@pytest.mark.parametrize("at_once", [1, 2], ids=["one by one", "together"])
def test_a_setting_that_cannot_be_built_is_a_trial_with_its_error(tmp_path, at_once):
    steps = []
    found = tune_small(
        2,
        space=one_without_length,
        at_once=at_once,
        n_jobs=1,
        folder=tmp_path,
        progress=lambda *step: steps.append(step),
    )
    assert found.trials["state"].tolist() == ["failed", "complete"]
    assert found.trials["folds"].tolist() == [0, 2]
    assert "length" in found.trials.loc[0, "error"]
    assert [file.name for file in (tmp_path / "forecasts").iterdir()] == ["trial-00001.parquet"]
    assert steps[-1] == (4, 4)


def one_without_length(trial):
    trial.suggest_float("luck", 0, 1)
    return {"features": [{"kind": "rsi", "length": 0 if trial.number == 0 else 5}]}


def test_if_no_setting_can_be_trained_the_first_error_is_given():
    with pytest.raises(LSTMStrategyError, match=r"None of 2 trials .* Training needs "):
        tune_small(2, space=always_too_long)


def always_too_long(trial):
    return {"lookback": trial.suggest_int("lookback", 200, 300)}


def test_a_search_that_no_setting_fits_ends_before_anything_is_tried(monkeypatch):
    monkeypatch.setattr("lstm_strategy.learning.search.run.run_trial", None)
    with pytest.raises(LSTMStrategyError, match=r"No setting of .* with lookback=200 and "):
        tune_small(2, space={"lookback": [300, 200], "units": [4, 6]})


def test_a_setting_that_cannot_fit_is_refused_before_any_fold_is_trained(monkeypatch):
    monkeypatch.setattr("lstm_strategy.learning.search.trial.fit_fold", None)
    with pytest.raises(LSTMStrategyError, match=r"No setting of the space fits .* Training needs "):
        tune_small(1, space={"lookback": [40]})


def test_a_trial_that_ruins_the_account_fails_and_is_never_the_best(monkeypatch):
    ruined = pd.Series([100.0, 50.0, -5.0, 400.0], BARS.index[:4])
    result = SimpleNamespace(equity=ruined, bars_per_year=252.0)
    own = trader.ForecastTrader(BrokerSettings(), {})
    monkeypatch.setattr(trader.ForecastTrader, "result", lambda *_: result)
    seen = SimpleNamespace(bars=None, forecasts=None, strategy={})
    with pytest.raises(TrainingError, match="ruined at 2001-01-03, so the setting has no score"):
        own.sharpe(seen)


def test_the_outcome_says_what_is_unknown_and_that_the_best_never_traded(result):
    assert "never traded" not in str(result)
    assert "unknown" not in str(result)
    idle = replace(
        result, returns=result.returns * 0, pbo=math.nan, deflated_sharpe=math.nan, spa_p_value=1.0
    )
    said = str(idle)
    assert "It never traded on the inner folds. Its Sharpe ratio of 0 is that of cash" in said
    assert "p = 1.000, which is that of no lead. What is unknown would need more bars" in said


def test_a_second_look_at_the_holdout_and_a_ruin_on_it_are_said(result):
    assert "look" not in str(result)
    kept = result.holdout
    equity = kept.result.equity.copy()
    equity.iloc[20:] = 0.0
    again = replace(
        result, holdout=replace(kept, n_looks=2, result=replace(kept.result, equity=equity))
    )
    assert " (look 2 at it)." in str(again)
    assert "On the holdout its account is ruined at 2001-12-23." in str(again)
    assert ", look 2 at it)" in again._repr_html_()


def test_a_trial_that_trades_nothing_is_scored_without_a_warning(caplog):
    idle = pd.DataFrame({"signal": 0.0, "forecast": 0.5, "uncertainty": 0.0}, BARS.index[300:])
    result = trader.ForecastTrader(BrokerSettings(), {}).result(BARS, idle, {})
    assert not any(result.order_counts.values())
    assert caplog.records == []


def test_a_function_of_the_trial_chooses_features_and_thresholds():
    def space(trial):
        length = trial.suggest_int("length", 3, 9)
        return {"features": [{"kind": "rsi", "length": length}], "band": 0.2, "layers": 2}

    found = tune_small(1, space=space, objective="log_loss")
    assert found.forecaster.features.names == [f"RSI_{found.trials.loc[0, 'length']}"]
    assert found.forecaster.settings.units == (6, 6)
    assert found.strategy == {"band": 0.2}
    assert 0.5 < found.best_value < 1.0


def test_progress_counts_folds_to_the_end():
    steps = []
    tune_small(2, progress=lambda *step: steps.append(step), prune=False)
    assert steps[-1] == (4, 4)
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)


MISTAKES = {
    "threshold": ({"space": {"min_signal": [2.0]}}, "min_signal must be less than 1"),
    "space": ({"space": {"lookbak": [1]}}, "space has no dimension 'lookbak'"),
    "trials": ({"n_trials": 0}, "n_trials must be at least 1, got 0"),
    "holdout": ({"holdout": 1.0}, "holdout must lie between 0 and 0.9, got 1.0"),
    "folds": ({"n_folds": 0}, "n_folds must be at least 1, got 0"),
    "objective": ({"objective": "profit"}, "objective must be one of sharpe, log_loss, auc"),
    "storage alone": ({"storage": "sqlite:///x.db"}, "their forecasts need a folder"),
    "few bars": ({"bars": BARS.iloc[:3]}, "at least 6 bars before the holdout, got 2"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_clear_error(mistake):
    options, message = MISTAKES[mistake]
    arguments = {"bars": BARS, "space": SPACE, "n_trials": 1, "n_folds": 2, **options}
    with pytest.raises(LSTMStrategyError, match=message) as error:
        tune(forecaster=base(), progress=False, **arguments)
    assert "\n" not in str(error.value)


STORAGES = {
    "nonsense": ("somewhere", "Write sqlite:///FILE"),
    "no driver": ("mysql://me:secret@localhost/x", "can't be used"),
    "nobody there": ("postgresql://me:secret@localhost:1/x", "can't be used"),
    "no folder": ("sqlite:////nowhere/at/all.db", "unable to open database file"),
}


@pytest.mark.parametrize("storage", STORAGES)
def test_a_storage_that_cannot_be_used_is_one_clear_error_without_its_password(storage, tmp_path):
    url, message = STORAGES[storage]
    with pytest.raises(LSTMStrategyError, match=message) as error:
        tune_small(1, folder=tmp_path / "new", storage=url)
    assert "\n" not in str(error.value)
    assert "secret" not in str(error.value)


def test_a_search_whose_worker_died_says_that_its_trials_are_kept(tmp_path, monkeypatch):
    def die(*_, **__):
        raise WorkersDiedError("A worker process died. Use fewer processes (n_jobs).")

    monkeypatch.setattr("lstm_strategy.learning.search.run.run_batch", die)
    with pytest.raises(LSTMStrategyError, match=r"\. Run the same search again: finished trials"):
        tune_small(2, folder=tmp_path, n_jobs=2)
