"""A strategy that stands aside on bars that are strange to its network."""

import backtrader as bt
import numpy as np
import pandas as pd
import pytest
from made_up import ConstantForecaster, random_walk

from lstm_strategy import (
    BrokerSettings,
    LSTMIndicator,
    LSTMStrategy,
    LSTMStrategyError,
    RankStrategy,
    run_backtest,
)
from lstm_strategy.learning.forecaster import COMPLETE_COLUMNS, Forecast

BARS = random_walk(60, seed=2)
FREE = BrokerSettings(commission_rate=0, slippage_rate=0)
STRANGE = BARS.index[20:30]


class StrangeForDays(ConstantForecaster):
    """Is always long, and finds the bars with a volume from the 20th to the 29th strange."""

    def __init__(self, signal=1.0, *, warm_up=0, strange=STRANGE):
        super().__init__(signal, warm_up=warm_up)
        self._strange = set(strange)

    def forecast(self, bars):
        stream = self.stream()
        rows = [vars(stream.update(bar)) for bar in bars.reset_index().to_dict("records")]
        return pd.DataFrame(rows, bars.index, COMPLETE_COLUMNS)

    def step(self, state, bar):
        is_strange = pd.Timestamp(bar["datetime"]).tz_localize(None) in self._strange
        is_strange = is_strange and bar["volume"] > 0
        return state, Forecast(self.signal, 0.5, 0.0, 1.5 if is_strange else 0.5)


@pytest.mark.parametrize(
    ("largest", "held"),
    [
        pytest.param(1.0, 0.0, id="above it"),
        pytest.param(1.5, 1.0, id="not above it"),
        pytest.param(None, 1.0, id="no limit"),
    ],
)
def test_nothing_is_held_while_bars_are_strange(largest, held):
    result = run_backtest(
        LSTMStrategy, BARS, model=StrangeForDays(), broker=FREE, largest_novelty=largest
    )
    # sold at the open after the first strange close, bought at the one after the first usual
    assert result.exposure.iloc[20] == pytest.approx(1.0, abs=0.1)
    np.testing.assert_allclose(result.exposure.iloc[21:31], held, atol=0.1)
    assert result.exposure.iloc[31] == pytest.approx(1.0, abs=0.1)


MODES = [
    {},
    {"runonce": False},
    {"preload": False},
    {"exactbars": 1},
    {"exactbars": -1},
]


def run_cerebro(**modes):
    cerebro = bt.Cerebro(stdstats=False, **modes)
    cerebro.adddata(bt.feeds.PandasData(dataname=BARS))
    cerebro.addstrategy(LSTMStrategy, model=StrangeForDays(), largest_novelty=1.0)
    cerebro.run()
    return cerebro.broker.getvalue()


@pytest.mark.parametrize("modes", MODES[1:], ids=str)
def test_every_mode_stands_aside_on_the_same_bars(modes):
    assert run_cerebro(**modes) == pytest.approx(run_cerebro(), rel=1e-12)


@pytest.mark.parametrize("modes", MODES, ids=str)
def test_the_indicator_has_the_novelty_as_its_last_line(modes):
    class Looking(bt.Strategy):
        def __init__(self):
            self.lstm = LSTMIndicator(self.data, model=StrangeForDays())
            self.seen = []

        def next(self):
            self.seen.append(self.lstm.novelty[0])

    cerebro = bt.Cerebro(stdstats=False, **modes)
    cerebro.adddata(bt.feeds.PandasData(dataname=BARS))
    cerebro.addstrategy(Looking)
    seen = cerebro.run()[0].seen
    assert seen == [1.5 if time in STRANGE else 0.5 for time in BARS.index]


@pytest.mark.parametrize("modes", [{}, {"runonce": False}, {"preload": False}], ids=str)
def test_each_market_stands_aside_by_itself(modes):
    cerebro = bt.Cerebro(stdstats=False, **modes)
    for name, volume in {"usual": 0.0, "strange": 1_000.0}.items():
        cerebro.adddata(bt.feeds.PandasData(dataname=BARS.assign(volume=volume)), name=name)
    cerebro.addstrategy(LSTMStrategy, model=StrangeForDays(), largest_novelty=1.0)
    cerebro.addanalyzer(bt.analyzers.PositionsValue, _name="held")
    held = pd.DataFrame(cerebro.run()[0].analyzers.held.get_analysis(), index=["usual", "strange"])
    is_held = held.to_numpy()[:, 1:] > 0
    # a day after each close that decides
    assert is_held.all(axis=1).tolist() == [True, False]
    assert (~is_held[1]).tolist() == [time in STRANGE for time in BARS.index[:-1]]


class RanksByVolume(StrangeForDays):
    """Forecasts the volume, and finds that of 3 strange from the 20th bar to the 29th."""

    def step(self, state, bar):
        is_strange = pd.Timestamp(bar["datetime"]).tz_localize(None) in self._strange
        novelty = 1.5 if is_strange and bar["volume"] == 3 else 0.5
        return state, Forecast(1.0, bar["volume"], 0.0, novelty)


@pytest.mark.parametrize("modes", [{}, {"runonce": False}, {"preload": False}], ids=str)
def test_a_strange_market_is_ranked_neither_best_nor_worst(modes):
    cerebro = bt.Cerebro(stdstats=False, **modes)
    for volume in (1, 2, 3):
        data = bt.feeds.PandasData(dataname=BARS.assign(volume=volume))
        cerebro.adddata(data, name=str(volume))
    cerebro.addstrategy(RankStrategy, model=RanksByVolume(), largest_novelty=1.0)
    cerebro.addanalyzer(bt.analyzers.PositionsValue, _name="held")
    held = pd.DataFrame(cerebro.run()[0].analyzers.held.get_analysis(), index=["1", "2", "3"])
    sides = np.sign(held.T.iloc[1:]).astype(int).to_numpy().tolist()
    # a day after each close that decides
    assert sides == [[-1, 1, 0] if day in STRANGE else [-1, 0, 1] for day in BARS.index[:-1]]


def test_a_ranking_by_a_model_that_knows_no_novelty_is_refused():
    panel = {"A": BARS, "B": BARS.assign(volume=1.0)}
    with pytest.raises(LSTMStrategyError, match=r"largest_novelty=1\.0 needs a model that knows"):
        run_backtest(RankStrategy, panel, model=ConstantForecaster(1.0), largest_novelty=1.0)


def test_a_model_that_knows_no_novelty_is_refused_at_its_first_forecast():
    model = ConstantForecaster(1.0, warm_up=3)
    with pytest.raises(LSTMStrategyError, match=r"largest_novelty=1\.0 needs a model that knows"):
        run_backtest(LSTMStrategy, BARS, model=model, largest_novelty=1.0)


@pytest.mark.parametrize("largest", [0, -1.0])
def test_a_limit_that_forbids_every_bar_is_refused(largest):
    with pytest.raises(LSTMStrategyError, match=r"largest_novelty must be .* got .*Give a novelty"):
        run_backtest(LSTMStrategy, BARS, model=StrangeForDays(), largest_novelty=largest)
