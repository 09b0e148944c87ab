"""What holds for the numbers of each bar by itself."""

import numpy as np
import pandas as pd

from lstm_strategy.bars.futures import CONTRACT_PRICE, has_contract
from lstm_strategy.bars.validation.offences import (
    BAR_COLUMNS,
    PRICE_COLUMNS,
    format_date,
    format_value,
    refuse,
    refuse_values,
)

# Adjusted and resampled prices carry rounding noise; a real error is far larger.
_RELATIVE_TOLERANCE = 1e-9
# The square of a larger number, or its sum over many bars, is infinite.
LARGEST_NUMBER = 1e100


def check_prices(bars: pd.DataFrame) -> None:
    """Refuse prices that are missing, not above 0 or out of order within their bar.

    Those of a continuous series beside the prices of its contracts may be 0 or below.

    Args:
        bars: The columns of `BAR_COLUMNS` first, in their order.
    """
    prices = bars.iloc[:, : len(PRICE_COLUMNS)]
    refuse_values(prices, np.isnan, "Fill or drop those rows.")
    refuse_values(prices, np.isinf, "Correct or drop those rows.")
    if not has_contract(bars):
        _refuse_nonpositive(prices)
    refuse_values(
        prices,
        lambda values: np.abs(values) > LARGEST_NUMBER,
        f"Prices must lie between {1 / LARGEST_NUMBER:g} and {LARGEST_NUMBER:g}: "
        "change their unit.",
    )
    _refuse_order(prices, "high", "below", "low")
    for other in ("open", "close"):
        _refuse_order(prices, "high", "below", other)
        _refuse_order(prices, "low", "above", other)


def _refuse_nonpositive(prices: pd.DataFrame) -> None:
    refuse_values(
        prices,
        lambda values: values < 0,
        "Returns of prices below zero mean nothing: use prices that are adjusted by ratio, put the "
        f"raw price of the contract beside those of a future, in a column named {CONTRACT_PRICE}, "
        "or drop those rows.",
    )
    refuse_values(
        prices,
        lambda values: values == 0,
        "Prices must be above zero: correct or drop those rows.",
    )
    refuse_values(
        prices,
        lambda values: values < 1 / LARGEST_NUMBER,
        f"Prices must lie between {1 / LARGEST_NUMBER:g} and {LARGEST_NUMBER:g}: "
        "change their unit.",
    )


def _refuse_order(prices: pd.DataFrame, name: str, relation: str, other: str) -> None:
    values = prices.to_numpy()
    left, right = (values[:, PRICE_COLUMNS.index(of)] for of in (name, other))
    excess = right - left if relation == "below" else left - right
    refuse(
        excess > _RELATIVE_TOLERANCE * np.abs(right),
        lambda row: (
            f"{name} {format_value(left[row])} is {relation} {other} {format_value(right[row])} "
            f"at {format_date(prices.index, row)}"
        ),
        "Correct or drop those rows.",
    )


def check_volume(bars: pd.DataFrame) -> None:
    """Refuse volume that is missing, infinite or below 0; see `check_prices`."""
    volume = bars.iloc[:, len(PRICE_COLUMNS) : len(BAR_COLUMNS)]
    refuse_values(volume, np.isnan, "Fill it with 0 or drop those rows.")
    refuse_values(volume, np.isinf, "Correct or drop those rows.")
    refuse_values(
        volume,
        lambda values: values > LARGEST_NUMBER,
        f"Volume must be below {LARGEST_NUMBER:g}: change its unit.",
    )
    refuse_values(
        volume,
        lambda values: values < 0,
        "Volume must be zero or more: correct or drop those rows.",
    )


def check_extras(bars: pd.DataFrame) -> None:
    """Refuse extra columns that are infinite; they may have gaps."""
    extras = bars.iloc[:, len(BAR_COLUMNS) :]
    refuse_values(extras, np.isinf, "Replace it with a number or NaN.")
