"""Marks of orders whose tips stand at the prices of the fills."""

from collections.abc import Sequence
from typing import Any

import backtrader as bt
import numpy as np
from matplotlib.axes import Axes

_SIZE, _LEAST_SIZE = 18.0, 9.0
_FEW_FILLS = 60
_MARGIN = 0.03  # of the panel, between the outermost mark and its edge
_TIPS = {
    "buy": [(0.0, 0.0), (-0.6, -1.0), (0.6, -1.0), (0.0, 0.0)],
    "sell": [(0.0, 0.0), (-0.6, 1.0), (0.6, 1.0), (0.0, 0.0)],
}


def place_order_marks(axis: Axes, strategy: bt.Strategy, data: Any, times: Sequence[float]) -> None:
    """Move the marks of buying and selling to the prices of the fills.

    backtrader draws them 1.5% below the low or above the high of a bar, which is far from an hourly
    price, at times outside the panel, and close to one over ten years. Here the tip of each mark
    is at the price of its fill, below which buying and above which selling is marked.

    Args:
        axis: The panel of the prices of `data`, as backtrader drew it.
        strategy: The strategy after its run.
        data: The feed whose fills are marked.
        times: When the drawn bars of the chart close, in days as backtrader counts them; the
            horizontal axis counts these bars from 0.
    """
    drawn = {
        observer.plotlabel()
        for observer in strategy.getobservers()
        if isinstance(observer, bt.observers.BuySell) and observer.data is data
    }
    fills = _fills_between(strategy, data, times[0], times[-1])
    size = max(_LEAST_SIZE, _SIZE * min(1.0, (_FEW_FILLS / max(len(fills), 1)) ** 0.5))
    lines = axis.get_lines()
    for place, line in enumerate(lines):
        title = str(line.get_label()).rpartition("\n")[0]
        if title not in drawn:
            continue  # the first of an observer's lines carries its title, here that of buying
        for side, sign, marks in zip(_TIPS, (1.0, -1.0), lines[place : place + 2], strict=True):
            own = [(time, price) for time, units, price in fills if units * sign > 0]
            bars = np.searchsorted(times, [time for time, _ in own])
            marks.set_data(bars, [price for _, price in own])
            marks.set(marker=_TIPS[side], markersize=size, markeredgewidth=0.0)
    if drawn and fills:
        _make_room(axis, [price for _, _, price in fills])


def _fills_between(
    strategy: Any, data: Any, first: float, last: float
) -> list[tuple[float, float, float]]:
    """Time, signed units and price of each fill; orders are told of by copies that share fills."""
    orders = {order.ref: order for order in strategy._orders if order.data is data}
    bits = [bit for order in orders.values() for bit in order.executed.exbits if bit is not None]
    return [(bit.dt, bit.size, bit.price) for bit in bits if bit.size and first <= bit.dt <= last]


def _make_room(axis: Axes, prices: list[float]) -> None:
    """Widen the panel where a fill lies outside the closes by which backtrader chose its ends."""
    low, high = axis.get_ylim()
    margin = _MARGIN * (high - low)
    axis.set_ylim(min(low, min(prices) - margin), max(high, max(prices) + margin))
