"""The bytes of a file, uncompressed, and the kind of file that they make."""

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lstm_strategy.errors import BarsError

_SUFFIXES = {
    ".csv": "text",
    ".txt": "text",
    ".tsv": "text",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".feather": "feather",
    ".json": "json",
}
_COMPRESSED = {".gz", ".xz", ".bz2", ".zip"}
_MAGIC = {
    b"\x1f\x8b": "gz",
    b"\xfd7zXZ\x00": "xz",
    b"BZh": "bz2",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
}
# Far more than any file of bars, and little enough not to fill the memory.
_MOST_BYTES = 4 * 2**30


@dataclass(frozen=True)
class Content:
    """What a file holds.

    Attributes:
        kind: `"text"`, `"parquet"`, `"feather"` or `"json"`.
        data: Its bytes, uncompressed.
        notes: What was done while reading and must be reported.
    """

    kind: str
    data: bytes
    notes: tuple[str, ...] = ()


def read_content(path: Path) -> Content:
    """Read a file of bars, and uncompress it.

    Args:
        path: A file whose name ends as files of bars do, with `.gz`, `.xz`, `.bz2` or `.zip` after
            if it is compressed.

    Raises:
        BarsError: If there is no such file, it isn't a file of bars, or it can't be read.
    """
    _check_is_file(path)
    kind = _choose_kind(path)
    try:
        with path.open("rb") as file:
            data = _read_bounded(file, path)
    except (OSError, ValueError) as error:
        if isinstance(error, BarsError):
            raise
        raise BarsError(f"{path} can't be read ({error}). Check the path.") from error
    packing = next((name for magic, name in _MAGIC.items() if data.startswith(magic)), None)
    if packing is None:
        return Content(kind or "text", data)
    try:
        return _uncompress(path, data, packing, kind)
    except (OSError, EOFError, RuntimeError, NotImplementedError, ValueError) as error:
        if isinstance(error, BarsError):
            raise
        raise _damaged(path, error) from error
    except (lzma.LZMAError, zlib.error, zipfile.BadZipFile) as error:
        raise _damaged(path, error) from error


def is_file_of_bars(path: Path) -> bool:
    """Whether the name of a file ends as those of files of bars do."""
    return _cut_suffixes(path.name)[1]


def market_of_file(path: Path) -> str:
    """The market that a file is named after: `SPY` for `SPY.csv` and `SPY.csv.gz`."""
    return _cut_suffixes(path.name)[0]


def _cut_suffixes(name: str) -> tuple[str, bool]:
    """A name without the suffixes of bars and compression, and whether it had one that will do."""
    stem, dot, suffix = name.rpartition(".")
    if dot and f".{suffix.lower()}" in _COMPRESSED:
        inner, is_of_bars = _cut_suffixes(stem)
        return inner, is_of_bars or suffix.lower() == "zip"
    is_of_bars = bool(stem) and f".{suffix.lower()}" in _SUFFIXES
    return (stem, True) if is_of_bars else (name, False)


def _check_is_file(path: Path) -> None:
    try:
        if path.is_file():
            return
        found = "a folder" if path.is_dir() else "neither a file nor a folder"
        is_there = path.exists()
    except (OSError, ValueError) as error:
        raise BarsError(f"{path} can't be read ({error}). Check the path.") from error
    if not is_there:
        if path.suffix:
            _choose_kind(path)  # a name of no use is named first
        raise BarsError(f"there is no file {path}. Check the path.")
    raise BarsError(f"{path} is {found}. Pass a file of bars.")


def _damaged(path: Path, error: Exception) -> BarsError:
    return BarsError(f"{path} can't be read ({error}). Check that it is a whole file.")


def _choose_kind(path: Path) -> str | None:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in _COMPRESSED:
        suffixes.pop()
        if not suffixes or path.suffix.lower() == ".zip":
            return _SUFFIXES.get(suffixes[-1]) if suffixes else None
    if suffixes and suffixes[-1] in _SUFFIXES:
        return _SUFFIXES[suffixes[-1]]
    raise BarsError(
        "a file of bars must end in .csv, .txt, .tsv, .parquet, .pq, .feather or .json, with .gz, "
        f".xz, .bz2 or .zip after that if it is compressed, got {path.name!r}. Convert it."
    )


def _read_bounded(file: object, path: Path) -> bytes:
    data: bytes = file.read(_MOST_BYTES + 1)  # type: ignore[attr-defined]
    if len(data) > _MOST_BYTES:
        raise BarsError(f"{path} holds more than {_MOST_BYTES / 2**30:.0f} GiB. Split it.")
    return data


def _uncompress(path: Path, data: bytes, packing: str, kind: str | None) -> Content:
    if packing == "zip":
        return _read_zip(path, data, kind)
    openers = {"gz": gzip.GzipFile, "xz": lzma.LZMAFile, "bz2": bz2.BZ2File}
    with (
        openers[packing](io.BytesIO(data))
        if packing != "gz"
        else gzip.open(io.BytesIO(data)) as file
    ):
        return Content(kind or "text", _read_bounded(file, path))


def _read_zip(path: Path, data: bytes, kind: str | None) -> Content:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [info.filename for info in archive.infolist() if not info.is_dir()]
        if any(name.startswith("xl/") for name in names):
            raise BarsError(f"{path} is an Excel workbook. Save it as CSV.")
        names = [name for name in names if _is_of_bars(name)]
        # beside its prices HistData packs a report in a .txt file
        best = [name for name in names if not name.lower().endswith(".txt")] or names
        if len(best) != 1:
            found = ", ".join(best[:5]) or "none"
            raise BarsError(
                f"{path} must hold one file of bars, found {found}"
                f"{f' … {len(best)} in all' * (len(best) > 5)}. Unpack it, and pass one of them."
            )
        with archive.open(best[0]) as file:
            inner = _SUFFIXES[PurePosixPath(best[0]).suffix.lower()]
            return Content(inner, _read_bounded(file, path), (f"read {best[0]} of the archive",))


def _is_of_bars(name: str) -> bool:
    member = PurePosixPath(name)
    is_hidden = member.name.startswith(".") or "__MACOSX" in member.parts
    return member.suffix.lower() in _SUFFIXES and not is_hidden
