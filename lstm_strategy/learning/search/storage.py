"""Where a search is kept, so that it goes on after a stop and several processes can share it."""

import json
import logging
import os
import platform
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import BaseStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from lstm_strategy.errors import TrainingError, lacks_memory
from lstm_strategy.learning.search.storage_errors import (
    damaged_study,
    error_of_storage,
    is_of_database,
    reason_of,
    unusable_storage,
    without_password,
)
from lstm_strategy.support import parse_json, read_whole, sha256_of, write_json

log = logging.getLogger(__name__)

STUDY_FILE, FORECASTS_FOLDER = "study.json", "forecasts"
JOURNAL = "journal:"
HEARTBEAT_SECONDS, GRACE_SECONDS = 30, 120
_LARGEST_STUDY = 2**20  # bytes
_MOST_RETRIES = 3
_TRIES_TO_OPEN = 8
_WORKER, _RETRIES = "worker", "retries"
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


def study_key(identity: Mapping[str, str]) -> str:
    """A digest that is the same for the same bars, space, objective, folds and forecaster."""
    return sha256_of(json.dumps(dict(identity), sort_keys=True))


def claim_search_folder(folder: Path, identity: Mapping[str, str]) -> None:
    """Take a new or empty folder for a search, or the one of the very same search.

    Raises:
        TrainingError: If it holds something else, or trials with other bars, space and so on.
    """
    file = folder / STUDY_FILE
    parts = {name: sha256_of(value) for name, value in identity.items()}
    if file.is_file() and _is_same(folder, file, parts):
        return
    if not file.is_file() and folder.exists() and (not folder.is_dir() or _foreign_files(folder)):
        raise TrainingError(
            f"{folder} holds something else, so nothing is written there. Choose another folder."
        )
    write_json(file, parts)


def open_storage(storage: str | None, folder: Path | None) -> BaseStorage:
    """Open the storage of a URL, of a journal file, of the folder, or in memory.

    Raises:
        TrainingError: If the URL can't be used, or if the study is damaged; a password in a URL
            isn't repeated.
    """
    if storage is None and folder is None:
        return optuna.storages.InMemoryStorage()
    storage = _name_storage(storage, folder)
    try:
        if storage.startswith(JOURNAL):
            return _open_journal(storage)
        return _open_database(storage)
    except TrainingError:
        raise
    except (LookupError, ValueError, ImportError, OSError) as error:
        raise unusable_storage(storage, error) from error
    except Exception as error:
        if lacks_memory(error):
            raise
        if is_of_database(error):
            raise unusable_storage(storage, error) from error
        raise damaged_study(storage, error) from error  # whatever damage makes of Optuna


def open_study(
    storage: str | None, opened: BaseStorage, *, direction: str = "minimize", **settings: Any
) -> optuna.Study:
    """Create a study, or go on with that of the storage, whose trials can be read.

    Args:
        storage: What the storage is called.
        opened: The storage.
        direction: "minimize" or "maximize", as it was when the study began.
        settings: Other arguments of `optuna.create_study`.

    Raises:
        TrainingError: If the study is damaged.
    """
    try:
        study = optuna.create_study(
            storage=opened, load_if_exists=True, direction=direction, **settings
        )
        study.get_trials(deepcopy=False)
        kept = [each.name.lower() for each in study.directions]
        if kept != [direction]:
            raise ValueError(f"its direction is {' and '.join(kept) or 'gone'}, not {direction}")
    except Exception as error:  # whatever damage makes of Optuna
        if is_of_database(error) or isinstance(error, OSError) or lacks_memory(error):
            raise
        raise damaged_study(storage, error) from error
    return study


@contextmanager
def explain_lost_storage(storage: str | None, folder: Path | None) -> Iterator[None]:
    """Raise our error where a storage that was opened can't be read or written any more.

    Raises:
        TrainingError: Naming the storage, with what it says itself.
    """
    try:
        yield
    except Exception as error:
        lost = error_of_storage(error)
        if lost is None:
            raise
        place = without_password(_name_storage(storage, folder))
        raise TrainingError(
            f"The search can't be kept in {place} any more: {reason_of(lost)}. Make room there, "
            "or bring it back, and run the same command again: finished trials are kept."
        ) from error


def _name_storage(storage: str | None, folder: Path | None) -> str:
    if storage is None and folder is not None:
        return f"sqlite:///{folder.absolute() / 'study.db'}"
    return storage or "memory"


def _open_journal(storage: str) -> BaseStorage:
    path = Path(storage.removeprefix(JOURNAL))
    path.parent.mkdir(parents=True, exist_ok=True)
    backend = JournalFileBackend(str(path))
    try:
        return optuna.storages.JournalStorage(backend)
    except Exception as error:  # whatever damage makes of Optuna, which reads all lines here
        if isinstance(error, OSError) or lacks_memory(error):
            raise
        raise damaged_study(storage, error) from error


