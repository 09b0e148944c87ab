"""Writes a journal: what belongs together in one piece, and on disk before anything follows."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import pandas as pd

from lstm_strategy.errors import JournalError
from lstm_strategy.support import hold_file, name_in_errors, sha256_of, write_whole
from lstm_strategy.trading.live.journal.content import JournalContent, read_journal
from lstm_strategy.trading.live.journal.records import (
    FORMAT,
    JOURNAL_FILE,
    KINDS,
    VERSION,
    line_of,
)

_HISTORY_FILE = "history.parquet"


class Journal:
    """The journal of a live run, open for one session to append to.

    Records wait in memory until `commit` writes them in one piece, and flushes them to the disk. So
    a killed session leaves the records of a bar as a whole, or unfinished at the end of the file,
    where the next session cuts them off.

    Attributes:
        folder: Where the journal lies.
        content: What it held when it was opened.
        n_cut: How many bytes a killed session left unfinished; they are cut off.

    Example:
        >>> import tempfile
        >>> folder = tempfile.mkdtemp()
        >>> with Journal.open(folder, model="", settings={"cash": 1000}) as journal:
        ...     journal.append("run", event="start", at="2024-01-02T00:00:00Z")
        ...     journal.commit()
        >>> read_journal(folder).runs["event"].tolist()
        ['start']
    """

    def __init__(self, folder: Path, descriptor: int, content: JournalContent) -> None:
        self.folder, self.content = folder, content
        self._descriptor = descriptor
        self._waiting: list[dict[str, Any]] = []
        self.n_cut = os.fstat(descriptor).st_size - content.n_bytes
        os.ftruncate(descriptor, content.n_bytes)

    @classmethod
    def open(
        cls,
        folder: str | Path,
        *,
        model: str,
        settings: Mapping[str, Any],
        zone: str | None = None,
    ) -> Self:
        """Begin a journal, or go on with the one that lies in a folder.

        Args:
            folder: The folder of the run; it is made if there is none.
            model: The fingerprint of the model; "" where it has none.
            settings: What the run was begun with, as JSON can hold it.
            zone: The timezone of the bars; None for dates without one.

        Raises:
            JournalError: If another session has the journal, or it is of another model, of other
                settings or of another version, or it is damaged.
            OSError: If the folder can't be written to.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / JOURNAL_FILE
        head = {"format": FORMAT, "version": VERSION, "model": model, "zone": zone}
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            if not hold_file(descriptor):
                raise JournalError(
                    f"Another session writes to {folder}. Stop that one first, or choose another "
                    "folder."
                )
            first = line_of({**head, "settings": dict(settings)})
            with name_in_errors(path):
                _begin_file(descriptor, first)
            content = read_journal(path)
            _check_same(folder, content.head, {**head, "settings": dict(settings)})
            return cls(folder, descriptor, content)
        except BaseException:
            os.close(descriptor)
            raise

    def append(self, kind: str, **fields: Any) -> None:
        """Add a record to those that the next `commit` writes.

        Args:
            kind: One of the kinds of records.
            **fields: What it says; dates as texts.

        Raises:
            ValueError: If a journal has no such kind, or a field is missing.
        """
        lacking = [name for name in KINDS[kind] if name not in fields] if kind in KINDS else [kind]
        if lacking:
            raise ValueError(f"a record of a journal needs a known kind and {lacking[0]}")
        self._waiting.append({"kind": kind, **fields})

    def append_history(self, bars: pd.DataFrame) -> None:
        """Store the bars before the run beside the journal, and refer to them; for `commit`.

        Args:
            bars: Checked bars, shape (n_bars, n_columns).

        Raises:
            OSError: If they can't be written.
        """
        content = bars.to_parquet()
        write_whole(self.folder / _HISTORY_FILE, content)
        self.append("history", file=_HISTORY_FILE, sha256=sha256_of(content), n_bars=len(bars))

    def commit(self) -> None:
        """Write the records that wait, in one piece, and see them on the disk.

        Raises:
            OSError: If they can't be written; the journal is then as it was before.
        """
        if not self._waiting:
            return
        *others, last = self._waiting
        lines = b"".join(map(line_of, [*others, {**last, "end": True}]))
        with name_in_errors(self.folder / JOURNAL_FILE):
            _write(self._descriptor, lines)
        self._waiting = []

    def drop(self) -> None:
        """Forget the records that wait."""
        self._waiting = []

    def close(self) -> None:
        """Let another session have the journal; what waits is dropped."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()


def _begin_file(descriptor: int, first: bytes) -> None:
    """Write the first line, unless there is one."""
    head = os.read(descriptor, len(first))
    if b"\n" not in head and first.startswith(head):
        os.ftruncate(descriptor, 0)  # a session that was killed at once
        _write(descriptor, first)


def _write(descriptor: int, content: bytes) -> None:
    """Append all of it and see it on the disk, or leave the file as it was."""
    size = os.fstat(descriptor).st_size
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, size)
        raise


def _check_same(folder: Path, earlier: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse to go on with a run of another model or other settings."""
    settings, own = earlier.get("settings"), now["settings"]
    if not isinstance(settings, dict):
        settings = {}
    names = [name for name in {**own, **settings} if settings.get(name) != own.get(name)]
    if earlier.get("model") != now["model"]:
        names.insert(0, "model")
    elif earlier.get("zone") != now["zone"]:
        names.insert(0, "timezone of the bars")
    if names:
        about = _describe_change(names[0], settings.get(names[0]), own.get(names[0]))
        raise JournalError(
            f"{folder} holds a run with another {about}. Go on with what it was begun with, or "
            "choose another folder."
        )


_GROUPS = {"params": "parameter of the strategy", "broker": "setting of the broker"}


def _describe_change(name: str, earlier: Any, now: Any) -> str:
    """What differs, down to the first parameter of a group, with both values where they are known.

    The model is known by its fingerprint alone, and the timezone isn't among the settings.
    """
    if isinstance(earlier, dict) and isinstance(now, dict):
        key = next(key for key in {**now, **earlier} if earlier.get(key) != now.get(key))
        return _describe_change(f"{_GROUPS.get(name, name)}, {key}", earlier.get(key), now.get(key))
    if earlier is None and now is None:
        return name
    return f"{name}: {_value_text(earlier)} when it was begun, {_value_text(now)} now"


def _value_text(value: Any) -> str:
    return "nothing" if value is None else str(value)[:80]
