"""The deepest falls from a peak, and how long they lasted."""

import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy.evaluation.backtests import run_backtest
from lstm_strategy.evaluation.report.sections.results.drawdowns import worst_drawdowns
from lstm_strategy.trading.baselines import BuyAndHold


def test_the_worst_drawdowns_are_those_of_the_curve_by_hand():
    day = pd.date_range("2024-01-01", periods=8)
    curve = pd.Series([10.0, 9.0, 10.0, 12.0, 6.0, 9.0, 12.0, 11.0], index=day)
    table = worst_drawdowns(curve)
    assert table["depth"].to_list() == pytest.approx([-0.5, -0.1, -1 / 12])
    assert table["peak"].to_list() == [day[3], day[0], day[6]]
    assert table["bottom"].to_list() == [day[4], day[1], day[7]]
    assert table["recovered"].to_list() == [day[6], day[2], pd.NaT]
    assert table["bars"].to_list() == [3, 2, 1]
    assert worst_drawdowns(curve, n=1)["depth"].to_list() == [-0.5]


def test_the_worst_drawdown_is_the_maximum_drawdown():
    for seed in range(3):
        result = run_backtest(BuyAndHold, random_walk(60, seed=seed))
        assert worst_drawdowns(result.equity)["depth"].iloc[0] == result.metrics["max_drawdown"]
