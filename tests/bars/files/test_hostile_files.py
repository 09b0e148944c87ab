"""A file of a stranger is read or refused; it never fills the memory, and never takes for ever."""

import bz2
import gzip
import io
import json
import lzma
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from lstm_strategy import LSTMStrategyError, load_bars
from lstm_strategy.bars.files import content as files_content
from lstm_strategy.support.tables import frame_from_feather, frame_from_parquet

HEADER = b"date,open,high,low,close,volume\n"
ROWS = b"2024-01-02,10,12,9,11,5\n2024-01-03,11,13,10,12,6\n2024-01-04,12,14,11,13,7\n"
PRICES = {"open": [10.0, 11], "high": [12.0, 13], "low": [9.0, 10], "close": [11.0, 12]}


def packed_zeros(pack, n_bytes=2**22):
    return pack(HEADER + ROWS + bytes(n_bytes))


def zip_of(name, content=HEADER + ROWS):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return file.getvalue()


def parquet_of(**columns):
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


def feather_of(compression="zstd", **columns):
    file = io.BytesIO()
    pyarrow.feather.write_feather(pa.table(columns), file, compression=compression)
    return file.getvalue()


def long_words(n_rows=2_000):
    """A word of a megabyte on every row, stored once."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(n_rows, "i4")), ["x" * 10**6])


def with_claimed_rows(content, n_rows):
    """A Parquet file whose footer claims more rows than there are."""
    claim, wrong = (7 << 1, n_rows << 1)  # as Thrift writes integers
    footer = content.rfind(bytes([0x16, claim]))
    assert footer > 0
    digits = bytearray()
    while wrong > 127:
        digits.append(wrong & 127 | 128)
        wrong >>= 7
    digits.append(wrong)
    changed = content[: footer + 1] + digits + content[footer + 2 :]
    size = int.from_bytes(content[-8:-4], "little") + len(digits) - 1
    return changed[:-8] + size.to_bytes(4, "little") + b"PAR1"


def different_records(n_records):
    return [{"date": "2024-01-02", f"name_{number}": 1} for number in range(n_records)]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("p.csv.gz", lambda: packed_zeros(gzip.compress), "100 times as large"),
        ("p.csv.bz2", lambda: packed_zeros(bz2.compress), "100 times as large"),
        ("p.csv.xz", lambda: packed_zeros(lzma.compress), "100 times as large"),
        ("p.zip", lambda: packed_zeros(lambda data: zip_of("p.csv", data)), "100 times as large"),
        ("p.parquet", lambda: parquet_of(date=pa.nulls(10**8)), "100 times as large"),
        ("p.parquet", lambda: parquet_of(date=long_words()), "100 times as large"),
        ("p.parquet", lambda: parquet_of(date=np.zeros(2 * 10**7)), "100 times as large"),
        (
            "p.parquet",
            lambda: with_claimed_rows(parquet_of(a=list(range(7))), 10**9),
            "100 times as large",
        ),
        ("p.feather", lambda: feather_of(date=pa.nulls(10**8)), "100 times as large"),
        ("p.feather", lambda: feather_of(date=long_words()), "100 times as large"),
        ("p.feather", lambda: feather_of(date=np.zeros(2 * 10**7)), "100 times as large"),
        ("p.json", lambda: json.dumps(different_records(3_000)).encode(), "the same names"),
        (
            "p.json",
            lambda: json.dumps({f"c{n}": {f"r{n}": 1} for n in range(3_000)}).encode(),
            "the same names",
        ),
        (
            "p.json",
            lambda: json.dumps({"columns": ["open"], "data": different_records(3_000)}).encode(),
            "the same names",
        ),
        ("p.csv", lambda: b"," * 30_000 + b"\n" + b"1," * 30_000, "at most 20,000 columns"),
    ],
    ids=[
        *("gzip", "bzip2", "xz", "zip", "nulls", "words", "zeros", "claimed rows"),
        *("feather nulls", "feather words", "feather zeros"),
        *("records", "columns", "split", "wide"),
    ],
)
def test_what_would_become_far_larger_than_its_file_is_refused(
    tmp_path, monkeypatch, name, content, message
):
    monkeypatch.setattr(files_content, "_SMALL_BYTES", 2**20)  # or the packing takes seconds
    path = tmp_path / name
    path.write_bytes(content())
    assert path.stat().st_size < 3 * 2**20
    with pytest.raises(LSTMStrategyError, match=message):
        load_bars(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        pytest.param("p.json", b"[" * 100_000, "recursion|too deep", id="nested lists"),
        pytest.param("p.json", b'{"a":' * 100_000, "recursion|too deep", id="nested names"),
        pytest.param("p.json", b"[[" + b"9" * 10**6 + b"]]", "can't be read", id="digits"),
        pytest.param("p.csv", HEADER + b"9" * 10**7 + b",1,1,1,1,1\n", "can't be cut", id="line"),
        pytest.param("p.csv", HEADER + bytes(5_000), "no line of at least", id="NUL"),
        pytest.param("p.csv", b"\xff\xfe" + HEADER + ROWS, "column names", id="no UTF-16"),
        pytest.param("p.csv", b"\xff\xfe" + HEADER[:-1], "can't be read as utf-16", id="odd"),
        pytest.param("p.zip", zip_of("../../etc/p.csv"), "outside of it", id="path upwards"),
        pytest.param("p.zip", zip_of("/etc/p.csv"), "outside of it", id="absolute path"),
    ],
)
def test_what_is_no_file_of_bars_is_refused(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(LSTMStrategyError, match=message):
        load_bars(path)


def test_a_mark_in_front_and_utf_16_change_nothing(tmp_path):
    expected = [11.0, 12.0, 13.0]
    text = (HEADER + ROWS).decode()
    for encoding in ("utf-8-sig", "utf-16", "utf-16-le", "utf-32"):
        (tmp_path / "p.csv").write_bytes(text.encode(encoding))
        assert load_bars(tmp_path / "p.csv")["close"].tolist() == expected


@pytest.mark.parametrize("store", [parquet_of, feather_of])
def test_columns_of_lists_and_records_are_left_out(tmp_path, store, caplog):
    dates = pd.to_datetime(["2024-01-02", "2024-01-03"])
    path = tmp_path / f"p.{store.__name__.removesuffix('_of')}"
    path.write_bytes(
        store(date=dates, **PRICES, volume=[5, 6], trades=[[1], [2]], book=[{"bid": 1}] * 2)
    )
    assert load_bars(path).columns.tolist() == ["open", "high", "low", "close", "volume"]
    assert "left out the columns trades, book" in caplog.text


@pytest.mark.parametrize("store", [parquet_of, feather_of])
def test_words_that_are_stored_once_are_read(tmp_path, store):
    dates = pd.to_datetime(["2024-01-02", "2024-01-03"])
    path = tmp_path / f"p.{store.__name__.removesuffix('_of')}"
    symbols = pa.array(["SPY", "SPY"]).dictionary_encode()
    path.write_bytes(store(date=dates, **PRICES, volume=[5, 6], symbol=symbols))
    assert load_bars(path)["close"].tolist() == [11.0, 12.0]


def test_many_columns_of_one_name_are_numbered(tmp_path):
    names, numbers = b",x" * 300, b",1" * 300
    (tmp_path / "p.csv").write_bytes(
        HEADER[:-1] + names + b"\n" + b"".join(row + numbers + b"\n" for row in ROWS.splitlines())
    )
    assert load_bars(tmp_path / "p.csv").columns[-1] == "x_300"


@pytest.mark.parametrize("cell", [[1, 2], {"a": 1}, [[]]], ids=["list", "record", "nested"])
@pytest.mark.parametrize("name", ["date", "close", "volume"])
def test_a_list_or_record_in_a_cell_is_named(tmp_path, name, cell):
    rows = [
        {"date": f"2024-01-0{day}", "open": 2, "high": 3, "low": 1, "close": 2, "volume": 5}
        for day in (1, 2, 3)
    ]
    (tmp_path / "p.json").write_text(json.dumps([rows[0], {**rows[1], name: cell}, rows[2]]))
    with pytest.raises(LSTMStrategyError, match=name):
        load_bars(tmp_path / "p.json")


def described_as(**description):
    """Bars whose description for pandas says something else of the first column, or of all."""
    table = pa.Table.from_pandas(pd.DataFrame({"date": ["2024-01-02", "2024-01-03"], **PRICES}))
    content = json.loads(table.schema.metadata[b"pandas"])
    content[description.pop("part")][0].update(description)
    return table.replace_schema_metadata({b"pandas": json.dumps(content).encode()})


ZONE = "dateutil//etc/passwd"
ZONES = {
    "type": lambda: described_as(part="columns", numpy_type=f"datetime64[ns, {ZONE}]"),
    "type of Arrow": lambda: described_as(
        part="columns", numpy_type=f"timestamp[ns, tz={ZONE}][pyarrow]"
    ),
    "labels": lambda: described_as(
        part="column_indexes", pandas_type="datetimetz", metadata={"timezone": ZONE}
    ),
    "column": lambda: pa.table({"date": pa.array([1, 2], pa.timestamp("us", ZONE)), **PRICES}),
}


@pytest.mark.parametrize("store", [pq.write_table, pyarrow.feather.write_feather])
@pytest.mark.parametrize("table", ZONES.values(), ids=ZONES)
def test_a_timezone_of_a_table_opens_no_file(tmp_path, store, table):
    path = tmp_path / ("p.parquet" if store is pq.write_table else "p.feather")
    store(table(), path)
    with pytest.raises(LSTMStrategyError, match="a file as the timezone"):
        load_bars(path)


def damages_of(content, store):
    """Bytes to change where a file says what is in it, and what they become."""
    if store is feather_of:
        return [(place, 0xFF) for place in range(4, 500, 4)]
    footer = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    in_pages = [(place, damage) for place in range(4, 44) for damage in (0x00, 0x7F, 0xFF)]
    in_schema = [(place, 0x00) for place in range(footer, footer + 140)]
    return [*in_pages, *in_schema, *((place, 0xFF) for place in range(footer, len(content), 2))]


@pytest.mark.parametrize(
    ("store", "read"), [(parquet_of, frame_from_parquet), (feather_of, frame_from_feather)]
)
def test_one_damaged_byte_ends_in_a_table_or_an_error(store, read):
    content = store(date=pd.to_datetime(["2024-01-02", "2024-01-03"]), **PRICES, volume=[5, 6])
    n_refused = 0
    for place, damage in damages_of(content, store):  # one 0 made pyarrow end the whole process
        try:
            assert len(read(content[:place] + bytes([damage]) + content[place + 1 :])) == 2
        except ValueError:
            n_refused += 1
    assert n_refused > 50


def test_a_table_of_no_rows_is_said_to_be_empty(tmp_path):
    empty = dict.fromkeys(PRICES, pd.Series([], dtype=float))
    table = pd.DataFrame({"date": pd.to_datetime([]), **empty, "symbol": pd.Series([], dtype=str)})
    table.to_parquet(tmp_path / "p.parquet")
    with pytest.raises(LSTMStrategyError, match="there are no bars: 0 rows"):
        load_bars(tmp_path / "p.parquet")


def test_many_columns_in_many_groups_of_rows_are_read():
    frame = pd.DataFrame({f"c{n}": np.arange(40.0) + n for n in range(30)}).assign(name="SPY")
    file = io.BytesIO()
    frame.to_parquet(file, row_group_size=2)
    pd.testing.assert_frame_equal(frame_from_parquet(file.getvalue()), frame)
