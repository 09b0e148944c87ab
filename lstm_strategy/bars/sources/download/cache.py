"""Downloads, kept as Parquet with the date of the download and what was asked for.

A file is written whole, so that several processes may share the folder: each reads what one of
them has written. Whatever can't be read, or was written by another version, is fetched anew.
"""

import datetime as dt
import json
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lstm_strategy.errors import lacks_memory
from lstm_strategy.support import (
    frame_from_parquet,
    read_whole,
    sha256_of,
    user_cache_folder,
    write_whole,
)

_log = logging.getLogger(__name__)
_VERSION = 1
_HEADER = b"lstm-strategy"
_LARGEST_FILE = 2**31
_N_ASKED_AGAIN = 5
_NOISE = 1e-5  # of adjusted prices, which a site rounds anew each time


@dataclass(frozen=True)
class _Download:
    """What lies in a file.

    Attributes:
        rows: On times that rise.
        since: From when on there are all rows that the site has; None for its first one.
    """

    rows: pd.DataFrame
    since: pd.Timestamp | None


class DownloadCache:
    """The downloads of one market.

    Args:
        name: The market and what of it is downloaded; the name of the file is made of it.
        refresh: Whether to fetch anew what is there.
    """

    def __init__(self, name: str, *, refresh: bool = False) -> None:
        self._name = name
        self._is_refreshed = refresh

    @property
    def path(self) -> Path | None:
        """The file; None for a user who has no home, where nothing is kept."""
        words = re.sub(r"[^A-Za-z0-9]+", "-", self._name).strip("-")[:80]
        folder = user_cache_folder()
        name = f"{words}-{sha256_of(self._name)[:12]}.parquet"
        return None if folder is None else folder / "downloads" / name

    def extend(
        self,
        fetch: Callable[[pd.Timestamp | None], pd.DataFrame],
        since: pd.Timestamp | None,
    ) -> pd.DataFrame:
        """The rows from a time on: those that are kept, and those that came after them.

        The newest rows that are kept are always fetched again. If they differ throughout, as
        adjusted prices do after a dividend or a split, all are fetched anew.

        Args:
            fetch: Gives the final rows from a time on, on times that rise; None for all there are.
            since: The time from which on rows are needed; None for all there are.
        """
        kept, complete_since = None if self._is_refreshed else self._read(), since
        if kept is not None and _reaches_back(kept.since, since):
            asked_again = kept.rows.iloc[-_N_ASKED_AGAIN:]
            fetched = fetch(asked_again.index[0])
            if _agrees(asked_again, fetched):
                older = kept.rows[kept.rows.index < fetched.index[0]]
                rows: pd.DataFrame = pd.concat([older, fetched])
                self._write(_Download(rows, kept.since))
                return _cut_rows(rows, since)
            complete_since = kept.since
        rows = fetch(complete_since)
        if len(rows):
            self._write(_Download(rows, complete_since))
        self._is_refreshed = False
        return _cut_rows(rows, since)

    def _read(self) -> _Download | None:
        path = self.path
        if path is None:
            return None
        try:
            content = read_whole(path, largest=_LARGEST_FILE)
            schema = pq.read_schema(pa.BufferReader(content))
            header = json.loads((schema.metadata or {})[_HEADER])
            if (header["version"], header["name"]) != (_VERSION, self._name):
                return None
            rows = frame_from_parquet(content)
            since = None if header["since"] is None else pd.Timestamp(header["since"])
            return _Download(rows, since) if _is_sound(rows) else None
        except FileNotFoundError:
            return None
        except Exception as error:  # whatever a damaged file makes of pyarrow
            if lacks_memory(error):
                raise
            _log.warning("%s can't be read and is fetched anew (%s)", path, error)
            return None

    def _write(self, download: _Download) -> None:
        path = self.path
        if path is None:
            return
        header = {
            "version": _VERSION,
            "name": self._name,
            "since": None if download.since is None else download.since.isoformat(),
            "fetched": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        }
        table = pa.Table.from_pandas(download.rows)
        metadata = {**(table.schema.metadata or {}), _HEADER: json.dumps(header).encode()}
        sink = pa.BufferOutputStream()
        pq.write_table(table.replace_schema_metadata(metadata), sink)
        try:
            write_whole(path, sink.getvalue().to_pybytes())
        except OSError as error:
            _log.warning("the download isn't kept: %s can't be written (%s)", path, error)


def _is_sound(rows: pd.DataFrame) -> bool:
    index = rows.index
    return (
        isinstance(index, pd.DatetimeIndex)
        and len(index) > 0
        and bool(index.is_monotonic_increasing and index.is_unique)
        and bool((rows.dtypes == np.float64).all())
    )


def _reaches_back(kept: pd.Timestamp | None, wanted: pd.Timestamp | None) -> bool:
    return kept is None or (wanted is not None and kept <= wanted)


def _cut_rows(rows: pd.DataFrame, since: pd.Timestamp | None) -> pd.DataFrame:
    return rows if since is None else rows[rows.index >= since]


def _agrees(kept: pd.DataFrame, fetched: pd.DataFrame) -> bool:
    """Whether the first of the rows that were fetched again is what was kept."""
    if list(fetched.columns) != list(kept.columns) or not len(fetched):
        return False
    first = fetched.index[0]
    if first != kept.index[0]:
        return False
    return bool(
        np.allclose(kept.loc[first], fetched.loc[first], rtol=_NOISE, atol=0.0, equal_nan=True)
    )
