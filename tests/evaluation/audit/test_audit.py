"""The report of an audit, its progress, and what can't be audited."""

import json
import math
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import leaky
import pytest
from made_up import ConstantForecaster, random_walk
from sklearn.preprocessing import StandardScaler

from lstm_strategy import BASELINES, LSTMStrategyError, WalkForward, audit
from lstm_strategy.evaluation.audit.report import AUDIT_FILE

BARS = random_walk(240)


def culprits(report):
    return [finding.culprit for finding in report.findings]


def test_the_report_is_frozen_and_shows_everything(tmp_path):
    report = audit(BARS[:60], strategy=leaky.MovesALineBack)
    assert repr(report).startswith("AuditReport(strategy MovesALineBack, 60 bars from 2001-01-01")
    assert "line self.tomorrow" in repr(report)
    assert "line self.tomorrow" in report._repr_html_()
    assert report.table["culprit"].tolist() == culprits(report)
    with pytest.raises(AttributeError):
        report.findings = ()


def test_the_report_is_kept_whole_as_json(tmp_path):
    report = audit(BARS[:60], strategy=leaky.CentredAverage)
    path = report.save(tmp_path / "kept")
    kept = json.loads(path.read_text())
    assert path.name == AUDIT_FILE
    assert [file.name for file in path.parent.iterdir()] == [AUDIT_FILE]
    assert kept["is_clean"] is False
    assert kept["findings"][0]["culprit"] == "line CentredAverage.average"
    assert kept["findings"][0]["known"] is None  # NaN: the centred value isn't there yet
    assert json.loads(report.to_json())["checks"] == kept["checks"]


def test_words_have_no_difference():
    finding = audit(BARS[:60], strategy=leaky.CheatsOnTheClose).findings[0]
    assert math.isnan(finding.difference)
    assert replace(finding, known=1.0, with_later=3.0).difference == 2.0


def test_progress_is_given_in_words():
    words_heard = []
    audit(BARS[:100], strategy=BASELINES["Buy and hold"], progress=words_heard.append)
    assert words_heard[0] == "BuyAndHold: the full run, vector mode"
    assert any("next mode, cut" in words for words in words_heard)


def test_the_same_seed_gives_the_same_report():
    first, second = (audit(BARS[:60], strategy=leaky.PeeksAtTheFrame, seed=3) for _ in range(2))
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
        pytest.param({"strategy": BASELINES["12-1 momentum"]}, "needs 366 bars", id="few bars"),
        pytest.param({"model": ConstantForecaster(0, warm_up=300)}, "An audit needs", id="warm-up"),
        pytest.param({"model": "nowhere"}, "No model", id="no model"),
        pytest.param({"scaler": StandardScaler()}, "hand over splitter=", id="no folds"),
        pytest.param(
            {
                "scaler": StandardScaler(),
                "splitter": WalkForward(200, 50, horizon=1),
                "features": BARS,
            },
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
