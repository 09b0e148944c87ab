"""What the model of each fold earned, worked by hand."""

import numpy as np
import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.backtests import BacktestResult, run_backtest
from lstm_strategy.evaluation.metrics import sharpe, total_return
from lstm_strategy.evaluation.robustness.folds import fold_of_bars, fold_table
from lstm_strategy.trading.baselines import MACD
from lstm_strategy.trading.cerebro import FILL_COLUMNS, trades_from_fills


def build_result(equity, *, fills=(), index=None):
    index = pd.date_range("2020-01-01", periods=len(equity)) if index is None else index
    equity = pd.Series(equity, index=index, dtype=float)
    rows = [(size, price, 0.0, 0.0, abs(size * price), 0.0, 0.0, 0.0) for _, size, price in fills]
    fills = pd.DataFrame(rows, index[[bar for bar, _, _ in fills]], columns=list(FILL_COLUMNS))
    return BacktestResult(
        name="LSTM",
        equity=equity,
        exposure=equity * 0.0,
        fills=fills.astype(float),
        trades=trades_from_fills(fills.astype(float), equity),
        costs=0.0,
        order_counts={},
        first_tradable=index[0],
        bars_per_year=252.0,
        params={},
    )


def test_a_fold_begins_at_the_close_before_its_first_bar():
    result = build_result(
        [100.0, 110.0, 99.0, 108.9, 108.9, 98.01],
        fills=[(1, 10.0, 1.0), (2, -10.0, 1.0), (3, 5.0, 2.0)],
    )
    ledger = pd.DataFrame({"fold": [1, 1, 2, 2, 2, 2]}, index=result.equity.index)
    close = pd.Series([1.0, 2.0, 1.0, 1.0, 1.0, 3.0], index=result.equity.index)
    table = fold_table(result, ledger, close=close)
    day = result.equity.index
    assert table.index.to_list() == [1, 2]
    assert table["first"].to_list() == [day[0], day[2]]
    assert table["last"].to_list() == [day[1], day[5]]
    assert table["bars"].to_list() == [2, 4]
    assert table["total_return"].to_list() == pytest.approx([0.1, 0.9 * 1.1 * 0.9 - 1.0])
    assert table["max_drawdown"].to_list() == pytest.approx([0.0, 0.9 * 1.1 * 0.9 - 1.0])
    assert table["market_return"].to_list() == pytest.approx([1.0, 0.5])
    assert table["trades"].to_list() == [1, 0]  # the second one is still open
    curve = pd.Series([1.0, 0.9, 0.99, 0.99, 0.891])
    assert table.loc[2, "sharpe"] == pytest.approx(sharpe(curve, 252.0))
    mean_equity = (99.0 + 108.9 + 108.9 + 98.01) / 4
    assert table.loc[2, "turnover"] == pytest.approx((10.0 + 10.0) / mean_equity * 252.0 / 3)


def test_the_folds_multiply_to_the_whole_run():
    bars = random_walk(120)
    result = run_backtest(MACD, bars, name="MACD")
    ledger = pd.DataFrame({"fold": np.repeat([1, 2, 3], 40)}, index=bars.index)
    table = fold_table(result, ledger)
    assert (1.0 + table["total_return"]).prod() - 1.0 == pytest.approx(total_return(result.equity))
    assert table["bars"].sum() == len(result.equity)
    assert table["trades"].sum() == result.metrics["trades"]
    assert "market_return" not in table


def test_a_fold_says_where_its_training_ended():
    result = build_result([1.0, 1.1, 1.2])
    day = result.equity.index
    ledger = pd.DataFrame({"fold": [4, 4, 5], "train_end": [day[0], day[0], day[1]]}, index=day)
    assert fold_table(result, ledger)["train_end"].to_list() == [day[0], day[1]]


def test_bars_beyond_the_ledger_and_folds_beyond_the_bars_are_left_out():
    result = build_result([1.0, 1.1, 1.2, 1.3])
    day = result.equity.index
    ledger = pd.DataFrame({"fold": [1, 2, 2]}, index=[day[0] - pd.Timedelta(9, "D"), *day[1:3]])
    table = fold_table(result, ledger)
    assert table["bars"].to_dict() == {2: 2}


def test_a_ledger_in_utc_meets_bars_of_another_clock():
    tokyo = pd.date_range("2020-01-01 09:00", periods=4, freq="h", tz="Asia/Tokyo")
    result = build_result([1.0, 1.1, 1.2, 1.3], index=tokyo)
    ledger = pd.DataFrame({"fold": [1, 1, 2, 2]}, index=tokyo.tz_convert("UTC"))
    assert fold_of_bars(ledger, tokyo).to_list() == [1, 1, 2, 2]
    assert fold_table(result, ledger)["first"].to_list() == [tokyo[0], tokyo[2]]


def test_a_ledger_of_other_bars_is_refused():
    result = build_result([1.0, 1.1])
    ledger = pd.DataFrame({"fold": [1]}, index=pd.to_datetime(["1990-01-01"]))
    with pytest.raises(TradingError, match="must cover bars of the result, but it ends at 1990"):
        fold_table(result, ledger)
