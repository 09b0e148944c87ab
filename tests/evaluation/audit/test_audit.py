"""Every planted leak is found and named; nothing honest is accused."""

import json
import math
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import backtrader as bt
import leaky
import numpy as np
import pandas as pd
import pytest
from made_up import ConstantForecaster, RememberingForecaster, random_walk
from sklearn.model_selection import KFold, TimeSeriesSplit
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from lstm_strategy import (
    FeatureSet,
    LSTMForecaster,
    LSTMIndicator,
    LSTMStrategyError,
    WalkForward,
    audit,
    walk_forward,
)
from lstm_strategy.evaluation.audit.findings import AUDIT_FILE
from lstm_strategy.learning.features import PRESETS
from strategies import BASELINES

BARS = random_walk(400)


def culprits(report):
    return [finding.culprit for finding in report.findings]


# ---- strategies and indicators -------------------------------------------------------------------

LEAKY_STRATEGIES = {
    leaky.ReadsTheNextClose: ("order", "data.close[1]", "positive index"),
    leaky.ReadsTheNextCloseUnguarded: ("order", "data.close[1]", "positive index"),
    leaky.MovesALineBack: ("line self.tomorrow", "data.close(1)", "positive number"),
    leaky.TurnsTheLineIntoAnArray: ("order", "np.array(self.data.close)", "line.get"),
    leaky.WrapsAround: ("order", "data.close[-4]", "addminperiod(5)"),
    leaky.AveragesTheWholeRun: ("order", "data.close.array", "whole run"),
    leaky.PeeksAtTheFrame: ("order", "data.p.dataname", "whole run"),
    leaky.DecidesAtTheOpenByTheClose: ("order", "def next_open", "sees the close"),
    leaky.CheatsOnTheClose: ("fill", "set_coc(True)", "next open"),
    leaky.CentredAverage: ("line CentredAverage.average", "center=True", "centred window"),
    leaky.ScalesByTheWholeRun: ("line ScalesByTheWholeRun.scaled", ".array", "whole run"),
    leaky.RepaintsThePast: ("line RepaintsThePast.peak", "peak[-2]", "rewrites the past"),
    leaky.UsesALeakyIndicator: ("line self.smooth.average", "center=True", "centred window"),
    leaky.OnlyNextModeLeaks: ("order", "get(ago=3", "ago=0"),
}


@pytest.mark.parametrize("strategy", LEAKY_STRATEGIES, ids=lambda strategy: strategy.__name__)
def test_a_strategy_that_looks_ahead_is_found_with_its_place_and_remedy(strategy):
    culprit, code, remedy = LEAKY_STRATEGIES[strategy]
    finding = audit(BARS, strategy=strategy).findings[0]
    assert finding.culprit == culprit
    assert code in finding.source[0]
    assert remedy in finding.remedy
    assert finding.time in BARS.index


HONEST = [
    leaky.GlobalLuck,
    leaky.SeededLuck,
    leaky.KeepsNotes,
    leaky.TradesNearTheEnd,
    leaky.KeepsLimitOrders,
    leaky.TrailsItsStop,
    leaky.SendsBrackets,
    leaky.DecidesAtTheOpenByTheOpen,
]


@pytest.mark.parametrize("strategy", HONEST, ids=lambda strategy: strategy.__name__)
def test_an_honest_strategy_is_not_accused(strategy):
    report = audit(BARS[:200], strategy=strategy)
    assert (report.findings, report.notes) == ((), ())


@pytest.mark.parametrize("name", BASELINES)
def test_every_baseline_is_clean(name):
    report = audit(BARS, strategy=BASELINES[name])
    assert (report.findings, report.notes) == ((), ())


def test_closing_on_the_last_bar_is_worth_a_note_and_no_leak():
    report = audit(BARS, strategy=leaky.ClosesOnTheLastBar)
    assert report.is_clean
    assert "how many bars there are" in report.notes[0].what


def test_the_first_differing_bar_and_the_difference_are_those_of_the_line():
    finding = audit(BARS, strategy=leaky.MovesALineBack).findings[0]
    bar = BARS.index.get_loc(finding.time)
    assert finding.with_later == BARS["close"].iloc[bar + 1]
    assert finding.difference == finding.with_later - finding.known
    assert finding.found_by == f"altering the bars after {finding.time:%Y-%m-%d} (vector mode)"


