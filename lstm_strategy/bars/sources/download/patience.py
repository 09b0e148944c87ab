"""Waiting for servers: longer after each failure, as long as they ask, until told to stop."""

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from lstm_strategy.errors import BarsError
from lstm_strategy.support import count_of

_log = logging.getLogger(__name__)
_MOST_TRIES = 5
_LONGEST_WAIT = 60.0
_T = TypeVar("_T")


class UnreachableError(Exception):
    """A request that failed and may succeed later.

    Attributes:
        reason: What happened, without a full stop.
        retry_after: How many seconds the server asks to wait.
    """

    def __init__(self, reason: str, retry_after: float = 0.0) -> None:
        super().__init__(reason)
        self.reason, self.retry_after = reason, retry_after


class StoppedError(Exception):
    """What ends a wait when `Patience.stop` was called."""


class Patience:
    """Repeats requests that failed.

    Args:
        name: Of the source, for messages.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._is_stopped, self._is_nudged = False, False
        self._changed = threading.Condition()

    def wait(self, seconds: float) -> None:
        """Wait, but not longer than until `stop`.

        Raises:
            StoppedError: If it was stopped.
        """
        with self._changed:
            if self._changed.wait_for(lambda: self._is_stopped, max(0.0, seconds)):
                raise StoppedError

    def wait_for_news(self, seconds: float) -> None:
        """Wait, but not longer than until `nudge` or `stop`; a nudge since the last wait counts.

        Raises:
            StoppedError: If it was stopped.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._is_stopped or self._is_nudged, max(0.0, seconds))
            self._is_nudged = False
            if self._is_stopped:
                raise StoppedError

    def nudge(self) -> None:
        """End `wait_for_news`, from any thread."""
        with self._changed:
            self._is_nudged = True
            self._changed.notify_all()

    def stop(self) -> None:
        """End every wait, those to come too."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()

    def insist(self, request: Callable[[], _T], *, forever: bool = False) -> _T:
        """The answer to a request, which is made again after 1, 2, 4 … seconds while it fails.

        Args:
            request: Raises `UnreachableError` where another try may help.
            forever: Whether to go on until it succeeds or `stop` is called, a minute apart at
                last; else five tries are made.

        Raises:
            BarsError: If no try succeeded.
            StoppedError: If it was stopped.
        """
        n_tries = 0
        while True:
            try:
                answer = request()
            except UnreachableError as error:
                n_tries += 1
                if not forever:
                    self._give_up(error, n_tries)
                elif n_tries == 1:
                    _log.warning("%s: %s; it is asked again", self._name, error.reason)
                self.wait(max(min(2.0 ** (n_tries - 1), _LONGEST_WAIT), error.retry_after))
            else:
                if forever and n_tries:
                    _log.warning(
                        "%s: reached again after %s", self._name, count_of(n_tries, "failure")
                    )
                return answer

    def _give_up(self, error: UnreachableError, n_tries: int) -> None:
        if error.retry_after > _LONGEST_WAIT:
            raise BarsError(
                f"{self._name}: {error.reason}. It asks to wait {error.retry_after:.0f} seconds: "
                "try again then."
            ) from error
        if n_tries == _MOST_TRIES:
            raise BarsError(
                f"{self._name}: {error.reason} ({n_tries} tries). Check the network, or try again "
                "later."
            ) from error
