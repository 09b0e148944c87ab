"""Metrics as a reader sees them."""

import pandas as pd

from lstm_strategy.evaluation.backtests import readable_metrics


def test_what_a_market_contributed_is_a_percentage():
    table = pd.DataFrame({"contribution": [-0.03, 0.0004]}, ["A", "B"])
    assert readable_metrics(table)["Contribution"].to_list() == ["-3.00%", "0.04%"]
