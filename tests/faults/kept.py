"""What a command has left in a folder: whole, and the same as ever but for moments and digests."""

import io
import json
import re
import sqlite3
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd

# what differs whenever the same work is done again, and what is a digest of that
_MOMENTS = ("created", "seconds", "at")
_DIGESTS = ("sha256", "card", "network_sha256", "check_sha256", "model_sha256", "model")
_OF_A_RUN = ("notes",)  # what was cut off of an earlier one
_OF_A_WRITE = ("end",)  # of a journal: a note, such as of what was cut off, may follow in one write
_NUMBER_OF_A_TRIAL = re.compile(r"trial-\d+")  # counts those that were killed and begun again
_OF_A_PICTURE = re.compile(r"<dc:date>[^<]*|\b[a-z][0-9a-f]{10}\b")  # its moment and random names
_UNFINISHED = re.compile(r"\..*\.part|\..*-[a-z0-9_]{8}(-old)?")


def read_results(folder: Path) -> dict[str, Any]:
    """The content of each file below a folder by its path, read to its end.

    What a killed process left unfinished isn't among it.

    Raises:
        AssertionError: Naming a file that isn't whole.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_file() and not any(map(_UNFINISHED.fullmatch, Path(name).parts)):
            try:
                content = _READERS.get(path.suffix, _read_bytes)(path)
            except Exception as error:
                raise AssertionError(f"{path} isn't whole: {error!r}") from error
            if _NUMBER_OF_A_TRIAL.fullmatch(path.stem):
                name = str(Path(name).with_stem(sha256(content.encode()).hexdigest()))
            found[name] = content
    return found


def list_unfinished(*folders: Path) -> list[str]:
    """What killed processes left unfinished in some folders."""
    paths = (path for folder in folders for path in folder.rglob("*"))
    return [str(path) for path in paths if _UNFINISHED.fullmatch(path.name)]


def _read_bytes(path: Path) -> bytes:
    return path.read_bytes()


def _read_csv(path: Path) -> str:
    text = path.read_text()
    assert text.endswith("\n"), "its last line has no end"
    table = pd.read_csv(io.StringIO(text), dtype=str)
    assert len(table), "no rows"
    return table.drop(columns="seconds", errors="ignore").to_csv()


def _read_json(path: Path) -> Any:
    return _without_moments(json.loads(path.read_text()))


def _read_journal(path: Path) -> list[Any]:
    """The records that are whole; a session that was killed may leave the last one unfinished."""
    lines = path.read_bytes().split(b"\n")
    records = [json.loads(line) for line in lines[:-1]]
    return [_without_moments(one) for one in records if one.get("kind") not in ("run", "note")]


def _without_moments(value: Any) -> Any:
    if isinstance(value, dict):
        left_out = (*_MOMENTS, *_DIGESTS, *_OF_A_RUN, *_OF_A_WRITE)
        return {k: _without_moments(v) for k, v in value.items() if k not in left_out}
    if isinstance(value, list):
        return [_without_moments(part) for part in value]
    return value


def _read_archive(path: Path) -> dict[str, bytes]:
    """The weights of a network; Keras keeps the moment beside them."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist() if name.endswith(".h5")}


def _read_table(path: Path) -> str:
    return pd.read_parquet(path).to_csv()


def _read_html(path: Path) -> str:
    text = path.read_text()
    assert text.rstrip().endswith("</html>"), "it has no end"
    return _OF_A_PICTURE.sub("", text)


def _read_picture(path: Path) -> bytes:
    from matplotlib.image import imread

    imread(path)
    return path.read_bytes()


def _read_database(path: Path) -> str:
    """Nothing but that it is sound: the rows hold moments, and trials that were cut off."""
    connection = sqlite3.connect(path)
    try:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
    finally:
        connection.close()
    return "sound"


_READERS: dict[str, Callable[[Path], Any]] = {
    ".csv": _read_csv,
    ".db": _read_database,
    ".html": _read_html,
    ".json": _read_json,
    ".jsonl": _read_journal,
    ".keras": _read_archive,
    ".parquet": _read_table,
    ".png": _read_picture,
}
