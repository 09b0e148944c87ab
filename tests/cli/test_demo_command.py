"""`lstm-strategy demo`, which newcomers run first."""

import pandas as pd
import pytest
from printed import names_in, rows_of

from lstm_strategy import BASELINES

LSTMS = ["LSTM policy", "LSTM volatility", "LSTM direction"]
LEARNERS = ["Logistic, last bar", "Logistic, window", "Boosting, last bar", "Boosting, window"]


@pytest.mark.slow
def test_demo_leaves_tables_pictures_and_a_model(run, here):
    outcome = run("demo", "--out", "shown")
    # a network that remembers for long is said; which one does differs between machines
    notes = [line for line in outcome.err.splitlines() if line.startswith("note: ")]
    assert outcome.code == 0
    assert all("memory of the first row lasts" in note for note in notes)
    printed = outcome.out
    assert set(names_in(here / "shown")) == {
        *("chart.png", "equity.csv", "equity.png", "metrics.csv", "report.html"),
        *(
            "tearsheet.html",
            "trades.csv",
            "trials.json",
            "model",
            "model-direction",
            "model-volatility",
        ),
    }
    metrics = pd.read_csv("shown/metrics.csv", index_col="strategy")
    assert list(metrics.index) == [*LSTMS, *LEARNERS, *BASELINES]
    assert set(metrics.index) <= rows_of(printed).keys()
    assert "skill in LSTM policy" in printed
    for model in ("model", "model-volatility", "model-direction"):
        ledger = pd.read_csv(f"shown/{model}/ledger.csv", parse_dates=["datetime", "train_end"])
        assert ledger["fold"].nunique() == 10
        assert (ledger["train_end"] < ledger["datetime"]).all()
