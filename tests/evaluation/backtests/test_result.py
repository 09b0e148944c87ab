import pickle

import backtrader as bt
import numpy as np
import pandas as pd
import pytest

from lstm_strategy.bars import simulate_bars
from lstm_strategy.errors import ModelError, TradingError
from lstm_strategy.evaluation.backtests.run import run_backtest
from lstm_strategy.evaluation.backtests.wording import describe_orders, order_troubles
from lstm_strategy.evaluation.metrics import metrics_of
from lstm_strategy.trading.cerebro import BrokerSettings
from lstm_strategy.trading.execution import ORDER_KINDS, TargetStrategy

FREE = BrokerSettings(commission_rate=0.0, slippage_rate=0.0)


class AlwaysLong(TargetStrategy):
    params = (("model", None),)

    def target_exposure(self):
        return 1.0


class TrainedModel:
    """A model of the user's own that only knows when its training ended."""

    def __init__(self, training_end):
        self.training_end = training_end


class Forecasts(TrainedModel):
    """One that the package knows how to ask; counts how often it was."""

    warm_up, bars_columns = 0, ["close"]

    def __init__(self, training_end):
        super().__init__(training_end)
        self.n_forecasts = 0

    def forecast(self, bars):
        self.n_forecasts += 1
        columns = {"signal": 1.0, "forecast": 0.5, "uncertainty": 0.0}
        return pd.DataFrame(columns, index=bars.index)

    def stream(self):
        raise NotImplementedError


def frame_of_bars(n_bars=20, tz=None):
    close = 100.0 * 1.01 ** np.arange(n_bars)
    return pd.DataFrame(
        {"open": close, "high": close * 1.01, "low": close * 0.99, "close": close, "volume": 1.0},
        index=pd.date_range("2020-01-01", periods=n_bars, name="datetime", tz=tz),
    )


def test_a_result_carries_the_metrics_of_its_run():
    result = run_backtest(AlwaysLong, frame_of_bars(), broker=FREE)
    pd.testing.assert_series_equal(result.metrics, metrics_of(result))
    assert result.metrics["total_return"] == result.equity.iloc[-1] / result.equity.iloc[0] - 1
    assert result.metrics["total_return"] > 0


def test_the_figure_shows_equity_drawdown_and_exposure():
    result = run_backtest(AlwaysLong, frame_of_bars(), broker=FREE)
    panels, same = result.plot().axes, result.figure().axes
    labels = [ax.get_ylabel() for ax in panels]
    assert labels == ["Growth of 1 (log)", "Drawdown", "Exposure"]
    assert labels == [ax.get_ylabel() for ax in same]
    assert result.plot(log=False).axes[0].get_ylabel() == "Growth of 1"
    growth = result.equity / result.equity.iloc[0]
    assert panels[0].get_lines()[0].get_ydata().tolist() == growth.tolist()


def test_saving_writes_all_four_files_and_nothing_else(tmp_path):
    result = run_backtest(AlwaysLong, frame_of_bars(), name="steady", broker=FREE)
    folder = result.save(tmp_path / "new" / "result")
    assert folder == tmp_path / "new" / "result"
    files = sorted(path.name for path in folder.iterdir())
    assert files == ["equity.csv", "equity.png", "metrics.csv", "trades.csv"]
    metrics = pd.read_csv(folder / "metrics.csv", index_col="strategy")
    assert list(metrics.index) == ["steady"]
    assert metrics.loc["steady"].to_list() == pytest.approx(result.metrics.to_list(), nan_ok=True)
    equity = pd.read_csv(folder / "equity.csv", index_col="datetime", parse_dates=True)
    assert equity["equity"].to_list() == result.equity.to_list()
    trades = pd.read_csv(folder / "trades.csv")
    assert list(trades.columns) == list(result.trades.columns)
    assert len(trades) == len(result.trades)
    assert (folder / "equity.png").read_bytes().startswith(b"\x89PNG")


def test_a_result_without_trades_is_saved_too(tmp_path):
    result = run_backtest(AlwaysLong, frame_of_bars(), lot_size=1e9, broker=FREE)
    assert pd.read_csv(result.save(tmp_path) / "trades.csv").empty


