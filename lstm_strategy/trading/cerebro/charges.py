"""What positions were charged beside their fills: funding, and what liquidations cost."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

FUNDING_COLUMNS = ("size", "rate", "mark", "amount", "is_within")
"""What is known of a payment of funding, explained at `BacktestRun.funding`."""

LIQUIDATION_COLUMNS = ("size", "price", "fee", "insurance")
"""What is known of a liquidation, explained at `BacktestRun.liquidations`."""


def funding_table(broker: Any, indexes: Mapping[str, pd.DatetimeIndex]) -> pd.DataFrame:
    """Return what funding a broker charged, one row a payment, in the order of time.

    Args:
        broker: The broker of a run that has ended.
        indexes: The dates of each market's bars by symbol; of one market under the name "".
    """
    payments = getattr(broker, "payments", ())
    return _table(payments, FUNDING_COLUMNS, indexes).astype({"is_within": bool})


def liquidations_table(broker: Any, indexes: Mapping[str, pd.DatetimeIndex]) -> pd.DataFrame:
    """Return which positions a broker liquidated, one row each, in the order of time.

    Args:
        broker: The broker of a run that has ended.
        indexes: The dates of each market's bars by symbol; of one market under the name "".
    """
    return _table(getattr(broker, "liquidations", ()), LIQUIDATION_COLUMNS, indexes)


def funding_by_date(funding: pd.DataFrame, index: pd.DatetimeIndex) -> np.ndarray:
    """Return the funding paid on each date, in money, below 0 for what was received.

    Args:
        funding: Payments as `BacktestRun` has them.
        index: The dates, among which those of the payments are.
    """
    places = index.get_indexer(pd.DatetimeIndex(funding.index))
    return np.bincount(places, funding["amount"], minlength=len(index))


def _table(
    records: Sequence[Any], columns: tuple[str, ...], indexes: Mapping[str, pd.DatetimeIndex]
) -> pd.DataFrame:
    dates = [indexes[record.symbol][record.bar - 1] for record in records]
    rows = [[getattr(record, column) for column in columns] for record in records]
    values = np.array(rows, dtype="float64").reshape(-1, len(columns))
    index = pd.DatetimeIndex(dates) if dates else next(iter(indexes.values()))[:0]
    table = pd.DataFrame(values, index, columns=list(columns))
    if "" not in indexes:
        symbols = [record.symbol for record in records]
        table.insert(0, "symbol", pd.Index(symbols, dtype="str"))
    return table
