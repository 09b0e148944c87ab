"""Files and folders that appear whole or not at all, and files of strangers."""

import ctypes
import errno
import json
import math
import os
import re
import secrets
import shutil
import stat
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from lstm_strategy.support.temporary import (
    LOCK_FILE,
    make_held_file,
    make_held_folder,
    name_in_errors,
    remove_abandoned_files,
    remove_abandoned_folders,
    remove_held_folder,
)

_AT_WORKING_FOLDER = -100  # AT_FDCWD and RENAME_EXCHANGE of Linux
_RENAME_EXCHANGE = 2


def write_whole(path: str | Path, content: bytes | str, *, mode: int = 0o666) -> Path:
    """Write a file whole or not at all, and return its path.

    A reader sees the old content or the new, never half of it, whenever this process is stopped.

    Args:
        path: The file. The folder that it is in is made if there is none.
        content: The bytes, or text that is written in UTF-8.
        mode: Who may read and write it, less what the umask forbids.

    Returns:
        The path.

    Raises:
        OSError: If the file can't be written; an earlier file is left as it was.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> write_whole(folder / "runs" / "note.txt", "done").read_text()
        'done'
    """
    target = Path(path)
    with _write_part(target, content, mode=mode) as part:
        part.replace(target)
    return target


def write_new(path: str | Path, content: bytes | str) -> Path:
    """Write a file whole or not at all, unless there is one, and return its path.

    Of several processes that write one at the same time, one alone succeeds.

    Args:
        path: The file. The folder that it is in is made if there is none.
        content: The bytes, or text that is written in UTF-8.

    Returns:
        The path.

    Raises:
        FileExistsError: If there is such a file; it is left as it is.
        OSError: If the file can't be written.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> write_new(folder / "run.txt", "mine").read_text()
        'mine'
    """
    target = Path(path)
    with _write_part(target, content) as part:
        try:
            os.link(part, target)
        except FileExistsError:
            raise
        except OSError:  # a file system that has no links
            part.replace(target)
    return target


def is_part_of(name: str, target_name: str) -> bool:
    """Whether a file of this name is what `write_whole` left of a target when it was killed.

    Args:
        name: The name of the file.
        target_name: The name of the file that it would have become.

    Example:
        >>> is_part_of(".run.json.0c6f2a91.part", "run.json"), is_part_of("run.json", "run.json")
        (True, False)
    """
    return _part_pattern(target_name).fullmatch(name) is not None


def _part_pattern(target_name: str) -> re.Pattern[str]:
    return re.compile(rf"\.{re.escape(target_name)}\.[0-9a-f]+\.part")


