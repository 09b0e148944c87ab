"""Open interest: the contracts that are held, in the unit of the volume."""

import numpy as np
import pandas as pd

from lstm_strategy.learning.features.kinds.arguments import check_bars

_LOWEST_VOLUME = 1e-3  # of the open interest


def open_interest_change(
    bars: pd.DataFrame, *, length: int = 1, open_interest: str = "open_interest"
) -> pd.DataFrame:
    """The log change of the open interest over the last `length` bars.

    Known at the close of its row; a missing open interest is the last known one.
    """
    check_bars("open_interest_change", length=length)
    logs = np.log(_held(bars[open_interest]))
    name = _name(f"OPEN_INTEREST_CHANGE_{length}", open_interest)
    return pd.DataFrame({name: logs.diff(length)})


def open_interest_to_volume(
    bars: pd.DataFrame, *, length: int = 24, open_interest: str = "open_interest"
) -> pd.DataFrame:
    """The log of the open interest over the volume of the last `length` bars.

    High where positions are held rather than traded. Known at the close of its row; a missing open
    interest is the last known one, and a volume below a thousandth of it counts as a thousandth.
    """
    check_bars("open_interest_to_volume", length=length)
    held = _held(bars[open_interest])
    traded = bars["volume"].rolling(length).sum()
    ratio = np.maximum(traded / held, _LOWEST_VOLUME)
    name = _name(f"OPEN_INTEREST_TO_VOLUME_{length}", open_interest)
    return pd.DataFrame({name: -np.log(ratio)})


def _held(open_interest: pd.Series) -> pd.Series:
    return open_interest.where(open_interest > 0).ffill()


def _name(name: str, column: str) -> str:
    return name if column == "open_interest" else f"{name}_{column}"
