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


def mark_prices(trades: pd.DataFrame, side: str) -> pd.Series:
    """Return where the mark of an entry or exit stands: the price of its fill, if it is known.

    Args:
        trades: Trades with the prices of entry and exit, which are averages of all fills, and with
            `entry_mark` and `exit_mark` where those of the first and last fill are known.
        side: "entry" or "exit".

    Example:
        >>> trade = {"entry_price": 15.0, "exit_price": 18.0, "entry_mark": 9.0}
        >>> trades = pd.DataFrame([trade])
        >>> mark_prices(trades, "entry").tolist(), mark_prices(trades, "exit").tolist()
        ([9.0], [18.0])
    """
    name = f"{side}_mark"
    prices: pd.Series = trades[name if name in trades else f"{side}_price"]
    return prices
