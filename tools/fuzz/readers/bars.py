"""Files of prices: layouts of text, JSON, Parquet and feather."""

import bz2
import gzip
import io
import json
import random
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq

from lstm_strategy import load_bars
from tools.fuzz.mutations import damage_bytes, damage_json
from tools.fuzz.readers.reader import BARS, Reader, damaged_file

PACKERS: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "bz2": bz2.compress}


@cache
def text_files() -> dict[str, bytes]:
    """The same bars in every layout of text, by the name of the file."""
    bars = BARS.iloc[:30]
    both = pd.concat({"AAA": bars, "BBB": bars * 2}, axis=1).swaplevel(axis=1).to_csv()
    plain = bars.to_csv()
    return {
        "plain.csv": plain.encode(),
        "german.csv": bars.to_csv(sep=";", decimal=",", date_format="%d.%m.%Y").encode("cp1252"),
        "utf16.txt": bars.to_csv(sep="\t").encode("utf-16"),
        "tickers.csv": both.encode(),
        "headless.csv": plain.partition("\n")[2].encode(),
        "packed.csv.gz": gzip.compress(plain.encode()),
        "packed.csv.bz2": bz2.compress(plain.encode()),
    }


@cache
def json_files() -> dict[str, bytes]:
    """The same bars in every layout of JSON, by the name of the file."""
    bars = BARS.iloc[:30]
    records = json.loads(bars.reset_index().to_json(orient="records", date_format="iso"))
    return {
        "records.json": json.dumps(records).encode(),
        "split.json": bars.reset_index()
        .to_json(orient="split", index=False, date_format="epoch")
        .encode(),
        "columns.json": bars.to_json(date_format="epoch").encode(),
        "markets.json": json.dumps({"AAA": records, "BBB": records}).encode(),
    }


@cache
def columnar_file(kind: str) -> bytes:
    """Fifty bars as the bytes of a Parquet or feather file."""
    file = io.BytesIO()
    frame = BARS.iloc[:50].reset_index()
    getattr(frame, f"to_{kind}")(file)
    return file.getvalue()


def damage_columnar(kind: str, content: bytes, chance: random.Random) -> bytes:
    """A Parquet or feather file with other bytes, or with another description of its columns."""
    if chance.random() < 0.7:
        return damage_bytes(content, chance)
    source, file = pa.BufferReader(content), io.BytesIO()
    table = pq.read_table(source) if kind == "parquet" else pyarrow.feather.read_table(source)
    names = dict(table.schema.metadata or {})
    name = chance.choice(list(names))
    table = table.replace_schema_metadata({**names, name: damage_json(names[name], chance)})
    write = pq.write_table if kind == "parquet" else pyarrow.feather.write_feather
    write(table, file)
    return file.getvalue()


def write_text(folder: Path, chance: random.Random) -> None:
    """A damaged file in one of the layouts of text; a packed one is mostly damaged inside."""
    name, content = chance.choice(list(text_files().items()))
    pack = PACKERS.get(name.rpartition(".")[2])
    if pack is not None and chance.random() < 0.7:
        damaged = pack(damage_bytes(text_files()["plain.csv"], chance))
    else:
        damaged = damage_bytes(content, chance)
    (folder / name).write_bytes(damaged)


def write_json(folder: Path, chance: random.Random) -> None:
    """A damaged file in one of the layouts of JSON."""
    name, content = chance.choice(list(json_files().items()))
    (folder / name).write_bytes(damage_json(content, chance))


def read_bars_in(folder: Path) -> object:
    """The bars of the one file in a folder."""
    return load_bars(next(folder.iterdir()), repair=True)


BARS_READERS = {
    "text": Reader(write_text, read_bars_in),
    "json": Reader(write_json, read_bars_in),
    **{
        kind: Reader(
            damaged_file(
                f"bars.{kind}", partial(columnar_file, kind), partial(damage_columnar, kind)
            ),
            read_bars_in,
        )
        for kind in ("parquet", "feather")
    },
}
