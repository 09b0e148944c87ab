"""How much was traded, next to what is usual."""

import numpy as np
import pandas as pd

_LOWEST_RATIO = 1e-3


def relative_volume(bars: pd.DataFrame, *, length: int = 20) -> pd.DataFrame:
    """The log of each bar's volume over the median volume of the last `length` bars.

    Known at the close of its row. Without any volume to compare with the value is 0; a bar that
    traded less than a thousandth of the median counts as a thousandth.
    """
    volume = bars["volume"].to_numpy(np.float64)
    median = bars["volume"].rolling(length).median().to_numpy()
    with np.errstate(all="ignore"):
        ratio = np.where(median == 0, 1.0, np.maximum(volume / median, _LOWEST_RATIO))
    return pd.DataFrame({f"RELVOL_{length}": np.log(ratio)}, index=bars.index)
