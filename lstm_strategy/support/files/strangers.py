"""Files of strangers, refused before they can do harm."""

import errno
import json
import math
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO


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
        >>> note = Path(tempfile.mkdtemp()) / "note.txt"
        >>> _ = note.write_text("done")
        >>> read_whole(note, largest=100)
        b'done'
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size <= largest:
            content = file.read(size)  # Python asks for the memory of all that it may read
            while len(content) <= largest:
                more = file.read(2**20)  # written meanwhile
                if not more:
                    return content
                content += more
    raise OSError(errno.EFBIG, f"it is larger than {largest:,} bytes", str(path))


def read_inside(folder: Path, name: str, *, largest: int) -> bytes:
    """Read a file of a folder that a stranger may have made, if it lies in that folder.

    Args:
        folder: The folder.
        name: The name of the file.
        largest: The most bytes that the file may have.

    Returns:
        Its content.

    Raises:
        OSError: If a link leads out of the folder, or as `read_whole` raises it.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / "note.txt").write_text("done")
        >>> read_inside(folder, "note.txt", largest=100)
        b'done'
    """
    path = folder / name
    open_regular(path).close()  # what is no file at all is named as such
    if not path.resolve().is_relative_to(folder.resolve()):
        raise OSError(errno.EXDEV, "it is a link that leads out of the folder", str(path))
    return read_whole(path, largest=largest)


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
        ValueError: If it isn't JSON, is nested too deep, has a name twice in one object, a number
            that is not finite, or half a character, which nothing could print.

    Example:
        >>> parse_json(b'{"seed": 7}')
        {'seed': 7}
        >>> parse_json(b'{"seed": 7, "seed": 8}')
        Traceback (most recent call last):
        ValueError: the name 'seed' is there twice
    """
    try:
        value = json.loads(
            content.decode(),
            object_pairs_hook=_refuse_repeated_names,
            parse_float=_parse_finite,
            parse_constant=_parse_finite,
        )
        if b"\\ud" in content.lower():
            json.dumps(value, ensure_ascii=False).encode()
        return value
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    except UnicodeEncodeError as error:
        half = f"{ord(error.object[error.start]):x}"
        raise ValueError(f"\\u{half} is half a character") from None


def _refuse_repeated_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for name, value in pairs:
        if name in content:
            raise ValueError(f"the name {name!r:.100} is there twice")
        content[name] = value
    return content


def _parse_finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"the number {digits[:20]} isn't finite")
    return number
