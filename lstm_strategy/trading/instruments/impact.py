"""What a large order costs: it moves the price by the root of its share of the volume."""

import math
from collections import deque

CHANGES_KEPT = 20  # bars that the usual size of a price change is taken from


class PriceChanges:
    """The usual size of a market's price change from bar to bar, in points.

    Example:
        >>> changes = PriceChanges()
        >>> for close in (100.0, 103.0, 99.0):
        ...     changes.add(close)
        >>> round(changes.size(), 6)
        3.535534
    """

    def __init__(self) -> None:
        self._last = math.nan
        self._changes: deque[float] = deque(maxlen=CHANGES_KEPT)

    def add(self, close: float) -> None:
        """Take the next close.

        Args:
            close: Of the bar.
        """
        if not math.isnan(self._last):
            self._changes.append(close - self._last)
        self._last = close

    def size(self) -> float:
        """The root of the mean square of the last changes, at most twenty; 0 without any."""
        if not self._changes:
            return 0.0
        return math.sqrt(sum(change**2 for change in self._changes) / len(self._changes))


def square_root_impact(coefficient: float, change: float, share: float) -> float:
    """Return by how many points an order moves the price against itself.

    It is `coefficient * change * sqrt(share)`. Since the size of a change grows with the root of
    time and the volume with time itself, an order of so many units costs the same on bars of every
    length.

    Args:
        coefficient: About 1.
        change: The usual size of a bar's price change, in points.
        share: The order over the volume of the bar that it fills on.

    Source:
        Almgren, Thum, Hauptmann and Li (2005), "Direct Estimation of Equity Market Impact", whose
        temporary impact is 0.142 of the daily volatility times the share to the power of 3/5;
        with a power of 1/2 it is the square-root law, whose coefficient is near 1 in Tóth et al.
        (2011), "Anomalous Price Impact and the Critical Nature of Liquidity in Financial Markets".

    Example:
        >>> square_root_impact(1.0, 4.0, 0.25)
        2.0
    """
    return coefficient * change * math.sqrt(share)
