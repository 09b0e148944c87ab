"""What a portfolio answers, refused where it isn't numbers by market."""

import math
from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any

from lstm_strategy.errors import TradingError
from lstm_strategy.support import suggest_names
from lstm_strategy.trading.execution.exposure_strategy import advise_on_answer


def check_exposures(
    asked: Any, markets: Iterable[str], *, name: str, date: str
) -> Mapping[str, float]:
    """Return what `target_exposures` returned, if it is a number, or NaN, for each market.

    Args:
        asked: What it returned.
        markets: The names that may be among it.
        name: The class of the strategy, for messages.
        date: When it was asked, for messages.

    Raises:
        TradingError: If it isn't.

    Example:
        >>> check_exposures({"SPY": 0.5}, ["SPY", "QQQ"], name="Plan", date="2024-01-02")
        {'SPY': 0.5}
    """
    if not isinstance(asked, Mapping):
        raise TradingError(
            f"target_exposures must return numbers by market, such as {{'SPY': 0.5}}; {name} "
            f"returned {asked!r:.80} at {date}."
        )
    for market, exposure in asked.items():
        if market not in markets:
            raise TradingError(
                f"target_exposures of {name} answered for a market {market!r}, which isn't "
                f"among the datas. {suggest_names(market, markets)}"
            )
        if not isinstance(exposure, Real) or math.isinf(exposure):
            raise TradingError(
                f"target_exposures must return a number for each market, or NaN for no "
                f"opinion; {name} returned {exposure!r:.80} for {market} at {date}. "
                f"{advise_on_answer(exposure)}"
            )
    return asked
