import logging
import pickle
import threading

import backtrader as bt
import numpy as np
import pandas as pd
import pytest

from lstm_strategy.errors import StrategyFailedError, TradingError
from lstm_strategy.evaluation.backtests import run_backtest
from lstm_strategy.evaluation.comparison.run import compare
from lstm_strategy.trading.baselines import BASELINES, BuyAndHold, Momentum121
from lstm_strategy.trading.cerebro import BrokerSettings
from lstm_strategy.trading.execution import TargetStrategy


class Hold(TargetStrategy):
    params = (("exposure", 1.0), ("warm_up", 1), ("note", None))

    def __init__(self):
        super().__init__()
        bt.ind.SMA(period=self.p.warm_up)  # makes backtrader wait for that many bars

    def target_exposure(self):
        return self.p.exposure


class FollowModel(TargetStrategy):
    """Holds the forecast signal of a model that has all bars in advance."""

    params = (("model", None),)

    def __init__(self):
        super().__init__()
        self.signals = self.p.model.frame["signal"]

    def target_exposure(self):
        return float(self.signals.iloc[len(self) - 1])


class SlowModel(FollowModel):
    params = (("warm_up", 1),)

    def __init__(self):
        super().__init__()
        bt.ind.SMA(period=self.p.warm_up)


class Fails(TargetStrategy):
    def target_exposure(self):
        raise RuntimeError("no such column")


class CountedModel:
    """A model that counts how often it is asked, and can't travel to another process."""

    warm_up = 1
    bars_columns = ("close",)

    def __init__(self, training_end=None):
        self.training_end = training_end
        self.times_asked = 0
        self.unpicklable = lambda: None

    def forecast(self, bars):
        self.times_asked += 1
        columns = {"signal": 0.5, "forecast": 0.5, "uncertainty": 0.0}
        return pd.DataFrame(columns, index=bars.index)

    def stream(self):
        raise NotImplementedError


def frame_of_bars(n_bars=40):
    close = 100.0 + 5.0 * np.sin(np.arange(n_bars) / 3.0) + np.arange(n_bars) / 10.0
    return pd.DataFrame(
        {"open": close, "high": close + 1.0, "low": close - 1.0, "close": close, "volume": 1.0},
        index=pd.date_range("2020-01-01", periods=n_bars, name="datetime"),
    )


def three_strategies():
    return {
        "Half": (Hold, {"exposure": 0.5}),
        "Buy and hold": BuyAndHold,
        "Cash": (Hold, {"exposure": 0.0}),
    }


def test_the_table_has_a_row_a_strategy_and_a_column_a_metric():
    comparison = compare(three_strategies(), frame_of_bars())
    assert list(comparison.table.index) == ["Half", "Buy and hold", "Cash"]
    assert list(comparison.table.columns) == list(comparison.results["Half"].metrics.index)
    for name, result in comparison.results.items():
        assert comparison.table.loc[name].to_list() == pytest.approx(
            result.metrics.to_list(), nan_ok=True
        )


def test_the_curves_share_their_dates_and_stand_in_the_given_order():
    comparison = compare(three_strategies(), frame_of_bars())
    assert list(comparison.equity.columns) == ["Half", "Buy and hold", "Cash"]
    pd.testing.assert_index_equal(comparison.equity.index, frame_of_bars().index, check_names=False)
    assert comparison.equity.notna().all(axis=None)
    assert (comparison.equity["Cash"] == 100_000.0).all()


def test_every_strategy_starts_when_the_slowest_is_warm(caplog):
    strategies = {"Fast": Hold, "Slow": (Hold, {"warm_up": 10})}
    with caplog.at_level(logging.INFO):
        comparison = compare(strategies, frame_of_bars())
    first = {name: result.equity.index[0] for name, result in comparison.results.items()}
    assert first == dict.fromkeys(["Fast", "Slow"], pd.Timestamp("2020-01-10"))
    # The same rule from the same bar: the same trades.
    assert comparison.equity["Fast"].to_list() == comparison.equity["Slow"].to_list()
    assert "Slow can trade only from 2020-01-10" in caplog.text


