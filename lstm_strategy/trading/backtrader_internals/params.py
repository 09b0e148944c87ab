"""The parameters of strategies, indicators, brokers and commission schemes."""

from typing import Any


def declared_params(owner: type) -> tuple[str, ...]:
    """Return the names of the parameters that a strategy or indicator class declares.

    Args:
        owner: A class with `params` of backtrader.

    Returns:
        The inherited names first, each class's own in the order in which it declares them.

    Example:
        >>> import backtrader as bt
        >>> declared_params(bt.indicators.RSI_Safe)[:2]
        ('period', 'movav')
    """
    params: Any = getattr(owner, "params", None)
    return tuple(params._getkeys())


def param_values(owner: Any) -> dict[str, Any]:
    """Return the parameters with which a strategy or indicator runs, by name.

    Args:
        owner: An object that backtrader has made.

    Returns:
        The very objects that `owner.p` holds, in the order of `declared_params`.

    Example:
        >>> import backtrader as bt
        >>> param_values(bt.sizers.FixedSize(stake=5))
        {'stake': 5, 'tranches': 1}
    """
    return {name: getattr(owner.p, name) for name in declared_params(type(owner))}
