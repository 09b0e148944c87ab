"""The volatility of each market, the same in every mode."""

import backtrader as bt
import numpy as np
import pytest
from made_up import random_walk

from lstm_strategy.learning.variance import ewm_volatility
from lstm_strategy.trading.execution.portfolio.volatility import EwmVolatility


class Watches(bt.Strategy):
    def __init__(self):
        self.volatility, self.seen = EwmVolatility(self.data, span=10), []

    def next(self):
        self.seen.append(self.volatility[0])


@pytest.mark.parametrize("modes", [{}, {"runonce": False}, {"exactbars": 1}], ids=str)
def test_it_is_the_volatility_of_the_features_in_every_mode(modes):
    bars = random_walk(40)
    cerebro = bt.Cerebro(stdstats=False, **modes)
    cerebro.adddata(bt.feeds.PandasData(dataname=bars))
    cerebro.addstrategy(Watches)
    expected = ewm_volatility(bars["close"], span=10).dropna()
    np.testing.assert_allclose(cerebro.run()[0].seen, expected, rtol=1e-9)


def test_it_is_zero_where_nothing_moves():
    cerebro = bt.Cerebro(stdstats=False, runonce=False)
    cerebro.adddata(bt.feeds.PandasData(dataname=random_walk(40).assign(close=10.0)))
    cerebro.addstrategy(Watches)
    assert set(cerebro.run()[0].seen) == {0.0}
