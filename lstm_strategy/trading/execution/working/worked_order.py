"""A decision that becomes a slice of an order on each of the next bars."""

import math

from lstm_strategy.trading.execution.orders import MarketOrders, is_worth_trading
from lstm_strategy.trading.execution.working.volume_profile import VolumeProfile


class WorkedOrder:
    """What is left to trade of a decision, slice by slice.

    The units of the whole order are fixed at the close of the decision. Each slice fills at an
    open; one that didn't fill is shared by the later ones.

    Args:
        market: The position, and what sends the slices.
        n_bars: Over how many opens an order is worked, at least 2.
        by_volume: Whether slices follow the volume expected at each bar, instead of being equal.
    """

    def __init__(self, market: MarketOrders, n_bars: int, *, by_volume: bool) -> None:
        self._market, self._n_bars = market, n_bars
        self._profile = VolumeProfile() if by_volume else None
        self._target = self._goal = math.nan
        self._n_left = 0

    def see_bar(self) -> None:
        """Take the present bar for the volume that is expected of later ones."""
        if self._profile is not None:
            data = self._market.data
            self._profile.add(data.datetime.time(0), data.volume[0])

    def next_slice(self, target: float, exposure: float, equity: float, *, band: float) -> float:
        """Return the signed units to send at this close; 0 for none.

        Args:
            target: The fraction of equity to hold. NaN leaves an order at work as it is.
            exposure: What is held, as a fraction of equity.
            equity: What the account is worth.
            band: Smaller differences from what is held, or from what is being worked, aren't
                traded.
        """
        close = self._market.close()
        worked_for = self._target if self._n_left else exposure
        if not math.isnan(target) and is_worth_trading(target, worked_for, band):
            self._target, self._n_left = target, self._n_bars
            self._goal = 0.0
            if target:
                size = self._market.order_size(target, equity, close)
                self._goal = float(self._market.position.size) + size
        if not self._n_left:
            return 0.0
        size = self._market.slice_towards(self._goal, self._share_of_next(), close)
        self._n_left -= 1
        return size

    def _share_of_next(self) -> float:
        if self._profile is None or self._n_left == 1:
            return 1.0 / self._n_left
        return self._profile.share_of_next(self._n_left)