def test_a_leak_in_one_mode_alone_says_which():
    finding = audit(BARS, strategy=leaky.OnlyNextModeLeaks).findings[0]
    assert "(next mode)" in finding.found_by
    assert "vector" not in finding.found_by


def test_parameters_reach_the_strategy():
    early, late = (
        audit(BARS, strategy=(leaky.CentredAverage, {"reach": reach})).findings[0]
        for reach in (1, 3)
    )
    assert "center=True" in early.source[0]
    assert late.what != early.what


def test_a_class_is_as_it_was_after_its_audit():
    audit(BARS[:100], strategy=leaky.KeepsNotes)
    assert (leaky.KeepsNotes.seen, leaky.KeepsNotes.n_runs) == ([], 0)


def test_global_random_numbers_go_on_as_if_nothing_had_happened():
    np.random.seed(4)
    expected = np.random.random()
    np.random.seed(4)
    audit(BARS[:60], strategy=leaky.GlobalLuck)
    assert np.random.random() == expected


def test_a_cerebro_of_the_users_own_is_audited_with_all_it_holds():
    def cerebro(bars, *, cheats):
        made = bt.Cerebro(stdstats=False)
        made.adddata(bt.feeds.PandasData(dataname=bars))
        made.addstrategy(BASELINES["SMA cross"], fast=5, slow=10)
        made.broker.set_coc(cheats)
        return made

    assert audit(BARS, cerebro=lambda bars: cerebro(bars, cheats=False)).is_clean
    assert culprits(audit(BARS, cerebro=lambda bars: cerebro(bars, cheats=True))) == ["fill"]


# ---- features ------------------------------------------------------------------------------------


def smuggled(honest, **changes):
    """A FeatureSet as a saved model may hold it: its arguments were changed after the probe."""
    saved = FeatureSet([honest]).to_dict()
    saved["specs"][0] |= changes
    return FeatureSet.from_dict(saved)


def whole_file_regression():
    saved = FeatureSet([{"kind": "sma", "length": 5}]).to_dict()
    saved["specs"] = [{"kind": "tos_stdevall"}]
    saved["columns"][0][0] |= {"name": "TOS_STDEVALL_LR"}
    return FeatureSet.from_dict(saved)


def made_by(function):
    return lambda: function


LEAKY_FEATURES = {
    "dpo": (lambda: smuggled({"kind": "dpo", "centered": False}, centered=True), "centered=False"),
    "ichimoku": (
        lambda: smuggled({"kind": "ichimoku", "include_chikou": False}, offset=-3),
        "offset below 0",
    ),
    "tos_stdevall": (whole_file_regression, "another kind"),
    "centred window": (
        made_by(lambda bars: bars[["close"]].rolling(5, center=True).mean()),
        "center=True",
    ),
    "negative shift": (made_by(lambda bars: bars[["close"]].shift(-1)), "negative shift"),
    "filled backwards": (
        made_by(lambda bars: bars[["close"]].where(bars["volume"] > 3000).bfill()),
        "ffill",
    ),
    "z-score of the whole file": (
        made_by(lambda bars: (bars - bars.mean()) / bars.std()),
        "expanding",
    ),
}


@pytest.mark.parametrize("kind", LEAKY_FEATURES)
def test_a_feature_that_looks_ahead_is_found_with_its_remedy(kind):
    make, remedy = LEAKY_FEATURES[kind]
    report = audit(BARS, features=make())
    assert not report.is_clean
    assert {finding.layer for finding in report.findings} == {"features"}
    assert remedy in report.findings[0].remedy


TOLD = {
    "tomorrow's close": lambda bars: bars["close"].shift(-1),
    "the mean of five bars to come": lambda bars: bars["close"].rolling(5).mean().shift(-5),
    "the sign of tomorrow's move": lambda bars: np.sign(bars["close"].diff().shift(-1)),
    "how far it will move": lambda bars: bars["close"].pct_change().shift(-1).abs(),
}


@pytest.mark.parametrize("column", TOLD)
def test_a_finished_column_that_tells_the_moves_to_come_is_found(column):
    columns = pd.DataFrame({"mine": TOLD[column](BARS)})
    finding = audit(BARS, features=columns).findings[0]
    assert finding.culprit == "column mine"
    assert "correlation" in finding.what


