"""Bars of a live feed that come out of the order of time."""

import pandas as pd

_FAR_AHEAD = pd.Timedelta(days=30)
_TIMES_AS_FAR = 30


def is_far_ahead(time: pd.Timestamp, last: pd.Timestamp | None, following: pd.Timestamp) -> bool:
    """Whether the date of a bar, and not of the following one, must be wrong.

    Args:
        time: The date of the bar.
        last: The date of the bar before; None where there is none.
        following: The date of the bar that came after it.

    Example:
        >>> last, following = pd.Timestamp("2024-01-02"), pd.Timestamp("2024-01-03")
        >>> is_far_ahead(pd.Timestamp("2034-01-03"), last, following)
        True
    """
    if last is None or following <= last:
        return False
    return time - last > max(_FAR_AHEAD, _TIMES_AS_FAR * (following - last))
