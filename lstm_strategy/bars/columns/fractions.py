# ruff: noqa: RUF001 - the typographic apostrophe is meant
"""Prices written as fractions: `110'160` is 110 and 16/32, and may be no thousand at all."""

import re
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from lstm_strategy.bars.columns.values import Column, Rows
from lstm_strategy.errors import BarsError

# The handle, the 32nds and the eighths of one, as exchanges quote bonds.
_MAY_BE_32NDS = re.compile(r"(\d{1,3})['’](([0-2]\d|3[01])[0-7])")
_IS_32NDS = re.compile(r"(\d{1,3})\s?['’:-]\s?([0-2]\d|3[01])(\d|\+|\.\d+)?")
_FEWEST_SHARE = 0.9
# Prices of one market in one file, read as they are meant, are rarely further apart.
_WIDEST_RANGE = 100


def refuse_fractions(prices: Sequence[Column], rows: Rows) -> None:
    """Refuse prices whose apostrophes may stand before 32nds as well as between thousands.

    The apostrophes are marks between thousands if other cells show it: two groups, a decimal mark
    behind, groups that aren't 32nds, or prices below 1000 that are close to the others.

    Raises:
        BarsError: With the first cell that can be read both ways.
    """
    texts = [column for column in prices if isinstance(column.values, pa.ChunkedArray)]
    cells = {cell for column in texts for cell in _distinct(column)}
    marked = [cell for cell in cells if "'" in cell or "’" in cell]
    doubtful = [cell for cell in marked if _MAY_BE_32NDS.fullmatch(cell)]
    if not doubtful or len(doubtful) < _FEWEST_SHARE * len(marked):
        return
    below = [float(cell) for cell in cells if re.fullmatch(r"\d{1,3}(\.\d+)?", cell)]
    if below and max(map(_join_groups, doubtful)) <= _WIDEST_RANGE * max(below):
        return
    for column in texts:
        for row, value in enumerate(column.values):
            cell = str(value.as_py() or "").strip()
            match = _MAY_BE_32NDS.fullmatch(cell)
            if match:
                raise BarsError(
                    f"{rows.cell(row, column)}: {cell!r} can be read as {match[1]}{match[2]} and "
                    f"as {match[1]} and {match[3]}/32, and no price in the file tells which. Write "
                    "prices with a decimal point and without marks between thousands."
                )


def _distinct(column: Column) -> list[str]:
    return [cell.strip() for cell in pc.unique(column.values).to_pylist() if cell]


def _join_groups(cell: str) -> float:
    return float(re.sub("['’]", "", cell))


def describe_fraction(cell: str) -> str:
    """What a cell that isn't a number may mean as a price in 32nds; empty if it can't be one."""
    match = _IS_32NDS.fullmatch(cell.strip())
    return f" (a price in 32nds, {match[1]} and {match[2]}/32?)" if match else ""
