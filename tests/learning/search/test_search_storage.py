import sqlite3
from typing import Any

import optuna
import pytest
from sqlalchemy.exc import OperationalError

from lstm_strategy import LSTMStrategyError
from lstm_strategy.learning.search.storage import explain_lost_storage, open_storage

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


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_a_heartbeat_that_can_not_be_kept_ends_nothing(tmp_path, monkeypatch):
    storage: Any = open_storage(None, tmp_path)
    monkeypatch.setattr(optuna.storages.RDBStorage, "record_heartbeat", lambda *_: lose_database())
    storage.record_heartbeat(0)
