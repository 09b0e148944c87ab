"""Files that appear whole or not at all."""

import json
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from lstm_strategy.support.files.temporary import make_held_file, remove_abandoned_files


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


def write_together(folder: str | Path, contents: Mapping[str, bytes | str]) -> Path:
    """Write several files, each whole, and none of them where the disk has no room for all.

    All are written beside their places first, so that a full disk leaves earlier files as they
    were, and never some of a new result among those of an old one.

    Args:
        folder: Where to; it is made if there is none.
        contents: The bytes of each file, or text that is written in UTF-8, by its name.

    Returns:
        The folder.

    Raises:
        OSError: If one can't be written.

    Example:
        >>> import tempfile
        >>> folder = write_together(tempfile.mkdtemp(), {"a.txt": "one", "b.txt": "two"})
        >>> sorted(path.name for path in folder.iterdir())
        ['a.txt', 'b.txt']
    """
    target = Path(folder)
    with ExitStack() as parts:
        written = {
            name: parts.enter_context(_write_part(target / name, content))
            for name, content in contents.items()
        }
        for name, part in written.items():
            part.replace(target / name)
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