class _Database(RDBStorage):  # type: ignore[misc]  # the types of Optuna aren't read
    """A database whose heartbeats may fail: what is wrong, the trial itself will say."""

    def record_heartbeat(self, trial_id: int) -> None:
        """Note that a trial is worked on; in a thread, whose errors would fill the screen."""
        try:
            super().record_heartbeat(trial_id)
        except Exception as error:
            log.debug("The heartbeat of trial %d can't be kept: %s", trial_id, error)


def _open_database(url: str) -> RDBStorage:
    # two processes that start at once make the tables at once, and one of them comes too late
    waits = {"connect_args": {"timeout": 60}} if url.startswith("sqlite") else {}
    for attempt in range(_TRIES_TO_OPEN):
        try:
            return _Database(
                url,
                engine_kwargs={"pool_pre_ping": True, **waits},
                heartbeat_interval=HEARTBEAT_SECONDS,
                grace_period=GRACE_SECONDS,
                heartbeat_stale_trial_callback=_queue_again,
            )
        except Exception as error:
            is_race = any(word in str(error).lower() for word in ("exists", "locked", "unique"))
            if not is_race or attempt == _TRIES_TO_OPEN - 1:
                raise
            time.sleep(0.2 * (attempt + 1))
    raise AssertionError("the last attempt returns or raises")


def queue_trial(study: optuna.Study) -> None:
    """Queue a trial that shows from its first moment on which process works on it."""
    if not trials_in(study, TrialState.WAITING):
        study.enqueue_trial({}, user_attrs={_WORKER: _this_process()})


def mark_worker(trial: optuna.Trial) -> None:
    """Keep in a trial which process works on it, in case another one has queued it."""
    if trial.user_attrs.get(_WORKER) != _this_process():
        trial.set_user_attr(_WORKER, _this_process())


def retry_dead_trials(study: optuna.Study) -> None:
    """Queue again the trials whose process is gone: ended on this machine, or silent on another."""
    optuna.storages.fail_stale_trials(study)
    for trial in trials_in(study, TrialState.RUNNING):
        if _is_dead(trial):
            study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)
            _queue_again(study, trial)


def trials_in(study: optuna.Study, *states: TrialState) -> list[FrozenTrial]:
    """The trials in one of these states, by number."""
    trials: list[FrozenTrial] = study.get_trials(deepcopy=False, states=states)
    return trials


def is_waited_for(trial: FrozenTrial, *, has_heartbeat: bool) -> bool:
    """Whether a running trial will end or be found dead: in a journal, only on this machine."""
    worker = _worker_of(trial)
    return has_heartbeat or (worker is not None and worker["host"] == _host())


def _queue_again(study: optuna.Study, trial: FrozenTrial) -> None:
    # without its parameters, unlike Optuna's own callback: the sampler comes to the same ones
    n_retries = trial.user_attrs.get(_RETRIES, 0)
    # a setting that kills its process must not do so for ever; nor must a count that was damaged
    if isinstance(n_retries, int) and n_retries < _MOST_RETRIES:
        attrs = {_RETRIES: n_retries + 1, _WORKER: _this_process()}
        study.enqueue_trial({}, user_attrs=attrs)


def _is_dead(trial: FrozenTrial) -> bool:
    worker = _worker_of(trial)
    if worker is None:  # killed before it could say who it is
        started = trial.datetime_start or datetime.now()
        return (datetime.now() - started).total_seconds() > GRACE_SECONDS
    if worker["host"] != _host():
        return False
    return worker["pid"] == os.getpid() or not _is_running(worker["pid"])


def _worker_of(trial: FrozenTrial) -> dict[str, Any] | None:
    """The host and the process that work on a trial; None where it doesn't say, or is damaged."""
    worker = trial.user_attrs.get(_WORKER)
    if not isinstance(worker, dict) or not isinstance(pid := worker.get("pid"), int):
        return None
    return worker if 0 < pid < 2**31 and "host" in worker else None


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    # killed, but its parent hasn't asked for its end yet
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return False


def _this_process() -> dict[str, Any]:
    return {"host": _host(), "pid": os.getpid()}


def _host() -> str:
    return f"{platform.node()} {uuid.getnode():x}"


def _foreign_files(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if not path.name.startswith(f".{STUDY_FILE}.")]


def _is_same(folder: Path, file: Path, parts: Mapping[str, str]) -> bool:
    """Whether the folder is that of this search; another one that came to nothing may be taken."""
    try:
        earlier = parse_json(read_whole(file, largest=_LARGEST_STUDY))
        other = next((name for name in parts if earlier[name] != parts[name]), None)
    except (OSError, ValueError, KeyError, TypeError):
        other = "content"
    if other is not None and (folder / FORECASTS_FOLDER).exists():
        raise TrainingError(
            f"{folder} holds a search that differs in its {other}. Choose another folder, or "
            "remove that one yourself."
        )
    return other is None
