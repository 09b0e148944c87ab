"""Fewer points for a picture, with every peak and every trough at its own date, and fewer folds."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

MOST_ROWS = 20_000
"""Several for each column of dots that a still picture has, so that it looks as with all rows."""

MOST_FOLDS = 400
"""Of a strip of folds; more pieces would be lines of a pixel or two."""


def thin_rows(table: pd.DataFrame, most: int = MOST_ROWS) -> pd.DataFrame:
    """Return at most so many rows of a table, which hold the extremes of every column.

    The table is cut into pieces of equal length, as many as `most` allows. Of each piece the rows
    stay in which a column is smallest or largest, and of all the first and the last row: what is
    drawn is true at its own date.

    Args:
        table: Numbers on increasing dates, shape (n_rows, n_columns); NaN are left out of account.
        most: The most rows, at least 2 + 2 * n_columns.

    Returns:
        The table itself where it has no more rows than that.

    Example:
        >>> table = pd.DataFrame({"a": [1.0, 9.0, 2.0, 3.0, 0.0, 4.0, 5.0, 6.0]})
        >>> thin_rows(table, most=6)["a"].to_dict()
        {0: 1.0, 1: 9.0, 4: 0.0, 7: 6.0}
    """
    if len(table) <= most:
        return table
    values = table.to_numpy(np.float64)
    n_pieces = (most - 2) // 2
    while len(rows := _rows_with_extremes(values, n_pieces)) > most and n_pieces > 1:
        n_pieces = max(1, n_pieces * (most - 2) // len(rows))
    return table.iloc[rows]


def _rows_with_extremes(values: np.ndarray, n_pieces: int) -> np.ndarray:
    """The positions of the first and the last row, and of the extremes of each piece."""
    edges = np.linspace(0, len(values), n_pieces + 1).astype(int)
    piece_of_row = np.repeat(np.arange(n_pieces), np.diff(edges))
    rows = [np.array([0, len(values) - 1])]
    for column in values.T:
        known = ~np.isnan(column)
        for extreme, unknown in ((np.minimum, np.inf), (np.maximum, -np.inf)):
            by_piece = extreme.reduceat(np.where(known, column, unknown), edges[:-1])
            meets = np.flatnonzero(known & (column == by_piece[piece_of_row]))
            _, first = np.unique(piece_of_row[meets], return_index=True)
            rows.append(meets[first])
    return np.unique(np.concatenate(rows))


@dataclass(frozen=True)
class FoldPiece:
    """A piece of the strip: one fold or, of very many, several that follow each other.

    Attributes:
        label: The number of the fold, or of the first and the last: "3", or "3-5".
        first: The first bar.
        last: The last one.
        trained_until: Where the training of its first fold ended; None where it isn't known.
    """

    label: str
    first: pd.Timestamp
    last: pd.Timestamp
    trained_until: pd.Timestamp | None


def fold_pieces(ledger: pd.DataFrame, *, most: int = MOST_FOLDS) -> list[FoldPiece]:
    """Return the folds of a ledger in the order of time; of more than `most` several as one.

    Args:
        ledger: The ledger of a walk forward on increasing dates: its column `fold`, with
            `train_end` if it is known.
        most: The most pieces, at least 1.

    Example:
        >>> days = pd.date_range("2024-01-01", periods=4)
        >>> ledger = pd.DataFrame({"fold": [1, 1, 2, 3]}, days)
        >>> [piece.label for piece in fold_pieces(ledger)]
        ['1', '2', '3']
        >>> [piece.label for piece in fold_pieces(ledger, most=2)]
        ['1-2', '3']
    """
    places, numbers = pd.factorize(ledger["fold"])
    together = math.ceil(len(numbers) / most)
    starts = np.flatnonzero(np.diff(places // max(together, 1), prepend=-1))
    ends = [*(starts[1:] - 1).tolist(), len(ledger) - 1]
    dates = pd.DatetimeIndex(ledger.index)
    trained: Any = ledger.get("train_end")
    pieces = []
    for start, end in zip(starts.tolist(), ends, strict=False):
        first, last = (str(numbers[places[row]]) for row in (start, end))
        label = first if first == last else f"{first}-{last}"
        until = None if trained is None else pd.Timestamp(trained.iloc[start])
        pieces.append(FoldPiece(label, dates[start], dates[end], until))
    return pieces
