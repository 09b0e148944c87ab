"""What one equity curve earned, what it risked for it, and what it paid.

Every number is a fraction (0.12 is 12 %) and is computed from the close-to-close equity curve, with
a risk-free rate of zero. A value that is undefined, such as the Sharpe ratio of a flat curve, is
NaN: never an exception, never a warning.

The formulas are written out here although quantstats has them, for two reasons. Its functions guess
whether they were given prices or returns, and take returns without a loss and with one bar above
+100 % for prices. And importing it restyles every matplotlib figure of the session. The tests hold
each formula to quantstats and to empyrical-reloaded instead.
"""

import numpy as np
import pandas as pd

from lstm_strategy.trading.cerebro import BacktestRun

METRICS = (
    "total_return",
    "cagr",
    "volatility",
    "sharpe",
    "sortino",
    "max_drawdown",
    "calmar",
    "turnover",
    "trades",
    "exposure",
    "costs",
)

# Equal returns differ by rounding, about 1e-16; a spread below this is no spread at all.
_NO_SPREAD = 1e-13


def metrics_of(run: BacktestRun) -> pd.Series:
    """All metrics of one backtest, as a Series indexed by `METRICS` and named like the run."""
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
        "exposure": mean_exposure(run.exposure),
        "costs": cost_fraction(run.fills, equity),
    }
    return pd.Series(values, index=list(METRICS), dtype=float, name=run.name)


def bar_returns(equity: pd.Series) -> pd.Series:
    """Return of each bar over the one before: one value fewer than `equity`, known at its close.

    NaN once the account was ruined: there is no return on an equity of zero or less.
    """
    before = equity.shift().where(equity.shift() > 0)
    return (equity / before - 1.0).iloc[1:]


def drawdown(equity: pd.Series) -> pd.Series:
    """Distance below the highest equity so far: zero at a peak, −0.2 when 20 % below it."""
    return equity / equity.cummax() - 1.0


def total_return(equity: pd.Series) -> float:
    """Growth from the first value of the curve to the last; NaN below two values."""
    if len(equity) < 2:
        return float("nan")
    return float(equity.iloc[-1] / equity.iloc[0] - 1.0)


def cagr(equity: pd.Series, bars_per_year: float) -> float:
    """Compound annual growth rate: the steady yearly rate that leads from first to last value.

    NaN below two values and for a final equity below zero, which no growth rate reaches.
    """
    growth = 1.0 + total_return(equity)
    if not growth >= 0:
        return float("nan")
    # A large gain within a few bars can compound past the largest float: that is inf, quietly.
    with np.errstate(over="ignore"):
        return float(np.float64(growth) ** (1.0 / _years(equity, bars_per_year)) - 1.0)


def volatility(equity: pd.Series, bars_per_year: float) -> float:
    """Standard deviation of bar returns (ddof 1), per year; NaN below three values."""
    return float(bar_returns(equity).std(ddof=1) * np.sqrt(bars_per_year))


def sharpe(equity: pd.Series, bars_per_year: float) -> float:
    """Mean bar return over its standard deviation, per year (Sharpe 1994, benchmark zero).

    NaN when all returns are equal and below three values.
    """
    returns = bar_returns(equity)
    return _ratio(returns.mean(), returns.std(ddof=1)) * float(np.sqrt(bars_per_year))


def sortino(equity: pd.Series, bars_per_year: float) -> float:
    """Mean bar return over its downside deviation from zero, per year (Sortino & Price 1994).

    The downside deviation averages over all bars, gains counting as zero. NaN without a losing bar.
    """
    returns = bar_returns(equity)
    downside = np.sqrt((returns.clip(upper=0.0) ** 2).mean())
    return _ratio(returns.mean(), downside) * float(np.sqrt(bars_per_year))


def max_drawdown(equity: pd.Series) -> float:
    """The deepest drawdown: −0.2 after a fall of 20 % from a peak; zero if the curve never fell."""
    return float(drawdown(equity).min())


def calmar(equity: pd.Series, bars_per_year: float) -> float:
    """Annual growth over the size of the deepest drawdown (Young 1991); NaN without a drawdown."""
    return _ratio(cagr(equity, bars_per_year), -max_drawdown(equity))


def turnover(fills: pd.DataFrame, equity: pd.Series, bars_per_year: float) -> float:
    """Value bought and sold per year, in multiples of the average equity; NaN below two values.

    Going from cash to fully invested and back once a year is a turnover of 2.
    """
    traded_value = float((fills["size"] * fills["price"]).abs().sum())
    return _ratio(traded_value, equity.mean()) / (_years(equity, bars_per_year) or float("nan"))


def round_trips(trades: pd.DataFrame) -> int:
    """Number of positions opened and closed again; one still open at the end isn't counted."""
    return int(trades["exit"].notna().sum())


def mean_exposure(exposure: pd.Series) -> float:
    """Average size of the position, long or short, as a fraction of equity."""
    return float(exposure.abs().mean())


def cost_fraction(fills: pd.DataFrame, equity: pd.Series) -> float:
    """Commission and slippage paid over the whole run, as a fraction of the first equity value."""
    paid = float(fills["commission"].sum() + fills["slippage_cost"].sum())
    return _ratio(paid, equity.iloc[0]) if len(equity) else float("nan")


def _years(equity: pd.Series, bars_per_year: float) -> float:
    # n values span n − 1 bars of return
    return (len(equity) - 1) / bars_per_year


def _ratio(numerator: float, denominator: float) -> float:
    """The quotient, or NaN where the denominator is missing or too small to mean anything."""
    if not denominator > _NO_SPREAD:
        return float("nan")
    return float(numerator / denominator)
