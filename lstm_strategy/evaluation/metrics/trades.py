"""What traders ask of the trades of a run: how often they won, how much, and how long they took."""

import numpy as np
import pandas as pd

from lstm_strategy.evaluation.metrics.curve import drawdown_periods, ratio
from lstm_strategy.trading.cerebro import BacktestRun


def trade_statistics(run: BacktestRun) -> pd.Series:
    """Return what traders ask of the trades of a run.

    A trade is a round trip, from flat to flat or from one side to the other, after its commission,
    slippage and funding. One that is still open is counted in `open_trades` and nowhere else: its
    profit is not decided.

    Args:
        run: The run, with its equity, exposure and trades.

    Returns:
        A Series named like the run: `closed_trades` and `open_trades`; `win_rate`,
        `profit_factor`, `expectancy`, `average_win`, `average_loss`, `best_trade`, `worst_trade`,
        `holding_bars`, `sqn`, `exposure_time` and `longest_drawdown_bars`, each of which is
        explained at the function of its name. A return of a trade is a fraction of the value that
        was put on. What is undefined is NaN: all of a trade without a closed one, the average loss
        and the profit factor without a loss.

    Example:
        >>> from lstm_strategy import BASELINES, run_backtest, sample_bars
        >>> run = run_backtest(BASELINES["SMA cross"], sample_bars("sp500"), start="2013")
        >>> trade_statistics(run)[["closed_trades", "win_rate", "exposure_time"]].round(2).to_list()
        [3.0, 0.67, 0.89]
    """
    closed = run.trades[run.trades["exit"].notna()]
    returns, profits = closed["return"], closed["pnl"]
    values = {
        "closed_trades": len(closed),
        "open_trades": len(run.trades) - len(closed),
        "win_rate": win_rate(profits),
        "profit_factor": profit_factor(profits),
        "expectancy": expectancy(returns),
        "average_win": average_win(returns),
        "average_loss": average_loss(returns),
        "best_trade": returns.max(),
        "worst_trade": returns.min(),
        "holding_bars": holding_bars(closed["bars"]),
        "sqn": sqn(profits),
        "exposure_time": exposure_time(run.gross_exposure),
        "longest_drawdown_bars": longest_drawdown_bars(run.equity),
    }
    return pd.Series(values, dtype=float, name=run.name)


def win_rate(profits: pd.Series) -> float:
    """Return the share of trades that made money; NaN without a trade.

    One that neither won nor lost counts as a trade that didn't win.

    Args:
        profits: The profit of each closed trade, after all costs.

    Example:
        >>> win_rate(pd.Series([30.0, -10.0, 0.0, -5.0]))
        0.25
    """
    return float((profits > 0).mean())


def profit_factor(profits: pd.Series) -> float:
    """Return what the winning trades made over what the losing ones lost; NaN without a loss.

    Above 1 the trades made money together. It adds up money, so that large positions count more
    than in `expectancy`, where each trade counts alike.

    Args:
        profits: The profit of each closed trade, in money, after all costs.

    Source:
        Schwager (1984), "A complete guide to the futures markets": the sum of all profits over the
        size of the sum of all losses.

    Example:
        >>> profit_factor(pd.Series([30.0, -10.0, 15.0, -5.0]))
        3.0
    """
    return ratio(float(profits.clip(lower=0.0).sum()), float(-profits.clip(upper=0.0).sum()))


def expectancy(returns: pd.Series) -> float:
    """Return what a trade earned on average, each counted alike; NaN without a trade.

    Args:
        returns: The return of each closed trade, a fraction of the value put on.

    Source:
        Tharp (1998), "Trade your way to financial freedom": the win rate times the average win plus
        the share of losing trades times the average loss, which is the mean of all trades.

    Example:
        >>> round(expectancy(pd.Series([0.03, -0.01, 0.02, -0.02])), 6)
        0.005
    """
    return float(returns.mean())


def average_win(returns: pd.Series) -> float:
    """Return the mean return of the trades that won; NaN where none did.

    Example:
        >>> round(average_win(pd.Series([0.03, -0.01, 0.02])), 6)
        0.025
    """
    return float(returns[returns > 0].mean())


def average_loss(returns: pd.Series) -> float:
    """Return the mean return of the trades that lost, below 0; NaN where none did.

    Example:
        >>> average_loss(pd.Series([0.03, -0.01, -0.03]))
        -0.02
    """
    return float(returns[returns < 0].mean())


def holding_bars(bars: pd.Series) -> float:
    """Return the mean number of bars from the entry of a trade to its exit; NaN without a trade.

    Example:
        >>> holding_bars(pd.Series([2, 4]))
        3.0
    """
    return float(bars.mean())


def sqn(profits: pd.Series) -> float:
    """Return the system quality number; NaN below two trades, and where all of them are the same.

    Args:
        profits: The profit of each closed trade, in money, after all costs.

    Source:
        Tharp (2008), "Definitive guide to position sizing": √n times the mean profit over its
        standard deviation (ddof 1) of n trades. Tharp counts profits in multiples of the risk
        taken; where stops don't say what that is, they are counted in money, as backtrader and
        backtesting.py do. Read with at least 30 trades.

    Example:
        >>> round(sqn(pd.Series([3.0, 1.0, 3.0, 1.0])), 4)
        3.4641
    """
    return ratio(profits.mean(), profits.std(ddof=1)) * float(np.sqrt(len(profits)))


def exposure_time(exposure: pd.Series) -> float:
    """Return the share of bars at whose close a position was held, however small.

    Args:
        exposure: The exposure at each close; of many markets their sizes added up. Bars on which
            it is NaN, as the account was ruined, aren't counted; NaN where none is left.

    Example:
        >>> exposure_time(pd.Series([0.0, 0.5, -0.1, float("nan"), 0.0]))
        0.5
    """
    return float(exposure.dropna().ne(0.0).mean())


def longest_drawdown_bars(equity: pd.Series) -> float:
    """Return the most bars from a peak until it was reached again, or to the end; 0 without any.

    Args:
        equity: Account value at each close.

    Example:
        >>> longest_drawdown_bars(pd.Series([10.0, 8.0, 9.0, 10.0, 9.5]))
        3.0
    """
    periods = drawdown_periods(equity)
    return float(periods["bars"].max()) if len(periods) else 0.0
