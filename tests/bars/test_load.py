"""Bars from files, frames and samples."""

import json
import re
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from bar_files import DAYS, assert_same_bars, dated_csv, three_bars, write_file

from lstm_strategy.bars import simulate_bars
from lstm_strategy.bars.load import load_bars, read_bars, sample_bars
from lstm_strategy.bars.validation import validate_bars
from lstm_strategy.errors import BarsError


@pytest.mark.parametrize(
    "header",
    [
        "Date,Open,High,Low,Close,Volume",
        "Datetime,open,high,low,close,volume",
        "Timestamp,OPEN,HIGH,LOW,CLOSE,VOLUME",
        "time,o,h,l,c,v",
        '"Open time","Open price","High price","Low price","Close price","Vol."',
        "OpenTime,openPrice,highPrice,lowPrice,closePrice,Vol",
        "date,Open,High,Low,Close,Volume BTC",
        "timestamp,1. open,2. high,3. low,4. close,5. volume",
        "<DATE>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>",
        "Date,Open,High,Low,Close/Last,Volume",
        "Date,Open,High,Low,Price,Vol.",
        ",open,high,low,close,volume",
    ],
)
def test_the_usual_spellings_of_columns_are_known(tmp_path, header):
    path = write_file(tmp_path, dated_csv(header, DAYS))
    assert_same_bars(load_bars(path), three_bars())
    assert_same_bars(load_bars(str(path)), three_bars())


def test_a_semicolon_file_with_decimal_commas_is_read(tmp_path):
    path = write_file(
        tmp_path,
        """
        Date;Open;High;Low;Close;Volume
        02.01.2024;10,0;12,0;9,0;11,0;500
        03.01.2024;11,0;13,0;10,0;12,0;400
        16.01.2024;12,5;14,0;11,25;13,0;1200
        """,
    )
    assert_same_bars(load_bars(path), three_bars())


def test_an_exchange_file_with_an_address_on_top_and_the_newest_bar_first_is_read(tmp_path):
    path = write_file(
        tmp_path,
        """
        https://www.example.com
        Unix,Date,Symbol,Open,High,Low,Close,Volume BTC,Volume USD
        1705363200,2024-01-16 00:00:00,BTC/USD,12.5,14,11.25,13,1200,15600
        1704240000,2024-01-03 00:00:00,BTC/USD,11,13,10,12,400,4800
        1704153600,2024-01-02 00:00:00,BTC/USD,10,12,9,11,500,5500
        """,
    )
    found, notes = read_bars(path)
    assert_same_bars(found, three_bars().assign(volume_usd=[5500.0, 4800.0, 15600.0]))
    assert notes == (
        "Volume BTC was read as the volume",
        "left out the columns Unix, Symbol",
        "the newest bar came first; the order was reversed",
    )


def test_numbers_written_for_people_are_read(tmp_path):
    path = write_file(
        tmp_path,
        """
        Date,Price,Open,High,Low,Vol.,Change %
        "Jan 16, 2024",$13.00,12.50,14.00,11.25,1.20K,0.10%
        "Jan 03, 2024",$12.00,11.00,13.00,10.00,400,-0.20%
        "Jan 02, 2024",$11.00,10.00,12.00,9.00,500,0.30%
        """,
    )
    found, notes = read_bars(path)
    assert_same_bars(found, three_bars().assign(change=[0.003, -0.002, 0.001]))
    assert "the percents in column Change % were read as fractions" in notes


def test_extra_columns_keep_their_gaps_and_get_plain_names(tmp_path):
    path = write_file(
        tmp_path,
        """
        Date,Open,High,Low,Close,Volume,Funding Rate,markPrice
        2024-01-02,10,12,9,11,500,0.0001,11.5
        2024-01-03,11,13,10,12,400,,12.5
        2024-01-16,12.5,14,11.25,13,1200,-0.0002,
        """,
    )
    expected = three_bars().assign(
        funding_rate=[0.0001, np.nan, -0.0002], mark_price=[11.5, 12.5, np.nan]
    )
    assert_same_bars(load_bars(path), expected)


ADJUSTED_CSV = """
Date,Open,High,Low,Close,Adj Close,Volume
2024-01-02,10,12,9,11,5.5,500
2024-01-03,11,13,10,12,6,400
2024-01-16,12.5,14,11.25,13,13,1200
"""


def test_adjusting_scales_the_four_prices_and_leaves_volume(tmp_path):
    # A split of two for one before the last bar: the first two bars are halved.
    expected = three_bars()
    expected.iloc[:2, :4] /= 2
    assert_same_bars(load_bars(write_file(tmp_path, ADJUSTED_CSV), adjusted=True), expected)


def test_without_adjusting_the_adjusted_close_is_left_out(tmp_path):
    assert_same_bars(load_bars(write_file(tmp_path, ADJUSTED_CSV)), three_bars())


