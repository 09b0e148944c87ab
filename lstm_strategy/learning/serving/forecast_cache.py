"""Forecasts that were made before: of the same model, on the same bars.

Sweeping thresholds, costs and stops, or running an optimisation in several processes, asks a model
for the same forecasts again and again. They are kept in memory and on disk under a name that any
change to the model, the bars, the libraries or the code behind them changes.

The files lie in the user's own cache folder, or in the folder that the environment variable
`LSTM_STRATEGY_CACHE` names; with the value `off` nothing is kept anywhere. They hold numbers
only and are never unpickled. (diskcache and joblib.Memory unpickle what they find; joblib.Memory
doesn't bound its size by itself either.)

What is trusted is the user's own account: a file counts if that account owns it and no other may
write it, and if its digest is that of its name and its numbers. So in a folder that others may
write to they can remove forecasts, but neither make them nor exchange one for another.
"""

import hashlib
import json
import logging
import math
import os
import re
import stat
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, overload

import numpy as np
import pandas as pd

from lstm_strategy.bars import Panel, bars_fingerprint, is_panel, name_market, validate_bars
from lstm_strategy.errors import ModelError
from lstm_strategy.learning.forecaster import (
    COMPLETE_COLUMNS,
    Forecaster,
    complete_forecasts,
    validate_markets,
)
from lstm_strategy.support import (
    library_versions,
    open_regular,
    sha256_of,
    user_cache_folder,
    write_whole,
)

log = logging.getLogger(__name__)

FOLDER_VARIABLE = "LSTM_STRATEGY_CACHE"
LARGEST_IN_MEMORY = 64 * 2**20
LARGEST_ON_DISK = 256 * 2**20
"""Bytes; beyond them, the forecasts that were not asked for the longest go."""

_ENDING = ".forecast"
_OWN_FILE = re.compile(rf"[0-9a-f]{{64}}\{_ENDING}")
_OWN_PART = re.compile(rf"\.[0-9a-f]{{64}}\{_ENDING}\.[0-9a-f]+\.part")
_SECONDS_TO_FINISH = 3_600
_DIGEST_BYTES = 32
_FLOAT = np.dtype("<f8")
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_PACKAGE = Path(__file__).parents[2]
_ROOMS_BEHIND_FORECASTS = ("bars", "learning", "support")


@overload
def forecast_with_cache(forecaster: Forecaster, bars: pd.DataFrame) -> pd.DataFrame: ...


