"""A forecaster of the user's own: what it may leave out, and what is refused in one sentence."""

from types import SimpleNamespace

import backtrader as bt
import numpy as np
import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy import BarsFeed, LSTMStrategy, RankStrategy, audit, compare, run_backtest
from lstm_strategy.errors import ModelError, TradingError
from lstm_strategy.learning.forecaster import Forecaster

BARS = random_walk(60, seed=3)


class Mine:
    """Answers with what it is given: a function of the bars."""

    def __init__(self, answer):
        self.answer = answer

    def forecast(self, bars):
        return self.answer(bars)

    def stream(self, history=None):
        answer = SimpleNamespace(signal=1.0)
        return SimpleNamespace(update=lambda bar: answer, peek=lambda bar: answer)


class MyForecaster(Mine, Forecaster):
    """The same as a subclass."""

    warm_up, bars_columns, training_end = 0, ["close"], None


def give_signal(bars, **columns):
    return pd.DataFrame({"signal": 1.0, **columns}, index=bars.index)


WRONG = {
    "no signal": (lambda bars: give_signal(bars).rename(columns={"signal": "s"}), "columns: s"),
    "a series": (lambda bars: give_signal(bars)["signal"], "must give a DataFrame, got Series"),
    "nothing": (lambda bars: None, "must give a DataFrame, got NoneType"),
    "too short": (lambda bars: give_signal(bars)[3:], "a row for each of the 60 bars, got 57"),
    "other index": (lambda bars: give_signal(bars).reset_index(drop=True), "row 0 is 0 and its"),
    "shifted": (lambda bars: give_signal(bars).shift(freq="D"), "row 0 is "),
    "words": (lambda bars: give_signal(bars).assign(signal="buy"), "got signal 'buy' at "),
    "twice": (
        lambda bars: pd.concat([give_signal(bars)] * 2, axis=1),
        "gives the column signal twice",
    ),
}


@pytest.fixture(params=[Mine, MyForecaster])
def kind(request):
    return request.param


def follow_live(model):
    """The strategy on bars that arrive one by one."""
    cerebro = bt.Cerebro(preload=False, runonce=False)
    cerebro.adddata(BarsFeed(dataname=BARS))
    cerebro.addstrategy(LSTMStrategy, model=model)
    (strategy,) = cerebro.run()
    return strategy


def test_a_stream_may_give_the_signal_alone(kind):
    strategy = follow_live(kind(give_signal))
    assert strategy.position.size > 0
    assert np.isnan(strategy.lstm.forecast[0])


def test_a_stream_without_a_signal_is_refused(kind):
    model = kind(give_signal)
    model.stream = lambda history=None: SimpleNamespace(peek=lambda bar: 1.0, update=print)
    with pytest.raises(ModelError, match=r"has a signal, got 1\.0"):
        follow_live(model)


def test_the_signal_alone_is_enough(kind):
    result = run_backtest(LSTMStrategy, BARS, model=kind(give_signal))
    full = run_backtest(
        LSTMStrategy, BARS, model=kind(lambda bars: give_signal(bars, forecast=1.0, uncertainty=0))
    )
    pd.testing.assert_series_equal(result.equity, full.equity)
    assert len(result.trades) == 1


def test_whole_numbers_and_objects_count_as_numbers(kind):
    def answer(bars):
        return give_signal(bars).astype(object)

    assert len(run_backtest(LSTMStrategy, BARS, model=kind(answer)).trades) == 1


@pytest.mark.parametrize(("answer", "said"), WRONG.values(), ids=WRONG)
def test_what_is_no_forecast_is_refused(kind, answer, said):
    model = kind(answer)
    for run in (
        lambda: run_backtest(LSTMStrategy, BARS, model=model),
        lambda: compare({"Mine": (LSTMStrategy, {"model": model})}, BARS),
        lambda: run_backtest(RankStrategy, {"A": BARS, "B": BARS}, model=model),
        lambda: audit(model=model, bars=BARS),
    ):
        with pytest.raises(ModelError, match=said) as refused:
            run()
        assert f"forecast of {kind.__name__}" in str(refused.value)


def test_markets_are_not_ranked_by_a_forecast_that_is_never_given(kind):
    panel = {"A": BARS, "B": random_walk(60, seed=4)}
    with pytest.raises(TradingError, match='by="signal"'):
        run_backtest(RankStrategy, panel, model=kind(give_signal))

    def rank(bars):
        return give_signal(bars).assign(signal=bars["close"].rank(pct=True))

    ranked = run_backtest(RankStrategy, panel, model=kind(rank), by="signal")
    assert len(ranked.trades) > 0


class OfPanels(MyForecaster):
    """Takes the bars of a moment together."""

    takes_panels = True

    def stream(self, history=None):
        def answer(bars):
            return dict.fromkeys(bars, SimpleNamespace(signal=1.0))

        return SimpleNamespace(update=answer, peek=answer)


@pytest.mark.parametrize("of_one", [Mine, MyForecaster, OfPanels])
def test_a_live_ranking_by_a_forecast_that_is_never_given_says_why_it_holds_nothing(of_one, caplog):
    cerebro = bt.Cerebro(preload=False, runonce=False)
    for name, seed in (("A", 3), ("B", 4)):
        cerebro.adddata(BarsFeed(dataname=random_walk(60, seed=seed)), name=name)
    cerebro.addstrategy(RankStrategy, model=of_one(give_signal))
    (strategy,) = cerebro.run()
    assert not any(strategy.getposition(data).size for data in strategy.datas)
    said = [line for line in caplog.messages if "gives signals alone" in line]
    assert len(said) == 1
    assert said[0].endswith('nothing is held. Write by="signal".')


@pytest.mark.usefixtures("no_pictures")
def test_a_report_of_signals_alone_is_made(kind, tmp_path):
    comparison = compare({"Mine": (LSTMStrategy, {"model": kind(give_signal)})}, BARS)
    page = comparison.to_html(tmp_path / "report.html").read_text()
    assert "<title>Mine" in page
