"""How the model of each fold of a walk forward did on its own bars."""

from typing import Any

import numpy as np
import pandas as pd

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.backtests import BacktestResult
from lstm_strategy.evaluation.metrics import (
    bar_returns,
    max_drawdown,
    round_trips,
    sharpe,
    total_return,
    turnover,
)
from lstm_strategy.support import format_time, naive_utc_index


def fold_of_bars(ledger: pd.DataFrame, index: pd.Index) -> pd.Series:
    """Return the fold whose model forecast each bar.

    Args:
        ledger: The ledger of a walk forward, with its column `fold`.
        index: The dates of the bars, on whatever clock.

    Returns:
        The number of the fold, on `index`; NaN for bars outside of the ledger.

    Example:
        >>> days = pd.date_range("2024-01-01", periods=2, tz="UTC")
        >>> ledger = pd.DataFrame({"fold": [1, 2]}, days)
        >>> fold_of_bars(ledger, days.tz_convert("Asia/Tokyo")).to_list()
        [1, 2]
    """
    folds = ledger["fold"].set_axis(naive_utc_index(ledger.index))
    return folds.reindex(naive_utc_index(index)).set_axis(index)


def fold_table(
    result: BacktestResult, ledger: pd.DataFrame, *, close: pd.Series | None = None
) -> pd.DataFrame:
    """Return what the model of each fold of a walk forward earned on its own bars.

    Args:
        result: The backtest.
        ledger: The ledger of the forecaster: its column `fold` says which model forecast which bar.
        close: The close of the bars, for the return of the market beside.

    Returns:
        One row for each fold, on its number: first and last (bars), train_end (if the ledger has
        it), bars, total_return, sharpe (annual), max_drawdown (within the fold), turnover (per
        year), trades (opened in the fold and closed again) and, with `close`, market_return. Bars
        outside of the ledger and folds without a bar of the result are left out.

    Raises:
        TradingError: Where that leaves nothing.

    Example:
        >>> from lstm_strategy import BASELINES, run_backtest, sample_bars
        >>> result = run_backtest(BASELINES["Buy and hold"], sample_bars("sp500"), start="2017")
        >>> ledger = pd.DataFrame({"fold": result.equity.index.year - 2016}, result.equity.index)
        >>> fold_table(result, ledger)["total_return"].round(2).to_dict()
        {1: 0.18, 2: -0.06}
    """
    traded = result.equity.index
    fold_of = fold_of_bars(ledger, traded)
    if fold_of.isna().all():
        raise TradingError(
            f"The ledger must cover bars of the result, but it ends at "
            f"{format_time(ledger.index[-1])} and the result begins at "
            f"{format_time(traded[0])}. Pass the ledger of the model that ran."
        )
    rows = {
        int(number): _fold_row(result, fold_of == number, close)
        for number in fold_of.dropna().unique()
    }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("fold")
    if "train_end" in ledger:
        train_end = ledger.groupby("fold")["train_end"].first().reindex(table.index)
        table.insert(2, "train_end", train_end)
    return table


def _fold_row(
    result: BacktestResult, is_in_fold: pd.Series, close: pd.Series | None
) -> dict[str, Any]:
    """What was earned on the bars of one fold, in the columns of `fold_table`."""
    index = result.equity.index[is_in_fold]
    returns = bar_returns(result.equity)  # that of the fold's first bar begins at the close before
    returns = returns[returns.index.isin(index)]
    curve = _growth_of(returns)
    fills = result.fills.loc[index[0] : index[-1]]
    row = {
        "first": index[0],
        "last": index[-1],
        "bars": len(index),
        "total_return": total_return(curve),
        "sharpe": sharpe(curve, result.bars_per_year),
        "max_drawdown": max_drawdown(curve),
        "turnover": turnover(fills, result.equity[is_in_fold], result.bars_per_year),
        "trades": round_trips(result.trades[result.trades["entry"].between(index[0], index[-1])]),
    }
    if close is not None:
        market = close.reindex(result.equity.index).pct_change(fill_method=None)
        row["market_return"] = total_return(_growth_of(market.reindex(returns.index)))
    return row


def _growth_of(returns: pd.Series) -> pd.Series:
    """The growth of 1 through returns, beginning at 1; unknown returns count as zero."""
    growth = (1.0 + returns.fillna(0.0).to_numpy()).cumprod()
    return pd.Series(np.concatenate([[1.0], growth]))
