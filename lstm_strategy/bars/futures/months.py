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
    known = values[~np.isnan(values)]
    has_days = len(known) > 0 and bool((known > 1e7).all())
    months = np.floor(values / 100) if has_days else values
    year, month = np.divmod(months, 100)
    is_month = (year >= 1850) & (year < 2200) & (month >= 1) & (month <= 12)
    if not len(known) or not is_month[~np.isnan(values)].all():
        return None
    counted: np.ndarray = 12 * year + month - 1
    return counted


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
