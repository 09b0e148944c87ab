"""Which bars are too strange to the network to be traded on."""

import math
from typing import Annotated

from pydantic import Field

from lstm_strategy.errors import TradingError
from lstm_strategy.support import spell

NoveltyLimit = Annotated[float | None, Field(gt=0, description="a novelty such as 1, or None")]
"""A bar that is stranger to the network than this asks for no position; None for no limit."""


def is_too_strange(novelty: float, largest: float) -> bool:
    """Return whether a bar is stranger to the network than a strategy allows.

    Args:
        novelty: That of the bar.
        largest: What the strategy allows.

    Raises:
        TradingError: If the novelty is NaN, as it is for every bar of a model that knows none.

    Example:
        >>> is_too_strange(1.2, 1.0), is_too_strange(1.0, 1.0)
        (True, False)
    """
    if math.isnan(novelty):
        raise TradingError(
            f"{spell('largest_novelty', largest)} needs a model that knows how strange a bar is to "
            "it, and this one doesn't: it was trained by an earlier version, isn't an LSTM, or has "
            "a network without a recurrent layer. Train it again, or leave the limit out."
        )
    return novelty > largest
