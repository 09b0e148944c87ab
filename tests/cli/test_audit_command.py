"""`lstm-strategy audit` as a person at a terminal meets it: 0 clean, 1 found, 2 misuse."""

import json
import shutil
from pathlib import Path

import pytest

LEAKY = Path(__file__).parents[1] / "evaluation" / "audit" / "leaky.py"


@pytest.fixture
def audit(run, here):
    """Audit strategies of a file that knows later bars, on 300 bars."""
    shutil.copy(LEAKY, "mine.py")
    shutil.copy(LEAKY.with_name("leaky_costs.py"), "costs.py")
    return lambda *words: run("audit", *words)


def on_bars(*words):
    return ("bars.csv", "--end", "2001-10-27", *words)


def test_a_clean_strategy_ends_with_0(audit):
    outcome = audit(*on_bars("--strategy", "MACD"))
    assert outcome.code == 0
    assert "300 bars from 2001-01-01 to 2001-10-27" in outcome.err
    assert outcome.out.splitlines()[-1].startswith("Clean: nothing looked ahead in ")


def test_a_leak_ends_with_1_and_tells_place_and_remedy(audit):
    outcome = audit(*on_bars("--strategy", "mine.py:MovesALineBack", "--out", "kept"))
    assert outcome.code == 1
    assert "1. strategy: line self.tomorrow" in outcome.out
    assert "look at: mine.py, line " in outcome.out
    assert "remedy: A line called with a positive number" in outcome.out
    assert f"Wrote {Path('kept') / 'audit.json'}." in outcome.err
    assert json.loads(Path("kept/audit.json").read_text())["is_clean"] is False


def test_a_commission_scheme_that_looks_ahead_ends_with_1(audit):
    scheme = "costs.py:ChargesByTheNextClose:leverage=2.0"
    outcome = audit(*on_bars("--end", "2001-03", "--commission-scheme", scheme))
    assert outcome.code == 1
    assert "1. costs: what is charged (ChargesByTheNextClose)" in outcome.out
    assert "look at: costs.py, line " in outcome.out


def test_an_instrument_alone_is_audited(audit):
    outcome = audit(*on_bars("--end", "2001-03", "--instrument", "spot:commission_rate=0.001"))
    assert outcome.code == 0
    assert outcome.out.splitlines()[-1].startswith("Clean: nothing looked ahead in ")


def test_an_indicator_is_audited_with_its_parameters(audit):
    outcome = audit(*on_bars("--strategy", "mine.py:CentredAverage:reach=4"))
    assert outcome.code == 1
    assert "line CentredAverage.average" in outcome.out


def test_a_note_is_no_finding(audit):
    outcome = audit(*on_bars("--strategy", "mine.py:ClosesOnTheLastBar"))
    assert outcome.code == 0
    assert "Note: strategy: order depends on how many bars there are" in outcome.out


@pytest.mark.parametrize("engine", [[], ["--engine", "onnx"]], ids=["auto", "onnx"])
def test_a_model_is_audited_layer_by_layer(audit, model_folder, engine):
    outcome = audit(*on_bars("--model", model_folder, *engine))
    assert outcome.code == 0
    for layer in ("features", "forecaster, reloaded", "LSTMStrategy", "network's memory"):
        assert f" {layer} " in outcome.out


def test_indicators_are_tried_without_bars(audit, monkeypatch):
    table = "lstm_strategy.evaluation.audit.indicator_table"
    monkeypatch.setattr(f"{table}.known_kinds", lambda: ("column", "dpo", "obv", "rsi"))
    outcome = audit("--indicators", "--out", "docs")
    assert outcome.code == 0
    assert "dpo(centered=False)" in outcome.out
    assert "The other 1 of 3 are causal" in outcome.out
    assert "| `rsi` | causal | RSI_14 |" in Path("docs/indicators.md").read_text()


MISUSES = {
    "no bars": ([], "an audit needs BARS"),
    "nothing to audit": (["bars.csv"], "--model DIR, --strategy NAME"),
    "no such engine": (["bars.csv", "--model", "m", "--engine", "torch"], "onnx"),
    "no file": (["bars.csv", "--strategy", "none.py:X"], "there is no file none.py"),
    "no strategy": (["bars.csv", "--strategy", "mine.py:np"], "backtrader.Indicator"),
    "no scheme": (
        ["bars.csv", "--commission-scheme", "mine.py:MovesALineBack"],
        "derived from backtrader.CommInfoBase",
    ),
    "no file of a scheme": (
        ["bars.csv", "--commission-scheme", "0.001"],
        "--commission-scheme must be FILE.py:Class, got '0.001'",
    ),
    "wrong parameter of a scheme": (
        ["bars.csv", "--commission-scheme", "costs.py:ChargesByTheNextClose:rate=1"],
        "--commission-scheme: ChargesByTheNextClose raises TypeError",
    ),
    "raises": (["bars.csv", "--strategy", "mine.py:Fails"], "RuntimeError: no money left"),
    "raises at once": (["bars.csv", "--strategy", "mine.py:FailsAtOnce"], "AttributeError"),
    "no seed": (["bars.csv", "--strategy", "mine.py:UnseededLuck"], "a seed"),
    "too few bars": (
        ["bars.csv", "--strategy", "12-1 momentum", "--end", "2001-02"],
        "needs 366 bars",
    ),
    "indicators and bars": (["bars.csv", "--indicators"], "--indicators takes no other option"),
    "indicators and dates": (
        ["--indicators", "--start", "2001"],
        "takes no other options but --out",
    ),
    "indicators and cash": (["--indicators", "--cash", "5"], "takes no other options but --out"),
    "indicators and repair": (["--indicators", "--repair"], "takes no other options but --out"),
}


@pytest.mark.parametrize("misuse", MISUSES)
def test_a_misuse_ends_with_2_and_one_line(audit, refusal, misuse):
    words, message = MISUSES[misuse]
    assert message in refusal("audit", *words)


def test_bars_shorter_than_the_models_warm_up_are_a_misuse(refusal, model_folder):
    message = refusal("audit", "bars.csv", "--model", model_folder, "--end", "2001-01-20")
    assert "an audit needs more than " in message