@overload
def forecast_with_cache(
    forecaster: Forecaster, bars: Mapping[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]: ...


def forecast_with_cache(
    forecaster: Forecaster, bars: pd.DataFrame | Mapping[str, pd.DataFrame]
) -> pd.DataFrame | dict[str, pd.DataFrame]:
    """Forecast `bars`, from the cache if the same forecaster was asked for them before.

    Args:
        forecaster: Any forecaster. Only those with a `fingerprint` are cached.
        bars: Bars with at least the forecaster's `bars_columns`; or a panel of them by symbol. A
            forecaster that doesn't take panels is asked about each of its markets.

    Returns:
        What `forecaster.forecast(bars)` gives; a copy that the caller may change.

    Raises:
        LSTMStrategyError: What `forecast` raises.

    Example:
        >>> from lstm_strategy import LSTMForecaster, sample_bars
        >>> model = LSTMForecaster().fit(sample_bars("sp500"))  # doctest: +SKIP
        >>> forecast_with_cache(model, sample_bars("sp500")).columns.tolist()  # doctest: +SKIP
        ['signal', 'forecast', 'uncertainty', 'novelty']
    """
    if is_panel(bars):
        return _forecast_markets(forecaster, validate_markets(bars))
    fingerprint, folder = forecaster.fingerprint, _cache_folder()
    if fingerprint is None or folder is None:
        return _ask(forecaster, bars)
    bars = validate_bars(bars, may_stand_still=True)
    forecaster.warn_of_other_bars(bars)
    kept = _Kept(folder, _cache_name(fingerprint, bars))
    values = kept.get(len(bars))
    if values is None:
        values = kept.put(_ask(forecaster, bars))
    return pd.DataFrame(values.copy(), index=bars.index, columns=COMPLETE_COLUMNS)


def _forecast_markets(forecaster: Any, panel: Panel) -> dict[str, pd.DataFrame]:
    """The forecasts of each market of a panel; those of all are made if one's aren't kept."""
    if not forecaster.takes_panels:
        frames = {}
        for symbol, bars in panel.items():
            with name_market(symbol):
                frames[symbol] = forecast_with_cache(forecaster, bars)
        return frames
    fingerprint, folder = forecaster.fingerprint, _cache_folder()
    if fingerprint is None or folder is None:
        return _ask_of_panel(forecaster, panel)
    # what is forecast of a market may depend on all the others
    kept = {
        symbol: _Kept(folder, _cache_name(f"{fingerprint} {panel.fingerprint} {symbol}", bars))
        for symbol, bars in panel.items()
    }
    values = {symbol: of.get(len(panel[symbol])) for symbol, of in kept.items()}
    if any(of is None for of in values.values()):
        made = _ask_of_panel(forecaster, panel)
        values = {symbol: of.put(made[symbol]) for symbol, of in kept.items()}
    return {
        symbol: pd.DataFrame(np.array(of), index=panel[symbol].index, columns=COMPLETE_COLUMNS)
        for symbol, of in values.items()
    }


def _ask(forecaster: Forecaster, bars: pd.DataFrame) -> pd.DataFrame:
    return complete_forecasts(forecaster.forecast(bars), bars, forecaster)


def _ask_of_panel(forecaster: Any, panel: Panel) -> dict[str, pd.DataFrame]:
    """The forecasts of each market of a panel, by a model that takes panels."""
    answer: Any = forecaster.forecast(panel)
    lacking = [name for name in panel if not isinstance(answer, Mapping) or name not in answer]
    if lacking:
        raise ModelError(
            f"forecast of {type(forecaster).__name__} must give a frame of each market by its "
            f"symbol, and gives none of {lacking[0]}."
        )
    return {
        symbol: complete_forecasts(answer[symbol], bars, forecaster)
        for symbol, bars in panel.items()
    }


@dataclass(frozen=True)
class _Kept:
    """Where the forecasts of some bars are kept, in memory and in a folder."""

    folder: Path
    name: str

    def get(self, n_bars: int) -> np.ndarray | None:
        """The forecasts of as many bars; None where they aren't kept."""
        values = _memory.get(self.name)
        if values is None:
            values = self._files.get(self.name, shape=(n_bars, len(COMPLETE_COLUMNS)))
        if values is not None:
            _memory.put(self.name, values)
        return values

    def put(self, frame: pd.DataFrame) -> np.ndarray:
        """Keep forecasts, and return their values."""
        values = frame[COMPLETE_COLUMNS].to_numpy(np.float64)
        self._files.put(self.name, values)
        _memory.put(self.name, values)
        return values

    @property
    def _files(self) -> "ForecastFiles":
        return ForecastFiles(self.folder, largest_bytes=LARGEST_ON_DISK)


def _cache_folder() -> Path | None:
    """Where forecasts are kept; None where nothing is kept."""
    folder = os.environ.get(FOLDER_VARIABLE, "")
    if folder.lower() in ("off", "0", "no", "false"):
        return None
    if not folder:
        return user_cache_folder()
    try:
        return Path(folder).expanduser()
    except RuntimeError:  # ~ of a user who has no home
        return None


def _cache_name(fingerprint: str, bars: pd.DataFrame) -> str:
    # a feature that restarts each day depends on the time zone, the fingerprint doesn't
    zone = str(pd.DatetimeIndex(bars.index).tz)
    parts = [fingerprint, bars_fingerprint(bars), zone, _versions(), digest_of_code(_PACKAGE)]
    return sha256_of(json.dumps(parts))


@cache
def _versions() -> dict[str, str]:
    return library_versions()  # reading them takes a while, and they don't change


@cache
def digest_of_code(package: Path) -> str:
    """A digest of the code that makes forecasts, so that they don't outlive a change to it."""
    digest = hashlib.sha256()
    for room in _ROOMS_BEHIND_FORECASTS:
        for file in sorted((package / room).rglob("*.py")):
            digest.update(file.relative_to(package).as_posix().encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()


class ForecastMemory:
    """Arrays by name, within this process; those that were asked for last are kept."""

    def __init__(self, *, largest_bytes: int) -> None:
        self._largest_bytes = largest_bytes
        self._arrays: OrderedDict[str, np.ndarray] = OrderedDict()
        self._lock = Lock()

    def get(self, name: str) -> np.ndarray | None:
        """Return the array of this name, or None where it is gone."""
        with self._lock:
            if name in self._arrays:
                self._arrays.move_to_end(name)
            return self._arrays.get(name)

    def put(self, name: str, values: np.ndarray) -> None:
        """Keep an array, and drop others where they have become too many."""
        with self._lock:
            self._arrays[name] = values
            self._arrays.move_to_end(name)
            while sum(array.nbytes for array in self._arrays.values()) > self._largest_bytes:
                self._arrays.popitem(last=False)


_memory = ForecastMemory(largest_bytes=LARGEST_IN_MEMORY)


class ForecastFiles:
    """Arrays by name, a SHA-256 digest, in files that several processes may use at once.

    A file appears whole or not at all, and begins with the digest of its name and its numbers: one
    that was damaged, removed or put there by another account counts as never written. Where nothing
    can be written, nothing is kept.
    """

    def __init__(self, folder: Path, *, largest_bytes: int) -> None:
        self._folder, self._largest_bytes = folder, largest_bytes

    def get(self, name: str, *, shape: tuple[int, ...]) -> np.ndarray | None:
        """Return the array of this name and shape, or None where there is none."""
        path = self._folder / f"{name}{_ENDING}"
        n_bytes = _DIGEST_BYTES + math.prod(shape) * _FLOAT.itemsize
        try:
            with open_regular(path) as file:
                status = os.fstat(file.fileno())
                if status.st_size != n_bytes or not _is_own(status):
                    return None
                content = file.read(n_bytes)
        except OSError:
            return None
        digest, numbers = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
        if len(content) != n_bytes or _digest(name, numbers) != digest:
            _remove(path)
            return None
        try:
            os.utime(path)  # the time of a file is the time of its last use
        except OSError as error:
            log.debug("%s can't be marked as used: %s", path, error)
        return np.frombuffer(numbers, _FLOAT).reshape(shape).astype(np.float64)

    def put(self, name: str, values: np.ndarray) -> None:
        """Keep an array, and remove the files unused for the longest where they are too many."""
        numbers = values.astype(_FLOAT).tobytes()
        if len(numbers) > self._largest_bytes // 2:
            return
        try:
            content = _digest(name, numbers) + numbers
            write_whole(self._folder / f"{name}{_ENDING}", content, mode=0o600)
            self._remove_oldest()
        except OSError as error:
            log.info("Forecasts can't be kept in %s: %s", self._folder, error)

    def _remove_oldest(self) -> None:
        n_bytes = 0
        for path, size, _ in sorted(self._own_files(), key=lambda file: file[2], reverse=True):
            n_bytes += size
            if n_bytes > self._largest_bytes:
                _remove(path)

    def _own_files(self) -> Iterator[tuple[Path, int, float]]:
        """The files of the cache and when they were last used; nothing else that lies there."""
        for path in self._folder.iterdir():
            try:
                status = path.lstat()
            except OSError:  # another process has just removed it
                continue
            if _OWN_FILE.fullmatch(path.name):
                yield path, status.st_size, status.st_mtime
            is_old = time.time() - status.st_mtime > _SECONDS_TO_FINISH
            if is_old and _OWN_PART.fullmatch(path.name):
                _remove(path)  # its writer has died


def _digest(name: str, numbers: bytes) -> bytes:
    return hashlib.sha256(name.encode() + numbers).digest()


def _is_own(status: os.stat_result) -> bool:
    """Whether a file is this account's alone; where there are no such accounts, it is."""
    if not hasattr(os, "geteuid"):
        return True
    return status.st_uid == os.geteuid() and not status.st_mode & _WRITABLE_BY_OTHERS


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log.debug("%s can't be removed: %s", path, error)
