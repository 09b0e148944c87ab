"""What markets may be worth together: one budget for all of them."""

from collections.abc import Mapping

_ROUNDING = 1.0 + 1e-12  # 0.9 + 0.8 is 1.7000000000000002


def fit_to_budget(
    targets: Mapping[str, float],
    fixed: Mapping[str, tuple[float, float]],
    *,
    max_gross: float,
    max_net: float | None = None,
    max_long: float = 1.0,
    margins: Mapping[str, float] | None = None,
) -> dict[str, float]:
    """Scale exposures down to what all positions together may be worth.

    Gross comes first: where the sum of absolute exposures is too large, all targets shrink by one
    factor. Then longs shrink to the equity, since there is no credit, or to `max_long`. Then what
    takes equity, longs that are paid in full and all that is held on margin, shrinks to the
    equity. Then, where longs exceed shorts by too much (or shorts longs), the targets of the
    larger side shrink by one factor.

    Args:
        targets: The exposures asked for, fractions of equity by market.
        fixed: The exposures that can't be changed now, because their market has no bar: what is
            held, and what is held once a waiting order has filled. The worse of both counts.
        max_gross: The most that the absolute exposures may sum to.
        max_net: The most that the exposures may sum to, in absolute value; None for no limit.
        max_long: The most that the longs may sum to.
        margins: What one unit of exposure takes of the equity, by market on margin.

    Returns:
        The exposures of the markets in `targets`, in their order, each of the same sign as before.

    Example:
        >>> fit_to_budget({"A": 1.0, "B": -1.0}, {"C": (0.5, 0.0)}, max_gross=1.0)
        {'A': 0.25, 'B': -0.25}
        >>> fit_to_budget({"A": 0.5, "B": -0.25}, {}, max_gross=1.0, max_net=0.0)
        {'A': 0.25, 'B': -0.25}
        >>> fit_to_budget({"A": -6.0}, {}, max_gross=9.0, margins={"A": 0.25})
        {'A': -4.0}
    """
    room = max_gross - sum(max(map(abs, each)) for each in fixed.values())
    factor = _shrink(sum(map(abs, targets.values())), room)
    fitted = {name: factor * target for name, target in targets.items()}
    longs = sum(max(target, 0.0) for target in fitted.values())
    room = max_long - sum(max(*each, 0.0) for each in fixed.values())
    fitted = _shrink_side(fitted, 1.0, longs, room)
    if margins:
        fitted = _shrink_to_equity(fitted, fixed, margins)
    if max_net is None:
        return fitted
    net = sum(fitted.values())
    highest, lowest = (net + sum(worst(each) for each in fixed.values()) for worst in (max, min))
    excess = max(highest, -lowest) - max_net
    if excess <= 0.0:
        return fitted
    side = 1.0 if highest >= -lowest else -1.0
    larger = sum(target for target in fitted.values() if target * side > 0.0) * side
    return _shrink_side(fitted, side, larger, larger - excess)


def _shrink_to_equity(
    targets: Mapping[str, float],
    fixed: Mapping[str, tuple[float, float]],
    margins: Mapping[str, float],
) -> dict[str, float]:
    def equity_for(name: str, exposure: float) -> float:
        return abs(exposure) * margins[name] if name in margins else max(exposure, 0.0)

    room = 1.0 - sum(max(equity_for(name, e) for e in each) for name, each in fixed.items())
    taken = {name: equity_for(name, target) for name, target in targets.items()}
    factor = _shrink(sum(taken.values()), room)
    return {name: factor * target if taken[name] else target for name, target in targets.items()}


def _shrink_side(
    targets: Mapping[str, float], side: float, size: float, room: float
) -> dict[str, float]:
    factor = _shrink(size, room)
    return {
        name: factor * target if target * side > 0.0 else target for name, target in targets.items()
    }


def _shrink(size: float, room: float) -> float:
    """The factor, 0…1, by which something shrinks into the room there is."""
    room = max(room, 0.0)
    return 1.0 if size <= room * _ROUNDING else room / size
