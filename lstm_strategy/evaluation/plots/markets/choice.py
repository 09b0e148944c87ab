"""Which trades are marked where there is no room for all."""

import numpy as np
import pandas as pd


def choose_trades(trades: pd.DataFrame, *, most: int) -> pd.DataFrame:
    """Return at most so many trades: those with the largest profits and losses, in their order.

    Args:
        trades: Trades with the columns pnl and exit.
        most: How many.

    Returns:
        The trades themselves where there are no more. Trades that are still open come first.

    Example:
        >>> exits = pd.to_datetime(["2024-01-02", "2024-01-03", None])
        >>> trades = pd.DataFrame({"pnl": [1.0, -9.0, 2.0], "exit": exits})
        >>> choose_trades(trades, most=2)["pnl"].tolist()
        [-9.0, 2.0]
    """
    return trades if len(trades) <= most else trades[rank_trades(trades) < most]


def rank_trades(trades: pd.DataFrame) -> np.ndarray:
    """Return the place of each trade by the size of its profit or loss, from 0.

    Args:
        trades: Trades with the columns pnl and exit.

    Returns:
        Shape (n_trades,). Trades that are still open come first, and of equals the earlier.

    Example:
        >>> exits = pd.to_datetime(["2024-01-02", "2024-01-03", None])
        >>> rank_trades(pd.DataFrame({"pnl": [1.0, -9.0, 2.0], "exit": exits})).tolist()
        [2, 1, 0]
    """
    size = trades["pnl"].abs().fillna(0.0).where(trades["exit"].notna(), np.inf).to_numpy()
    ranks = np.empty(len(trades), np.int64)
    ranks[np.argsort(-size, kind="stable")] = np.arange(len(trades))
    return ranks
