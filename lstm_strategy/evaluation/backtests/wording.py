"""Results in words and as text for tables."""

import math
from collections.abc import Mapping

import pandas as pd

from lstm_strategy.bars import span_dates
from lstm_strategy.support import count_of, format_time, number_text

_MOST_DATES = 5
_NEARLY_A_YEAR = 350  # days: the first and last trading days of a year are this far apart

_PERCENT_METRICS = (
    *("total_return", "cagr", "volatility", "max_drawdown", "exposure"),
    *("costs", "funding", "gross_return"),
)
METRIC_TITLES = {
    "total_return": "Total return",
    "gross_return": "Gross return",
    "cagr": "CAGR",
    "volatility": "Volatility",
    "sharpe": "Sharpe",
    "sortino": "Sortino",
    "max_drawdown": "Max drawdown",
    "calmar": "Calmar",
    "turnover": "Turnover per year",
    "trades": "Closed trades",
    "exposure": "Mean exposure",
    "contribution": "Contribution",
    "costs": "Costs",
    "funding": "Funding paid",
    "liquidations": "Liquidations",
}
"""The metrics as readers see them, in the terminal, in notebooks and in reports."""
_COUNT_METRICS = ("trades", "liquidations")
_ORDER_TROUBLES = {
    "margin": "refused for cash",
    "rejected": "rejected by the broker",
    "expired": "not filled by the next close and decided again",
    "too_small": "smaller than one lot",
    "unsized": "without a size, so of one unit each",
    "unfilled_at_end": "sent on the last bar, so never filled",
    "cut": "made smaller, as the cash for all of it wasn't there yet",
    "stranded": "held in a market that ended",
}


def order_troubles(order_counts: Mapping[str, int]) -> str:
    """Say in words what became of the orders that did not fill as asked.

    Args:
        order_counts: How many orders ended in which way, see `TargetStrategy`.

    Returns:
        The counts with their reasons; "" where every order filled.

    Example:
        >>> order_troubles({"completed": 5, "expired": 2, "too_small": 1})
        '2 not filled by the next close and decided again; 1 smaller than one lot'
    """
    counts = {kind: order_counts.get(kind, 0) for kind in _ORDER_TROUBLES}
    return "; ".join(f"{count} {_ORDER_TROUBLES[kind]}" for kind, count in counts.items() if count)


def describe_orders(order_counts: Mapping[str, int]) -> str:
    """Say in a clause what is worth knowing of a run's orders.

    Args:
        order_counts: How many orders ended in which way, see `TargetStrategy`.

    Returns:
        That there was none, or which did not fill as asked, how many positions the exchange
        closed, and whether the account was ruined; "" where every order filled.

    Example:
        >>> describe_orders({"completed": 0, "expired": 0})
        'no order was sent'
        >>> describe_orders({"completed": 3, "liquidated": 1})
        'the exchange closed 1 position, as its margin was used up'
    """
    if not any(order_counts.values()):
        return "no order was sent"
    troubles = order_troubles(order_counts)
    unfilled = f"orders that did not fill as asked: {troubles}" if troubles else ""
    ruin = (
        "the account was ruined, as equity fell to zero or below"
        if order_counts.get("ruined")
        else ""
    )
    return "; ".join(filter(None, [unfilled, _closed_positions(order_counts), ruin]))


def _closed_positions(order_counts: Mapping[str, int]) -> str:
    n_closed = order_counts.get("liquidated", 0)
    if not n_closed:
        return ""
    whose = "its" if n_closed == 1 else "their"
    positions = count_of(n_closed, "position")
    return f"the exchange closed {positions}, as {whose} margin was used up"


def describe_liquidations(liquidations: pd.DataFrame) -> str:
    """Say how many positions were liquidated, and when.

    Args:
        liquidations: One row a position, on dates; see `BacktestRun`.

    Example:
        >>> when = pd.to_datetime(["2024-03-05 08:00", "2024-04-13 20:00"])
        >>> describe_liquidations(pd.DataFrame({"size": [1.0, -2.0]}, when))
        '2 positions were liquidated: 2024-03-05 08:00:00, 2024-04-13 20:00:00.'
    """
    n_times = len(liquidations)
    shown = [format_time(time) for time in liquidations.index[:_MOST_DATES]]
    more = f" and {n_times - _MOST_DATES} more" if n_times > _MOST_DATES else ""
    what = "1 position was" if n_times == 1 else f"{n_times} positions were"
    return f"{what} liquidated: {', '.join(shown)}{more}."


