"""Contract months, such as 202403."""

import numpy as np
import pandas as pd

CONTRACT_MONTH = "contract"
"""The column with the month of the contract that is held."""

CARRY_MONTH = "carry_contract"
"""The column with the month of the contract beside it."""

YEARS_TO_CARRY = "years_to_carry"
"""The column with the expiry of the contract beside it less that of the one held, in years."""


def to_months(values: np.ndarray) -> np.ndarray | None:
    """Count the months of contracts written as 202403, 20240300 or 20240315.

    Args:
        values: Numbers, shape (n_bars,); NaN where no contract is known.

    Returns:
        Months since the year 0, shape (n_bars,), NaN as given; None where the numbers aren't
        months.

    Example:
        >>> to_months(np.array([202312.0, 202403.0, np.nan])).tolist()
        [24287.0, 24290.0, nan]
        >>> to_months(np.array([1.0, 2.0])) is None
        True
    """
    year, month = _split(values)
    known = ~np.isnan(values)
    if not known.any() or not _is_month(year, month)[known].all():
        return None
    counted: np.ndarray = 12 * year + month - 1
    return counted


def find_wrong_months(values: np.ndarray) -> np.ndarray:
    """Find what isn't a month in a column of months: 202413 among 202403 and 202406.

    Args:
        values: Numbers, of any shape; NaN where no contract is known.

    Returns:
        Whether each value is known and no month, in the shape of the values. False throughout
        where fewer than half of the different values are months: such a column holds other numbers.

    Example:
        >>> find_wrong_months(np.array([202403.0, 202413.0, np.nan])).tolist()
        [False, True, False]
        >>> find_wrong_months(np.array([1.0, 2.0])).tolist()
        [False, False]
    """
    known = ~np.isnan(values)
    wrong: np.ndarray = known & ~_is_month(*_split(values))
    n_wrong, n_known = (len(np.unique(values[rows])) for rows in (wrong, known))
    return wrong if 2 * n_wrong <= n_known else np.zeros_like(wrong)


def _split(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Year and month of each number, with days where all of the numbers have them."""
    known = values[~np.isnan(values)]
    has_days = len(known) > 0 and bool((known > 1e7).all())
    year, month = np.divmod(np.floor(values / 100) if has_days else values, 100)
    return year, month


def _is_month(year: np.ndarray, month: np.ndarray) -> np.ndarray:
    is_month: np.ndarray = (year >= 1850) & (year < 2200) & (month >= 1) & (month <= 12)
    return is_month


def add_years_to_carry(bars: pd.DataFrame) -> pd.DataFrame:
    """Add how much later the contract beside the held one expires, by the months of both.

    Args:
        bars: Bars; they stay as they are.

    Returns:
        The bars with the column `years_to_carry`; as they are where they have it, or lack the
        months of a contract.

    Example:
        >>> add_years_to_carry(pd.DataFrame({"contract": [202403.0], "carry_contract": [202406.0]}))
           contract  carry_contract  years_to_carry
        0  202403.0        202406.0            0.25
    """
    if YEARS_TO_CARRY in bars or not {CONTRACT_MONTH, CARRY_MONTH} <= set(bars.columns):
        return bars
    held, beside = (to_months(bars[name].to_numpy(float)) for name in (CONTRACT_MONTH, CARRY_MONTH))
    if held is None or beside is None:
        return bars
    return bars.assign(**{YEARS_TO_CARRY: (beside - held) / 12})
