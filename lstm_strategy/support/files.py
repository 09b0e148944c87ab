"""Files and folders that appear whole or not at all."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def write_whole(path: str | Path, content: bytes | str) -> Path:
    """Write a file whole or not at all, and return its path.

    A reader sees the old content or the new, never half of it, whenever this process is stopped.

    Args:
        path: The file. The folder that it is in is made if there is none.
        content: The bytes, or text that is written in UTF-8.

    Returns:
        The path.

    Raises:
        OSError: If the file can't be written; an earlier file is left as it was.

    Example:
        >>> folder = Path(tempfile.mkdtemp())
        >>> write_whole(folder / "runs" / "note.txt", "done").read_text()
        'done'
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content.encode() if isinstance(content, str) else content)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target


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
        >>> folder = Path(tempfile.mkdtemp())
        >>> json.loads(write_json(folder / "run.json", {"seed": 7}).read_text())
        {'seed': 7}
    """
    return write_whole(path, json.dumps(content, indent=2) + "\n")


@contextmanager
def replace_folder(folder: str | Path) -> Iterator[Path]:
    """Give an empty folder to fill, which then takes the place of `folder` in one step.

    If the block raises, `folder` is left as it was. An earlier folder of that name is deleted with
    all that is in it: check first that it may go.

    Args:
        folder: The folder that shall appear. The folder above it is made if there is none.

    Yields:
        The empty folder, beside the one that it will replace.

    Raises:
        OSError: If the folder can't be put in place; the earlier one is left as it was.

    Example:
        >>> above = Path(tempfile.mkdtemp())
        >>> with replace_folder(above / "model") as unfinished:
        ...     _ = (unfinished / "card.json").write_text("{}")
        >>> [file.name for file in (above / "model").iterdir()]
        ['card.json']
    """
    target = Path(folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        yield unfinished
        unfinished.chmod(0o755)  # mkdtemp makes it readable for this user alone
        _put_in_place(unfinished, target)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _put_in_place(unfinished: Path, target: Path) -> None:
    if not target.exists():
        unfinished.rename(target)
        return
    # a folder can't replace a folder in one call, so the old one steps aside first
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent))
    target.replace(aside / "old")
    try:
        unfinished.rename(target)
    except OSError:
        (aside / "old").replace(target)
        aside.rmdir()
        raise
    shutil.rmtree(aside, ignore_errors=True)
