"""Trained models on several datas: `LSTMStrategy` and `RankStrategy`."""

import backtrader as bt
import numpy as np
import pandas as pd
import pytest
from made_up import ConstantForecaster, RememberingForecaster, random_walk

from lstm_strategy import (
    BrokerSettings,
    LSTMStrategy,
    LSTMStrategyError,
    RankStrategy,
    run_backtest,
)
from lstm_strategy.errors import ModelError, TradingError
from lstm_strategy.learning.forecaster import FORECAST_COLUMNS, Forecaster
from lstm_strategy.trading.execution import choose_best_and_worst

FREE = BrokerSettings(commission_rate=0, slippage_rate=0, reserve=0)
PANEL = {name: random_walk(60, seed=seed) for seed, name in enumerate("ABCDE")}


class BySymbol(Forecaster):
    """Asks for a given exposure in each market, and counts how often it is asked."""

    bars_columns = ["open", "high", "low", "close", "volume"]
    training_end = None
    takes_panels = True
    warm_up = 0

    def __init__(self, signals, *, warm_up=0):
        self.signals, self.warm_up, self.n_calls = signals, warm_up, 0

    def forecast(self, bars):
        self.n_calls += 1
        return {name: self.forecast_market(name, frame) for name, frame in bars.items()}

    def forecast_market(self, name, bars):
        frame = pd.DataFrame(self.signals[name], bars.index, FORECAST_COLUMNS, dtype=float)
        frame.iloc[: self.warm_up] = np.nan
        return frame

    def stream(self, history=None):
        raise NotImplementedError


SIGNALS = {"A": 1.0, "B": -0.5, "C": 0.2, "D": -1.0, "E": 0.0}


def test_a_signal_is_the_fraction_of_an_equal_share():
    model = BySymbol(SIGNALS)
    result = run_backtest(LSTMStrategy, PANEL, model=model, broker=FREE)
    expected = [signal / 5 for signal in SIGNALS.values()]
    # filled at the open after the first close; within a tenth of a share from then on
    np.testing.assert_allclose(result.exposure.iloc[0], 0)
    np.testing.assert_allclose(result.exposure.iloc[1], expected, atol=0.01)
    assert np.abs(result.exposure.iloc[1:] - expected).to_numpy().max() < 0.03
    assert model.n_calls == 1


def test_a_plain_cerebro_asks_the_model_once_for_all_datas():
    model = BySymbol(SIGNALS)
    cerebro = bt.Cerebro(stdstats=False)
    for name, bars in PANEL.items():
        cerebro.adddata(bt.feeds.PandasData(dataname=bars), name=name)
    cerebro.addstrategy(LSTMStrategy, model=model)
    strategy = cerebro.run()[0]
    held = {
        name: np.sign(strategy.getposition(data).size) for name, data in strategy.markets.items()
    }
    assert held == {"A": 1, "B": -1, "C": 1, "D": -1, "E": 0}
    assert model.n_calls == 1


@pytest.mark.parametrize("modes", [{"runonce": False}, {"preload": False}], ids=str)
def test_an_object_of_ones_own_is_asked_market_by_market_in_every_mode(modes):
    def equity(**modes):
        cerebro = bt.Cerebro(stdstats=False, **modes)
        for name, bars in PANEL.items():
            cerebro.adddata(
                bt.feeds.PandasData(dataname=bars[int(ord(name) - 65) * 5 :]), name=name
            )
        cerebro.addstrategy(LSTMStrategy, model=RememberingForecaster(), band=0.0)
        cerebro.run()
        return cerebro.broker.getvalue()

    assert equity(**modes) == pytest.approx(equity(), rel=1e-9)
    assert equity() != pytest.approx(10_000)


def test_a_market_too_short_for_the_model_is_said_and_the_others_are_traded(caplog):
    panel = PANEL | {"E": PANEL["E"].iloc[:9]}
    result = run_backtest(LSTMStrategy, panel, model=BySymbol(SIGNALS, warm_up=10), broker=FREE)
    assert set(result.fills["symbol"]) == set("ABCD")
    assert "market E is never traded: it has 9 bars, and the model needs 11" in caplog.text
    assert result.first_tradable == PANEL["A"].index[10]


