"""Fewer points for a chart, with every peak and every trough kept at its own date."""

import itertools

import numpy as np
import pandas as pd

MOST_ROWS = 5_000
"""More than a screen has columns; a chart of more bars is thinned."""

MOST_CELLS = 120_000
"""The most numbers of one chart, all its lines together: some 650 kB of the page."""

MOST_TRADES = 2_000
"""The most trades of one chart, of all markets together: some 250 kB of the page."""


def most_rows(n_columns: int) -> int:
    """Return how many rows a chart of so many columns may have.

    Example:
        >>> most_rows(4), most_rows(60)
        (5000, 2000)
    """
    return max(min(MOST_ROWS, MOST_CELLS // max(n_columns, 1)), 2 + 2 * n_columns)


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


def _rows_with_extremes(values: np.ndarray, n_pieces: int) -> list[int]:
    """The positions of the first and the last row, and of the extremes of each piece."""
    edges = np.linspace(0, len(values), n_pieces + 1).astype(int)
    rows = {0, len(values) - 1}
    for first, end in itertools.pairwise(edges):
        piece = values[first:end]
        known = ~np.isnan(piece)
        for at in (
            np.where(known, piece, np.inf).argmin(axis=0),
            np.where(known, piece, -np.inf).argmax(axis=0),
        ):
            rows.update((first + at[known.any(axis=0)]).tolist())
    return sorted(rows)
