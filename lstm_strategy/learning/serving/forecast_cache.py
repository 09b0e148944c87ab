"""Forecasts that were made before: of the same model, on the same bars.

Sweeping thresholds, costs and stops, or running an optimisation in several processes, asks a model
for the same forecasts again and again. They are kept in memory and on disk under a name that any
change to the model, the bars, the libraries or the code behind them changes.

The files lie in the user's own cache folder, or in the folder that the environment variable
``LSTM_STRATEGY_CACHE`` names; with the value ``off`` nothing is kept anywhere. They hold numbers
only and are never unpickled. (diskcache and joblib.Memory unpickle what they find; joblib.Memory
doesn't bound its size by itself either.)
"""

import hashlib
import io
import json
import logging
import os
import tempfile
import time
from collections import OrderedDict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pandas as pd

from lstm_strategy.bars import bars_fingerprint, validate_bars
from lstm_strategy.support import library_versions

log = logging.getLogger(__name__)

FOLDER_VARIABLE = "LSTM_STRATEGY_CACHE"
LARGEST_IN_MEMORY = 64 * 2**20
LARGEST_ON_DISK = 256 * 2**20
"""Bytes; beyond them the forecasts go that were not asked for the longest."""

_ENDING, _UNFINISHED = ".forecast", ".unfinished-"
_SECONDS_TO_FINISH = 3_600
_DIGEST_BYTES = 32


def forecast_with_cache(forecaster: Any, bars: pd.DataFrame) -> pd.DataFrame:
    """What ``forecaster.forecast(bars)`` gives, from the cache if it was asked before.

    Only forecasters with a ``fingerprint`` are cached. Raises what ``forecast`` raises.
    """
    fingerprint = getattr(forecaster, "fingerprint", None)
    folder = _folder()
    if fingerprint is None or folder is None:
        return forecaster.forecast(bars)
    bars = validate_bars(bars)
    name = _name(fingerprint, bars)
    files = ForecastFiles(folder, largest_bytes=LARGEST_ON_DISK)
    values = _memory.get(name)
    if values is None:
        values = files.get(name)
    if values is None:
        frame: pd.DataFrame = forecaster.forecast(bars)
        values = frame.to_numpy(np.float64)
        files.put(name, values)
    _memory.put(name, values)
    from lstm_strategy.learning.forecaster import FORECAST_COLUMNS

    return pd.DataFrame(values.copy(), index=bars.index, columns=FORECAST_COLUMNS)


def _folder() -> Path | None:
    """Where forecasts are kept; None where nothing is kept."""
    named = os.environ.get(FOLDER_VARIABLE, "")
    if named.lower() in ("off", "0", "no", "false"):
        return None
    if named:
        return Path(named).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("lstm-strategy", appauthor=False)


def _name(fingerprint: str, bars: pd.DataFrame) -> str:
    # a feature that begins anew each day depends on the time zone, the fingerprint doesn't
    zone = str(pd.DatetimeIndex(bars.index).tz)
    described = [fingerprint, bars_fingerprint(bars), zone, _versions(), _code()]
    return hashlib.sha256(json.dumps(described).encode()).hexdigest()


@cache
def _versions() -> dict[str, str]:
    return library_versions()  # reading them takes a while, and they don't change


@cache
def _code() -> str:
    """A digest of the code that makes forecasts, so that they don't outlive a change to it."""
    digest = hashlib.sha256()
    package = Path(__file__).parents[1]
    for file in sorted([*package.glob("bars/*.py"), *package.glob("learning/*.py")]):
        digest.update(file.read_bytes())
    return digest.hexdigest()


class ForecastMemory:
    """Arrays by name, within this process; those asked for last are kept."""

    def __init__(self, *, largest_bytes: int) -> None:
        self._largest_bytes = largest_bytes
        self._arrays: OrderedDict[str, np.ndarray] = OrderedDict()
        self._lock = Lock()

    def get(self, name: str) -> np.ndarray | None:
        """The array of this name, if it is still there."""
        with self._lock:
            if name in self._arrays:
                self._arrays.move_to_end(name)
            return self._arrays.get(name)

    def put(self, name: str, values: np.ndarray) -> None:
        """Keep an array, and let go of others where they have become too many."""
        with self._lock:
            self._arrays[name] = values
            self._arrays.move_to_end(name)
            while sum(array.nbytes for array in self._arrays.values()) > self._largest_bytes:
                self._arrays.popitem(last=False)


_memory = ForecastMemory(largest_bytes=LARGEST_IN_MEMORY)


class ForecastFiles:
    """Arrays by name, in files that several processes may read, write and remove at once.

    A file appears whole or not at all, and begins with the digest of its content: what was
    damaged or removed meanwhile counts as never written. Where nothing can be written, nothing is
    kept.
    """

    def __init__(self, folder: Path, *, largest_bytes: int) -> None:
        self._folder, self._largest_bytes = folder, largest_bytes

    def get(self, name: str) -> np.ndarray | None:
        """The array of this name, if it is still there."""
        path = self._folder / f"{name}{_ENDING}"
        try:
            content = path.read_bytes()
        except OSError:
            return None
        digest, array = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
        if hashlib.sha256(array).digest() != digest:
            _removed(path)
            return None
        try:
            os.utime(path)  # the time of a file is the time of its last use
        except OSError as error:
            log.debug("%s can't be marked as used: %s", path, error)
        values: np.ndarray = np.load(io.BytesIO(array), allow_pickle=False)
        return values

    def put(self, name: str, values: np.ndarray) -> None:
        """Keep an array, and remove the files unused for the longest where they are too many."""
        written = io.BytesIO()
        np.save(written, values, allow_pickle=False)
        array = written.getvalue()
        if len(array) > self._largest_bytes // 2:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._write(name, hashlib.sha256(array).digest() + array)
            self._remove_oldest()
        except OSError as error:
            log.info("Forecasts can't be kept in %s: %s", self._folder, error)

    def _write(self, name: str, content: bytes) -> None:
        handle, unfinished = tempfile.mkstemp(prefix=_UNFINISHED, dir=self._folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(unfinished).replace(self._folder / f"{name}{_ENDING}")
        except BaseException:
            _removed(Path(unfinished))
            raise

    def _remove_oldest(self) -> None:
        n_bytes = 0
        for path, size, _ in sorted(self._own_files(), key=lambda file: file[2], reverse=True):
            n_bytes += size
            if n_bytes > self._largest_bytes:
                _removed(path)

    def _own_files(self) -> Iterator[tuple[Path, int, float]]:
        """The files of the cache and when they were last used; nothing else that lies there."""
        for path in self._folder.iterdir():
            try:
                found = path.stat()
            except OSError:  # another process has just removed it
                continue
            if path.suffix == _ENDING:
                yield path, found.st_size, found.st_mtime
            age = time.time() - found.st_mtime
            if path.name.startswith(_UNFINISHED) and age > _SECONDS_TO_FINISH:
                _removed(path)  # its writer has died


def _removed(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log.debug("%s can't be removed: %s", path, error)