def test_prices_that_are_not_adjusted_are_told_of_with_the_remedy(tmp_path):
    path = write_file(tmp_path, ADJUSTED_CSV)
    note = (
        "the prices aren't adjusted for dividends and splits as the column of adjusted closes is; "
        "adjusted=True scales them by it"
    )
    assert read_bars(path).notes == (note,)
    assert read_bars(path, adjusted=True).notes == ()


def test_adjusted_closes_that_are_the_closes_are_not_told_of(tmp_path):
    same = ADJUSTED_CSV.replace("11,5.5,", "11,11,").replace("12,6,", "12,12,")
    assert read_bars(write_file(tmp_path, same)).notes == ()


def test_adjusting_without_an_adjusted_close_is_refused():
    with pytest.raises(BarsError, match=r"adjusted=True needs .* such as Adj Close, found: open"):
        load_bars(three_bars(), adjusted=True)


def test_a_csv_gives_back_the_very_same_numbers(tmp_path):
    generator = np.random.default_rng(7)
    bars = three_bars()
    bars["close"] += generator.random(3)
    bars["tiny"] = generator.random(3) * 1e-17
    bars.to_csv(tmp_path / "prices.csv")
    assert_same_bars(load_bars(tmp_path / "prices.csv"), bars)


@pytest.mark.parametrize(
    "stored",
    [
        pytest.param(lambda bars: bars, id="dates in the index"),
        pytest.param(lambda bars: bars.rename_axis("Date").reset_index(), id="dates in a column"),
        pytest.param(lambda bars: bars.rename(columns=str.title), id="capital letters"),
        pytest.param(
            lambda bars: bars.assign(date=bars.index.date).reset_index(drop=True), id="plain dates"
        ),
    ],
)
def test_parquet_is_read(tmp_path, stored):
    stored(three_bars()).to_parquet(tmp_path / "prices.parquet")
    assert_same_bars(load_bars(tmp_path / "prices.parquet"), three_bars())


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_timezones_are_kept(tmp_path, zone):
    bars = three_bars().tz_localize(zone)
    assert_same_bars(load_bars(bars), bars)
    bars.to_parquet(tmp_path / "prices.parquet")
    assert_same_bars(load_bars(tmp_path / "prices.parquet"), bars)


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(three_bars(), id="bars"),
        pytest.param(three_bars().rename_axis("Date").reset_index(), id="a date column"),
        pytest.param(three_bars().set_axis(DAYS, axis=0), id="text in the index"),
        pytest.param(
            pd.concat({"SPY": three_bars().rename(columns=str.title)}, axis=1).swaplevel(axis=1),
            id="columns of one asset",
        ),
    ],
)
def test_a_frame_is_loaded_and_left_as_it_was(frame):
    before = frame.copy(deep=True)
    assert_same_bars(load_bars(frame), three_bars())
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize("name", ["sp500", "nasdaq"])
def test_samples_are_real_daily_bars(name):
    bars = sample_bars(name)
    assert bars.shape == (5031, 5)
    assert str(bars.index[0].date()) == "1999-01-04"
    assert bars.index.tz is None
    pd.testing.assert_frame_equal(load_bars(f"sample:{name}"), bars)
    pd.testing.assert_frame_equal(validate_bars(load_bars(f"sample:{name}", adjusted=True)), bars)


def test_the_first_day_of_the_sample_is_the_published_one():
    first = sample_bars("sp500").iloc[0]
    assert first.to_dict() == {
        "open": 1229.22998,
        "high": 1248.810059,
        "low": 1219.099976,
        "close": 1228.099976,
        "volume": 877000000.0,
    }


HEADER = "Date,Open,High,Low,Close,Volume\n"
FIRST_ROW = "2024-01-02,10,12,9,11,500\n"