def test_honest_columns_of_the_user_are_not_accused():
    rng = np.random.default_rng(1)
    columns = pd.DataFrame(
        {
            "mark": BARS["close"] * (1 + rng.normal(0, 1e-4, len(BARS))),
            "funding": np.where(np.arange(len(BARS)) % 8 == 0, rng.normal(0, 1e-4, 400), np.nan),
            "past": BARS["close"].pct_change(20),
            "constant": 1.0,
        },
        index=BARS.index,
    )
    assert audit(BARS, features=columns).is_clean


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_clean_and_forgets(preset):
    bars = random_walk(1_500)
    report = audit(bars, features=FeatureSet.preset(preset))
    assert report.is_clean
    assert [warm_up.name for warm_up in report.warm_ups] == FeatureSet.preset(preset).names
    assert all(warm_up.bars is not None for warm_up in report.warm_ups)


def test_warm_ups_are_the_bars_after_which_a_later_start_agrees():
    features = [{"kind": "sma", "length": 10}, {"kind": "ema", "length": 10}, {"kind": "obv"}]
    warm_ups = {w.name: w.bars for w in audit(BARS, features=FeatureSet(features)).warm_ups}
    assert warm_ups["SMA_10"] == 10
    assert warm_ups["OBV"] == 20  # the change over the mean volume of 20 bars
    # an EMA forgets by 9/11 a bar: ln(1e-6) / ln(9/11) = 69, and its first value needs 10 bars
    assert 50 < warm_ups["EMA_10"] < 100


def test_a_feature_that_never_forgets_is_found():
    saved = FeatureSet([{"kind": "obv"}]).to_dict()
    saved["columns"][0][0] |= {"is_cumulative": False, "volume_degree": 0}
    report = audit(BARS, features=FeatureSet.from_dict(saved))
    assert culprits(report) == ["column OBV"]
    assert "never forgets" in report.findings[0].what
    assert "Difference it" in report.findings[0].remedy


# ---- folds and scalers ---------------------------------------------------------------------------

LEAKY_SPLITTERS = {
    "shuffled": (KFold(5, shuffle=True, random_state=0), "the folds are shuffled"),
    "not in time": (KFold(5), "bars after the test begins train"),
    "labels overlap": (TimeSeriesSplit(4, gap=4), "labels that look 5 bars ahead"),
    "shared bars": ([(range(200), range(190, 250))], "bars both train and test"),
}


@pytest.mark.parametrize("kind", LEAKY_SPLITTERS)
def test_folds_that_leak_are_found(kind):
    splitter, what = LEAKY_SPLITTERS[kind]
    finding = audit(BARS, splitter=splitter, horizon=5).findings[0]
    assert finding.layer == "folds"
    assert finding.what.startswith(what)


@pytest.mark.parametrize(
    "splitter",
    [
        pytest.param(WalkForward(200, 50, horizon=5), id="walk forward"),
        pytest.param(TimeSeriesSplit(4, gap=5), id="with a gap"),
        pytest.param([(range(195), range(200, 250))], id="pairs"),
        pytest.param(lambda bars: [(slice(0, 95), slice(100, len(bars)))], id="a function"),
    ],
)
def test_purged_folds_are_clean(splitter):
    assert audit(BARS, splitter=splitter, horizon=5).is_clean


def test_the_overlapping_rows_are_counted_and_the_first_is_named():
    # the labels of rows 97, 98 and 99 end at rows 100, 101 and 102, of which all are tested
    finding = audit(BARS, splitter=[(range(100), range(100, 110))], horizon=3).findings[0]
    assert finding.what == "labels that look 3 bars ahead reach into the test: 3 training rows."
    assert finding.time == BARS.index[97]


FOLDS = WalkForward(200, 50, horizon=1)
TRAINED_ROWS = FOLDS.folds(BARS)[0].train_indices


def whole(features, train):
    return (features - features.mean()) / features.std()


def of_the_training(features, train):
    rows = features.iloc[train]
    return (features - rows.mean()) / rows.std()


@pytest.mark.parametrize(
    ("scaler", "what"),
    [
        pytest.param(StandardScaler().fit(BARS), "on all the bars", id="fitted on all"),
        pytest.param(MinMaxScaler().fit(BARS[300:]), "on other rows", id="fitted elsewhere"),
        pytest.param(whole, "outside", id="a function of all rows"),
        pytest.param(lambda rows: rows / rows.max(), "later bars", id="no training rows"),
    ],
)
def test_scaling_fitted_outside_the_training_rows_is_found(scaler, what):
    finding = audit(BARS, splitter=FOLDS, scaler=scaler).findings[0]
    assert finding.layer == "scaler"
    assert what in finding.what


