"""How much a strategy traded, how much it held, and what it paid."""

import pandas as pd

from lstm_strategy.evaluation.metrics.curve import ratio, span_years


def turnover(fills: pd.DataFrame, equity: pd.Series, bars_per_year: float) -> float:
    """Return the value bought and sold per year, in multiples of the average equity.

    Going from cash to fully invested and back once a year is a turnover of 2.

    Args:
        fills: One row a fill, with the column value; or else size (below zero for a sale) and
            price, where a unit is worth its price.
        equity: Account value at each close.
        bars_per_year: Makes the bars of the curve years.

    Returns:
        A multiple; NaN below two values of equity.

    Example:
        >>> fills = pd.DataFrame({"size": [5.0, -5.0], "price": [10.0, 10.0]})
        >>> turnover(fills, pd.Series([100.0, 100.0, 100.0]), bars_per_year=4.0)
        2.0
    """
    value = fills["value"] if "value" in fills else fills["size"] * fills["price"]
    traded_value = float(value.abs().sum())
    return ratio(traded_value, equity.mean()) / (span_years(equity, bars_per_year) or float("nan"))


def round_trips(trades: pd.DataFrame) -> int:
    """Return the number of positions opened and closed again; an open one isn't counted.

    Args:
        trades: One row a position; its exit is missing while it is open.

    Example:
        >>> round_trips(pd.DataFrame({"exit": pd.to_datetime(["2020-01-05", None])}))
        1
    """
    return int(trades["exit"].notna().sum())


def mean_exposure(exposure: pd.Series) -> float:
    """Return the average size of the position, long or short, as a fraction of equity.

    Example:
        >>> mean_exposure(pd.Series([1.0, -1.0, 0.0, 0.0]))
        0.5
    """
    return float(exposure.abs().mean())


def cost_fraction(fills: pd.DataFrame, equity: pd.Series, *, rolls: float = 0.0) -> float:
    """Return the commission and slippage of the whole run, as a fraction of the first equity.

    Args:
        fills: One row a fill, with the columns commission and slippage_cost in currency.
        equity: Account value at each close; NaN is returned if there is none.
        rolls: What changes of contract cost, in currency.

    Example:
        >>> fills = pd.DataFrame({"commission": [0.5, 0.5], "slippage_cost": [1.0, 0.0]})
        >>> cost_fraction(fills, pd.Series([100.0, 90.0]))
        0.02
    """
    paid = float(fills["commission"].sum() + fills["slippage_cost"].sum()) + rolls
    return ratio(paid, equity.iloc[0]) if len(equity) else float("nan")


def funding_fraction(funding: pd.DataFrame, equity: pd.Series) -> float:
    """Return the funding of the whole run, as a fraction of the first equity.

    Args:
        funding: One row a payment, with its amount in currency, below 0 for what was received.
        equity: Account value at each close; NaN is returned if there is none.

    Example:
        >>> payments = pd.DataFrame({"amount": [3.0, -1.0]})
        >>> funding_fraction(payments, pd.Series([100.0, 90.0]))
        0.02
    """
    return ratio(float(funding["amount"].sum()), equity.iloc[0]) if len(equity) else float("nan")
