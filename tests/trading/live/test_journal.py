"""A journal holds what was finished, whatever became of the process that wrote it."""

import errno
import json
import math
import os

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lstm_strategy.errors import JournalError
from lstm_strategy.support import sha256_of
from lstm_strategy.trading.live import Journal, read_journal

BARS = pd.DataFrame(
    {
        "open": [10.0, 11.0],
        "high": [12.0, 12.0],
        "low": [9.0, 10.0],
        "close": [11.0, 11.5],
        "volume": [5.0, 6.0],
    },
    index=pd.DatetimeIndex(["2024-01-02", "2024-01-03"], name="datetime"),
)
BAR = {"open": 11.0, "high": 13.0, "low": 10.5, "close": 12.0, "volume": 7.0}


def open_journal(folder, **changes):
    return Journal.open(folder, **{"model": "abc", "settings": {"cash": 1000.0}, **changes})


def write_bar(journal, day, **changes):
    date = f"2024-01-{day:02}T00:00:00"
    journal.append("bar", datetime=date, is_live=True, at=f"{date}Z", **{**BAR, **changes})
    journal.append("forecast", datetime=date, signal=0.5, forecast=0.1, uncertainty=float("nan"))
    journal.append("account", datetime=date, cash=0.1 + 0.2, equity=1000.0, position=2.0)
    journal.commit()


def begin(folder):
    with open_journal(folder) as journal:
        journal.append("run", event="start", at="2024-01-03T00:00:00Z")
        journal.append_history(BARS)
        journal.commit()
        write_bar(journal, 4)
        write_bar(journal, 5, close=11.25)
    return folder / "journal.jsonl"


def test_a_journal_gives_back_what_was_written(tmp_path):
    path = begin(tmp_path)
    with open_journal(tmp_path) as journal:
        journal.append(
            "order", datetime="2024-01-05T00:00:00", id=1, size=-2.5, type="Market", status="sent"
        )
        journal.append(
            "fill", datetime="2024-01-06T00:00:00", id=1, size=-2.5, price=12.0, commission=0.01
        )
        journal.append("note", at="2024-01-06T00:00:01Z", about="limit", text="too many orders")
        journal.commit()
    content = read_journal(path)
    pd.testing.assert_frame_equal(content.bars.iloc[:2], BARS, check_freq=False)
    assert content.bars["close"].tolist() == [11.0, 11.5, 12.0, 11.25]
    assert content.n_history == 2
    assert content.is_live.tolist() == [False, False, True, True]
    assert content.forecasts["signal"].tolist() == [0.5, 0.5]
    assert content.forecasts["uncertainty"].isna().all()
    assert content.accounts["cash"].tolist() == [0.1 + 0.2] * 2
    assert content.orders.iloc[0].to_dict() == {
        "id": 1.0, "size": -2.5, "type": "Market", "status": "sent",
    }  # fmt: skip
    assert content.fills.index[0] == pd.Timestamp("2024-01-06")
    assert content.notes["text"].tolist() == ["too many orders"]
    assert content.runs["at"].tolist() == [pd.Timestamp("2024-01-03", tz="UTC")]


def test_dates_keep_the_timezone_of_the_bars(tmp_path):
    zone = "America/New_York"
    with open_journal(tmp_path, zone=zone) as journal:
        journal.append_history(BARS.tz_localize(zone))
        journal.append("bar", datetime="2024-07-01T09:30:00-04:00", is_live=True, **BAR)
        journal.append("bar", datetime="2024-12-02T09:30:00-05:00", is_live=True, **BAR)
        journal.commit()
    dates = read_journal(tmp_path).bars.index
    assert str(dates.tz) == zone
    assert dates[-2:].tolist() == [
        pd.Timestamp("2024-07-01 09:30", tz=zone),
        pd.Timestamp("2024-12-02 09:30", tz=zone),
    ]


def test_wherever_a_write_is_cut_whole_bars_remain_and_the_next_session_goes_on(tmp_path):
    path = begin(tmp_path)
    whole = path.read_bytes()
    head = whole.index(b"\n") + 1
    ends = [place + 1 for place, byte in enumerate(whole) if byte == ord("\n")]
    for length in sorted({*range(0, len(whole), 53), *ends, *(end - 1 for end in ends)}):
        path.write_bytes(whole[:length])
        with open_journal(tmp_path) as journal:
            n_bars = len(journal.content.bars)
            assert n_bars == len(journal.content.forecasts) + journal.content.n_history
            assert journal.n_cut == (length - journal.content.n_bytes if length >= head else 0)
        left = path.read_bytes()
        assert whole.startswith(left)
        assert n_bars == max(len(journal.content.accounts), 0) + 2 * (b"history" in left)
    path.write_bytes(whole[:-5])
    with open_journal(tmp_path) as journal:
        write_bar(journal, 5, close=11.25)
    assert path.read_bytes() == whole


def test_what_waits_is_written_by_commit_alone(tmp_path):
    with open_journal(tmp_path) as journal:
        journal.append("note", at="2024-01-02T00:00:00Z", about="gap", text="dropped")
    assert read_journal(tmp_path).notes.empty


