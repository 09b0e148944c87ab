"""Counts the steps of a process on files, and ends it with SIGKILL at one of them.

Each change to a file below a folder is a step: it is opened to be written, written or flushed by
its descriptor, renamed, linked or removed. Before the last step the process kills itself; a write
is then half done.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

_CHANGES = ("os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.chmod")
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_TO_CHANGE_PLACES = "renameat2"


class Steps:
    """Counts the steps of this process, and ends it at one of them.

    Args:
        last: The step before which the process ends; 0 for none.
        folder: Where files count.
    """

    def __init__(self, last: int, folder: str) -> None:
        self.n_done = 0
        self._last, self._folder = last, os.path.realpath(folder)
        self._write, self._fsync = os.write, os.fsync

    def watch(self) -> None:
        """Begin to count."""
        sys.addaudithook(self._hear)
        os.write = self._write_half  # type: ignore[assignment]  # no event tells of these
        os.fsync = self._flush  # type: ignore[assignment]

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "ctypes.dlsym":
            is_step = arguments[1] == _TO_CHANGE_PLACES
        else:
            is_step = _is_change(event, arguments) and self._is_inside(arguments[0])
        if is_step:
            self._take()

    def _is_inside(self, path: Any) -> bool:
        if isinstance(path, int) or path is None:
            return False
        return os.fsdecode(Path.cwd() / os.fsdecode(path)).startswith(self._folder)

    def _write_half(self, descriptor: int, content: Any) -> int:
        if descriptor > 2:
            self._take(lambda: self._write(descriptor, memoryview(content)[: len(content) // 2]))
        return self._write(descriptor, content)

    def _flush(self, descriptor: int) -> None:
        self._take()
        self._fsync(descriptor)

    def _take(self, before_the_end: Callable[[], object] = lambda: None) -> None:
        self.n_done += 1
        if self.n_done == self._last:
            before_the_end()
            os.kill(os.getpid(), signal.SIGKILL)


def _is_change(event: str, arguments: tuple[Any, ...]) -> bool:
    return event in _CHANGES or (event == "open" and bool((arguments[2] or 0) & _WRITES))
