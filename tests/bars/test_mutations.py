"""Files that were damaged at random give bars or our error, soon, and never anything else."""

import datetime as dt
import functools
import gzip
import io
import json
import random
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pytest

from lstm_strategy.bars import load_bars, simulate_bars
from lstm_strategy.errors import BarsError

MOST_SECONDS = 5
PIECES = [
    *(b'",', b"\n", b"\r\n", b";", b"\t", b",", b".", b"-", b'"', b"'", b" ", b"\x00", b"\xff"),
    *(b"\xef\xbb\xbf", b"e9", b"nan", b"-inf", b"1e400", b"9" * 400, b"0000-01-01", b"+005"),
    *(
        b"\xe6\x97\xa5",
        b"1.234,5",
        b"24:00",
        b"2024-02-30",
        b"\x1b[2J",
        b"[" * 2000,
        b"{}",
        b"null",
    ),
]


@functools.cache
def fifty_bars() -> pd.DataFrame:
    bars = simulate_bars("noise", 50, seed=3).bars.round(2)
    return bars.set_axis(pd.bdate_range("2023-11-01", periods=50, name="Date"), axis=0)


def zip_of(text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("prices.csv", text)
    return buffer.getvalue()


def stored(frame: pd.DataFrame, kind: str) -> bytes:
    buffer = io.BytesIO()
    getattr(frame, f"to_{kind}")(buffer)
    return buffer.getvalue()


CELLS = [
    *("", "-", "x", "0", "-1", "1e154", "nan", "inf", "true", "2024-01-02", "12:30", "45293"),
    *("1,5", "1.234", "1.234,5", "$7", "7K", "7%", "9" * 300, "２", "\x1b[2J", "2024-01-02 09:30Z"),  # noqa: RUF001
    *("240102", "202401020930", "1704067200", "1704067200000", "31/12/2023", "12/31/23", "AAA"),
]
NAMES = [
    "",
    "Date",
    "time",
    "open",
    "Close",
    "vol",
    "Symbol",
    "unix",
    "52wh",
    "开盘",
    "open_x",
    "index",
]
VALUES = [None, 7, -1.5, 2**70, True, "12,5", "AAA", b"x", [1], {"a": 1}, pd.NaT, Decimal("1e400")]
VALUES += [dt.date(2024, 1, 2), dt.datetime(2024, 1, 2, tzinfo=dt.UTC), dt.time(9, 30), 1j]


@dataclass(frozen=True)
class Layout:
    """A file of text: its lines of cells, and how they become bytes."""

    text: str
    separator: str
    pack: Callable[[str], bytes]


@functools.cache
def layouts() -> dict[str, Layout]:
    """Files of the same bars in nine layouts of text, by their names."""
    bars = fifty_bars()
    plain = bars.to_csv()
    german = bars.set_axis(["Eröffn.", "Hoch", "Tief", "Zuletzt", "Vol."], axis=1)
    seconds = (bars.index - pd.Timestamp(0)) // pd.Timedelta(seconds=1)
    rows = [[int(s) * 1000, *row] for s, row in zip(seconds, bars.to_numpy().tolist(), strict=True)]
    timed = bars.reset_index().assign(Time="09:30:00", Symbol="AAA")
    both = pd.concat({"AAA": bars, "BBB": bars * 2}, axis=1).swaplevel(axis=1)
    german_text = german.to_csv(sep=";", decimal=",", date_format="%d.%m.%Y")
    klines = "".join(",".join(map(str, row)) + "\n" for row in rows)
    people = bars.map("{:,.2f}".format).to_csv(date_format="%b %d, %Y")
    return {
        "plain.csv": Layout(plain, ",", encode),
        "german.csv": Layout(german_text, ";", lambda text: text.encode("cp1252", "replace")),
        "utf16.txt": Layout(
            timed.to_csv(sep="\t", index=False), "\t", lambda t: t.encode("utf-16")
        ),
        "klines.csv": Layout(klines, ",", encode),
        "tickers.csv": Layout(both.to_csv(), ",", encode),
        "people.csv": Layout(people, ",", encode),
        "packed.csv.gz": Layout(plain, ",", lambda text: gzip.compress(encode(text))),
        "packed.zip": Layout(plain, ",", zip_of),
        "rows.json": Layout(json.dumps(rows), ",", encode),
    }


def encode(text: str) -> bytes:
    return text.encode()


def change_cells(layout: Layout, chance: random.Random) -> str:
    """The text with cells, columns or rows changed, moved or left out."""
    rows = [line.split(layout.separator) for line in layout.text.splitlines()]
    for _ in range(chance.randint(1, 3)):
        place, number = chance.randrange(len(rows[0])), chance.randrange(len(rows))
        cells = [chance.choice(CELLS) for _ in range(chance.randint(1, 2))]
        match chance.randrange(8):
            case 0:
                rows[number][place % len(rows[number])] = chance.choice(CELLS)
            case 1:
                rows[0][place] = chance.choice(NAMES)
            case 2:
                for row in rows[1:]:
                    row[place % len(row)] = chance.choice(cells)
            case 3:
                rows = [[*row, row[place % len(row)]] for row in rows]
            case 4 if len(rows[0]) > 2:
                rows = [row[:place] + row[place + 1 :] or [""] for row in rows]
            case 5:
                rows[1:] = chance.sample(rows[1:], len(rows) - 1)
            case 6:
                rows.insert(number, list(rows[chance.randrange(len(rows))]))
            case 7:
                rows = rows[: chance.randint(1, len(rows))]
    return "\n".join(layout.separator.join(row) for row in rows) + "\n" * chance.randrange(3)


def change_frame(frame: pd.DataFrame, chance: random.Random) -> pd.DataFrame:
    """A frame with columns of other kinds, names or orders."""
    for _ in range(chance.randint(1, 3)):
        name = chance.choice(list(frame.columns))
        values = chance.sample(VALUES, chance.randint(1, 2))
        match chance.randrange(5):
            case 0:
                column = pd.Series([chance.choice(values) for _ in frame.index], dtype=object)
                frame = frame.assign(**{name: column.set_axis(frame.index)})
            case 1:
                frame = frame.rename(columns={name: chance.choice(NAMES)})
                frame = frame.loc[:, ~frame.columns.duplicated()]
            case 2:
                frame = frame.sample(frac=chance.random(), random_state=chance.randrange(1000))
            case 3:
                frame = frame.assign(more=frame[name].astype(str))
            case 4:
                frame = frame.set_index(name) if len(frame.columns) > 1 else frame
    return frame


def damage(content: bytes, chance: random.Random) -> bytes:
    """The content with one or two pieces changed, cut out, put in, doubled or moved."""
    data = bytearray(content)
    for _ in range(chance.randint(1, 2)):
        start = chance.randrange(len(data) + 1)
        end = min(len(data), start + chance.choice([1, 1, 2, 5, 20, 200]))
        piece = data[start:end]
        match chance.randrange(6):
            case 0:
                data[start:end] = chance.randbytes(len(piece))
            case 1:
                del data[start:end]
            case 2:
                data[start:start] = chance.choice(PIECES)
            case 3:
                data[start:end] = chance.choice(PIECES)
            case 4:
                data[start:start] = piece
            case 5:
                del data[start:end]
                place = chance.randrange(len(data) + 1)
                data[place:place] = piece
    return bytes(data)


def damaged_file(chance: random.Random) -> tuple[str, bytes]:
    """The name and the content of a file of bars that was damaged somehow."""
    sources = layouts()
    name = chance.choice([*sources, "stored.parquet", "stored.feather"])
    if name in sources:
        layout = sources[name]
        kind = chance.random()
        text = layout.text if kind < 0.2 else change_cells(layout, chance)
        if 0.2 <= kind < 0.3:
            return name, layout.pack(damage(text.encode(), chance).decode(errors="replace"))
        packed = layout.pack(text)
        return name, damage(packed, chance) if kind < 0.2 else packed
    kind = name.rpartition(".")[2]
    frame = fifty_bars().reset_index()
    try:
        content = stored(change_frame(frame, chance).reset_index(), kind)
    except (pa.ArrowException, OverflowError, TypeError, ValueError):  # not to be stored
        content = stored(frame, kind)
    return name, damage(content, chance) if chance.random() < 0.3 else content


def try_mutations(folder, count: int, seed: int) -> dict[str, int]:
    """How many damaged files were loaded and refused; anything else is raised."""
    chance = random.Random(seed)
    outcomes = {"loaded": 0, "refused": 0}
    for number in range(count):
        name, content = damaged_file(chance)
        path = folder / name
        path.write_bytes(content)
        started = time.monotonic()
        try:
            bars = load_bars(path, repair=number % 3 == 0)
            assert bars.index.is_monotonic_increasing
            outcomes["loaded"] += 1
        except BarsError as error:
            assert str(error).isprintable()
            outcomes["refused"] += 1
        except Exception:
            (folder / f"kept-{number}-{name}").write_bytes(content)
            raise
        assert time.monotonic() - started < MOST_SECONDS
    return outcomes


def test_the_layouts_are_loaded_as_they_are(tmp_path):
    for name, layout in layouts().items():
        (tmp_path / name).write_bytes(layout.pack(layout.text))
        symbol = "BBB" if name == "tickers.csv" else None
        assert len(load_bars(tmp_path / name, symbol=symbol)) == 50


def test_damaged_files_give_bars_or_our_error(tmp_path):
    outcomes = try_mutations(tmp_path, 300, seed=1)
    assert min(outcomes.values()) > 30


@pytest.mark.slow
def test_many_damaged_files_give_bars_or_our_error(tmp_path):
    try_mutations(tmp_path, 5000, seed=2)
