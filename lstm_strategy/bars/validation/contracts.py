"""What holds for a continuous series and the contracts beside it."""

import numpy as np
import pandas as pd

from lstm_strategy.bars.futures import (
    CARRY_MONTH,
    CONTRACT_MONTH,
    CONTRACT_PRICE,
    find_adjustment,
    find_wrong_months,
    has_contract,
    to_months,
)
from lstm_strategy.bars.validation.offences import (
    BadBarError,
    count_rows,
    format_date,
    format_value,
    refuse,
    refuse_values,
)

_FEWEST_MOVES = 20  # fewer don't tell whether a price belongs to a series


def check_contracts(bars: pd.DataFrame) -> None:
    """Refuse months that are none, and prices of contracts that aren't those of the series."""
    _refuse_wrong_months(bars)
    if not has_contract(bars):
        return
    refuse_values(
        bars[[CONTRACT_PRICE]],
        lambda values: ~(values > 0),
        "It must be the raw price of the contract that is held, above 0 on every bar: returns and "
        "exposures are shares of it. Correct it, roll to the next contract before it falls so far "
        "(as oil did in April 2020), or drop those rows: the closes keep what was gained.",
    )
    _check_order_of_months(bars)
    _check_belong_together(bars)
    _check_lows(bars)


def _refuse_wrong_months(bars: pd.DataFrame) -> None:
    for name in (CONTRACT_MONTH, CARRY_MONTH):
        if name in bars:
            refuse_values(
                bars[[name]],
                find_wrong_months,
                "Months are written as 202403, 20240300 or 20240315: correct or drop those rows.",
            )


def _check_order_of_months(bars: pd.DataFrame) -> None:
    months = to_months(bars[CONTRACT_MONTH].to_numpy()) if CONTRACT_MONTH in bars else None
    if months is None:
        return
    known = pd.Series(months).ffill().to_numpy()
    written = bars[CONTRACT_MONTH].ffill().to_numpy()
    refuse(
        np.append(False, np.diff(known) < 0),
        lambda row: (
            f"{CONTRACT_MONTH} goes back from {format_value(written[row - 1])} to "
            f"{format_value(written[row])} at {format_date(bars.index, row)}"
        ),
        "A series rolls to later contracts only: correct the month, or drop those rows.",
    )


def _check_belong_together(bars: pd.DataFrame) -> None:
    found = find_adjustment(bars)
    n_moves, n_apart = int(found.moves.sum()), int(found.is_apart.sum())
    if n_moves < _FEWEST_MOVES or 2 * n_apart <= n_moves:
        return
    row = int(found.is_apart.argmax())
    close, price = (bars[name].to_numpy()[row - 1 : row + 1] for name in ("close", CONTRACT_PRICE))
    raise BadBarError(
        f"{CONTRACT_PRICE} isn't the price of the contract behind the closes: at "
        f"{format_date(bars.index, row)} it goes from {price[0]:.6g} to {price[1]:.6g} and the "
        f"close from {close[0]:.6g} to {close[1]:.6g} ({count_rows(n_apart)}). Give the raw price "
        "of the contract whose back-adjusted series the closes are, or rename the column.",
        row,
    )


def _check_lows(bars: pd.DataFrame) -> None:
    """Refuse a bar whose low lies as far below the closes as no contract could fall."""
    close, low = bars["close"].to_numpy(), bars["low"].to_numpy()
    before, worth = close.copy(), bars[CONTRACT_PRICE].to_numpy().copy()
    before[1:], worth[1:] = close[:-1], bars[CONTRACT_PRICE].to_numpy()[:-1]
    is_difference = find_adjustment(bars).by_difference
    is_difference[0] = True
    refuse(
        is_difference & (worth + low - before <= 0),
        lambda row: (
            f"low {format_value(low[row])} is {before[row] - low[row]:.6g} below the close before, "
            f"and the contract was worth {worth[row]:.6g}, at {format_date(bars.index, row)}"
        ),
        "A contract can't lose more than it is worth here: correct or drop those rows.",
    )
