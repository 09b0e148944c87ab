"""The lines of a journal: one JSON object each, and what its first line says.

The first line has the `format`, its `version`, the `model` and the `settings`. Every later one is a
record of some `kind`. Records that are written together belong together, such as those of one bar:
the last of them has `"end": true`, and what follows the last such record was never finished.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lstm_strategy.errors import JournalError
from lstm_strategy.support import open_regular, parse_json

FORMAT, VERSION = "lstm-strategy journal", 1
JOURNAL_FILE = "journal.jsonl"
KINDS: Mapping[str, tuple[str, ...]] = {
    "run": ("event", "at"),
    "history": ("file", "sha256", "n_bars"),
    "bar": ("datetime", "open", "high", "low", "close", "is_live"),
    "forecast": ("datetime", "signal", "forecast", "uncertainty"),
    "order": ("datetime", "id", "size", "status"),
    "fill": ("datetime", "id", "size", "price", "commission"),
    "account": ("datetime", "cash", "equity", "position"),
    "note": ("at", "about", "text"),
}
"""The kinds of records, and the fields that each must have; it may have more."""

_TEXTS = {"event", "at", "file", "sha256", "datetime", "status", "about", "text"}
_LONGEST_LINE = 1_000_000


def line_of(content: Mapping[str, Any]) -> bytes:
    r"""One line of a journal; a number that isn't finite is null.

    Args:
        content: What JSON can hold.

    Example:
        >>> line_of({"kind": "note", "uncertainty": math.nan})
        b'{"kind": "note", "uncertainty": null}\n'
    """
    return f"{json.dumps(_without_nan(content), ensure_ascii=False, allow_nan=False)}\n".encode()


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_nan(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(part) for part in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None  # NumPy's own are floats too
    return value


def read_lines(path: Path) -> tuple[dict[str, Any], list[dict[str, Any]], int]:
    """Read a journal as far as it was finished.

    Args:
        path: The file.

    Returns:
        The first line, the records after it, and how many bytes at the beginning they take.

    Raises:
        JournalError: If there is no journal, it is of another version, or a line is damaged.
    """
    records: list[dict[str, Any]] = []
    n_finished, n_bytes, n_read = 0, 0, 0
    try:
        with open_regular(path) as file:
            first = file.readline(_LONGEST_LINE)
            head = _check_head(path, first)
            n_bytes = n_read = len(first)
            while line := file.readline(_LONGEST_LINE):
                n_read += len(line)
                record = _read_record(path, line, number=len(records) + 2)
                if record is None:
                    break
                records.append(record)
                if record.get("end"):
                    n_finished, n_bytes = len(records), n_read
    except FileNotFoundError:
        raise JournalError(
            f"there is no journal {path}. Name the {JOURNAL_FILE} of a live run, or its folder."
        ) from None
    except OSError as error:
        raise JournalError(
            f"{path} can't be read as a journal: {error.strerror}. Check the path."
        ) from None
    return head, records[:n_finished], n_bytes


def _check_head(path: Path, line: bytes) -> dict[str, Any]:
    head = _parse(line)
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise JournalError(
            f"{path} isn't a journal of a live run. Name the {JOURNAL_FILE} of its folder."
        )
    if head.get("version") != VERSION:
        raise JournalError(
            f"{path} has version {head.get('version')!r} of the journal, and this lstm-strategy "
            f"reads version {VERSION}. Read it with the version that wrote it, or begin a new "
            "folder."
        )
    return head


def _read_record(path: Path, line: bytes, *, number: int) -> dict[str, Any] | None:
    """A record; None for a line whose end was never written."""
    if not line.endswith(b"\n") and len(line) < _LONGEST_LINE:
        return None
    record = _parse(line)
    kind = record.get("kind") if isinstance(record, dict) else None
    needed = KINDS.get(kind) if isinstance(kind, str) else None
    off = [name for name in needed or () if name not in record or not _is_fit(name, record[name])]
    if needed is None or off:
        what = f"has no {off[0]} that can be read" if off else "isn't a record of a journal"
        raise JournalError(
            f"Line {number} of {path} {what}, so the journal was damaged or edited. Restore it "
            "from a copy, or begin a new folder."
        )
    return dict(record)


def _is_fit(name: str, value: Any) -> bool:
    """Whether a value is of the type that a field has."""
    if name in _TEXTS:
        return isinstance(value, str)
    if name == "is_live":
        return isinstance(value, bool)
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _parse(line: bytes) -> Any:
    try:
        return parse_json(line)
    except ValueError:
        return None
