"""What runs keep for later ones: the journal of a live run, downloads, and studies."""

import contextlib
import json
import random
import sqlite3
import tempfile
import warnings
from functools import cache, partial
from pathlib import Path
from unittest import mock

from lstm_strategy.bars.sources.download import DownloadCache
from lstm_strategy.support import sha256_of
from lstm_strategy.trading.live import Journal, read_journal
from tools.fuzz.mutations import VALUES, damage_bytes, damage_json
from tools.fuzz.readers.bars import damage_columnar
from tools.fuzz.readers.reader import BARS, Reader, damaged_file, damaged_line


@cache
def journal_files() -> dict[str, bytes]:
    """The files of a live run."""
    with tempfile.TemporaryDirectory() as folder:
        with Journal.open(folder, model="abc", settings={"cash": 1000.0}) as kept:
            kept.append("run", event="start", at="2024-01-03T00:00:00Z")
            kept.append_history(BARS.iloc[:5])
            kept.commit()
            for date in BARS.index[5:8]:
                moment = date.isoformat()
                kept.append("bar", datetime=moment, is_live=True, at=moment, **BARS.loc[date])
                numbers = {"signal": 0.5, "forecast": 0.1, "uncertainty": 0.1}
                kept.append("forecast", datetime=moment, **numbers)
                kept.append("order", datetime=moment, id=1, size=1.0, type="Market", status="sent")
                kept.append("account", datetime=moment, cash=1.0, equity=1000.0, position=2.0)
                kept.commit()
        return {file.name: file.read_bytes() for file in Path(folder).iterdir() if file.is_file()}


def write_journal(folder: Path, chance: random.Random) -> None:
    """A journal with a damaged line, or with a damaged history whose digest matches."""
    files = dict(journal_files())
    history = next(name for name in files if name.endswith(".parquet"))
    if chance.random() < 0.2:
        old = sha256_of(files[history])
        files[history] = damage_columnar("parquet", files[history], chance)
        new = sha256_of(files[history])
        files["journal.jsonl"] = files["journal.jsonl"].replace(old.encode(), new.encode())
    else:
        files["journal.jsonl"] = damaged_line(files["journal.jsonl"], damage_json, chance)
    for name, content in files.items():
        (folder / name).write_bytes(content)


DOWNLOAD = DownloadCache("yahoo:SPY bars")


def extend_download(folder: Path) -> object:
    """Extend a download that is kept in a folder, or begin one."""
    place = folder / "kept.parquet"
    with mock.patch.object(DownloadCache, "path", place):
        return DOWNLOAD.extend(
            lambda since: BARS.iloc[:50] if since is None else BARS[since:][:9], None
        )


@cache
def download() -> bytes:
    """A download that was kept."""
    with tempfile.TemporaryDirectory() as folder:
        extend_download(Path(folder))
        return (Path(folder) / "kept.parquet").read_bytes()


def open_study(folder: Path) -> object:
    """Open the study of a folder as a search does, and read its trials."""
    from lstm_strategy.learning import search

    name = "study.db" if (folder / "study.db").exists() else "study.journal"
    storage = f"sqlite:///{folder}/{name}" if name == "study.db" else f"journal:{folder}/{name}"
    with search.explain_lost_storage(storage, folder):
        study = search.open_study(storage, search.open_storage(storage, None), study_name="s")
        return study.get_trials()


@cache
def study_files() -> dict[str, bytes]:
    """A study in each kind of storage, with a trial."""
    import optuna

    from lstm_strategy.learning.search import open_storage

    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for storage in (f"journal:{folder}/study.journal", f"sqlite:///{folder}/study.db"):
            study = optuna.create_study(study_name="s", storage=open_storage(storage, None))
            study.add_trial(
                optuna.create_trial(
                    value=1.0,
                    params={"units": 8, "rate": 0.1},
                    distributions={
                        "units": optuna.distributions.CategoricalDistribution([8, 16]),
                        "rate": optuna.distributions.FloatDistribution(0.01, 1.0, log=True),
                    },
                    user_attrs={"folds": [0.5, 0.6]},
                    intermediate_values={0: 0.5},
                )
            )
            study.set_user_attr("a", 1)
        return {file.name: file.read_bytes() for file in Path(folder).iterdir()}


def damage_database(content: bytes, chance: random.Random) -> bytes:
    """A database of SQLite with another value in one of its cells."""
    database = sqlite3.connect(":memory:")
    database.deserialize(content)
    tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    columns = [
        (table, column[1])
        for (table,) in tables
        for column in database.execute(f"PRAGMA table_info({table})")
    ]
    table, column = chance.choice(columns)
    value = chance.choice([each for each in VALUES if isinstance(each, str | float | None)])
    word = json.dumps(chance.choice(VALUES)) if chance.random() < 0.4 else value
    with contextlib.suppress(sqlite3.Error, UnicodeError):  # some tables refuse some values
        database.execute(f"UPDATE {table} SET {column} = ?", (word,))
        database.commit()
    return database.serialize()


def write_study(folder: Path, chance: random.Random) -> None:
    """A damaged storage of a study."""
    name = chance.choice(["study.journal", "study.journal", "study.db"])
    content = study_files()[name]
    if name == "study.db" and chance.random() < 0.6:
        damaged = damage_database(content, chance)
    elif name == "study.journal" and chance.random() < 0.7:
        damaged = damaged_line(content, damage_json, chance)
    else:
        damaged = damage_bytes(content, chance)
    (folder / name).write_bytes(damaged)


KEPT_READERS = {
    "journal": Reader(write_journal, read_journal),
    "download": Reader(
        damaged_file("kept.parquet", download, partial(damage_columnar, "parquet")), extend_download
    ),
    "study": Reader(write_study, open_study, is_fast=False),
}
