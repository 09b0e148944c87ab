"""What a session knows, shown to whoever watches and kept in `state.json`."""

import logging
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lstm_strategy.trading.live.session.state import (
    STATE_FILE,
    LiveState,
    mark_status,
    write_state,
)

log = logging.getLogger(__name__)

_N_NOTES = 20


class StateBoard:
    """Holds the state of a session, and tells of each change.

    Args:
        state: What is known before the run.
        folder: The folder of the run.
        on_change: Called with the state whenever something has happened.

    Attributes:
        state: What is known.
        feed: The bars of the run, which count what is wrong with them; None before it.
    """

    def __init__(
        self, state: LiveState, folder: Path, on_change: Callable[[LiveState], None] | None
    ) -> None:
        self.state = state
        self.feed: Any = None
        self._folder, self._on_change = folder, on_change
        self._notes: deque[str] = deque(maxlen=_N_NOTES)
        self._is_written = False

    @property
    def counts(self) -> dict[str, int]:
        """How often each kind of bad bar came."""
        return {} if self.feed is None else dict(self.feed.counts)

    def show(self, state: LiveState) -> None:
        """Take a state over, and tell of it."""
        self.state = state
        if self._on_change is not None:
            self._on_change(state)

    def say(self, text: str) -> None:
        """Show a note, and log it."""
        log.warning("%s: %s", self.state.market, text)
        self._notes.append(text)
        self.show(self.state.updated(notes=tuple(self._notes), counts=self.counts))

    def write(self) -> None:
        """Write `state.json`.

        Raises:
            OSError: If it can't be written.
        """
        write_state(self._folder, self.state)
        self._is_written = True

    def show_end(self, reason: str) -> None:
        """Show that the run has stopped, and why."""
        self.show(self.state.updated(status="stopped", reason=reason, counts=self.counts))

    def write_end(self) -> None:
        """Write that the run has stopped.

        A `state.json` that this run hasn't written disagrees with it, or is further on: it keeps
        its account.

        Raises:
            OSError: If it can't be written.
        """
        if self._is_written or not (self._folder / STATE_FILE).exists():
            self.write()
        else:
            mark_status(self._folder, self.state.status, self.state.reason)
