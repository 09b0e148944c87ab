"""Results in words and as text for tables."""

from collections.abc import Mapping

import pandas as pd

from lstm_strategy.bars import span_dates

_PERCENT_METRICS = ("total_return", "cagr", "volatility", "max_drawdown", "exposure", "costs")
_ORDER_TROUBLES = {
    "margin": "refused for cash",
    "rejected": "rejected by the broker",
    "expired": "not filled by the next close and decided again",
    "too_small": "smaller than one lot",
    "unsized": "without a size, so of one unit each",
    "unfilled_at_end": "sent on the last bar, so never filled",
    "ruined": "equity fell to zero and all was closed",
    "cut": "bought less, as a sale had not yet paid for it",
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
        That there was none, or which did not fill as asked; "" where every order filled.

    Example:
        >>> describe_orders({"completed": 0, "expired": 0})
        'no order was sent'
    """
    if not any(order_counts.values()):
        return "no order was sent"
    troubles = order_troubles(order_counts)
    return f"orders that did not fill as asked: {troubles}" if troubles else ""


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


def readable_metrics(table: pd.DataFrame) -> pd.DataFrame:
    """Return metrics as text for a reader: fractions in percent, ratios with two digits.

    Args:
        table: One row for each strategy, one column for each metric.

    Returns:
        The same table as text, "n/a" for NaN.

    Example:
        >>> readable_metrics(pd.DataFrame({"sharpe": [0.5], "cagr": [float("nan")]}))
          sharpe cagr
        0   0.50  n/a
    """
    formats = dict.fromkeys(table.columns, "{:.2f}")
    formats |= dict.fromkeys(_PERCENT_METRICS, "{:.1%}") | {"trades": "{:.0f}"}
    columns = {
        column: [formats[column].format(v) if pd.notna(v) else "n/a" for v in table[column]]
        for column in table.columns
    }
    return pd.DataFrame(columns, index=table.index)