def test_every_strategy_pays_the_same_costs():
    broker = BrokerSettings(commission_rate=0.01, slippage_rate=0.0)
    comparison = compare({"one": Hold, "two": Hold}, frame_of_bars(), broker=broker)
    assert {result.broker for result in comparison.results.values()} == {broker}
    assert comparison.table["costs"].to_list() == pytest.approx([0.01, 0.01], rel=0.05)


def test_all_start_after_the_training_of_the_model():
    bars = frame_of_bars()
    strategies = {"LSTM": (FollowModel, {"model": CountedModel(bars.index[9])}), "Hold": Hold}
    comparison = compare(strategies, bars)
    assert comparison.equity.index[0] == bars.index[10]
    assert list(comparison.table.index) == ["LSTM", "Hold"]


def test_an_in_sample_row_is_called_that_everywhere():
    bars = frame_of_bars()
    strategies = {"LSTM": (FollowModel, {"model": CountedModel(bars.index[9])}), "Hold": Hold}
    comparison = compare(strategies, bars, start=bars.index[0])
    assert list(comparison.table.index) == ["LSTM (IN-SAMPLE)", "Hold"]
    assert list(comparison.equity.columns) == ["LSTM (IN-SAMPLE)", "Hold"]
    assert comparison.plot().axes[0].get_title(loc="left").startswith("IN-SAMPLE")
    assert comparison.describe_standing("LSTM").startswith("LSTM (IN-SAMPLE)")


@pytest.mark.slow
def test_several_processes_give_the_same_numbers():
    bars, model = frame_of_bars(), CountedModel()
    strategies = three_strategies() | {"LSTM": (FollowModel, {"model": model})}
    alone = compare(strategies, bars, n_jobs=1)
    together = compare(strategies, bars, n_jobs=2)
    pd.testing.assert_frame_equal(alone.equity, together.equity)
    pd.testing.assert_frame_equal(alone.table, together.table)


@pytest.mark.slow
def test_a_strategy_defined_inside_a_function_runs_in_this_process():
    class Local(Hold):
        params = (("exposure", 0.25),)

    strategies = {"Local": Local, "Hold": Hold, "Half": (Hold, {"exposure": 0.5})}
    comparison = compare(strategies, frame_of_bars(), n_jobs=2)
    assert comparison.results["Local"].exposure.iloc[-1] == pytest.approx(0.25, abs=0.1)


def test_params_that_can_not_travel_run_in_this_process(caplog):
    locked = (Hold, {"note": threading.Lock()})
    comparison = compare({"one": locked, "two": locked}, frame_of_bars(), n_jobs=2)
    assert list(comparison.results) == ["one", "two"]
    assert "running in this one" in caplog.text


def test_small_comparisons_stay_in_this_process(monkeypatch):
    monkeypatch.setattr("joblib.Parallel", None)
    assert len(compare(three_strategies(), frame_of_bars()).results) == 3


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_failing_strategy_is_named_and_the_other_results_are_kept(n_jobs, caplog):
    strategies = {"Half": (Hold, {"exposure": 0.5}), "Broken": Fails, "Hold": Hold}
    with pytest.raises(StrategyFailedError, match=r"Broken failed.*no such column") as caught:
        compare(strategies, frame_of_bars(), n_jobs=n_jobs)
    assert list(caught.value.results) == ["Half", "Hold"]
    assert "Traceback" in caplog.text


