"""When a position that has gone wrong is closed, in units of the average true range."""

import math
from typing import Any


class Stops:
    """A stop beyond the entry and a trailing one beyond the best close, checked at closes.

    Args:
        atr: An indicator whose `[0]` is the present average true range; None without stops.
        stop_loss_atr: How many ATRs from the entry price a stop lies; None for no such stop.
        trailing_stop_atr: How many ATRs from the best close a stop lies; None for no such stop.
    """

    def __init__(
        self, atr: Any, *, stop_loss_atr: float | None, trailing_stop_atr: float | None
    ) -> None:
        self._atr = atr
        self._stop_loss_atr, self._trailing_stop_atr = stop_loss_atr, trailing_stop_atr
        self._held_side = 0
        self._stopped_side = 0
        self._best_close = math.nan
        self._entry_atr = math.nan
        self._previous_atr = math.nan

    def follow(self, position: Any, close: float) -> None:
        """Remember what the stops need of the present position: its ATR and its best close."""
        side = _sign(position.size)
        if side != self._held_side:
            # Filled at this bar's open, so ordered at the previous close: that is the entry's ATR.
            self._held_side, self._best_close = side, close
            self._entry_atr = self._previous_atr
        elif side:
            self._best_close = side * max(side * self._best_close, side * close)
        if self._atr is not None:
            self._previous_atr = self._atr[0]

    def target_after(self, target: float, position: Any, close: float) -> float:
        """Return the target, or 0 from a stop until the target changes its sign or is 0."""
        if self._is_hit(position, close):
            self._stopped_side = self._held_side
        if not self._stopped_side:
            return target
        if math.isnan(target) or _sign(target) == self._stopped_side:
            return 0.0
        self._stopped_side = 0
        return target

    def _is_hit(self, position: Any, close: float) -> bool:
        if self._atr is None or not self._held_side:
            return False
        levels = []
        if self._stop_loss_atr is not None:
            room = self._stop_loss_atr * self._entry_atr
            levels.append(position.price - self._held_side * room)
        if self._trailing_stop_atr is not None:
            room = self._trailing_stop_atr * self._atr[0]
            levels.append(self._best_close - self._held_side * room)
        return any(self._held_side * (close - level) < 0.0 for level in levels)


def _sign(value: float) -> int:
    return int(value > 0) - int(value < 0)
