"""What is odd about the bars of a stream, said once while they come in."""

import logging
from collections.abc import Callable

import numpy as np
import pandas as pd

from lstm_strategy.bars import CONTRACT_PRICE

log = logging.getLogger(__name__)

ENOUGH_TO_TELL = 50
"""Bars of a stream from which their spacing, their moves and their timezone are measured."""

_LARGEST_FACTOR = 1_000.0
_LONGEST_GAP = pd.Timedelta(days=30)
_LARGEST_SHARE_OF_GAPS = 30


class BarWatch:
    """Says once what no bar alone shows: other bars than the training's, a spike, a wrong date.

    A close of more than 1,000 times the one before, or less than a thousandth, counts as a spike;
    a bar more than 30 days after the one before, and more than 30 times the longest gap so far,
    as one whose date may be wrong. The bars are taken nevertheless.

    Args:
        history: The bars before the first one of the stream, with a close; empty for none.
        warn_of_other_bars: Logs where bars are unlike those of the training.

    Example:
        >>> known = pd.DataFrame({"close": [10.0]}, pd.DatetimeIndex(["2024-01-02"]))
        >>> BarWatch(known, lambda bars: None).look(pd.Timestamp("2024-01-03"), 11.0)
    """

    def __init__(
        self, history: pd.DataFrame, warn_of_other_bars: Callable[[pd.DataFrame], None]
    ) -> None:
        times = pd.DatetimeIndex(history.index)
        self._warn_of_other_bars = warn_of_other_bars
        closes = history.reindex(columns=["close", CONTRACT_PRICE])
        self._closes: dict[pd.Timestamp, list[float]] | None = dict(
            zip(times, closes.to_numpy(float).tolist(), strict=True)
        )
        self._last_time = times[-1] if len(times) else None
        self._last_close = float(history["close"].iloc[-1]) if len(times) else None
        self._longest_gap = (times[1:] - times[:-1]).max() if len(times) > 1 else None
        self._said: set[str] = set()
        self._compare_with_training()

    def look(self, time: pd.Timestamp, close: float, price: float = np.nan) -> None:
        """Look at a bar that is later than all before, with the price of its contract if it has."""
        if self._last_time is not None and self._last_close is not None:
            self._look_at_gap(time, self._last_time)
            if np.isnan(price):
                self._look_at_move(time, close, self._last_close)
        self._last_time, self._last_close = time, close
        if self._closes is not None:
            self._closes[time] = [close, price]
            self._compare_with_training()

    def _look_at_gap(self, time: pd.Timestamp, last: pd.Timestamp) -> None:
        gap, longest = time - last, self._longest_gap
        if longest is not None and gap > max(_LONGEST_GAP, _LARGEST_SHARE_OF_GAPS * longest):
            self._say(
                "gap",
                f"The bar of {time} comes {gap.days:,} days after the one before, of {last}. If "
                "its date is wrong, begin a new stream with the bars before it: no bar of an "
                "earlier date can follow.",
            )
        if longest is None or gap > longest:
            self._longest_gap = gap

    def _look_at_move(self, time: pd.Timestamp, close: float, last: float) -> None:
        if not last / _LARGEST_FACTOR <= close <= last * _LARGEST_FACTOR:
            self._say(
                "spike",
                f"The close went from {last:g} to {close:g} at {time}, more than a factor of "
                f"{_LARGEST_FACTOR:,.0f}. The model takes the bar as it is, and features remember "
                "it; if it is a bad tick, begin a new stream without it.",
            )

    def _compare_with_training(self) -> None:
        if self._closes is not None and len(self._closes) >= ENOUGH_TO_TELL:
            index = pd.DatetimeIndex(list(self._closes))
            bars = pd.DataFrame(list(self._closes.values()), index, ["close", CONTRACT_PRICE])
            self._closes = None  # measured once
            self._warn_of_other_bars(bars)

    def _say(self, kind: str, sentence: str) -> None:
        if kind not in self._said:
            self._said.add(kind)
            log.warning("%s", sentence)
