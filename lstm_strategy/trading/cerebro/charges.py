"""What positions were charged beside their fills: funding, and what liquidations cost."""

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

import numpy as np
import pandas as pd

PAYMENT_COLUMNS = ("size", "rate", "mark", "amount", "is_within", "is_roll")
"""What is known of a payment for holding a position."""

FUNDING_COLUMNS = PAYMENT_COLUMNS[:-1]
"""What is known of a payment of funding, explained at `BacktestRun.funding`."""

ROLL_COLUMNS = ("size", "price", "amount")
"""What is known of a change of contract, explained at `BacktestRun.rolls`."""

LIQUIDATION_COLUMNS = ("size", "price", "fee", "insurance")
"""What is known of a liquidation, explained at `BacktestRun.liquidations`."""


def payments_table(broker: Any, indexes: Mapping[str, pd.DatetimeIndex]) -> pd.DataFrame:
    """Return what a broker charged for holding positions, one row a payment, in order of time.

    Args:
        broker: The broker of a run that has ended.
        indexes: The dates of each market's bars by symbol; of one market under the name "".
    """
    table = _table(getattr(broker, "payments", ()), PAYMENT_COLUMNS, indexes)
    return table.astype({"is_within": bool, "is_roll": bool})


def funding_among(payments: pd.DataFrame) -> pd.DataFrame:
    """Return the payments that are funding, or the fee for what a short borrowed."""
    return payments[~payments["is_roll"]].drop(columns="is_roll")


def rolls_among(payments: pd.DataFrame) -> pd.DataFrame:
    """Return the payments that are changes of contract."""
    rolls = payments[payments["is_roll"]].rename(columns={"mark": "price"})
    return rolls.drop(columns=["rate", "is_within", "is_roll"])


def liquidations_table(broker: Any, indexes: Mapping[str, pd.DatetimeIndex]) -> pd.DataFrame:
    """Return which positions a broker liquidated, one row each, in the order of time.

    Args:
        broker: The broker of a run that has ended.
        indexes: The dates of each market's bars by symbol; of one market under the name "".
    """
    return _table(getattr(broker, "liquidations", ()), LIQUIDATION_COLUMNS, indexes)


def paid_by_date(payments: pd.DataFrame, index: pd.DatetimeIndex) -> np.ndarray:
    """Return what was paid on each date, in money, below 0 for what was received.

    Args:
        payments: With their `amount`, on dates.
        index: The dates, among which those of the payments are.
    """
    places = index.get_indexer(pd.DatetimeIndex(payments.index))
    return np.bincount(places, payments["amount"], minlength=len(index))


def _table(
    records: Sequence[Any], columns: tuple[str, ...], indexes: Mapping[str, pd.DatetimeIndex]
) -> pd.DataFrame:
    rows = list(map(attrgetter(*columns), records))
    values = np.array(rows, dtype="float64").reshape(-1, len(columns))
    table = pd.DataFrame(values, _dates_of(records, indexes), columns=list(columns))
    if "" not in indexes:
        symbols = [record.symbol for record in records]
        table.insert(0, "symbol", pd.Index(symbols, dtype="str"))
    return table


def _dates_of(records: Sequence[Any], indexes: Mapping[str, pd.DatetimeIndex]) -> pd.DatetimeIndex:
    numbers = np.array([record.bar for record in records], dtype="int64") - 1
    if len(indexes) == 1:
        return next(iter(indexes.values()))[numbers]
    rows = zip(records, numbers, strict=True)
    dates = [indexes[record.symbol][number] for record, number in rows]
    return pd.DatetimeIndex(dates) if dates else next(iter(indexes.values()))[:0]
