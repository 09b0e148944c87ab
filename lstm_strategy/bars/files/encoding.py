"""Text out of bytes, whichever encoding an exporter chose."""

import csv

from lstm_strategy.bars.columns import count_usual_names
from lstm_strategy.errors import BarsError

_MARKS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
_OLD_ENCODINGS = ("gb18030", "big5", "cp949", "cp932", "cp1251", "cp1250", "cp1252", "iso8859_9")
_HEAD_BYTES = 8192


def encode_as_utf8(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Turn the bytes of a text file into UTF-8, without a mark in front.

    UTF-8 and UTF-16 show by themselves. An older encoding is taken for what it is when it makes
    names of columns out of the first lines.

    Returns:
        The text as UTF-8, and what was decided and must be reported.

    Raises:
        BarsError: If the encoding can't be found out.
    """
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return _decode(data, encoding).encode("utf-8", "replace"), ()
    head = data[:_HEAD_BYTES]
    n_zeros = head.count(b"\0")
    if n_zeros > len(head) // 4:
        is_little = head[1::2].count(b"\0") > head[::2].count(b"\0")
        text = _decode(data, "utf-16-le" if is_little else "utf-16-be")
        return text.encode("utf-8", "replace"), ()
    try:
        if not data.isascii():
            data.decode("utf-8")
    except UnicodeDecodeError:
        text, notes = _decode_old(data)
        return text.encode("utf-8", "replace"), notes
    return data, ()


def _decode(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise BarsError(
            f"the file can't be read as {encoding} ({error.reason} at byte {error.start}). "
            "Save it in the encoding UTF-8."
        ) from error


def _decode_old(data: bytes) -> tuple[str, tuple[str, ...]]:
    scores = {encoding: _count_names(data, encoding) for encoding in _OLD_ENCODINGS}
    for encoding in sorted(scores, key=lambda name: -scores[name]):
        if scores[encoding] < 4:
            break
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return text, (f"read in the encoding {encoding}",)
    if max(scores.values()) >= 4:
        # the names can be read, so what can't be is at most a word in some cell
        return data.decode("latin-1"), ("the encoding is unknown; read as latin-1",)
    raise BarsError("the encoding of the file can't be found out. Save it in the encoding UTF-8.")


def _count_names(data: bytes, encoding: str) -> int:
    head = data[:_HEAD_BYTES].decode(encoding, "replace")
    lines = head.splitlines()[:20]
    return max((_count_in_line(line) for line in lines), default=0)


def _count_in_line(line: str) -> int:
    try:
        return max(count_usual_names(next(csv.reader([line], delimiter=sign))) for sign in ",;\t|")
    except (csv.Error, StopIteration):
        return 0