BAD_FILES = {
    "no dates": (
        "n,Open,High,Low,Close,Volume\n" + FIRST_ROW.replace("2024-01-02", "7"),
        "there is no column of dates such as Date, Datetime or Timestamp (found: n, Volume). Name",
    ),
    "unreadable dates": (
        HEADER + FIRST_ROW.replace("2024-01-02", "first of May"),
        "line 2, column Date: the date 'first of May' can't be read (1 such row). Write dates as",
    ),
    "text among prices": (
        HEADER + FIRST_ROW + "2024-01-03,11,13,10,twelve,400\n",
        "line 3, column Close: 'twelve' isn't a number (1 such row). Turn it into one, with a",
    ),
    "text among extras": (
        "Date,Open,High,Low,Close,Volume,mark\n"
        "2024-01-02,10,12,9,11,500,11\n2024-01-03,11,13,10,12,400,none yet\n"
        "2024-01-04,11,13,10,12,400,12\n",
        "line 3, column mark: 'none yet' isn't a number, and most of that column is numbers",
    ),
    "a gap": (
        HEADER + FIRST_ROW + "2024-01-03,11,13,10,,400\n",
        "line 3: close is NaN at 2024-01-03 (1 such row). Fill or drop those rows. Or let",
    ),
    "no order": (
        HEADER + FIRST_ROW + "2024-01-04,11,13,10,12,400\n2024-01-03,11,13,10,12,400\n",
        "line 4: the date goes back to 2024-01-03 after 2024-01-04 (1 such row). Sort the bars.",
    ),
    "one date twice": (
        HEADER + FIRST_ROW + FIRST_ROW.replace("11,500", "11.5,500"),
        "line 3: the date is repeated at 2024-01-02 (1 such row). Keep one bar per date. Or let",
    ),
    "no date": (
        HEADER + FIRST_ROW + ",11,13,10,12,400\n",
        "line 3: the date is missing (1 such row). Drop those rows. Or let repair=True do it.",
    ),
    "a repeated column": (
        "Date,Open,High,Low,Close,Close,Volume\n2024-01-02,10,12,9,11,11,500\n",
        "column Close occurs more than once. Rename the others.",
    ),
    "a header only": (HEADER, "there are no bars: 0 rows"),
    "nothing": ("", "the file is empty. Download it again, or check what wrote it."),
    "line breaks alone": ("\n\n", "the file is empty. Download it again"),
    "no names": ("1,2,3\n", "has no line of at least five column names. Add one such as Date,Open"),
}


@pytest.mark.parametrize(("text", "message"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_bad_file_is_refused_by_name_with_the_remedy(tmp_path, text, message):
    path = write_file(tmp_path, text)
    with pytest.raises(BarsError) as refused:
        load_bars(path)
    assert message in str(refused.value)
    assert str(refused.value).startswith(str(path))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        pytest.param(
            "stooq:SPY",
            r"there is no source stooq: .* save those prices to a CSV or Parquet file",
            id="another site",
        ),
        pytest.param("sample:dax", "must be one of sp500, nasdaq, got 'dax'", id="unknown sample"),
        pytest.param("nowhere/prices.csv", "there is no file nowhere", id="no file"),
        pytest.param("prices.xlsx", r"must end in \.csv.*got 'prices.xlsx'", id="a workbook"),
        pytest.param(7, "a DataFrame or a sample's name, got int", id="a number"),
        pytest.param(
            pd.concat({"SPY": three_bars(), "QQQ": three_bars()}, axis=1).swaplevel(axis=1),
            r"those of 2 markets \(SPY, QQQ\)\. Choose one: symbol=\"SPY\"",
            id="two assets",
        ),
    ],
)
def test_a_source_that_cannot_be_read_is_refused_with_the_remedy(source, message):
    with pytest.raises(BarsError, match=message):
        load_bars(source)


def test_damaged_files_are_refused_in_one_line(tmp_path):
    for name in ("a.parquet", "a.csv", "a.feather", "a.json", "a.csv.gz", "a.zip", "a.csv.xz"):
        start = {"gz": b"\x1f\x8b", "ip": b"PK\x03\x04", "xz": b"\xfd7zXZ\x00"}.get(name[-2:], b"")
        (tmp_path / name).write_bytes(start + b"\xff\xfe\x00PAR1")
        with pytest.raises(BarsError, match=rf"{name}.*can't be read"):
            load_bars(tmp_path / name)


MESSY = """
Date,Open,High,Low,Close,Volume,Symbol,note,flag,mark
2024-01-16,12.5,14,11.25,13,"1,200.0",SPY,up,True,
2024-01-03,11,13,10,12,400,SPY,down,,1.5
2024-01-02,10,12,9,11,500,SPY,,False,-
"""


def test_the_same_data_gives_the_same_bars_from_a_file_and_a_frame(tmp_path):
    path = write_file(tmp_path, MESSY)
    frame = pd.read_csv(path)
    frame.to_parquet(tmp_path / "prices.parquet")
    expected = three_bars().assign(flag=[0.0, np.nan, 1.0], mark=[np.nan, 1.5, np.nan])
    for source in (path, frame, tmp_path / "prices.parquet"):
        found, notes = read_bars(source)
        assert_same_bars(found, expected)
        assert notes == (
            "left out the columns Symbol, note",
            "the newest bar came first; the order was reversed",
        )


def without_volume(volume: str) -> str:
    return HEADER + "".join(
        f"2024-01-0{day},1{day},2{day},{day},1{day},{volume}\n" for day in (2, 3, 4)
    )


NO_VOLUME = {
    "no column": (
        "Date,Open,High,Low,Close\n2024-01-02,10,12,9,11\n2024-01-03,11,13,10,12\n",
        "no column is named so, and it was set to 0",
    ),
    "empty": (without_volume(""), "it is empty on every bar, and was set to 0"),
    "-1": (without_volume("-1"), "it is -1 on every bar, and was set to 0"),
    "0": (without_volume("0"), "it is 0 on every bar"),
}