@contextmanager
def _write_part(target: Path, content: bytes | str, *, mode: int = 0o666) -> Iterator[Path]:
    """Write beside a file what shall become it; parts that killed processes left are removed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned_files(target.parent, _part_pattern(target.name))
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    descriptor = None
    try:
        descriptor = make_held_file(part, mode=mode)
        with open(descriptor, "wb", closefd=False) as file:
            file.write(content.encode() if isinstance(content, str) else content)
        yield part
    except OSError as error:
        if error.errno is None or error.filename not in (None, str(part)):
            raise
        raise OSError(error.errno, os.strerror(error.errno), str(target)) from error
    finally:
        if descriptor is not None:
            part.unlink(missing_ok=True)
            os.close(descriptor)


def write_json(path: str | Path, content: Mapping[str, Any]) -> Path:
    """Write a mapping as an indented JSON file, whole or not at all, and return the path.

    Args:
        path: The file. The folder that it is in is made if there is none.
        content: What `json.dumps` can write.

    Returns:
        The path.

    Raises:
        OSError: If the file can't be written; an earlier file is left as it was.
        TypeError: If JSON has no form for a value.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> json.loads(write_json(folder / "run.json", {"seed": 7}).read_text())
        {'seed': 7}
    """
    return write_whole(path, json.dumps(content, indent=2) + "\n")


def read_whole(path: str | Path, *, largest: int) -> bytes:
    """Read a file that a stranger may have put there, or refuse it before it can do harm.

    Args:
        path: The file.
        largest: The most bytes that the file may have.

    Returns:
        Its content.

    Raises:
        OSError: If it can't be read, isn't a regular file (a pipe would never end, nor would a
            device), or is larger.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> read_whole(write_whole(folder / "note.txt", "done"), largest=100)
        b'done'
    """
    with open_regular(path) as file:
        if os.fstat(file.fileno()).st_size <= largest:
            content = file.read(largest + 1)
            if len(content) <= largest:
                return content
    raise OSError(errno.EFBIG, f"it is larger than {largest:,} bytes", str(path))


def open_regular(path: str | Path) -> BinaryIO:
    """Open a file to read, unless it is a folder, a pipe or a device.

    Args:
        path: The file.

    Raises:
        OSError: If it can't be opened or isn't a regular file.

    Example:
        >>> try:
        ...     open_regular("/dev/null")
        ... except OSError as error:
        ...     print(error.strerror)
        it isn't a regular file
    """
    # a pipe without a writer would keep whoever opens it waiting
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    file = os.fdopen(os.open(path, flags), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "it isn't a regular file", str(path))
    return file


def parse_json(content: bytes) -> Any:
    """Read JSON that says one thing only, and only in finite numbers.

    Args:
        content: The JSON in UTF-8.

    Returns:
        What `json.loads` gives.

    Raises:
        ValueError: If it isn't JSON, is nested too deep, has a name twice in one object, or a
            number that is not finite.

    Example:
        >>> parse_json(b'{"seed": 7}')
        {'seed': 7}
        >>> parse_json(b'{"seed": 7, "seed": 8}')
        Traceback (most recent call last):
        ValueError: the name 'seed' is there twice
    """
    try:
        return json.loads(
            content.decode(),
            object_pairs_hook=_refuse_repeated_names,
            parse_float=_parse_finite,
            parse_constant=_parse_finite,
        )
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _refuse_repeated_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice!r} is there twice")
    return content


def _parse_finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"the number {digits[:20]} isn't finite")
    return number


@contextmanager
def replace_folder(folder: str | Path, *, own: Collection[str]) -> Iterator[Path]:
    """Give an empty folder to fill, which then takes the place of `folder` in one step.

    Nobody sees the folder half filled or missing, where the system lets two folders change places
    (Linux does; elsewhere the name is free for a moment). What lies in the earlier folder under
    other names than those in `own` is in the new one too. If the block raises, `folder` is
    left as it was. A link to a folder stays one.

    Args:
        folder: The folder that shall appear. The folder above it is made if there is none.
        own: Names of the files that the block may write. Files of these names, and nothing else,
            are deleted from an earlier folder.

    Yields:
        The empty folder, beside the one that it will replace.

    Raises:
        OSError: If the folder can't be put in place; the earlier one is left as it was.

    Example:
        >>> import tempfile
        >>> above = Path(tempfile.mkdtemp())
        >>> with replace_folder(above / "model", own=["card.json"]) as unfinished:
        ...     _ = (unfinished / "card.json").write_text("{}")
        >>> [file.name for file in (above / "model").iterdir()]
        ['card.json']
    """
    target = Path(folder).resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    abandoned = re.compile(rf"\.{re.escape(target.name)}-[a-z0-9_]{{8}}")
    remove_abandoned_folders(target.parent, abandoned)
    with name_in_errors(target):
        unfinished, lock = make_held_folder(f".{target.name}-", target.parent)
    new_folder = unfinished.stat().st_ino
    try:
        with name_in_errors(target):
            yield unfinished
        if target.exists():
            _link_others(target, unfinished, own)
            unfinished.chmod(stat.S_IMODE(target.stat().st_mode))
            (unfinished / LOCK_FILE).unlink()
            _exchange(unfinished, target)  # `unfinished` is now the earlier folder
        else:
            unfinished.chmod(0o755)  # mkdtemp makes it readable for this user alone
            (unfinished / LOCK_FILE).unlink()
            unfinished.rename(target)
    finally:
        with suppress(OSError):
            if unfinished.stat().st_ino == new_folder:
                remove_held_folder(unfinished)
            else:
                _take_apart(unfinished, target, own)
        os.close(lock)


def _link_others(earlier: Path, unfinished: Path, own: Collection[str]) -> None:
    """Let a new folder have the files of others too, so that they are never out of their place.

    What can't be linked moves over once the folders have changed places.
    """
    for entry in earlier.iterdir():
        if entry.name in own:
            continue
        with suppress(OSError):
            if entry.is_dir() and not entry.is_symlink():
                shutil.copytree(
                    entry, unfinished / entry.name, symlinks=True, copy_function=os.link
                )
            else:
                os.link(entry, unfinished / entry.name, follow_symlinks=False)


def _take_apart(earlier: Path, folder: Path, own: Collection[str]) -> None:
    """Delete an earlier folder with its own files, after what others keep there has moved."""
    others = [entry for entry in earlier.iterdir() if entry.name not in own]
    for entry in others:
        _move_missing(entry, folder / entry.name)
    lock = make_held_file(earlier / LOCK_FILE)  # from here on whoever finds it may delete it
    try:
        for entry in others:
            _remove_double(entry, folder / entry.name)
        for name in own:
            (earlier / name).unlink(missing_ok=True)
    finally:
        (earlier / LOCK_FILE).unlink()
        os.close(lock)
    earlier.rmdir()


def _move_missing(old: Path, new: Path) -> None:
    """Move what has no second name in the new place, or is newer than what is there."""
    if old.is_dir() and not old.is_symlink() and new.is_dir():
        for entry in list(old.iterdir()):
            _move_missing(entry, new / entry.name)
    elif not os.path.lexists(new) or new.lstat().st_mtime_ns < old.lstat().st_mtime_ns:
        old.replace(new)


def _remove_double(old: Path, new: Path) -> None:
    if old.is_dir() and not old.is_symlink():
        for entry in list(old.iterdir()):
            _remove_double(entry, new / entry.name)
        with suppress(OSError):  # something was written there a moment ago, and stays
            old.rmdir()
    elif os.path.lexists(new):
        old.unlink(missing_ok=True)


def _exchange(one: Path, other: Path) -> None:
    """Let two folders change places, in one step where the system can."""
    try:
        renameat2 = ctypes.CDLL(None).renameat2
    except (AttributeError, OSError, TypeError):  # not Linux
        renameat2 = None
    paths = (_AT_WORKING_FOLDER, os.fsencode(one), _AT_WORKING_FOLDER, os.fsencode(other))
    if renameat2 is not None and renameat2(*paths, _RENAME_EXCHANGE) == 0:
        return
    aside = one.with_name(f"{one.name}-old")
    other.rename(aside)
    try:
        one.rename(other)
    except OSError:
        aside.rename(other)
        raise
    aside.rename(one)