def test_an_interrupted_save_leaves_the_old_files_whole(tmp_path, monkeypatch):
    folder = run_backtest(AlwaysLong, frame_of_bars(), broker=FREE).save(tmp_path)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def stop_half_way(path, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(type(tmp_path), "replace", stop_half_way)
    with pytest.raises(KeyboardInterrupt):
        run_backtest(AlwaysLong, frame_of_bars(9), broker=FREE).save(tmp_path)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"completed": 3, "margin": 0}, ""),
        (
            {"completed": 3, "too_small": 1, "margin": 2},
            "2 refused for cash; 1 smaller than one lot",
        ),
    ],
    ids=["none", "two kinds"],
)
def test_order_troubles_are_put_into_words(counts, expected):
    assert order_troubles(counts) == expected


def test_a_strategy_that_sends_no_order_is_said_to(caplog):
    class Idle(bt.Strategy):
        pass

    run_backtest(Idle, frame_of_bars(), broker=FREE)
    (record,) = caplog.records
    assert record.getMessage() == "Idle sent no order: it held nothing on any bar."


def test_a_strategy_that_acts_at_the_open_is_said_to_see_the_close(caplog):
    class AtTheOpen(bt.Strategy):
        def next_open(self):
            self.buy(size=1)

    assert run_backtest(AtTheOpen, frame_of_bars(), broker=FREE).order_counts["completed"] > 0
    assert "AtTheOpen defines next_open, so it runs with cheat_on_open" in caplog.text


def test_every_kind_of_order_that_did_not_fill_has_its_words():
    every = describe_orders(dict.fromkeys(ORDER_KINDS, 1))
    assert every.count(";") + 1 == len(ORDER_KINDS) - 1


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"liquidated": 1}, "the exchange closed 1 position, as its margin was used up"),
        (
            {"liquidated": 2, "margin": 3},
            "orders that did not fill as asked: 3 refused for cash; the exchange closed 2 "
            "positions, as their margin was used up",
        ),
        (
            {"expired": 1, "ruined": 1},
            "orders that did not fill as asked: 1 not filled by the next close and decided again; "
            "the account was ruined, as equity fell to zero or below",
        ),
    ],
    ids=["one", "two and troubles", "ruin"],
)
def test_what_ends_positions_is_no_order_that_did_not_fill(counts, expected):
    assert describe_orders({"completed": 5, **counts}) == expected


def test_a_result_survives_pickling():
    result = run_backtest(AlwaysLong, frame_of_bars(), broker=FREE)
    again = pickle.loads(pickle.dumps(result))
    pd.testing.assert_series_equal(again.metrics, result.metrics)
    assert (again.broker, again.in_sample, again.name) == (FREE, False, result.name)


def test_a_notebook_shows_name_span_and_percentages():
    html = run_backtest(AlwaysLong, frame_of_bars(), name="steady", broker=FREE)._repr_html_()
    assert "<b>steady</b></div><div>2020-01-01 to 2020-01-20, 20 bars; after costs" in html
    assert "100.0%" not in html.split("Mean exposure")[0]
    assert "Sharpe" in html


@pytest.mark.parametrize("model_class", [TrainedModel, Forecasts])
@pytest.mark.parametrize("tz", [None, "America/New_York"], ids=["naive", "with a time zone"])
def test_without_a_start_the_backtest_begins_after_the_training(tz, model_class):
    bars = frame_of_bars(tz=tz)
    result = run_backtest(AlwaysLong, bars, model=model_class(bars.index[9]))
    assert result.first_tradable == bars.index[10]
    assert not result.in_sample


def test_a_training_end_without_a_time_zone_counts_as_utc():
    bars = frame_of_bars(tz="America/New_York")  # midnight there is 05:00 UTC
    result = run_backtest(AlwaysLong, bars, model=TrainedModel(pd.Timestamp("2020-01-10 05:00")))
    assert result.first_tradable == bars.index[10]


