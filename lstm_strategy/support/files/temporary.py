"""Files and folders that last no longer than their process: a lock tells whether it still runs.

A lock ends with the process that holds it, however that ends. So whoever finds a lock that nobody
holds may clear away what it stands for, whatever the number of the process was and wherever it ran.
"""

import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

try:
    import fcntl
except ImportError:  # Windows has no such locks, so nothing is known to be abandoned there
    fcntl = None  # type: ignore[assignment]

LOCK_FILE = ".lstm-strategy-temporary"
"""The file in a folder that is held by the process that made the folder."""

MODE_OF_NEW_FOLDERS = 0o700
"""The mode of a folder that `make_held_folder` has just made; a user's own is usually another."""

_FOLDER_NAME = re.compile(r"lstm-strategy-[a-z-]+-[a-z0-9_]{8}")
_OPEN_FLAGS = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


@contextmanager
def temporary_folder(purpose: str) -> Iterator[Path]:
    """Give an empty folder that is gone after the block, and clear those of killed processes.

    Only folders that this function made, and whose process has ended, are cleared.

    Args:
        purpose: What it is for, in small letters; a part of its name.

    Yields:
        The folder.

    Raises:
        OSError: If there can't be one; or one of the block's, with the name of the folder where
            it names no file.

    Example:
        >>> with temporary_folder("example") as folder:
        ...     _ = (folder / "note.txt").write_text("gone soon")
        >>> folder.exists()
        False
    """
    remove_abandoned_folders(Path(tempfile.gettempdir()), _FOLDER_NAME)
    outer, lock = make_held_folder(f"lstm-strategy-{purpose}-", Path(tempfile.gettempdir()))
    try:
        inner = outer / "files"
        inner.mkdir()
        with name_in_errors(outer):
            yield inner
    finally:
        remove_held_folder(outer)
        os.close(lock)


def remove_abandoned_folders(place: Path, name: re.Pattern[str]) -> None:
    """Remove the folders of a name whose `LOCK_FILE` nobody holds.

    One without it is left alone, unless it is empty and as it was made: its process died right then
    or as it removed the folder. If it has only just made it, it makes another.
    """
    for entry in _list_entries(place):
        if not (name.fullmatch(entry.name) and _is_own(entry, stat.S_ISDIR)):
            continue
        lock = _hold_abandoned_file(Path(entry.path) / LOCK_FILE)
        if lock is not None:
            remove_held_folder(Path(entry.path))
            os.close(lock)
        else:
            _remove_as_it_was_made(Path(entry.path))


def _remove_as_it_was_made(folder: Path) -> None:
    with suppress(OSError):  # it isn't empty, or gone
        if stat.S_IMODE(folder.lstat().st_mode) == MODE_OF_NEW_FOLDERS:
            folder.rmdir()


def remove_held_folder(folder: Path) -> None:
    """Remove a folder, its `LOCK_FILE` last, so that another process can go on if this one dies."""
    for entry in _list_entries(folder):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path, ignore_errors=True)
        elif entry.name != LOCK_FILE:
            with suppress(OSError):
                Path(entry.path).unlink()
    shutil.rmtree(folder, ignore_errors=True)


def remove_abandoned_files(place: Path, name: re.Pattern[str]) -> None:
    """Remove the files of a name that nobody holds; whoever makes them must hold them."""
    for entry in _list_entries(place):
        if not (name.fullmatch(entry.name) and _is_own(entry, stat.S_ISREG)):
            continue
        lock = _hold_abandoned_file(Path(entry.path))
        if lock is not None:
            Path(entry.path).unlink(missing_ok=True)
            os.close(lock)


def make_held_folder(prefix: str, place: Path) -> tuple[Path, int]:
    """Make a new folder whose `LOCK_FILE` is held, as `make_held_file` holds it.

    Returns:
        The folder and the descriptor of the file.

    Raises:
        OSError: If it can't be made.
    """
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=place))
        try:
            return folder, make_held_file(folder / LOCK_FILE)
        except FileNotFoundError:
            if folder.exists():
                raise
            # cleared away by another process before it was held
        except OSError:
            folder.rmdir()
            raise


def make_held_file(path: Path, *, mode: int = 0o666) -> int:
    """Make a new file that is held until the descriptor is closed or the process ends.

    Returns:
        The descriptor, open for reading and writing.

    Raises:
        OSError: If the file can't be made, or there is one.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
        with suppress(
            OSError
        ):  # a file system without locks: the file is never taken for another's
            if fcntl is not None:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return descriptor
        os.close(descriptor)  # cleared away by another process before it was held


def hold_file(descriptor: int) -> bool:
    """Hold an open file until it is closed or the process ends, unless another process holds it.

    Args:
        descriptor: The open file.

    Returns:
        Whether it is held; also True where the file system or the system has no locks.

    Example:
        >>> with tempfile.TemporaryFile() as file:
        ...     hold_file(file.fileno())
        True
    """
    try:
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _hold_abandoned_file(path: Path) -> int | None:
    """Hold a file that nobody holds; None if there is none, or if that can't be known."""
    if fcntl is None:
        return None
    try:
        descriptor = os.open(path, _OPEN_FLAGS)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


@contextmanager
def name_in_errors(path: Path) -> Iterator[None]:
    """Let an error of the operating system that names no file name this one.

    Args:
        path: The file or the folder.

    Raises:
        OSError: The error of the block, with the path.

    Example:
        >>> import errno
        >>> try:
        ...     with name_in_errors(Path("journal.jsonl")):
        ...         raise OSError(errno.ENOSPC, "No space left on device")
        ... except OSError as error:
        ...     print(error.filename)
        journal.jsonl
    """
    try:
        yield
    except OSError as error:
        if error.errno is None or error.filename is not None:
            raise
        raise OSError(error.errno, os.strerror(error.errno), str(path)) from error


def _list_entries(place: Path) -> Iterable[os.DirEntry[str]]:
    try:
        with os.scandir(place) as entries:
            return list(entries)
    except OSError:
        return []


def _is_own(entry: os.DirEntry[str], has_kind: Any) -> bool:
    """Whether an entry is of a kind, no link, and of this user."""
    try:
        found = entry.stat(follow_symlinks=False)
    except OSError:
        return False
    return has_kind(found.st_mode) and (not hasattr(os, "getuid") or found.st_uid == os.getuid())