@pytest.mark.parametrize(
    "scaler",
    [
        pytest.param(StandardScaler().fit(BARS.iloc[TRAINED_ROWS]), id="fitted on a fold"),
        pytest.param(of_the_training, id="a function of the training rows"),
        pytest.param(lambda rows: rows / rows.expanding().max(), id="expanding"),
    ],
)
def test_scaling_fitted_on_training_rows_is_clean(scaler):
    assert audit(BARS, splitter=FOLDS, scaler=scaler).is_clean


# ---- models --------------------------------------------------------------------------------------


class ScalesItsSignals(ConstantForecaster):
    """Forecasts from the past, scaled by the mean of all of them."""

    def __init__(self):
        super().__init__(0.5, warm_up=3)

    def forecast(self, bars):
        frame = super().forecast(bars)
        move = bars["close"].pct_change(3)
        frame["signal"] = ((move - move.mean()) / move.std() / 4).clip(-1, 1)
        return frame


def test_a_forecaster_that_scales_by_all_bars_is_found_alone_and_in_cerebro():
    report = audit(BARS, model=ScalesItsSignals())
    assert culprits(report)[0] == "column signal (as given)"
    assert "line self.lstm.signal" in culprits(report)
    assert "rolling(n) or expanding()" in report.findings[0].remedy


def test_a_strategy_that_uses_a_leaky_model_is_given_it():
    class Mine(bt.Strategy):
        params = (("model", None),)

        def __init__(self):
            self.mine = LSTMIndicator(self.data, model=self.p.model)

        def next(self):
            if self.mine.signal[0] > 0.2 and not self.position:
                self.buy(size=1)

    report = audit(BARS, model=ScalesItsSignals(), strategy=Mine)
    assert "line self.mine.signal" in culprits(report)
    assert [check.name for check in report.checks][-1] == "Mine"


def test_a_forecaster_with_a_memory_of_every_bar_is_clean():
    assert audit(BARS[:200], model=RememberingForecaster()).is_clean


@pytest.fixture(scope="module")
def report_of_trained(trained):
    return audit(BARS, model=trained)


def test_a_trained_model_is_clean_in_every_layer(report_of_trained):
    assert report_of_trained.findings == ()
    assert [check.name for check in report_of_trained.checks] == [
        "features",
        "scaling",
        "threshold",
        "network's memory",
        "forecaster, as given",
        "forecaster, reloaded",
        "forecaster, reloaded, memory='window'",
        "forecaster, bar by bar",
        "LSTMStrategy",
    ]


def test_a_model_is_audited_from_its_folder_as_well(model_folder):
    assert audit(BARS, model=str(model_folder)).is_clean


def test_a_model_on_other_bars_says_that_its_scaling_cannot_be_recomputed(trained):
    report = audit(random_walk(300, seed=9), model=trained)
    assert report.is_clean
    assert "aren't those that the model was trained on" in report.notes[0].what


def test_scaling_that_saw_the_validation_rows_is_found(monkeypatch):
    from lstm_strategy.learning.training import fit as training

    features = [{"kind": "natr", "length": 5}]
    every_row = FeatureSet(features).frame(BARS).dropna().to_numpy()
    honest = training.build_normalization
    monkeypatch.setattr(training, "build_normalization", lambda rows: honest(every_row))
    model = LSTMForecaster(features, units=(4,), lookback=10, epochs=1, members=1)
    report = audit(BARS, model=model.fit(BARS, progress=False))
    assert [finding.layer for finding in report.findings] == ["scaling"]
    assert "taken from all the bars" in report.findings[0].what


def test_a_threshold_of_other_rows_is_found(trained):
    tampered = trained.with_memory("carry")
    wide = trained.card.signal.model_copy(update={"width": 2 * trained.card.signal.width})
    tampered.card = trained.card.model_copy(update={"signal": wide})
    report = audit(random_walk(400), model=tampered)
    assert culprits(report) == ["width of the signal"]


# ---- the report ----------------------------------------------------------------------------------