def test_a_panel_of_one_market_is_traded_like_its_bars():
    alone = run_backtest(LSTMStrategy, PANEL["A"], model=ConstantForecaster(0.7), broker=FREE)
    panel = run_backtest(
        LSTMStrategy, {"A": PANEL["A"]}, model=ConstantForecaster(0.7), broker=FREE
    )
    pd.testing.assert_series_equal(alone.equity, panel.equity)
    assert alone.order_counts == panel.order_counts


class OfOneMarket(ConstantForecaster):
    """A model whose card says that it was trained on the bars of one market."""

    card = object()


@pytest.mark.parametrize("strategy", [LSTMStrategy, RankStrategy])
def test_a_model_of_one_market_is_refused_on_many(strategy):
    with pytest.raises(ModelError, match=r"trained on the bars of one market.*panel\['A'\]"):
        run_backtest(strategy, PANEL, model=OfOneMarket(1.0))


def test_stops_are_refused_on_many_markets():
    with pytest.raises(TradingError, match="stop_loss_atr closes the position in one market"):
        run_backtest(LSTMStrategy, PANEL, model=BySymbol(SIGNALS), stop_loss_atr=2.0)


def test_a_weak_signal_asks_for_nothing():
    result = run_backtest(LSTMStrategy, PANEL, model=BySymbol(SIGNALS), broker=FREE, min_signal=0.3)
    assert set(result.fills["symbol"]) == {"A", "B", "D"}


# The best and the worst


def test_the_best_share_is_long_and_the_worst_short_with_equal_sums():
    result = run_backtest(RankStrategy, PANEL, model=BySymbol(SIGNALS), broker=FREE, share=0.4)
    held = result.exposure.iloc[1]
    # Two of five on either side, each a quarter of equity.
    np.testing.assert_allclose(held, [0.25, -0.25, 0.25, -0.25, 0.0], atol=0.01)
    assert result.net_exposure.iloc[1] == pytest.approx(0, abs=0.01)


def test_long_only_holds_the_best_alone():
    params = {"share": 0.4, "long_only": True, "by": "signal"}
    result = run_backtest(RankStrategy, PANEL, model=BySymbol(SIGNALS), broker=FREE, **params)
    np.testing.assert_allclose(result.exposure.iloc[1], [0.5, 0, 0.5, 0, 0], atol=0.01)


def test_one_market_has_no_rank():
    with pytest.raises(TradingError, match=r"RankStrategy ranks markets .* was given one"):
        run_backtest(RankStrategy, {"A": PANEL["A"]}, model=BySymbol(SIGNALS), broker=FREE)


def test_nothing_is_held_where_all_forecasts_are_the_same():
    same = BySymbol(dict.fromkeys(PANEL, 0.5))
    assert run_backtest(RankStrategy, PANEL, model=same, broker=FREE).fills.empty


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ({"A": 1, "B": 2, "C": 3}, 0.2, (["C"], ["A"])),
        ({"A": 1, "B": 2, "C": 3}, 1 / 3, (["C"], ["A"])),
        ({"A": 1, "B": 1, "C": 1, "D": 0}, 0.5, ([], [])),
        ({"A": 1}, 0.5, ([], [])),
        ({}, 0.5, ([], [])),
    ],
    ids=["one at least", "a third", "a tie across the middle", "one market", "none"],
)
def test_ranks(values, share, expected):
    assert choose_best_and_worst(values, share) == expected


@pytest.mark.parametrize("params", [{"share": 0.6}, {"share": 0}, {"by": "rank"}], ids=str)
def test_a_parameter_out_of_range_is_refused(params):
    with pytest.raises(LSTMStrategyError, match=f"{next(iter(params))}"):
        run_backtest(RankStrategy, PANEL, model=BySymbol(SIGNALS), **params)
