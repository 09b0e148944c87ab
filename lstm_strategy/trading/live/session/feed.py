"""The bars of a session: those of its journal first, then those of the source."""

from collections.abc import Callable
from typing import Any

import pandas as pd

from lstm_strategy.trading.live.closed_bars import BarNote, ClosedBars


class SessionBars(ClosedBars):
    """`ClosedBars` whose history is what a journal holds, some of which came live.

    Attributes:
        came_live: Of each bar of the history whether orders could follow from it.
        on_note: Called with what is wrong with a bar as soon as that bar comes, since a later one
            may never come.
    """

    came_live: Any = ()
    on_note: Callable[[BarNote], None] | None = None
    _begins = False

    @property
    def spacing(self) -> pd.Timedelta:
        """From bar to bar."""
        return self._spacing

    @property
    def is_of_journal(self) -> bool:
        """Whether the present bar is one of the journal's."""
        return len(self) <= len(self.came_live)

    @property
    def may_trade(self) -> bool:
        """Whether the present bar came live, now or when the journal took it down."""
        if self.is_of_journal:
            return bool(len(self) and self.came_live[len(self) - 1])
        return bool(super().may_trade)

    def _note(self, note: BarNote) -> None:
        super()._note(note)
        if self.on_note is not None:
            self.on_note(note)

    def _begin_with_history(self) -> list[Any]:
        # a journal holds bars that are over, whatever the source hands over
        self._begins = True
        try:
            bars: list[Any] = super()._begin_with_history()
        finally:
            self._begins = False
        return bars

    @property
    def _hands_over_closed_bars(self) -> bool:
        return self._begins or bool(super()._hands_over_closed_bars)