def test_the_report_is_frozen_and_tells_everything(tmp_path):
    report = audit(BARS, strategy=leaky.MovesALineBack)
    assert repr(report).startswith("AuditReport(strategy MovesALineBack, 400 bars from 2001-01-01")
    assert "line self.tomorrow" in repr(report)
    assert "line self.tomorrow" in report._repr_html_()
    assert report.table["culprit"].tolist() == culprits(report)
    with pytest.raises(AttributeError):
        report.findings = ()


def test_the_report_is_kept_whole_as_json(tmp_path):
    report = audit(BARS, strategy=leaky.CentredAverage)
    path = report.save(tmp_path / "kept")
    kept = json.loads(path.read_text())
    assert path.name == AUDIT_FILE
    assert [file.name for file in path.parent.iterdir()] == [AUDIT_FILE]
    assert kept["is_clean"] is False
    assert kept["findings"][0]["culprit"] == "line CentredAverage.average"
    assert kept["findings"][0]["known"] is None  # NaN: the centred value isn't there yet
    assert json.loads(report.to_json())["checks"] == kept["checks"]


def test_words_have_no_difference():
    finding = audit(BARS, strategy=leaky.CheatsOnTheClose).findings[0]
    assert math.isnan(finding.difference)
    assert replace(finding, known=1.0, with_later=3.0).difference == 2.0


def test_progress_is_told_in_words():
    told = []
    audit(BARS[:100], strategy=BASELINES["Buy and hold"], progress=told.append)
    assert told[0] == "BuyAndHold: the full run, vector mode"
    assert any("next mode, cut" in words for words in told)


def test_the_same_seed_gives_the_same_report():
    first, second = (audit(BARS, strategy=leaky.PeeksAtTheFrame, seed=3) for _ in range(2))
    assert first.findings == second.findings


@pytest.mark.slow
def test_the_script_of_the_documentation_runs_as_written(tmp_path):
    page = (Path(__file__).parents[3] / "docs" / "audit.md").read_text()
    script = "\n".join(re.findall(r"```python\n(.*?)```", page, re.S))
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "results" / AUDIT_FILE).read_text())["is_clean"]


def test_a_walk_forward_model_is_audited_at_the_edges_of_its_folds():
    bars = random_walk(500)
    model = LSTMForecaster([{"kind": "log_return", "length": 1}], units=(3,), lookback=8, epochs=1)
    walked = walk_forward(bars, model, WalkForward(250, 125), progress=False)
    assert audit(bars, model=walked).is_clean


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param({}, "nothing to audit", id="nothing"),
        pytest.param({"strategy": "MACD"}, "must be a class", id="a name"),
        pytest.param({"strategy": dict}, "must be a class", id="another class"),
        pytest.param(
            {"strategy": leaky.Fails}, r"RuntimeError: no money left \(.*leaky", id="fails"
        ),
        pytest.param({"strategy": leaky.FailsAtOnce}, "no attribute 'period'", id="fails at once"),
        pytest.param({"strategy": leaky.UnseededLuck}, "Give its random numbers a seed", id="luck"),
        pytest.param(
            {"strategy": (leaky.SeededLuck, {"sed": 1})}, "no parameter 'sed'", id="parameter"
        ),
        pytest.param({"strategy": BASELINES["12-1 momentum"]}, "needs 253 bars", id="few bars"),
        pytest.param({"model": ConstantForecaster(0, warm_up=300)}, "An audit needs", id="warm-up"),
        pytest.param({"model": "nowhere"}, "No model", id="no model"),
        pytest.param({"scaler": StandardScaler()}, "hand over splitter=", id="no folds"),
        pytest.param(
            {"scaler": StandardScaler(), "splitter": FOLDS, "features": BARS},
            "Fit it",
            id="unfitted",
        ),
        pytest.param({"splitter": []}, "no folds", id="empty splitter"),
        pytest.param({"splitter": [(1, 2, 3)]}, "pairs of positions", id="no pairs"),
        pytest.param({"splitter": [([0.5], [1])]}, "must be positions", id="fractions"),
        pytest.param({"splitter": [([1], [999])]}, "up to 999", id="beyond the bars"),
    ],
)
def test_what_cannot_be_audited_is_refused_with_a_remedy(arguments, message):
    with pytest.raises(LSTMStrategyError, match=message):
        audit(BARS[:240], **arguments)
