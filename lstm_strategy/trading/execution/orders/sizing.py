"""How many units: what lots allow and cash can pay."""

import math
from collections.abc import Callable

# 2.9999999996 lots are three lots that float arithmetic has touched.
_LOT_TOLERANCE = 1e-9
# Keeps the last float digit of a whole-cash purchase from turning the cash negative.
_CASH_TOLERANCE = 1e-12


def whole_lots(size: float, lot_size: float) -> float:
    """Return ``size`` (signed units) rounded towards zero to a multiple of ``lot_size``.

    >>> whole_lots(-2.7, 1)
    -2.0
    >>> whole_lots(0.3, 0.1)
    0.3
    """
    lots = math.floor(abs(size) / lot_size + _LOT_TOLERANCE)
    units = lots * lot_size
    # 3 * 0.1 is 0.30000000000000004: where that is the size itself, keep the size.
    if math.isclose(units, abs(size), rel_tol=_CASH_TOLERANCE):
        return size
    return math.copysign(units, size) if lots else 0.0


def affordable_size(
    cash: float, price: float, commission: Callable[[float, float], float]
) -> float:
    """Return how many units ``cash`` buys at ``price``, with ``commission(size, price)`` paid.

    The bound is exact for commissions proportional to value or to size. For any other rule that
    does not fall with size, such as a minimum fee, it errs on the side of fewer units.
    """
    budget = cash * (1.0 - _CASH_TOLERANCE)
    if budget <= 0.0:
        return 0.0
    most = budget / price
    fee = commission(most, price)
    size = most * budget / (budget + fee)
    if size * price + commission(size, price) > cash:
        size = (budget - fee) / price
    return max(size, 0.0)


def is_worth_trading(target: float, exposure: float, band: float) -> bool:
    """Return whether a difference is traded: one beyond the band, a change of sign, or an exit.

    Args:
        target: The fraction of equity to hold.
        exposure: The fraction that is held.
        band: Smaller differences aren't traded.

    >>> is_worth_trading(0.5, 0.45, 0.1), is_worth_trading(0.0, 0.05, 0.1)
    (False, True)
    """
    if target * exposure < 0.0:
        return True
    if target == 0.0:
        return exposure != 0.0
    return abs(target - exposure) > band
