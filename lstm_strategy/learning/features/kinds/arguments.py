"""The check that all kinds of our own make of their numbers of bars."""

from typing import Any

from lstm_strategy.errors import FeatureError


def check_bars(kind: str, *, least: int = 1, **lengths: Any) -> None:
    """Refuse what isn't a whole number of bars from `least` on, naming the argument.

    Raises:
        FeatureError: At the first one.
    """
    for name, value in lengths.items():
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if not is_whole or value < least:
            raise FeatureError(
                f"{kind}: {name} must be a whole number of bars from {least} on, got {value!r}."
            )


def check_order(kind: str, **lengths: int) -> None:
    """Refuse two numbers of bars of which the second isn't the larger one.

    Raises:
        FeatureError: Naming both.
    """
    (first, fewer), (second, more) = lengths.items()
    if more <= fewer:
        raise FeatureError(
            f"{kind}: {second} must be more bars than {first}, got {second}={more} and "
            f"{first}={fewer}."
        )
