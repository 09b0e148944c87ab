"""Each layer of a trained model is audited, and what is wrong in one is found in that one."""

from dataclasses import replace

import backtrader as bt
import pandas as pd
import pytest
from made_up import ConstantForecaster, RememberingForecaster, random_walk

from lstm_strategy import (
    FeatureSet,
    LSTMForecaster,
    LSTMIndicator,
    WalkForward,
    audit,
    walk_forward,
)
from lstm_strategy.evaluation.audit import AuditReport
from lstm_strategy.evaluation.audit import model as audited_model
from lstm_strategy.evaluation.audit.findings import FindingKind
from lstm_strategy.learning.forecaster import ForecastStream

BARS = random_walk(400)


def culprits(report):
    return [finding.culprit for finding in report.findings]


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
    report = audit(BARS[:120], model=ScalesItsSignals())
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

    report = audit(BARS[:120], model=ScalesItsSignals(), strategy=Mine)
    assert "line self.mine.signal" in culprits(report)
    assert [check.name for check in report.checks][-1] == "Mine"


def test_a_forecaster_with_a_memory_of_every_bar_is_clean():
    assert audit(BARS[:100], model=RememberingForecaster()).is_clean


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
    assert report.notes[0].kind is FindingKind.NO_TRAINING_BARS


@pytest.mark.parametrize(
    ("memory", "lasts", "remedy"),
    [
        (120, "lasts 120 bars on these bars, but the model waits for only ", "at least 120 bars"),
        (None, "never ends on these bars, but the model waits for only ", "Train on more bars"),
    ],
)
def test_a_memory_longer_than_measured_in_training_is_a_note_that_says_what_it_means(
    trained, monkeypatch, memory, lasts, remedy
):
    monkeypatch.setattr(audited_model, "network_memory", lambda *_: memory)
    (note,) = audited_model.measure_network_memory(trained, BARS).notes
    assert note.kind is FindingKind.LONG_MEMORY
    assert note.what.startswith(lasts)
    assert "results differ a little. That isn't look-ahead." in note.what
    assert remedy in note.remedy
    report = AuditReport("a", "b", (), (note,), (), (), 0.0)
    assert report.verdict == "Clean: nothing looked ahead in 0 comparisons; 1 note."


def test_scaling_that_saw_the_validation_rows_is_found(monkeypatch):
    features = [{"kind": "natr", "length": 5}]
    every_row = FeatureSet(features).frame(BARS).dropna()
    model = LSTMForecaster(features, units=(4,), lookback=10, epochs=1, members=1)
    model.fit(BARS, progress=False)
    scaling = pd.DataFrame({"mean": every_row.mean(), "std": every_row.std(ddof=0)})
    monkeypatch.setattr(LSTMForecaster, "scaling", scaling)
    (finding,) = audit(BARS, model=model).findings
    assert (finding.layer, finding.kind) == ("scaling", FindingKind.OTHER_ROWS)
    assert "taken from all the bars" in finding.what


def test_a_threshold_of_other_rows_is_found(trained):
    tampered = trained.with_memory("carry")
    wide = trained.card.signal.model_copy(update={"width": 2 * trained.card.signal.width})
    tampered.card = trained.card.model_copy(update={"signal": wide})
    report = audit(random_walk(400), model=tampered)
    assert culprits(report) == ["width of the signal"]


def test_a_stream_of_other_numbers_is_found_even_where_no_signal_is_left(trained, monkeypatch):
    silent = trained.with_memory("carry")
    nothing = trained.card.signal.model_copy(update={"confidence": 0.0})
    silent.card = trained.card.model_copy(update={"signal": nothing})
    update = ForecastStream.update
    monkeypatch.setattr(
        ForecastStream,
        "update",
        lambda stream, bar: replace(update(stream, bar), forecast=0.3),
    )
    (finding,) = audit(BARS, model=silent).findings
    assert finding.kind is FindingKind.BAR_BY_BAR
    assert finding.culprit == "column forecast (bar by bar)"


@pytest.mark.slow
def test_a_walk_forward_model_is_audited_at_the_edges_of_its_folds():
    bars = random_walk(500)
    model = LSTMForecaster([{"kind": "log_return", "length": 1}], units=(3,), lookback=8, epochs=1)
    walked = walk_forward(bars, model, WalkForward(250, 125), progress=False)
    assert audit(bars, model=walked).is_clean
