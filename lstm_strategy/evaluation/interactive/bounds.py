"""How much one chart of a page may hold, so that a browser opens it at once."""

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
