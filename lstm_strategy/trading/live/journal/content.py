"""What a journal holds, as tables."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lstm_strategy.errors import JournalError
from lstm_strategy.support import check_zone, frame_from_parquet, read_inside, sha256_of
from lstm_strategy.trading.live.journal.records import JOURNAL_FILE, KINDS, read_lines

_LARGEST_HISTORY = 2**31
_OF_NO_TABLE = {"kind", "end"}


@dataclass(frozen=True, eq=False)
class JournalContent:
    """What a journal holds. Each table has one row a record, in the order of the journal.

    Attributes:
        head: The first line: the `version`, the fingerprint of the `model`, the `settings` of the
            run, and the timezone of the bars, `zone`.
        bars: The bars that the strategy saw, on their dates: those of before the run, then those
            that came. A column that some of them lack is NaN there.
        n_history: How many of `bars` are of before the run.
        is_live: Of each bar whether orders could follow from it, on its date: those of before the
            run and those that came too late are False.
        forecasts: The `signal`, `forecast`, `uncertainty` and `novelty` at the close of each bar,
            on its date.
        orders: One row a change of an order, on the date of the bar: its `id`, signed `size`,
            `type`, `price` and `status`.
        fills: One row an execution, on the date of the bar: the `id` of the order, the signed
            `size`, `price` and `commission`.
        accounts: The `cash`, `equity` and `position` at the close of each bar, on its date.
        notes: What happened beside: `at` (UTC), `about` and `text`.
        runs: When the session was started and stopped: `event`, `at` (UTC).
        n_bytes: How many bytes of the file are finished.
        records: The records themselves.
    """

    head: Mapping[str, Any]
    bars: pd.DataFrame
    n_history: int
    is_live: pd.Series
    forecasts: pd.DataFrame
    orders: pd.DataFrame
    fills: pd.DataFrame
    accounts: pd.DataFrame
    notes: pd.DataFrame
    runs: pd.DataFrame
    n_bytes: int
    records: list[dict[str, Any]] = field(repr=False)


def read_journal(path: str | Path) -> JournalContent:
    """Read the journal of a live run, which may go on meanwhile.

    What a killed run left unfinished at the end is left out.

    Args:
        path: The folder of the run, or the journal in it.

    Raises:
        JournalError: If there is no journal, it is of another version, or it is damaged.

    Example:
        >>> import tempfile
        >>> from lstm_strategy.trading.live import Journal
        >>> folder = tempfile.mkdtemp()
        >>> with Journal.open(folder, model="", settings={}) as journal:
        ...     journal.append("note", at="2024-01-02T00:00:00", about="gap", text="2 bars")
        ...     journal.commit()
        >>> read_journal(folder).notes["text"].tolist()
        ['2 bars']
    """
    path = Path(path)
    file = path / JOURNAL_FILE if path.is_dir() else path
    head, records, n_bytes = read_lines(file)
    try:
        return _content_of(file, head, records, n_bytes)
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        if isinstance(error, JournalError):
            raise
        raise JournalError(
            f"{file} has values that a journal can't have ({_reason_of(error)}), so it was damaged "
            "or edited. Restore it from a copy, or begin a new folder."
        ) from error


def _reason_of(error: Exception) -> str:
    """What pandas says, without its hints for whoever writes code."""
    return f"{str(error).partition('. You might')[0]:.200}"


def _content_of(
    file: Path, head: Mapping[str, Any], records: list[dict[str, Any]], n_bytes: int
) -> JournalContent:
    zone = None if head.get("zone") is None else check_zone(head["zone"])
    by_kind: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
    for record in records:
        by_kind[record["kind"]].append(record)
    came = _table_on_dates(by_kind["bar"], "bar", zone)
    history = [_read_history(file.parent, record) for record in by_kind["history"]]
    before = pd.concat(history) if history else came.iloc[:0].drop(columns="is_live")
    bars = pd.concat([before, came.drop(columns=["is_live", "at"], errors="ignore")])
    are_live = np.concatenate([np.zeros(len(before), bool), came["is_live"].to_numpy(bool)])
    return JournalContent(
        head=head,
        bars=bars.astype("float64"),
        n_history=len(before),
        is_live=pd.Series(are_live, index=bars.index, name="is_live"),
        n_bytes=n_bytes,
        records=records,
        notes=_on_clock(_table(by_kind["note"], "note")),
        runs=_on_clock(_table(by_kind["run"], "run")),
        **{
            name: _table_on_dates(by_kind[kind], kind, zone)
            for name, kind in (
                ("forecasts", "forecast"),
                ("orders", "order"),
                ("fills", "fill"),
                ("accounts", "account"),
            )
        },
    )


def _read_history(folder: Path, record: Mapping[str, Any]) -> pd.DataFrame:
    """The bars that a journal refers to."""
    name = str(record["file"])
    if not name.isprintable():
        raise JournalError(f"The journal of {folder} names {name!r}, which no history is called.")
    if Path(name).name != name:
        raise JournalError(
            f"The journal names {name!r}, which lies outside of its folder {folder}."
        )
    try:
        content = read_inside(folder, name, largest=_LARGEST_HISTORY)
        is_same = sha256_of(content) == record["sha256"]
        bars = frame_from_parquet(content) if is_same else None
    except (OSError, ValueError) as error:
        raise JournalError(
            f"{folder / name} can't be read: {error}. Restore it from a copy, or begin a new "
            "folder."
        ) from None
    if bars is None or len(bars) != record["n_bars"] or not _are_bars(bars):
        raise JournalError(
            f"{folder / name} isn't the history that the journal was begun with. Restore it from a "
            "copy, or begin a new folder."
        )
    return bars


def _are_bars(frame: pd.DataFrame) -> bool:
    """Whether a frame has dates, and names each of its columns once."""
    return isinstance(frame.index, pd.DatetimeIndex) and frame.columns.is_unique


def _table(records: Iterable[Mapping[str, Any]], kind: str) -> pd.DataFrame:
    rows = [{k: v for k, v in each.items() if k not in _OF_NO_TABLE} for each in records]
    return pd.DataFrame(rows) if rows else pd.DataFrame(columns=list(KINDS[kind]))


def _table_on_dates(
    records: Iterable[Mapping[str, Any]], kind: str, zone: str | None
) -> pd.DataFrame:
    table = _table(records, kind)
    dates = pd.to_datetime(table.pop("datetime"), format="ISO8601", utc=zone is not None)
    index = pd.DatetimeIndex(dates, name="datetime").as_unit("us")
    for name in table:
        if _holds_numbers(table[name]):
            table[name] = table[name].astype("float64")
    return table.set_axis(index if zone is None else index.tz_convert(zone))


def _holds_numbers(column: pd.Series) -> bool:
    """Whether a column has numbers, or nothing, in which nulls stand for NaN."""
    return not any(isinstance(value, str | bool | list | dict) for value in column)


def _on_clock(table: pd.DataFrame) -> pd.DataFrame:
    at = pd.to_datetime(table["at"], format="ISO8601", utc=True)
    return table.assign(at=at.dt.as_unit("us"))
