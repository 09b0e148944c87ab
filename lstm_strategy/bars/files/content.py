"""The bytes of a file, uncompressed, and the kind of file that they make."""

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from typing import IO, Any

from lstm_strategy.bars.columns import SeveralMarketsError
from lstm_strategy.errors import BarsError
from lstm_strategy.support import spell

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
# What a file may become when it is uncompressed. Bars become ten times larger, and constant prices
# a hundred times; a thousand times is a file that was made to fill the memory.
_SMALL_BYTES = 64 * 2**20
_MOST_GROWTH = 100
_PIECE_BYTES = 2**20


@dataclass(frozen=True)
class Content:
    """What a file holds.

    Attributes:
        kind: `"text"`, `"parquet"`, `"feather"` or `"json"`.
        data: Its bytes, uncompressed.
        notes: What was done while reading and must be reported.
        is_chosen: Whether it was chosen by its market among the files of an archive.
    """

    kind: str
    data: bytes
    notes: tuple[str, ...] = ()
    is_chosen: bool = False


def read_content(path: Path, market: str | None = None) -> Content:
    """Read a file of bars, and uncompress it.

    Args:
        path: A file whose name ends as files of bars do, with `.gz`, `.xz`, `.bz2` or `.zip` after
            if it is compressed.
        market: Which file to read of an archive of several, by the market that it is named after.

    Raises:
        BarsError: If there is no such file, it isn't a file of bars, or it can't be read; one with
            the names of the markets for an archive of several files, of which none was chosen.
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
        return _uncompress(path, data, packing, kind, market)
    except (OSError, EOFError, RuntimeError, NotImplementedError, ValueError) as error:
        if isinstance(error, BarsError):
            raise
        raise _damaged(path, error) from error
    except (lzma.LZMAError, zlib.error, zipfile.BadZipFile) as error:
        raise _damaged(path, error) from error


def is_file_of_bars(path: Path) -> bool:
    """Whether the name of a file ends as those of files of bars do."""
    return _cut_suffixes(path.name)[1]


def market_of_file(path: PurePath) -> str:
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


def _read_bounded(file: IO[bytes], path: Path, most: int = _MOST_BYTES) -> bytes:
    """The bytes of a file, piece by piece: asked for many at once, Python makes room for all."""
    pieces: list[bytes] = []
    n_bytes = 0
    while piece := file.read(_PIECE_BYTES):
        pieces.append(piece)
        n_bytes += len(piece)
        if n_bytes > _MOST_BYTES:
            raise BarsError(f"{path} holds more than {_MOST_BYTES / 2**30:.0f} GiB. Split it.")
        if n_bytes > most:
            raise BarsError(
                f"{path} becomes more than {_MOST_GROWTH} times as large when it is uncompressed, "
                "which bars don't. Uncompress it yourself if you trust it."
            )
    return b"".join(pieces)


def _most_uncompressed(data: bytes) -> int:
    return max(_SMALL_BYTES, _MOST_GROWTH * len(data))


def _uncompress(
    path: Path, data: bytes, packing: str, kind: str | None, market: str | None
) -> Content:
    if packing == "zip":
        return _read_zip(path, data, market)
    with _OPENERS[packing](io.BytesIO(data)) as file:
        return Content(kind or "text", _read_bounded(file, path, _most_uncompressed(data)))


def _open_gzip(data: IO[bytes]) -> gzip.GzipFile:
    return gzip.GzipFile(fileobj=data)


_OPENERS: dict[str, Callable[[IO[bytes]], Any]] = {
    "gz": _open_gzip,
    "xz": lzma.LZMAFile,
    "bz2": bz2.BZ2File,
}


def _read_zip(path: Path, data: bytes, market: str | None) -> Content:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [info.filename for info in archive.infolist() if not info.is_dir()]
        for name in names:
            if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
                raise BarsError(f"{path} names a file outside of it, {name!r:.100}. Pack it anew.")
        if any(name.startswith("xl/") for name in names):
            raise BarsError(f"{path} is an Excel workbook. Save it as CSV.")
        names = [name for name in names if _is_of_bars(name)]
        # beside its prices HistData packs a report in a .txt file
        best = [name for name in names if not name.lower().endswith(".txt")] or names
        if not best:
            raise BarsError(f"{path} holds no file of bars. Pack one into it.")
        name = best[0] if len(best) == 1 else _choose_member(path, best, market)
        with archive.open(name) as file:
            inner = _SUFFIXES[PurePosixPath(name).suffix.lower()]
            said = () if len(best) > 1 else (f"read {name} of the archive",)
            content = _read_bounded(file, path, _most_uncompressed(data))
            return Content(inner, content, said, is_chosen=len(best) > 1)


def _choose_member(path: Path, members: list[str], market: str | None) -> str:
    """The file of an archive that is named after a market."""
    by_market: dict[str, str] = {}
    for member in members:
        name = market_of_file(PurePosixPath(member))
        if name in by_market:
            raise BarsError(
                f"market {name} is in {path} twice: {by_market[name]} and {member}. Keep one of "
                "them, or rename the other."
            )
        by_market[name] = member
    same = [of for of in by_market if market and of.casefold() == market.strip().casefold()]
    if market in by_market or len(same) == 1:
        return by_market[market if market in by_market else same[0]]
    shown = ", ".join(members[:5]) + ", …" * (len(members) > 5)
    wrong = "" if market is None else f", none of which is named after {market!r}"
    raise SeveralMarketsError(
        f"{path} holds {len(members)} files of bars ({shown}){wrong}. Choose one of the markets: "
        f"{spell('symbol', next(iter(by_market)))}.",
        list(by_market),
    )


def _is_of_bars(name: str) -> bool:
    member = PurePosixPath(name)
    is_hidden = member.name.startswith(".") or "__MACOSX" in member.parts
    return member.suffix.lower() in _SUFFIXES and not is_hidden
