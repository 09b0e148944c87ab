"""A strategy that trades for the sake of what trading costs."""

import random

import backtrader as bt

_TARGETS = (1.0, -1.0, 0.5, 0.0, -0.5, 1.0, 0.0, -1.0)
_KINDS = (bt.Order.Market, bt.Order.Market, bt.Order.Limit, bt.Order.Market, bt.Order.Stop)
_LONGEST_HOLD = 20
_PART_OF_CASH = 0.3


class RestlessTrader(bt.Strategy):
    """Buys, sells, flips and waits at times and in sizes that nothing charged decides.

    Its orders stay the same, so what differs between two runs is the broker's doing. Some are limit
    and stop orders at the close, for schemes that tell makers from takers.
    """

    params = (("seed", 0),)

    def __init__(self) -> None:
        self._random = random.Random(self.p.seed)
        self._unit = 0.0
        self._n_orders = 0
        self._wait = 0
        self._order = None

    def next(self) -> None:
        """Go on to the next position when it is time."""
        if not self._unit:
            self._unit = self._choose_unit()
        self._wait -= 1
        if self._wait > 0:
            return
        if self._order is not None:
            self.cancel(self._order)
        self._order = self.order_target_size(
            target=_TARGETS[self._n_orders % len(_TARGETS)] * self._unit,
            exectype=_KINDS[self._n_orders % len(_KINDS)],
            price=self.data.close[0],
        )
        self._n_orders += 1
        self._wait = self._random.randint(1, _LONGEST_HOLD)

    def _choose_unit(self) -> float:
        """The units that a part of the cash pays at the first price, with margin to spare."""
        scheme = self.broker.getcommissioninfo(self.data)
        instrument = getattr(scheme, "instrument", None)
        price = self.data.close[0] if instrument is None else instrument.value_price(self.data)
        value = max(abs(price) * scheme.p.mult, abs(scheme.getoperationcost(1.0, price)))
        return float(_PART_OF_CASH * self.broker.getcash() / value)
