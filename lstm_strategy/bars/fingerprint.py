"""A short name for exact bars, so that a model can say what it was trained on."""

import hashlib
import json

import numpy as np
import pandas as pd

from lstm_strategy.errors import BarsError


def bars_fingerprint(bars: pd.DataFrame) -> str:
    """Give exact bars a name that changes with any single value, date or column name.

    SHA-256 over the sorted column names, the dates as UTC nanoseconds (microseconds where one lies
    outside the years 1677 to 2262, which nanoseconds span) and the float64 values.
    Column order, the index's name, unit and timezone (same instants), dtypes that hold the same
    numbers, and the memory layout make no difference. Dates without a timezone count as UTC;
    every NaN counts as the same NaN.

    Args:
        bars: Columns of numbers on a DatetimeIndex, shape (n_bars, n_columns).

    Returns:
        64 hexadecimal digits.

    Raises:
        BarsError: If the index holds no dates, or a column holds no numbers.

    Example:
        >>> bars = pd.DataFrame({"close": [1.0, 2.0]}, pd.to_datetime(["2024-01-02", "2024-01-03"]))
        >>> bars_fingerprint(bars)[:8]
        'db848be7'
    """
    if not isinstance(bars.index, pd.DatetimeIndex):
        raise BarsError(
            f"a fingerprint needs a DatetimeIndex, got {type(bars.index).__name__}. "
            "Pass bars from load_bars."
        )
    names = sorted(str(name) for name in bars.columns)
    by_name = bars.set_axis([str(name) for name in bars.columns], axis=1)
    digest = hashlib.sha256(json.dumps(["bars", 1, len(bars), names]).encode())
    digest.update(_encode_instants(bars.index))
    for name in names:
        digest.update(_encode_numbers(by_name[name]))
    return digest.hexdigest()


def _encode_instants(index: pd.DatetimeIndex) -> bytes:
    try:
        return index.as_unit("ns").asi8.astype("<i8").tobytes()
    except pd.errors.OutOfBoundsDatetime:
        # An index that reaches so far holds no nanoseconds, so nothing is cut off.
        return b"us" + index.as_unit("us").asi8.astype("<i8").tobytes()


def _encode_numbers(column: pd.Series) -> bytes:
    try:
        values = column.to_numpy(dtype="<f8", na_value=np.nan, copy=True)
    except (TypeError, ValueError) as error:
        raise BarsError(
            f"a fingerprint needs numbers, got {column.dtype} in column {column.name}. "
            "Pass bars from load_bars, or drop that column."
        ) from error
    values[np.isnan(values)] = np.nan
    # Adding zero turns -0.0 into 0.0: equal numbers, equal fingerprint.
    return (values + 0.0).tobytes()