@pytest.mark.parametrize("n_jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_strategy_that_refuses_its_params_is_named_without_a_traceback(n_jobs, caplog):
    strategies = {"Broken": (Hold, {"band": -1}), "Half": (Hold, {"exposure": 0.5}), "Hold": Hold}
    with pytest.raises(StrategyFailedError, match="Broken failed: band must be"):
        compare(strategies, frame_of_bars(), n_jobs=n_jobs)
    (record,) = caplog.records
    assert record.getMessage().startswith("Strategy Broken failed: band must be")


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_order_trouble_is_logged_once_a_strategy_by_this_process(n_jobs, caplog, capfd):
    # A lot of 2000 units is dearer than the cash; the slow one makes the others run twice.
    strategies = {
        "Poor": (Hold, {"lot_size": 2000.0}),
        "Poorer": (Hold, {"lot_size": 3000.0}),
        "Slow": (Hold, {"warm_up": 10, "exposure": 0.0}),
    }
    comparison = compare(strategies, frame_of_bars(), n_jobs=n_jobs)
    assert comparison.results["Poor"].order_counts["too_small"] == 31
    assert [(r.levelname, r.getMessage().split(". ")[0]) for r in caplog.records] == [
        ("WARNING", "Poor: orders that did not fill as asked: 31 smaller than one lot"),
        ("WARNING", "Poorer: orders that did not fill as asked: 31 smaller than one lot"),
    ]
    assert capfd.readouterr().err == ""


def test_an_order_of_the_last_bar_alone_is_no_warning(caplog):
    class BuysLast(Hold):
        def target_exposure(self):
            return float(len(self) == 40)

    with caplog.at_level(logging.INFO):
        compare({"Last": BuysLast}, frame_of_bars())
    assert [record.levelname for record in caplog.records] == ["INFO"]
    assert "Last: orders that did not fill as asked: 1 sent on the last bar" in caplog.text


def test_a_single_run_logs_its_orders_again_after_a_comparison(caplog):
    compare({"Poor": (Hold, {"lot_size": 2000.0})}, frame_of_bars())
    caplog.clear()
    run_backtest(Hold, frame_of_bars(), lot_size=2000.0)
    assert "lower lot_size" in caplog.text


@pytest.mark.parametrize("n_jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_strategy_that_can_not_warm_up_is_left_out_by_name(n_jobs, caplog):
    strategies = three_strategies() | {"Slow": (Hold, {"warm_up": 200})}
    comparison = compare(strategies, frame_of_bars(), n_jobs=n_jobs)
    assert list(comparison.results) == ["Half", "Buy and hold", "Cash"]
    reason = comparison.left_out["Slow"]
    assert reason.startswith("Hold needs 200 bars")
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage() == f"Slow is left out of the comparison. {reason}"
    shown = f"Slow is left out. {reason}"
    assert repr(comparison).endswith(shown)
    assert shown in comparison._repr_html_()
    with pytest.raises(TradingError, match=r"Slow was left out of the comparison\. Hold needs 200"):
        comparison.describe_standing("Slow")


def test_a_comparison_says_which_strategy_ended_its_run_early(caplog):
    class Leaves(bt.Strategy):
        def next(self):
            if len(self) == 20:
                self.cerebro.runstop()

    comparison = compare({"Leaves": Leaves} | three_strategies(), frame_of_bars())
    note = comparison.results["Leaves"].note
    assert note.startswith("Leaves ended its run ")
    assert repr(comparison).endswith(note)
    assert note in comparison._repr_html_()
    assert [record.getMessage() for record in caplog.records].count(note) == 1


def test_a_comparison_of_all_strategies_has_nothing_left_out():
    comparison = compare(three_strategies(), frame_of_bars())
    assert comparison.left_out == {}
    assert "Left out" not in repr(comparison) + comparison._repr_html_()


def test_a_strategy_with_a_model_is_never_left_out():
    slow_model = (SlowModel, {"model": CountedModel(), "warm_up": 200})
    strategies = {"Hold": Hold, "LSTM": slow_model, "Slow": (Hold, {"warm_up": 300})}
    with pytest.raises(
        StrategyFailedError, match="LSTM failed: SlowModel needs 200 bars"
    ) as caught:
        compare(strategies, frame_of_bars())
    assert list(caught.value.results) == ["Hold"]
    assert "of 3" not in str(caught.value)


def test_when_no_strategy_can_warm_up_the_comparison_fails():
    slow = {"one": (Hold, {"warm_up": 200}), "two": (Hold, {"warm_up": 300})}
    with pytest.raises(StrategyFailedError, match=r"one failed: Hold needs 200.*\(2 of 2"):
        compare(slow, frame_of_bars())


@pytest.mark.parametrize(
    ("strategies", "message"),
    [
        ({}, "at least one"),
        ({"x": "Hold"}, "strategy 'x' must be a class, or a pair .*, got 'Hold'. Give for example"),
        ({"x": "macd"}, r"got 'macd'\. Give BASELINES\[\"MACD\"\]\.$"),
        ({"x": (Hold, 3)}, "'x' must be .* dict of its parameters, got an object of tuple"),
        (
            {"x": CountedModel()},
            r"object of CountedModel\. Give \(LSTMStrategy, \{\"model\": ",
        ),
        (
            ["MACD"],
            r"strategies must be a dict .*, got an object of list\. .* BASELINES\[\"MACD\"\]\}",
        ),
        (Hold, "strategies must be a dict .*, got the class Hold"),
    ],
    ids=["none", "text", "a baseline", "params that aren't a dict", "a model", "a list", "a class"],
)
def test_malformed_strategies_are_refused(strategies, message):
    with pytest.raises(TradingError, match=message):
        compare(strategies, frame_of_bars())


def test_saving_writes_all_four_files_and_nothing_else(tmp_path):
    comparison = compare(three_strategies(), frame_of_bars())
    folder = comparison.save(tmp_path / "new" / "comparison")
    assert sorted(p.name for p in folder.iterdir()) == [
        *("equity.csv", "equity.png", "metrics.csv", "trades.csv"),
    ]
    table = pd.read_csv(folder / "metrics.csv", index_col="strategy")
    pd.testing.assert_frame_equal(table, comparison.table, check_names=False)
    equity = pd.read_csv(folder / "equity.csv", index_col="datetime", parse_dates=True)
    pd.testing.assert_frame_equal(
        equity, comparison.equity, check_names=False, check_freq=False, check_index_type=False
    )
    trades = pd.read_csv(folder / "trades.csv", parse_dates=["entry", "exit"])
    pd.testing.assert_frame_equal(trades, comparison.trades, check_dtype=False)
    assert (folder / "equity.png").read_bytes().startswith(b"\x89PNG")


def test_trades_are_those_of_each_strategy_in_turn_behind_its_name():
    comparison = compare(three_strategies(), frame_of_bars())
    traded = [name for name, result in comparison.results.items() if len(result.trades)]
    assert traded
    assert list(comparison.trades["strategy"].unique()) == traded
    for name in traded:
        own = comparison.trades.query("strategy == @name").drop(columns="strategy")
        pd.testing.assert_frame_equal(
            own.reset_index(drop=True), comparison.results[name].trades, check_dtype=False
        )


def test_strategies_that_never_trade_leave_the_head_of_a_table(tmp_path):
    comparison = compare({"Cash": (Hold, {"exposure": 0.0})}, frame_of_bars())
    columns = ["strategy", *comparison.results["Cash"].trades.columns]
    saved = pd.read_csv(comparison.save(tmp_path) / "trades.csv")
    assert (list(saved), len(saved)) == (columns, 0)


def test_standing_gives_rank_and_benchmark_and_claims_no_skill():
    comparison = compare(three_strategies(), frame_of_bars())
    half, hold = comparison.table["sharpe"]["Half"], comparison.table["sharpe"]["Buy and hold"]
    sentence = comparison.describe_standing("Half")
    rank, verb = (1, "leads") if half > hold else (2, "trails")
    assert f"rank {rank} of 3; it {verb} buy and hold ({hold:.2f})" in sentence
    assert "no evidence of skill" in sentence


def test_standing_gives_the_standard_error_of_the_sharpe_ratio():
    comparison = compare(three_strategies(), frame_of_bars())
    year, sharpe = comparison.results["Half"].bars_per_year, comparison.table["sharpe"]["Half"]
    expected = np.sqrt((1.0 + (sharpe / np.sqrt(year)) ** 2 / 2.0) / 39.0) * np.sqrt(year)
    sentence = comparison.describe_standing("Half")
    assert f"standard error of its Sharpe ratio is {expected:.2f}:" in sentence


def test_standing_of_a_flat_curve_has_no_rank():
    text = compare(three_strategies(), frame_of_bars()).describe_standing("Cash")
    assert text.endswith("no Sharpe ratio and no rank.")


def test_standing_of_an_unknown_strategy_names_the_known_ones():
    with pytest.raises(TradingError, match=r"'LTSM'.*Half, Buy and hold, Cash"):
        compare(three_strategies(), frame_of_bars()).describe_standing("LTSM")


def test_a_notebook_shows_the_terms_and_readable_numbers():
    html = compare(three_strategies(), frame_of_bars())._repr_html_()
    assert "3 strategies, 2020-01-01 to 2020-02-09, 40 bars, commission 0.10%" in html
    assert "n/a" in html  # the Sharpe ratio of cash


def bars_like(moves, freq):
    close = 100 * np.cumprod(1 + np.array(moves))
    index = pd.date_range("2010-01-03", periods=len(close), freq=freq)
    columns = {"open": close, "high": close * 1.001, "low": close * 0.999, "close": close}
    return pd.DataFrame({**columns, "volume": 1.0}, index)


def test_baselines_that_count_less_than_a_bar_are_left_out_by_name():
    months = bars_like([0.01, -0.01] * 40, "ME")
    comparison = compare(BASELINES, months)
    assert "which are 0.24 bars here" in comparison.left_out["Short-term reversal"]
    assert "Short-term reversal" not in comparison.results
    assert {"SMA cross", "12-1 momentum"} <= set(comparison.results)


def test_a_baseline_that_does_the_same_as_another_is_left_out_by_name():
    # moves of 0.1% a day are far below the volatility that it is meant to hold
    days = bars_like([0.002, -0.001] * 40, "B")
    both = {name: BASELINES[name] for name in ("Buy and hold", "Volatility target")}
    comparison = compare(both, days)
    assert list(comparison.results) == ["Buy and hold"]
    assert "the same as Buy and hold at every close" in comparison.left_out["Volatility target"]


def test_a_baseline_that_would_take_the_bars_of_a_model_is_left_out_by_name():
    days = bars_like([0.002, -0.001] * 60, "B")
    strategies = {
        "LSTM": (FollowModel, {"model": CountedModel()}),
        "Late": (Momentum121, {"lookback": 100, "skip": 5}),
        "Hold": BuyAndHold,
    }
    comparison = compare(strategies, days)
    assert "only on the last 20 of the 120 bars that LSTM can trade" in comparison.left_out["Late"]
    assert len(comparison.equity) == 120


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("verdict", "Comparison has no attribute 'verdict'. It is in assess().verdict."),
        ("plt", "Comparison has no attribute 'plt'. Did you mean plot"),
    ],
)
def test_a_comparison_says_where_the_verdict_is(name, message):
    comparison = compare(three_strategies(), frame_of_bars())
    with pytest.raises(AttributeError) as refused:
        getattr(comparison, name)
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize("name", ["sharpe"])
def test_a_result_says_where_a_metric_is_and_has_no_ratio_of_cash(name):
    result = compare(three_strategies(), frame_of_bars()).find("Cash")
    with pytest.raises(AttributeError, match=r"It is in metrics\['sharpe'\]"):
        getattr(result, name)
    assert "Sharpe ratio n/a, max drawdown 0.0%" in repr(result)
    assert pickle.loads(pickle.dumps(result)).name == "Cash"
