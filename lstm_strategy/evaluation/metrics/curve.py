"""What an equity curve earned and what it risked for it: one short function a metric.

The formulas are written out here although quantstats has them, for two reasons. Its functions guess
whether they were given prices or returns, and take returns without a loss and with one bar above
+100 % for prices. And importing it restyles every matplotlib figure of the session. The tests hold
each formula to quantstats and to empyrical-reloaded instead.
"""

from typing import Any

import numpy as np
import pandas as pd

# Equal returns differ by rounding, about 1e-16; a spread below this is no spread at all.
_NO_SPREAD = 1e-13


def bar_returns(equity: pd.Series) -> pd.Series:
    """Return the simple return of each bar over the one before, known at its close.

    Args:
        equity: Account value at each close.

    Returns:
        One value fewer than `equity`, fractions. NaN once the account was ruined: there is no
        return on an equity of zero or less.

    Example:
        >>> bar_returns(pd.Series([100.0, 110.0, 99.0])).round(6).to_list()
        [0.1, -0.1]
    """
    before = equity.shift().where(~_is_ruined(equity).shift(fill_value=False))
    return (equity / before - 1.0).iloc[1:]


def earned_returns(equity: pd.Series) -> pd.Series:
    """Return the `bar_returns`, and 0 for each bar after the account was ruined.

    Volatility, Sharpe and Sortino ratio are those of these returns: a ruined account earns nothing
    more, and the bars on which it could earn nothing count.

    Args:
        equity: Account value at each close.

    Example:
        >>> earned_returns(pd.Series([100.0, 50.0, -10.0, 20.0])).to_list()
        [-0.5, -1.2, 0.0]
    """
    is_after = _is_ruined(equity).shift(fill_value=False).iloc[1:]
    return bar_returns(equity).mask(is_after, 0.0)


def ruin_date(equity: pd.Series) -> Any:
    """Return the first date at whose close the account was worth nothing or less; None if never.

    Args:
        equity: Account value at each close.

    Example:
        >>> ruin_date(pd.Series([100.0, -10.0, 20.0], pd.date_range("2024-01-01", periods=3)))
        Timestamp('2024-01-02 00:00:00')
    """
    ruined = equity.index[equity <= 0]
    return ruined[0] if len(ruined) else None


def _is_ruined(equity: pd.Series) -> pd.Series:
    """Whether the account was worth nothing or less at this close or at an earlier one."""
    return (equity <= 0).cummax()


def drawdown(equity: pd.Series) -> pd.Series:
    """Return the distance below the highest equity so far, known at each close.

    Returns:
        One value for each of `equity`, a fraction: zero at a peak, −0.2 when 20 % below it.

    Example:
        >>> drawdown(pd.Series([100.0, 80.0, 120.0])).round(6).to_list()
        [0.0, -0.2, 0.0]
    """
    return equity / equity.cummax() - 1.0


def drawdown_periods(equity: pd.Series) -> pd.DataFrame:
    """Return the falls from a peak, each until the peak is reached again.

    Args:
        equity: Account value at each close.

    Returns:
        One row for each fall, in the order of time: peak, bottom and recovered (dates; NaT while
        still below), depth (a negative fraction) and bars (from the peak to the recovery, or to the
        end).

    Example:
        >>> curve = pd.Series([10.0, 8.0, 9.0, 10.0, 9.5], pd.date_range("2024-01-01", periods=5))
        >>> drawdown_periods(curve)[["depth", "bars"]].round(2).to_numpy().tolist()
        [[-0.2, 3.0], [-0.05, 1.0]]
    """
    depth = drawdown(equity)
    is_below = (depth < 0).to_numpy()
    number = (depth.eq(0) & depth.shift(-1).lt(0)).cumsum()
    position = pd.Series(range(len(equity)), index=equity.index)
    rows = []
    for _, under in depth[is_below].groupby(number[is_below]):
        first, last = int(position[under.index[0]]), int(position[under.index[-1]])
        has_recovered = last + 1 < len(equity)
        rows.append(
            {
                "peak": equity.index[first - 1],
                "bottom": under.idxmin(),
                "recovered": equity.index[last + 1] if has_recovered else pd.NaT,
                "depth": float(under.min()),
                "bars": last + has_recovered - first + 1,
            }
        )
    return pd.DataFrame(rows, columns=["peak", "bottom", "recovered", "depth", "bars"])