def describe_rolls(rolls: pd.DataFrame, cash: float) -> str:
    """Say in a sentence what changing contracts took.

    Args:
        rolls: One row a change, with its amount in money.
        cash: The equity at the start.

    Returns:
        The sentence; "" where no contract was changed.

    Example:
        >>> describe_rolls(pd.DataFrame({"amount": [30.0, 20.0]}), 10_000.0)
        'Rolls took 50.00 in 2 changes of contract, 0.50% of the equity at the start.'
    """
    if rolls.empty:
        return ""
    took = float(rolls["amount"].sum())
    changes = count_of(len(rolls), "change of contract", "changes of contract")
    return f"Rolls took {took:,.2f} in {changes}, {took / cash:.2%} of the equity at the start."


def span_text(equity: pd.Series | pd.DataFrame) -> str:
    """Say in words over which dates a curve runs.

    Args:
        equity: Anything on dates, such as a curve, a table of curves or bars.

    Example:
        >>> span_text(pd.Series(1.0, pd.date_range("2013-01-02", periods=1_510)))
        '2013-01-02 to 2017-02-19, 1,510 bars'
    """
    first, last = span_dates(equity.index)
    return f"{first} to {last}, {len(equity):,} bars"


def extrapolation_note(equity: pd.Series | pd.DataFrame) -> str:
    """Say that yearly figures are extrapolated where a run is shorter than a year.

    Args:
        equity: On the dates of the run, of one strategy or more.

    Returns:
        The sentence; "" for a year or more, from which a few days may be missing.

    Example:
        >>> extrapolation_note(pd.Series(1.0, pd.date_range("2024-01-01", "2024-03-31")))
        'CAGR, Sharpe and the other annual figures are extrapolated from 90 days.'
    """
    n_days = math.ceil((equity.index[-1] - equity.index[0]) / pd.Timedelta(days=1))
    if n_days >= _NEARLY_A_YEAR:
        return ""
    days = count_of(n_days, "day")
    return f"CAGR, Sharpe and the other annual figures are extrapolated from {days}."


def readable_metrics(table: pd.DataFrame) -> pd.DataFrame:
    """Return metrics as text for a reader: fractions in percent, ratios with two digits.

    A number that rounds to zero has no sign, and columns are called as `METRIC_TITLES` has it.

    Args:
        table: One row for each strategy, one column for each metric.

    Returns:
        The same table as text, "n/a" for NaN; without `funding` where nobody paid any, without
        `liquidations` where nobody was liquidated, and without the `gross_return` before all costs
        where neither was.

    Example:
        >>> readable_metrics(pd.DataFrame({"sharpe": [0.5], "cagr": [float("nan")]}))
          Sharpe CAGR
        0   0.50  n/a
    """
    charged = table.filter(items=["funding", "liquidations"])
    unused = [name for name in charged if not charged[name].any()]
    if len(unused) == len(charged.columns):
        unused.append("gross_return")
    table = table.drop(columns=unused, errors="ignore")
    if {"gross_return", "total_return"} <= set(table.columns):
        table = table[["gross_return", *table.columns.drop("gross_return")]]  # beside the net one
    formats = dict.fromkeys(table.columns, "{:.2f}")
    formats |= dict.fromkeys(_PERCENT_METRICS, "{:.1%}") | dict.fromkeys(_COUNT_METRICS, "{:,.0f}")
    formats["contribution"] = "{:.2%}"  # of many markets each is small
    columns = {
        column: [number_text(value, formats[column]) for value in table[column]]
        for column in table.columns
    }
    return pd.DataFrame(columns, index=table.index).rename(columns=METRIC_TITLES)