@pytest.mark.parametrize(("text", "said"), NO_VOLUME.values(), ids=NO_VOLUME.keys())
def test_markets_without_volume_have_volume_0_and_that_is_said(tmp_path, text, said):
    found, notes = read_bars(write_file(tmp_path, text))
    assert (found["volume"] == 0).all()
    assert notes == (f"the bars have no volume: {said}",)


@pytest.mark.parametrize(
    ("wrong", "columns"),
    [
        ({"funding_rate": "fundng_rate"}, {"funding_rate": "fundng_rate"}),
        ({"mark": "Mark Price"}, {"mark": "mark_price"}),
        (
            {"funding_rate": "lastFundingRate", "open_interest": "OI"},
            {"funding_rate": "last_funding_rate", "open_interest": "oi"},
        ),
        ({"volume": "volum"}, {"volume": "volum"}),
        ({"mark": "market_cap", "funding_rate": "predicted_funding_rate"}, {}),
    ],
)
def test_a_column_that_is_nearly_called_what_is_read_is_offered(wrong, columns):
    bars = simulate_bars("perpetual", 48, seed=1).bars
    misspelt = bars.rename(columns=wrong)
    said = "; ".join(read_bars(misspelt).notes)
    offered = re.findall(r"columns=(\{.*?\})", said)
    assert offered == ([json.dumps(columns)] if columns else [])
    assert columns == {} or set(load_bars(misspelt, columns=columns)) == set(bars)
    assert read_bars(bars).notes == ()


def test_a_misspelt_price_is_offered():
    misspelt = simulate_bars("noise", 20, seed=1).bars.rename(columns={"open": "opne"})
    with pytest.raises(BarsError, match=r'columns=\{"open": "opne"\}\.$'):
        load_bars(misspelt)
    with pytest.raises(BarsError, match=r"rename\(columns=\{'opne': 'open'\}\)"):
        validate_bars(misspelt)


def test_a_bar_that_is_odd_is_named_by_its_line(tmp_path):
    rows = [f"2024-01-{n:02},{p},{p},{p},{p},{n}" for n, p in enumerate([10, 11, 900, 12, 10], 1)]
    path = write_file(tmp_path, "\n".join([HEADER.strip(), *rows]))
    assert read_bars(path).notes[0].startswith("line 4 (2024-01-03) is more than 20 times above")


def test_load_bars_logs_once_what_read_bars_returns(tmp_path, caplog):
    path = write_file(tmp_path, MESSY)
    load_bars(path)
    assert [record.getMessage() for record in caplog.records] == [
        f"{path}: " + "; ".join(read_bars(path).notes)
    ]


PARQUET_COLUMNS = {
    "dates": pd.to_datetime(DAYS).date,
    "lists": [[1], [2, 3], []],
    "bytes": [b"a", b"b", None],
    "structs": [{"a": 1}, {"a": 2}, None],
    "texts": ["a", "b", None],
}


@pytest.mark.parametrize("values", PARQUET_COLUMNS.values(), ids=PARQUET_COLUMNS.keys())
def test_columns_of_anything_else_in_parquet_are_left_out_or_refused(tmp_path, values):
    path = tmp_path / "prices.parquet"
    three_bars().assign(more=list(values)).to_parquet(path)
    found, notes = read_bars(path)
    assert_same_bars(found, three_bars())
    assert notes == ("left out the column more",)
    three_bars().assign(close=list(values)).to_parquet(path)
    with pytest.raises(BarsError, match=r"row [012], column close: .* isn't a number"):
        load_bars(path)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([Decimal("1.5"), None, Decimal("2")], [1.5, np.nan, 2.0]),
        ([True, None, False], [1.0, np.nan, 0.0]),
        ([2**64 + 2**20, 1, None], [2.0**64 + 2**20, 1.0, np.nan]),
    ],
    ids=["decimals", "flags with gaps", "large integers"],
)
def test_numbers_of_any_kind_in_a_frame_are_read(values, expected):
    found = load_bars(three_bars().assign(more=pd.Series(values, three_bars().index, dtype=object)))
    np.testing.assert_array_equal(found["more"], expected)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("yahoo:SPY", "prices of Yahoo are adjusted for splits and dividends already"),
        ("ccxt:binance:BTC/USDT:1h", "candles of an exchange have neither splits nor dividends"),
        ("play:prices.csv", "play: hands over the prices of a file as they stand"),
    ],
)
def test_adjusted_is_refused_before_a_download_which_needs_none(source, why):
    with pytest.raises(BarsError, match=f"{why}, got '{source}'. Leave adjusted=True out."):
        load_bars(source, adjusted=True)