def test_a_backtest_within_the_training_span_is_called_in_sample():
    bars = frame_of_bars()
    model = Forecasts(bars.index[9])
    result = run_backtest(AlwaysLong, bars, start="2020-01-10", model=model, name="LSTM")
    assert result.in_sample
    assert (result.name, result.label) == ("LSTM", "LSTM (IN-SAMPLE)")
    assert result.metrics.name == result.label
    title = result.figure().axes[0].get_title(loc="left")
    assert all("IN-SAMPLE" in text for text in [repr(result), result._repr_html_(), title])


def test_the_bar_after_the_training_is_out_of_sample():
    bars = frame_of_bars()
    result = run_backtest(AlwaysLong, bars, start="2020-01-11", model=Forecasts(bars.index[9]))
    assert not result.in_sample
    assert result.label == result.name


def test_a_model_that_does_not_say_when_it_was_trained_starts_at_the_first_bar():
    result = run_backtest(AlwaysLong, frame_of_bars(), model=Forecasts(None))
    assert result.first_tradable == pd.Timestamp("2020-01-01")
    assert not result.in_sample


def test_a_model_trained_on_all_bars_leaves_nothing_to_test():
    bars = frame_of_bars()
    with pytest.raises(TradingError, match=r"2020-01-20.*Train on fewer bars"):
        run_backtest(AlwaysLong, bars, model=Forecasts(bars.index[-1]))


def test_a_model_is_asked_once_for_a_backtest():
    model = Forecasts(None)
    run_backtest(AlwaysLong, frame_of_bars(), model=model)
    assert model.n_forecasts == 1


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(ModelError):
        run_backtest(AlwaysLong, frame_of_bars(), model=tmp_path / "none")


NO_STRATEGIES = ("MACD", None, (bt.Strategy, {"size": 1}), lambda: bt.Strategy)


@pytest.mark.parametrize("strategy", NO_STRATEGIES)
def test_what_is_no_strategy_class_is_refused(strategy):
    bars = simulate_bars("noise", 50).bars
    with pytest.raises(TradingError, match="must be a strategy class of backtrader's, got"):
        run_backtest(strategy, bars)


def test_a_pair_of_a_class_and_its_parameters_is_told_how_to_be_written():
    pair = (AlwaysLong, {"model": "m", "band": 0.1})
    with pytest.raises(TradingError) as refusal:
        run_backtest(pair, simulate_bars("noise", 50).bars)
    assert str(refusal.value) == (
        "strategy must be a strategy class of backtrader's, got a pair of a class and its "
        "parameters. Write run_backtest(AlwaysLong, bars, model=..., band=...)."
    )


class Leaves(bt.Strategy):
    def next(self):
        if len(self) == 20:
            self.cerebro.runstop()


def test_a_result_says_that_its_strategy_ended_the_run_early(caplog):
    bars = simulate_bars("noise", 60, seed=1).bars
    result = run_backtest(Leaves, bars)
    assert result.note == (
        "Leaves ended its run 40 bars before the last: all its numbers cover only "
        f"{bars.index[0].date()} to {bars.index[19].date()}, 20 bars."
    )
    assert [record.getMessage() for record in caplog.records].count(result.note) == 1
    assert repr(result).endswith(result.note)
    assert result.note in result._repr_html_()
    assert run_backtest(AlwaysLong, bars).note == ""


class ShortsTwice(bt.Strategy):
    """Sells twice its equity at the first close, which a rise by half ruins."""

    def next(self):
        if len(self) == 1:
            self.sell(size=2.0 * self.broker.getvalue() / self.data.close[0])


def test_a_result_says_when_the_account_was_ruined(caplog):
    bars = frame_of_bars(60)  # 1.01 ** 41 is the first power above 1.5
    result = run_backtest(ShortsTwice, bars, broker=FREE)
    said = (
        "ShortsTwice was ruined on 2020-02-12: its equity fell to zero or below. It counts as "
        "earning nothing after that."
    )
    assert result.note == said
    assert said in caplog.messages
    assert said in result._repr_html_()
    assert said in repr(result)
    assert run_backtest(AlwaysLong, bars, broker=FREE).ruin_note == ""
