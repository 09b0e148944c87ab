"""What a reader may do with a file: give a result or our error, in time, in little memory."""

import importlib.metadata
import os
import resource
import signal
import site
import sys
import tempfile
import time
import zoneinfo
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from lstm_strategy import LSTMStrategyError
from tools.fuzz.mutations import CODE, MODULES

MOST_SECONDS = 5.0
_ROOM = 2 * 2**30
_NEVER = {
    *("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "pickle.find_class"),
    *("socket.connect", "socket.getaddrinfo", "urllib.Request"),
}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGING = {  # the events that change a path, and which of their arguments it is
    **dict.fromkeys(("os.remove", "os.rmdir", "os.mkdir", "os.truncate", "shutil.rmtree"), 0),
    **dict.fromkeys(("os.rename", "os.link", "os.symlink"), 1),
    **dict.fromkeys(("os.chmod", "os.chown", "sqlite3.connect"), 0),
}
_IN_OPEN_FOLDERS = {"os.remove", "os.rmdir", "os.mkdir", "os.rename", "os.link", "os.symlink"}
_LIBRARIES = (
    *(sys.prefix, sys.base_prefix, str(Path(sys.base_prefix).resolve())),
    *(site.getusersitepackages(), str(Path(__file__).parents[2]), *zoneinfo.TZPATH),
)
_OF_SYSTEM = ("/proc/", "/sys/", "/dev/null", "/dev/urandom", "/etc/localtime")
_OWN_TEMPORARY = str(Path(tempfile.gettempdir()).resolve() / "lstm-strategy-")


class NotAllowedError(BaseException):
    """Raised, past every `except Exception`, at what no reader may do."""


class Guard:
    """Watches readings of this process, which gets no more than 2 GiB beyond what it has.

    It ends with its `with`; only the ear of the interpreter stays, and hears nothing.

    Args:
        folder: The only folder that may be written to, and the only one that is no library which
            may be read.
        limits_memory: Whether memory is bounded.
        known: The names of packages that may be looked for, besides those that are installed; None
            for any.
    """

    READ, REFUSED = "read", "refused"

    def __init__(
        self, folder: Path, *, limits_memory: bool = True, known: set[str] | None = None
    ) -> None:
        self._folder, self._is_watching = str(folder.resolve()), False
        self._limits_memory, self._known = limits_memory, known
        self._offence: NotAllowedError | None = None
        self.imported: set[str] = set()
        self.last_s = 0.0

    def __enter__(self) -> Self:
        self._limit, self._stop = resource.getrlimit(resource.RLIMIT_AS), _set_stop()
        if self._limits_memory:
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            room = pages * resource.getpagesize() + _ROOM
            resource.setrlimit(resource.RLIMIT_AS, (room, self._limit[1]))
        if self._known is not None:
            self._known = self._known | _installed_packages()
        sys.addaudithook(self._hear)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        place: TracebackType | None,
    ) -> None:
        resource.setrlimit(resource.RLIMIT_AS, self._limit)
        signal.signal(signal.SIGPROF, self._stop)

    def watch(self, read: Callable[[], object]) -> str:
        """Read, and return `READ`, `REFUSED`, or what is wrong with how that went."""
        started, self._offence = time.process_time(), None
        self._is_watching = True
        signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)  # CPU, whatever else the machine does
        try:
            answer = self._answer_of(read)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            self._is_watching = False
            self.last_s = time.process_time() - started
        return answer if self._offence is None else str(self._offence)

    def _answer_of(self, read: Callable[[], object]) -> str:
        try:
            read()
        except LSTMStrategyError as error:
            text = str(error).replace("\n", " ").replace("\t", " ")
            return self.REFUSED if text.isprintable() else "an error that isn't printable"
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return _describe(error)
        return self.READ

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._is_watching and self._is_offence(event, arguments):
            self._is_watching = False  # what describes it may do the same
            self._offence = NotAllowedError(f"{event} {arguments[: 1 + (event == 'open')]!r:.200}")
            raise self._offence

    def _is_offence(self, event: str, arguments: tuple[Any, ...]) -> bool:
        if event in _NEVER:
            return True
        if event == "import":
            package = str(arguments[0]).partition(".")[0]
            self.imported.add(package)
            return self._known is not None and package not in self._known
        if event == "compile":
            return isinstance(arguments[0], str | bytes) and CODE in str(arguments[0])
        if event == "open":
            path, _, flags = arguments
            return not self._may_open(path, is_written=bool(flags and flags & _WRITING))
        if event in _CHANGING:
            return not self._may_open(_changed_path(event, arguments), is_written=True)
        return False

    def _may_open(self, path: Any, *, is_written: bool) -> bool:
        if not isinstance(path, str | bytes | os.PathLike):
            return True  # the number of a file that was opened
        # links may lead anywhere: those of libraries are theirs, and readers refuse others
        full = os.path.abspath(os.fsdecode(path))  # noqa: PTH100
        allowed = (self._folder, _OWN_TEMPORARY)
        is_own = full.startswith(allowed) or os.fsdecode(path) == ":memory:"
        return is_own or (not is_written and full.startswith((*_LIBRARIES, *_OF_SYSTEM)))


def _changed_path(event: str, arguments: tuple[Any, ...]) -> Any:
    path, folder = arguments[_CHANGING[event]], arguments[-1]
    if event in _IN_OPEN_FOLDERS and isinstance(folder, int) and folder >= 0:
        return Path(f"/proc/self/fd/{folder}").readlink() / os.fsdecode(path)
    return path


@cache
def _installed_packages() -> set[str]:
    installed = {"lstm_strategy", *importlib.metadata.packages_distributions()}
    return (installed | sys.stdlib_module_names) - set(MODULES)


def _set_stop() -> Any:
    def stop(signal_number: int, frame: FrameType | None) -> None:
        raise NotAllowedError(f"longer than {MOST_SECONDS} seconds")

    return signal.signal(signal.SIGPROF, stop)


def _describe(error: BaseException) -> str:
    if isinstance(error, NotAllowedError):
        return str(error)
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = "" if place is None else f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}"
    return f"{type(error).__name__} at {where}"