def test_a_full_disk_is_named_with_the_journal_which_stays_as_it_was(tmp_path, monkeypatch):
    path = begin(tmp_path)
    whole = path.read_bytes()
    write, left = os.write, [40]

    def fill(descriptor, content):
        if not left[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        n_bytes = write(descriptor, content[: left[0]])
        left[0] -= n_bytes
        return n_bytes

    with open_journal(tmp_path) as journal, monkeypatch.context() as patch:
        patch.setattr(os, "write", fill)
        with pytest.raises(OSError, match="No space left") as full:
            write_bar(journal, 6)
    assert full.value.filename == str(path)
    assert path.read_bytes() == whole


def test_one_session_at_a_time_has_a_journal(tmp_path):
    with open_journal(tmp_path), pytest.raises(JournalError, match="Another session writes to"):
        open_journal(tmp_path)
    open_journal(tmp_path).close()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"model": "def"}, "another model", id="model"),
        pytest.param({"zone": "UTC"}, "another timezone of the bars", id="zone"),
        pytest.param({"settings": {"cash": 2000.0}}, "another cash", id="changed setting"),
        pytest.param({"settings": {}}, "another cash", id="missing setting"),
    ],
)
def test_a_run_of_other_terms_is_not_gone_on_with(tmp_path, changes, message):
    path = begin(tmp_path)
    before = path.read_bytes()
    with pytest.raises(JournalError, match=message):
        open_journal(tmp_path, **changes)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        pytest.param(lambda lines: [b"{}\n", *lines[1:]], "isn't a journal", id="other file"),
        pytest.param(
            lambda lines: [lines[0].replace(b'"version": 1', b'"version": 9'), *lines[1:]],
            "has version 9",
            id="other version",
        ),
        pytest.param(lambda lines: [*lines[:3], b"x\n", *lines[3:]], "Line 4 of", id="no JSON"),
        pytest.param(
            lambda lines: [*lines[:3], b'{"kind": "bar"}\n', *lines[3:]],
            "Line 4 of .* has no datetime",
            id="missing field",
        ),
        pytest.param(
            lambda lines: [line.replace(b"2024-01-04T", b"2024-13-04T") for line in lines],
            r"values that a journal can't have \([^\n]* ISO8601 format\), so it was damaged or",
            id="no date",
        ),
        pytest.param(
            lambda lines: [line.replace(b'"history.parquet"', b'"\\u001b[2J"') for line in lines],
            r"names '\\x1b\[2J', which no history is called",
            id="name that a terminal obeys",
        ),
        pytest.param(
            lambda lines: [line.replace(b'"history.parquet"', b'"../x.parquet"') for line in lines],
            "outside of its folder",
            id="history elsewhere",
        ),
        pytest.param(
            lambda lines: [line.replace(b'"close": 12.0', b'"close": "12"') for line in lines],
            "Line 4 of .* has no close",
            id="text for a number",
        ),
    ],
)
def test_a_damaged_journal_is_refused(tmp_path, damage, message):
    path = begin(tmp_path)
    path.write_bytes(b"".join(damage(path.read_bytes().splitlines(keepends=True))))
    with pytest.raises(JournalError, match=message):
        read_journal(path)


def test_a_history_that_was_changed_is_refused(tmp_path):
    path = begin(tmp_path)
    BARS.assign(close=1.0).to_parquet(tmp_path / "history.parquet")
    with pytest.raises(JournalError, match="isn't the history"):
        read_journal(path)
    (tmp_path / "history.parquet").unlink()
    with pytest.raises(JournalError, match="can't be read"):
        read_journal(path)


def test_without_a_journal_there_is_one_clear_line(tmp_path):
    with pytest.raises(JournalError, match="there is no journal"):
        read_journal(tmp_path)


def test_a_record_of_no_kind_or_without_its_fields_is_refused(tmp_path):
    with open_journal(tmp_path) as journal:
        with pytest.raises(ValueError, match="needs a known kind and guess"):
            journal.append("guess")
        with pytest.raises(ValueError, match="needs a known kind and text"):
            journal.append("note", at="", about="")


def test_numbers_are_kept_to_the_last_digit(tmp_path):
    with open_journal(tmp_path) as journal:
        write_bar(journal, 4, close=11.1 + 1e-15, volume=math.pi * 1e12)
    row = read_journal(tmp_path).bars.iloc[0]
    assert (row["close"], row["volume"]) == (11.1 + 1e-15, math.pi * 1e12)
    assert json.loads((tmp_path / "journal.jsonl").read_text().splitlines()[1])["kind"] == "bar"


@pytest.mark.parametrize(
    "zone", ["dateutil//etc/passwd", "/etc/passwd", "America", "A" * 5_000, "Mars/Base", 7, ["UTC"]]
)
def test_a_head_with_something_else_than_a_timezone_is_refused(tmp_path, zone):
    path = begin(tmp_path)
    head, _, records = path.read_text().partition("\n")
    path.write_text(f"{json.dumps({**json.loads(head), 'zone': zone})}\n{records}")
    with pytest.raises(JournalError, match="is no timezone"):
        read_journal(path)


def name_twice(description):
    description["columns"][1]["name"] = "open"


def forget_dates(description):
    description["index_columns"] = []


@pytest.mark.parametrize("damage", [name_twice, forget_dates])
def test_a_history_that_is_no_bars_is_refused_though_its_digest_matches(tmp_path, damage):
    path = begin(tmp_path)
    table = pa.Table.from_pandas(BARS)
    description = json.loads(table.schema.metadata[b"pandas"])
    damage(description)
    changed = table.replace_schema_metadata({b"pandas": json.dumps(description).encode()})
    pq.write_table(changed, tmp_path / "history.parquet")
    digest = sha256_of((tmp_path / "history.parquet").read_bytes())
    records = [json.loads(line) for line in path.read_text().splitlines()]
    resealed = [{**each, "sha256": digest} if "sha256" in each else each for each in records]
    path.write_text("".join(f"{json.dumps(each)}\n" for each in resealed))
    with pytest.raises(JournalError, match="isn't the history that the journal was begun with"):
        read_journal(path)
