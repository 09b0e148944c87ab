import json
import sqlite3
from typing import Any

import optuna
import pytest
from sqlalchemy.exc import OperationalError

from lstm_strategy import LSTMStrategyError
from lstm_strategy.learning.search.storage import (
    explain_lost_storage,
    open_storage,
    open_study,
    retry_dead_trials,
)

DENIED = OSError(13, "Denied", "bars.csv")


def lose_database():
    """Raise what Optuna raises where its database can't be written."""
    try:
        reason = sqlite3.OperationalError("database or disk is full")
        raise OperationalError("INSERT INTO trials", {}, reason)
    except OperationalError as error:
        raise optuna.exceptions.StorageInternalError("This typically happens ...") from error


def lose_journal():
    raise OSError(28, "No space left on device")


def lose_the_end_of_a_trial():
    """Raise what Optuna raises where a trial's score can't be written: an assertion hides it."""
    try:
        lose_database()
    finally:
        raise AssertionError("Should not reach.")


@pytest.mark.parametrize(
    ("lose", "message"),
    [
        pytest.param(lose_database, r"study.db any more: database or disk is full\.", id="sqlite"),
        pytest.param(
            lose_the_end_of_a_trial,
            r"study.db any more: database or disk is full\.",
            id="end of a trial",
        ),
        pytest.param(
            lose_journal, r"study.db any more: .* No space left on device\.", id="journal"
        ),
    ],
)
def test_a_storage_without_room_is_named_with_how_to_go_on(tmp_path, lose, message):
    with (
        pytest.raises(LSTMStrategyError, match=message + " Make room there.* run the same"),
        explain_lost_storage(None, tmp_path),
    ):
        lose()


def test_other_errors_of_a_search_stay_what_they_are(tmp_path):
    for error in (optuna.TrialPruned(), ValueError("units"), AssertionError("short"), DENIED):
        with pytest.raises(type(error)), explain_lost_storage(None, tmp_path):
            raise error


def test_a_study_is_not_called_damaged_where_memory_ran_out(monkeypatch):
    def fail(**_):
        raise MemoryError

    monkeypatch.setattr(optuna, "create_study", fail)
    with pytest.raises(MemoryError):
        open_study(None, open_storage(None, None))


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_a_heartbeat_that_can_not_be_kept_ends_nothing(tmp_path, monkeypatch):
    storage: Any = open_storage(None, tmp_path)
    monkeypatch.setattr(optuna.storages.RDBStorage, "record_heartbeat", lambda *_: lose_database())
    storage.record_heartbeat(0)


CREATE = {"op_code": 0, "worker_id": "w", "study_name": "s", "directions": [1]}
ADD = {
    **{"op_code": 4, "worker_id": "w", "study_id": 0, "state": 1, "value": 0.5, "values": None},
    **dict.fromkeys(("datetime_start", "datetime_complete"), "2024-01-02T00:00:00+00:00"),
    **{"distributions": {}, "params": {}, "user_attrs": {}, "system_attrs": {}},
    "intermediate_values": {},
}


def write_journal(folder, *records):
    """A journal of Optuna's with a study and its trials; returns its name as a storage."""
    lines = (record if isinstance(record, str) else json.dumps(record) for record in records)
    (folder / "study.journal").write_text("\n".join(lines) + "\n")
    return f"journal:{folder / 'study.journal'}"


@pytest.mark.parametrize(
    "records",
    [
        pytest.param((CREATE | {"op_code": "x"}, ADD), id="no such operation"),
        pytest.param((CREATE | {"directions": 7}, ADD), id="a number for a list"),
        pytest.param((CREATE, ADD | {"params": []}), id="a list for a mapping"),
        pytest.param((CREATE, ADD | {"state": 9}), id="no such state"),
        pytest.param((CREATE, ADD | {"datetime_complete": "x"}), id="no date"),
        pytest.param((CREATE, {"op_code": 4}), id="keys that are gone"),
        pytest.param((CREATE, '{"op_code": ', ADD), id="half a line in between"),
        pytest.param((CREATE, "7", ADD), id="a number for a line"),
        pytest.param((CREATE | {"directions": []}, ADD), id="no direction"),
        pytest.param((CREATE | {"directions": [1, 2]}, ADD), id="two directions"),
        pytest.param((CREATE | {"directions": [2]}, ADD), id="the other direction"),
    ],
)
def test_a_damaged_journal_is_said_to_be_damaged(tmp_path, records):
    storage = write_journal(tmp_path, *records)
    with pytest.raises(
        LSTMStrategyError, match=r"^The study in journal:.* is damaged \(.*Restore it"
    ):
        open_study(storage, open_storage(storage, None), study_name="s", direction="minimize")


def test_a_whole_journal_gives_its_trials(tmp_path):
    storage = write_journal(tmp_path, CREATE, ADD)
    study = open_study(storage, open_storage(storage, None), study_name="s", direction="minimize")
    assert [trial.value for trial in study.get_trials()] == [0.5]


def test_a_database_that_makes_something_else_of_optuna_is_said_to_be_damaged(
    tmp_path, monkeypatch
):
    def fail(*_, **__):
        raise RecursionError("maximum recursion depth exceeded")

    monkeypatch.setattr(optuna.storages.RDBStorage, "__init__", fail)
    with pytest.raises(LSTMStrategyError, match=r"^The study in sqlite:.* is damaged \(Recursion"):
        open_storage(None, tmp_path)


RUNNING = {name: value for name, value in ADD.items() if name != "datetime_complete"} | {
    "state": 0,
    "value": None,
}


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
@pytest.mark.parametrize(
    "worker", [7, [], {}, {"host": "h"}, {"host": "h", "pid": "x"}, {"host": "h", "pid": -1}]
)
def test_a_trial_that_names_no_process_is_queued_again_once_it_is_old(tmp_path, worker):
    storage = write_journal(tmp_path, CREATE, RUNNING | {"user_attrs": {"worker": worker}})
    study = open_study(storage, open_storage(storage, None), study_name="s", direction="minimize")
    retry_dead_trials(study)
    assert [trial.state.name for trial in study.get_trials()] == ["FAIL", "WAITING"]


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_a_trial_with_a_damaged_count_of_retries_is_not_queued_again(tmp_path):
    storage = write_journal(tmp_path, CREATE, RUNNING | {"user_attrs": {"retries": "many"}})
    study = open_study(storage, open_storage(storage, None), study_name="s", direction="minimize")
    retry_dead_trials(study)
    assert [trial.state.name for trial in study.get_trials()] == ["FAIL"]
