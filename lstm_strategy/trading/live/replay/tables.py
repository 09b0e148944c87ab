"""Where two records of a run differ."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

COMPARED = {
    "bar": (),
    "forecast": ("signal", "forecast", "uncertainty", "novelty"),
    "order": ("status", "size", "price"),
    "fill": ("size", "price", "commission"),
    "account": ("cash", "equity", "position"),
}
"""What is compared of each record; of a bar all of its columns."""

_NEW = "novelty"  # journals that were begun before there was such a column lack it

_DIGITS = 1e-9  # of the largest number of a column


@dataclass(frozen=True)
class Difference:
    """One record that isn't the same in two runs.

    Attributes:
        time: The bar.
        what: "bar", "forecast", "order", "fill" or "account".
        number: Which of several at the bar, from 0.
        one: What the first has; "" where it has none.
        other: What the second has.
    """

    time: pd.Timestamp
    what: str
    number: int
    one: str
    other: str


def find_differences(what: str, one: pd.DataFrame, other: pd.DataFrame) -> list[Difference]:
    """Return the records that differ by more than nine digits, in order.

    Args:
        what: The kind of record.
        one: A table on the dates of the bars, which may have several rows for one.
        other: Another.
    """
    columns = list(COMPARED[what]) or [str(name) for name in one]
    if len(one) and _NEW not in one and _NEW in columns:
        columns.remove(_NEW)
    left, right = _numbered(one, columns), _numbered(other, columns)
    keys = left.index.union(right.index)
    left, right = left.reindex(keys), right.reindex(keys)
    is_off = pd.DataFrame({name: _differs(left[name], right[name]) for name in columns})
    is_alone = left["is_there"].isna() | right["is_there"].isna()
    rows = np.flatnonzero((is_off.any(axis=1) | is_alone.to_numpy()).to_numpy())
    return list(_describe(what, columns, left, right, is_off, rows))


def _numbered(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """The compared columns by date and place at that date."""
    place = table.groupby(level=0).cumcount().to_numpy()
    index = pd.MultiIndex.from_arrays(
        [pd.DatetimeIndex(table.index).as_unit("us"), place], names=["time", "number"]
    )
    return table.reindex(columns=list(columns)).set_axis(index).assign(is_there=1.0)


def _differs(one: pd.Series, other: pd.Series) -> np.ndarray:
    if not (_holds_numbers(one) and _holds_numbers(other)):
        return np.asarray((one != other) & ~(one.isna() & other.isna()))
    left, right = one.to_numpy("float64"), other.to_numpy("float64")
    finite = np.abs(np.concatenate([left, right]))
    scale = np.nanmax(finite) if np.isfinite(finite).any() else 0.0
    is_close = np.isclose(left, right, rtol=_DIGITS, atol=_DIGITS * scale, equal_nan=True)
    return np.array(~is_close)


def _holds_numbers(column: pd.Series) -> bool:
    return not any(isinstance(value, str) for value in column)


def _describe(
    what: str,
    columns: Sequence[str],
    left: pd.DataFrame,
    right: pd.DataFrame,
    is_off: pd.DataFrame,
    rows: np.ndarray,
) -> Iterator[Difference]:
    for row in rows:
        one, other = left.iloc[row], right.iloc[row]
        is_alone = np.isnan(one["is_there"]) or np.isnan(other["is_there"])
        shown = columns if is_alone else [c for c in columns if is_off[c].iloc[row]]
        time, number = left.index[row]
        yield Difference(time, what, int(number), _words(one, shown), _words(other, shown))


def _words(row: pd.Series, columns: Sequence[str]) -> str:
    if np.isnan(row["is_there"]):
        return ""
    return ", ".join(f"{name} {_text(row[name])}" for name in columns)


def _text(value: object) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)
