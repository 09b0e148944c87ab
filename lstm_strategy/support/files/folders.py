"""Folders that appear whole or not at all, and change places with earlier ones."""

import ctypes
import os
import re
import shutil
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lstm_strategy.support.files.temporary import (
    LOCK_FILE,
    MODE_OF_NEW_FOLDERS,
    make_held_file,
    make_held_folder,
    name_in_errors,
    remove_abandoned_folders,
    remove_held_folder,
)

_AT_WORKING_FOLDER = -100  # AT_FDCWD and RENAME_EXCHANGE of Linux
_RENAME_EXCHANGE = 2


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
            (target / LOCK_FILE).unlink(missing_ok=True)  # of one killed between the steps below
            _link_others(target, unfinished, own)
            unfinished.chmod(stat.S_IMODE(target.stat().st_mode))
            (unfinished / LOCK_FILE).unlink()
            _exchange(unfinished, target)  # `unfinished` is now the earlier folder
        else:
            unfinished.chmod(0o755)  # mkdtemp makes it readable for this user alone
            unfinished.rename(target)
            (target / LOCK_FILE).unlink(missing_ok=True)  # until here a killed one can be cleared
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
        with suppress(OSError):  # as a new one it is cleared, too, should this process die now
            earlier.chmod(MODE_OF_NEW_FOLDERS)
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