def total_return(equity: pd.Series) -> float:
    """Return the growth from the first value of the curve to the last; NaN below two values.

    Example:
        >>> total_return(pd.Series([100.0, 80.0, 150.0]))
        0.5
    """
    if len(equity) < 2:
        return float("nan")
    return float(equity.iloc[-1] / equity.iloc[0] - 1.0)


def cagr(equity: pd.Series, bars_per_year: float) -> float:
    """Return the compound annual growth rate: the steady rate that leads from first to last value.

    NaN below two values and for a final equity below zero, which no growth rate reaches.

    Source:
        (last / first) ^ (1 / years) − 1, where n values span (n − 1) / `bars_per_year` years.

    Example:
        >>> round(cagr(pd.Series([100.0, 100.0, 121.0]), bars_per_year=1.0), 6)
        0.1
    """
    growth = 1.0 + total_return(equity)
    if not growth >= 0:
        return float("nan")
    # A large gain within a few bars can compound past the largest float: that is inf, quietly.
    with np.errstate(over="ignore"):
        return float(np.float64(growth) ** (1.0 / span_years(equity, bars_per_year)) - 1.0)


def volatility(equity: pd.Series, bars_per_year: float) -> float:
    """Return the annual standard deviation of bar returns (ddof 1); NaN below three values.

    Example:
        >>> round(volatility(pd.Series([100.0, 110.0, 99.0]), bars_per_year=4.0), 6)
        0.282843
    """
    return float(earned_returns(equity).std(ddof=1) * np.sqrt(bars_per_year))


def sharpe(equity: pd.Series, bars_per_year: float) -> float:
    """Return the annual Sharpe ratio, with a risk-free rate of zero.

    NaN when all returns are equal and below three values.

    Source:
        Sharpe (1994), "The Sharpe ratio": the mean bar return over its standard deviation (ddof 1),
        times √`bars_per_year`.

    Example:
        >>> round(sharpe(pd.Series([100.0, 110.0, 110.0]), bars_per_year=2.0), 6)
        1.0
    """
    returns = earned_returns(equity)
    return ratio(returns.mean(), returns.std(ddof=1)) * float(np.sqrt(bars_per_year))


def sortino(equity: pd.Series, bars_per_year: float) -> float:
    """Return the annual Sortino ratio, with a target return of zero; NaN without a losing bar.

    Source:
        Sortino and Price (1994): the mean bar return over its downside deviation, which averages
        over all bars and counts gains as zero, times √`bars_per_year`.

    Example:
        >>> round(sortino(pd.Series([100.0, 90.0, 108.0]), bars_per_year=2.0), 6)
        1.0
    """
    returns = earned_returns(equity)
    downside = np.sqrt((returns.clip(upper=0.0) ** 2).mean())
    return ratio(returns.mean(), downside) * float(np.sqrt(bars_per_year))


def max_drawdown(equity: pd.Series) -> float:
    """Return the deepest drawdown, −0.2 after a fall of 20 %; zero if the curve never fell.

    Example:
        >>> round(max_drawdown(pd.Series([100.0, 80.0, 120.0, 90.0])), 6)
        -0.25
    """
    return float(drawdown(equity).min())


def calmar(equity: pd.Series, bars_per_year: float) -> float:
    """Return the annual growth over the size of the deepest drawdown; NaN without a drawdown.

    Source:
        Young (1991), "Calmar ratio: a smoother tool".

    Example:
        >>> round(calmar(pd.Series([100.0, 80.0, 110.0]), bars_per_year=2.0), 6)
        0.5
    """
    return ratio(cagr(equity, bars_per_year), -max_drawdown(equity))


def span_years(equity: pd.Series, bars_per_year: float) -> float:
    """Return the length of a curve in years: n values span n − 1 bars of return."""
    return (len(equity) - 1) / bars_per_year


def ratio(numerator: float, denominator: float) -> float:
    """Return the quotient; NaN where the denominator is missing or too small to mean anything."""
    if not denominator > _NO_SPREAD:
        return float("nan")
    return float(numerator / denominator)
