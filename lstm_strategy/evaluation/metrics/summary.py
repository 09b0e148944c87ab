"""All metrics of one backtest in one table row."""

import pandas as pd

from lstm_strategy.evaluation.metrics.curve import (
    cagr,
    calmar,
    max_drawdown,
    sharpe,
    sortino,
    total_return,
    volatility,
)
from lstm_strategy.evaluation.metrics.trading import (
    cost_fraction,
    funding_fraction,
    mean_exposure,
    round_trips,
    turnover,
)
from lstm_strategy.support import count_of
from lstm_strategy.trading.cerebro import BacktestRun, sum_markets


def metrics_of(run: BacktestRun) -> pd.Series:
    """Return all metrics of one backtest.

    Args:
        run: The run, with its equity, exposure, fills and trades.

    Returns:
        A Series named like the run, indexed by the metrics' names. Every value but the numbers of
        trades and liquidations and the ratios is a fraction (0.12 is 12 %). `costs` (commission,
        slippage, and changes of contract) and `funding` (below 0 where more was received than
        paid) are fractions of the first equity, and so is `gross_return`: what the positions
        earned before both, so that `total_return = gross_return - costs - funding`. One that is
        undefined, such as the Sharpe ratio of a flat curve, is NaN: never an exception, never a
        warning.

    Example:
        >>> from lstm_strategy import BASELINES, run_backtest, sample_bars
        >>> bars = sample_bars("sp500")[:"2000"]
        >>> metrics = metrics_of(run_backtest(BASELINES["Buy and hold"], bars))
        >>> round(float(metrics["total_return"]), 3)
        0.073
    """
    equity, year = run.equity, run.bars_per_year
    values = {
        "total_return": total_return(equity),
        "cagr": cagr(equity, year),
        "volatility": volatility(equity, year),
        "sharpe": sharpe(equity, year),
        "sortino": sortino(equity, year),
        "max_drawdown": max_drawdown(equity),
        "calmar": calmar(equity, year),
        "turnover": turnover(run.fills, equity, year),
        "trades": round_trips(run.trades),
        "exposure": mean_exposure(sum_markets(run.exposure.abs())),
        "costs": cost_fraction(run.fills, equity, rolls=float(run.rolls["amount"].sum())),
        "funding": funding_fraction(run.funding, equity),
        "liquidations": len(run.liquidations),
    }
    values["gross_return"] = values["total_return"] + values["costs"] + values["funding"]
    return pd.Series(values, dtype=float, name=run.name)


def metrics_by_market(run: BacktestRun) -> pd.DataFrame:
    """Return what each market of a panel did.

    Args:
        run: The run of a portfolio.

    Returns:
        One row a market, named `symbol`. `exposure` is the mean of its absolute exposure;
        `contribution` its profit or loss after commission, slippage and funding, `costs` what it
        paid of the former and `funding` what it paid of the latter, as fractions of the first
        equity; `turnover` its value bought and sold per year in multiples of the average equity;
        `trades` its round trips. Empty for one market.

    Example:
        >>> from lstm_strategy import BASELINES, run_backtest, sample_bars
        >>> metrics_by_market(run_backtest(BASELINES["MACD"], sample_bars("sp500")[:"2000"])).empty
        True
    """
    if run.contribution is None or isinstance(run.exposure, pd.Series):
        return pd.DataFrame(index=pd.Index([], name="symbol"))
    rows = {}
    for symbol in run.contribution.columns:
        fills = run.fills[run.fills["symbol"] == symbol]
        trades = run.trades[run.trades["symbol"] == symbol]
        funding = run.funding[run.funding["symbol"] == symbol]
        rolls = run.rolls[run.rolls["symbol"] == symbol]
        rows[symbol] = {
            "exposure": mean_exposure(run.exposure[symbol]),
            "contribution": float(run.contribution[symbol].iloc[-1] / run.equity.iloc[0]),
            "turnover": turnover(fills, run.equity, run.bars_per_year),
            "costs": cost_fraction(fills, run.equity, rolls=float(rolls["amount"].sum())),
            "funding": funding_fraction(funding, run.equity),
            "trades": round_trips(trades),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("symbol")


def contribution_by_market(run: BacktestRun, *, most: int = 8) -> pd.DataFrame:
    """Return what each market of a panel earned so far, at each close.

    Args:
        run: The run of a portfolio.
        most: How many markets have a column of their own: those that moved the result most.

    Returns:
        Profit or loss after commission, slippage and funding as fractions of the first equity, the
        dates of the equity by markets, the one that moved the result most first; where there are
        more, the sum of the others is the last column. Each row adds up to the change of the
        equity since the start. Empty for one market.

    Example:
        >>> from lstm_strategy import PORTFOLIO_BASELINES, run_backtest, sample_bars
        >>> bars = sample_bars("sp500")["2016":]
        >>> run = run_backtest(PORTFOLIO_BASELINES["Equal weight"], {"A": bars, "B": bars})
        >>> earned = contribution_by_market(run, most=1)
        >>> change = run.equity / run.equity.iloc[0] - 1
        >>> list(earned), bool((earned.sum(axis=1) - change).abs().max() < 1e-9)
        (['A', '1 other market'], True)
    """
    if run.contribution is None:
        return pd.DataFrame(index=run.equity.index)
    earned = run.contribution / run.equity.iloc[0]
    by_size = earned.iloc[-1].abs().sort_values(ascending=False, kind="stable").index
    own: pd.DataFrame = earned[by_size[:most]]
    others = earned[by_size[most:]]
    if others.empty:
        return own
    return own.assign(**{count_of(others.shape[1], "other market"): others.sum(axis=1)})
