"""Files as exporters write them: each gives its three bars, or is refused with the remedy."""

import gzip
import io
import json
import lzma
import re
import zipfile
from typing import Any

import pandas as pd
import pytest
from bar_files import DAYS, assert_same_bars, dated_csv, three_bars

from lstm_strategy.bars.load import load_bars, read_bars
from lstm_strategy.errors import BarsError

BAR = ["open", "high", "low", "close", "volume"]
DAILY = dated_csv("Date,Open,High,Low,Close,Volume", DAYS)
MINUTES = ["2024-01-02 09:30", "2024-01-02 09:31", "2024-01-03 09:30"]


def write(folder, content: str | bytes, name: str, encoding: str = "utf-8"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


# Each row is one bar of `three_bars`; the name of a case says what is peculiar about it.
DAY_LAYOUTS = {
    "row numbers beside the dates": "," + DAILY.replace("\n2024", "\n0,2024"),
    "row numbers and a day": (
        ",day,open,high,low,close,volume\n0,2024-01-02,10,12,9,11,500\n"
        "1,2024-01-03,11,13,10,12,400\n2,2024-01-16,12.5,14,11.25,13,1200\n"
    ),
    "points for thousands": (
        "Date;Open;High;Low;Close;Volume\n02.01.2024;10,0;12,0;9,0;11,0;500\n"
        "03.01.2024;11,0;13,0;10,0;12,0;400\n16.01.2024;12,5;14,0;11,25;13,0;1.200\n"
    ),
    "the volume in money first": (
        "unix,date,symbol,open,high,low,close,Volume USD,Volume BTC\n"
        "1705363200,2024-01-16,BTC/USD,12.5,14,11.25,13,15600,1200\n"
        "1704240000,2024-01-03,BTC/USD,11,13,10,12,4800,400\n"
        "1704153600,2024-01-02,BTC/USD,10,12,9,11,5500,500\n"
    ),
    "cells that Excel keeps as they are": (
        'Date,Open,High,Low,Close,Volume\n="2024-01-02","=""10""",="12",="9",="11",="500"\n'
        '="2024-01-03",="11",="13",="10",="12",="400"\n'
        '="2024-01-16",="12.5",="14",="11.25",="13","1,200"\n'
    ),
    "Chinese names": (
        "日期,开盘,收盘,最高,最低,成交量\n2024-01-02,10,11,12,9,500\n2024-01-03,11,12,13,10,400\n"
        "2024-01-16,12.5,13,14,11.25,1200\n"
    ),
    "Chinese names of one sign": (
        "日期,开,收,高,低,量\n2024-01-02,10,11,12,9,500\n2024-01-03,11,12,13,10,400\n"
        "2024-01-16,12.5,13,14,11.25,1200\n"
    ),
    "futures of the exchange of India": (
        "SYMBOL,EXPIRY_DT,TIMESTAMP,OPEN,HIGH,LOW,CLOSE,SETTLE_PR,CONTRACTS\n"
        "NIFTY,25-Jan-2024,02-JAN-2024,10,12,9,11,11,500\n"
        "NIFTY,25-Jan-2024,03-JAN-2024,11,13,10,12,12,400\n"
        "NIFTY,25-Jan-2024,16-JAN-2024,12.5,14,11.25,13,13,1200\n"
    ),
    "tushare": (
        "ts_code,trade_date,open,high,low,close,vol\n000001.SZ,20240116,12.5,14,11.25,13,1200\n"
        "000001.SZ,20240103,11,13,10,12,400\n000001.SZ,20240102,10,12,9,11,500\n"
    ),
    "investing.com in German": (
        '"Datum","Zuletzt","Eröffn.","Hoch","Tief","Vol.","+/- %"\n'
        '"16.01.2024","13,00","12,50","14,00","11,25","1,20K","0,11%"\n'
        '"03.01.2024","12,00","11,00","13,00","10,00","0,40K","0,11%"\n'
        '"02.01.2024","11,00","10,00","12,00","9,00","0,50K","0,11%"\n'
    ),
    "investing.com in Portuguese": (
        '"Data","Último","Abertura","Máxima","Mínima","Vol."\n'
        '"16.01.2024","13,00","12,50","14,00","11,25","1,20K"\n'
        '"03.01.2024","12,00","11,00","13,00","10,00","0,40K"\n'
        '"02.01.2024","11,00","10,00","12,00","9,00","0,50K"\n'
    ),
    "investing.com in Korean": (
        '"날짜","종가","시가","고가","저가","거래량"\n'
        '"2024- 01- 16","13.00","12.50","14.00","11.25","1.20K"\n'
        '"2024- 01- 03","12.00","11.00","13.00","10.00","0.40K"\n'
        '"2024- 01- 02","11.00","10.00","12.00","9.00","0.50K"\n'
    ),
    "investing.com in Russian": (
        '"Дата","Цена","Откр.","Макс.","Мин.","Объём"\n'
        '"16.01.2024","13,00","12,50","14,00","11,25","1,20K"\n'
        '"03.01.2024","12,00","11,00","13,00","10,00","0,40K"\n'
        '"02.01.2024","11,00","10,00","12,00","9,00","0,50K"\n'
    ),
    "investing.com in Turkish": (
        '"Tarih","Şimdi","Açılış","Yüksek","Düşük","Hac."\n'  # noqa: RUF001
        '"16.01.2024","13,00","12,50","14,00","11,25","1,20K"\n'
        '"03.01.2024","12,00","11,00","13,00","10,00","0,40K"\n'
        '"02.01.2024","11,00","10,00","12,00","9,00","0,50K"\n'
    ),
    "Stooq in Polish": DAILY.replace(
        "Date,Open,High,Low,Close,Volume", "Data,Otwarcie,Najwyzszy,Najnizszy,Zamkniecie,Wolumen"
    ),
    "dates under Price, as yfinance writes them": (
        "Price,Close,High,Low,Open,Volume\n2024-01-02,11,12,9,10,500\n2024-01-03,12,13,10,11,400\n"
        "2024-01-16,13,14,11.25,12.5,1200\n"
    ),
    "three rows of names, one ticker": (
        "Price,Close,High,Low,Open,Volume\nTicker,AAA,AAA,AAA,AAA,AAA\nDate,,,,,\n"
        "2024-01-02,11,12,9,10,500\n2024-01-03,12,13,10,11,400\n2024-01-16,13,14,11.25,12.5,1200\n"
    ),
    "two rows of names, the second of units": DAILY.replace(
        "Volume\n", "Volume\n(date),(USD),(USD),(USD),(USD),(shares)\n"
    ),
    "names with a prefix": DAILY.replace(
        "Open,High,Low,Close,Volume", "AAA.Open,AAA.High,AAA.Low,AAA.Close,AAA.Volume"
    ),
    "no name for the dates, as R writes them": (
        '"Open","High","Low","Close","Volume"\n"2024-01-02",10,12,9,11,500\n'
        '"2024-01-03",11,13,10,12,400\n"2024-01-16",12.5,14,11.25,13,1200\n'
    ),
    "a row without prices": DAILY.replace("2024-01-16", "2024-01-05,,,,,0\n2024-01-16"),
    "a row twice the same": DAILY.replace("2024-01-16", "2024-01-03,11,13,10,12,400\n2024-01-16"),
    "a note below the last bar": DAILY + '"Downloaded from an exchange at 10:00am CST"\n',
    "a note with empty cells below the last bar": DAILY + "Source: an exchange,,,,,\n",
    "blank lines": DAILY.replace("\n", "\n\n"),
    "separators at the ends of lines": DAILY.replace("\n", ",\n"),
    "names of volume in India": (
        "Date,Open Price,High Price,Low Price,Close Price,Total Traded Quantity\n"
        "02-Jan-2024,10,12,9,11,500\n03-Jan-2024,11,13,10,12,400\n"
        '16-Jan-2024,12.5,14,11.25,13,"1,200.0"\n'
    ),
    "dates of two-digit years, the month first": dated_csv(
        "Date,Open,High,Low,Close,Volume", ["1/2/24", "1/3/24", "1/16/24"]
    ),
    "money that is named as the volume, in German": (
        "Datum;Erster;Hoch;Tief;Schlusskurs;Stuecke;Volumen\n2024-01-02;10,0;12,0;9,0;11,0;500;5.500\n"
        "2024-01-03;11,0;13,0;10,0;12,0;400;4.800\n2024-01-16;12,5;14,0;11,25;13,0;1.200;15.600\n"
    ),
    "money that is named as the volume, in Portuguese": (
        "Data;Abertura;Máxima;Mínima;Fechamento;Volume;Quantidade\n"
        "2024-01-02;10,0;12,0;9,0;11,0;5.750,00;500\n2024-01-03;11,0;13,0;10,0;12,0;4.800,00;400\n"
        "2024-01-16;12,5;14,0;11,25;13,0;15.600,00;1.200\n"
    ),
    "volume in ticks where the other is 0": (
        "<DATE>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\n"
        "2024.01.02\t10\t12\t9\t11\t500\t0\n2024.01.03\t11\t13\t10\t12\t400\t0\n"
        "2024.01.16\t12.5\t14\t11.25\t13\t1200\t0\n"
    ),
}


@pytest.mark.parametrize("text", DAY_LAYOUTS.values(), ids=DAY_LAYOUTS.keys())
def test_layouts_of_daily_bars_are_read(tmp_path, text):
    found = load_bars(write(tmp_path, text, "prices.csv"))
    assert_same_bars(found[BAR], three_bars())


TIMED = {
    "a column of times": (
        "Date, Time, Open, High, Low, Last, Volume\n2024/1/2, 09:30:00.000, 10, 12, 9, 11, 500\n"
        "2024/1/2, 09:31:00.000, 11, 13, 10, 12, 400\n"
        "2024/1/3, 09:30:00.000, 12.5, 14, 11.25, 13, 1200\n"
    ),
    "times called Timestamp": (
        "Date,Timestamp,Open,High,Low,Close,Volume\n20240102,09:30:00,10,12,9,11,500\n"
        "20240102,09:31:00,11,13,10,12,400\n20240103,09:30:00,12.5,14,11.25,13,1200\n"
    ),
    "times of digits": (
        "<TICKER>,<DTYYYYMMDD>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>\n"
        "EURUSD,20240102,093000,10,12,9,11,500\nEURUSD,20240102,093100,11,13,10,12,400\n"
        "EURUSD,20240103,093000,12.5,14,11.25,13,1200\n"
    ),
    "times that lost their zeros": (
        "Date,Time,Open,High,Low,Close,Volume\n20240102,930,10,12,9,11,500\n"
        "20240102,931,11,13,10,12,400\n20240103,930,12.5,14,11.25,13,1200\n"
    ),
    "the date and the time in the column of times": (
        "date,time,open,high,low,close,volume\n2024-01-02,20240102093000000,10,12,9,11,500\n"
        "2024-01-02,20240102093100000,11,13,10,12,400\n"
        "2024-01-03,20240103093000000,12.5,14,11.25,13,1200\n"
    ),
    "MetaTrader 4 without a header": (
        "2024.01.02,09:30,10,12,9,11,500\n2024.01.02,09:31,11,13,10,12,400\n"
        "2024.01.03,09:30,12.5,14,11.25,13,1200\n"
    ),
    "HistData without a header": (
        "20240102 093000;10;12;9;11;500\n20240102 093100;11;13;10;12;400\n"
        "20240103 093000;12.5;14;11.25;13;1200\n"
    ),
    "Interactive Brokers": (
        ",date,open,high,low,close,volume\n0,20240102  09:30:00,10,12,9,11,500\n"
        "1,20240102  09:31:00,11,13,10,12,400\n2,20240103  09:30:00,12.5,14,11.25,13,1200\n"
    ),
}


@pytest.mark.parametrize("text", TIMED.values(), ids=TIMED.keys())
def test_layouts_of_bars_with_times_are_read(tmp_path, text):
    found = load_bars(write(tmp_path, text, "prices.txt"))
    assert_same_bars(found, three_bars(MINUTES))


def test_points_are_decimal_points_where_dates_of_digits_have_no_header(tmp_path):
    text = (
        "20240102 093000;140.873;140.880;140.868;140.875;0\n"
        "20240102 093100;140.875;140.899;140.871;140.890;0\n"
    )
    found = load_bars(write(tmp_path, text, "usdjpy.csv"))
    assert found["close"].tolist() == [140.875, 140.89]


def test_hours_beside_a_date_are_no_seconds(tmp_path):
    text = (
        "Date,Time,Open,High,Low,Close,Volume\n2024-01-02,9,10,12,9,11,500\n"
        "2024-01-02,10,11,13,10,12,400\n2024-01-03,9,12.5,14,11.25,13,1200\n"
    )
    found, notes = read_bars(write(tmp_path, text, "prices.csv"))
    dates = ["2024-01-02 09:00", "2024-01-02 10:00", "2024-01-03 09:00"]
    assert_same_bars(found, three_bars(dates))
    assert notes == ("column Time was read as hours of the day",)


def seconds(days: list[str]) -> list[int]:
    return [int(pd.Timestamp(day).timestamp()) for day in days]


NUMBERS = [row.tolist() for row in three_bars().to_numpy()]
KLINES = [
    [s * 1000, *row, s * 1000 + 59_999, 5500, 5, 2, 22, 0]
    for s, row in zip(seconds(DAYS), NUMBERS, strict=True)
]
HEADERLESS = {
    "Binance": ([map(str, row) for row in KLINES], "quote_volume"),
    "Kraken": ([[s, *row, 30] for s, row in zip(seconds(DAYS), NUMBERS, strict=True)], "trades"),
    "Kraken with a mean price": (
        [
            [s, o, h, low, c, (o + c) / 2, v, 30]
            for s, (o, h, low, c, v) in zip(seconds(DAYS), NUMBERS, strict=True)
        ],
        "vwap",
    ),
    "Coinbase": (
        [[s, low, h, o, c, v] for s, (o, h, low, c, v) in zip(seconds(DAYS), NUMBERS, strict=True)],
        "Low, High, Open, Close",
    ),
    "Bitfinex": (
        [[s, o, c, h, low, v] for s, (o, h, low, c, v) in zip(seconds(DAYS), NUMBERS, strict=True)],
        "Open, Close, High, Low",
    ),
}


@pytest.mark.parametrize(("rows", "said"), HEADERLESS.values(), ids=HEADERLESS.keys())
def test_rows_without_a_header_are_known_by_their_shape_and_said(tmp_path, rows, said):
    text = "".join(",".join(map(str, row)) + "\n" for row in rows)
    found, notes = read_bars(write(tmp_path, text, "prices.csv"))
    assert_same_bars(found[BAR], three_bars().tz_localize("UTC"))
    assert notes[0].startswith("the file has no header line; its columns were read as Date, ")
    assert said in notes[0]


def test_the_first_column_may_count_time_under_any_name(tmp_path):
    rows = [[s, *row] for s, row in zip(seconds(DAYS), NUMBERS, strict=True)]
    text = "begun,open,high,low,close,volume\n" + "".join(f"{str(r)[1:-1]}\n" for r in rows)
    found, notes = read_bars(write(tmp_path, text, "prices.csv"))
    assert_same_bars(found, three_bars().tz_localize("UTC"))
    assert notes == ("the dates were taken from column begun",)


def test_rows_without_a_header_of_an_unknown_shape_are_refused(tmp_path):
    text = "2024-01-02,5,5,7,1,3,4\n2024-01-03,6,1,5,9,3,4\n2024-01-04,1,2,5,9,30,4\n"
    with pytest.raises(BarsError, match="no header line, and its rows of 7 cells have no known"):
        load_bars(write(tmp_path, text, "prices.csv"))


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        pytest.param("[[]]", "0 cells", id="an empty row"),
        pytest.param('{"open": {"0": 1}, "high": [[]]}', "0 cells", id="an empty row for a column"),
        pytest.param('[["2024-01-02"], ["2024-01-03"]]', "1 cell", id="dates alone"),
        pytest.param('[["SPY", "2024-01-02"], ["SPY", "2024-01-03"]]', "2 cells", id="no prices"),
    ],
)
def test_rows_of_too_few_cells_are_refused_with_their_number(tmp_path, text, cells):
    with pytest.raises(BarsError, match=f"its rows of {cells} have no known shape"):
        load_bars(write(tmp_path, text, "prices.json"))


def zip_of(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


PACKED = {
    "prices.csv.gz": gzip.compress(DAILY.encode()),
    "prices.csv.xz": lzma.compress(DAILY.encode()),
    "prices.zip": zip_of({"prices.csv": DAILY, "report.txt": "13 bars", "__MACOSX/._a.csv": ""}),
    "prices.csv": gzip.compress(DAILY.encode()),
}


@pytest.mark.parametrize("name", PACKED)
def test_compressed_files_are_read(tmp_path, name):
    assert_same_bars(load_bars(write(tmp_path, PACKED[name], name)), three_bars())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "gbk"])
def test_encodings_are_found_out(tmp_path, encoding):
    path = write(tmp_path, DAY_LAYOUTS["Chinese names"], "prices.csv", encoding)
    assert_same_bars(load_bars(path), three_bars())


@pytest.mark.parametrize(
    ("layout", "encoding"),
    [("investing.com in Korean", "cp949"), ("investing.com in Russian", "cp1251")],
)
def test_old_encodings_are_known_by_the_names_of_the_columns(tmp_path, layout, encoding):
    found, notes = read_bars(write(tmp_path, DAY_LAYOUTS[layout], "prices.csv", encoding))
    assert_same_bars(found[BAR], three_bars())
    assert notes[0] == f"read in the encoding {encoding}"


def test_an_encoding_that_makes_no_names_is_refused(tmp_path):
    text = DAY_LAYOUTS["investing.com in Russian"].replace(",", "ж")
    with pytest.raises(BarsError, match=r"encoding of the file can't be found out. Save it in"):
        load_bars(write(tmp_path, text, "prices.csv", "koi8-r"))


JSON: dict[str, Any] = {
    "rows, as freqtrade writes them": [row[:6] for row in KLINES],
    "rows of text": [[row[0], *map(str, row[1:6])] for row in KLINES],
    "records": [dict(zip("tohlcv", row[:6], strict=True)) for row in KLINES],
    "records in an answer": {
        "status": "ok",
        "data": [dict(zip("tohlcv", row[:6], strict=True)) for row in KLINES],
    },
    "records by date": {
        "Meta Data": {"1. Information": "Daily"},
        "Time Series": {
            f"{day} 00:00:00+00:00": dict(zip(BAR, map(str, row[1:6]), strict=True))
            for day, row in zip(DAYS, KLINES, strict=True)
        },
    },
}


@pytest.mark.parametrize("content", JSON.values(), ids=JSON.keys())
def test_json_is_read(tmp_path, content):
    path = write(tmp_path, json.dumps(content), "prices.json")
    assert_same_bars(load_bars(path), three_bars().tz_localize("UTC"))


@pytest.mark.parametrize("name", ["rows, as freqtrade writes them", "records"])
def test_json_of_one_row_a_line_is_read(tmp_path, name):
    text = "".join(json.dumps(row) + "\n" for row in JSON[name])
    path = write(tmp_path, text, "prices.json")
    assert_same_bars(load_bars(path), three_bars().tz_localize("UTC"))


def test_an_answer_of_kraken_is_read(tmp_path):
    rows = [
        [row[0] // 1000, *map(str, row[1:5]), mean, volume, 7]
        for row, mean, volume in zip(
            KLINES, ["10.5", "12.5", "0.0"], ["500", "400", "0"], strict=True
        )
    ]
    content = {"error": [], "result": {"XXBTZUSD": rows, "last": rows[-1][0]}}
    found = load_bars(write(tmp_path, json.dumps(content), "prices.json"))
    expected = three_bars().tz_localize("UTC").assign(volume=[500.0, 400.0, 0.0])
    assert_same_bars(found[BAR], expected)
    assert found[["vwap", "trades"]].iloc[1].tolist() == [12.5, 7.0]


def test_several_markets_in_json_are_named(tmp_path):
    content = {"result": {"XXBTZUSD": KLINES, "XETHZUSD": KLINES, "last": 7}}
    with pytest.raises(BarsError, match=r"lists of rows \(XXBTZUSD, XETHZUSD\)\. Keep one\."):
        load_bars(write(tmp_path, json.dumps(content), "prices.json"))


def test_a_row_of_totals_in_a_frame_is_left_out():
    frame = three_bars().rename_axis("date").reset_index()
    total = pd.DataFrame(
        [{"date": "Total", "open": 33.5, "high": 39.0, "low": 30.25, "close": 36.0}]
    )
    frame = pd.concat([frame.assign(date=DAYS), total], ignore_index=True)
    found, notes = read_bars(frame)
    assert_same_bars(found, three_bars())
    assert notes == ("left out row 3, 'Total', below the last bar",)


TOTALS = "Total,33.5,39,30.25,36,2100\nAverage,11,13,10,12,700\n"
BELOW = {
    "totals": (DAILY + TOTALS, "left out line 5, 'Total', and 1 more, below the last bar"),
    "totals above a blank line": (
        DAILY + "Average,11,13,10,12,700\n\n",
        "left out line 5, 'Average', below the last bar",
    ),
    "totals below a blank line": (
        DAILY + ",,,,,\nHighest: 14,Lowest: 9,Difference: 5,Average: 12,Change %: 18,\n",
        "left out line 6, 'Highest: 14', below the last bar",
    ),
    "names once more": (
        DAILY + DAILY.partition("\n")[0] + "\n",
        "left out 1 row that repeats the names of the columns (first line 5)",
    ),
    "names between the bars": (
        re.sub("(?=2024-01-(03|16))", "Date, Open, High, Low, Close, Volume\n", DAILY),
        "left out 2 rows that repeat the names of the columns (first line 3)",
    ),
}


@pytest.mark.parametrize(("text", "said"), BELOW.values(), ids=BELOW.keys())
def test_rows_that_are_no_bars_are_left_out_and_said(tmp_path, text, said):
    found, notes = read_bars(write(tmp_path, text, "prices.csv"))
    assert_same_bars(found, three_bars())
    assert notes == (said,)


def test_feather_is_read(tmp_path):
    path = tmp_path / "prices.feather"
    three_bars().tz_localize("UTC").rename_axis("date").reset_index().to_feather(path)
    assert_same_bars(load_bars(path), three_bars().tz_localize("UTC"))


TICKERS = (
    "Price,Close,Close,High,High,Low,Low,Open,Open,Volume,Volume\n"
    "Ticker,AAA,BBB,AAA,BBB,AAA,BBB,AAA,BBB,AAA,BBB\nDate,,,,,,,,,,\n"
    "2024-01-02,110,11,120,12,90,9,100,10,50,500\n2024-01-03,120,12,130,13,100,10,110,11,40,400\n"
    "2024-01-16,130,13,140,14,112,11.25,125,12.5,30,1200\n"
)
LONG = (
    "date,open,high,low,close,volume,Name\n2024-01-02,10,12,9,11,500,BBB\n"
    "2024-01-02,100,120,90,110,50,AAA\n2024-01-03,11,13,10,12,400,BBB\n"
    "2024-01-03,110,130,100,120,40,AAA\n2024-01-16,12.5,14,11.25,13,1200,BBB\n"
)


@pytest.mark.parametrize("text", [TICKERS, LONG], ids=["in columns", "in rows"])
def test_several_markets_are_named_and_one_is_chosen(tmp_path, text):
    path = write(tmp_path, text, "prices.csv")
    with pytest.raises(
        BarsError, match=r'2 markets \((AAA, BBB|BBB, AAA)\)\. Choose one: symbol="'
    ):
        load_bars(path)
    with pytest.raises(BarsError, match=r"there is no market 'CCC', only (AAA, BBB|BBB, AAA)"):
        load_bars(path, symbol="CCC")
    assert_same_bars(load_bars(path, symbol="BBB"), three_bars())
    assert_same_bars(load_bars(path, symbol="bbb"), three_bars())


def test_a_market_that_changes_its_ticker_is_one_market_and_said(tmp_path):
    rows = DAILY.splitlines()
    text = "\n".join([rows[0] + ",Symbol", rows[1] + ",OLD", rows[2] + ",NEW", rows[3] + ",NEW"])
    found, notes = read_bars(write(tmp_path, text, "prices.csv"))
    assert_same_bars(found, three_bars())
    assert "column Symbol changes from OLD to NEW at 2024-01-03" in notes[0]


def with_column(name: str, *cells: str) -> str:
    """The daily bars with one column more."""
    lines = zip(DAILY.splitlines(), [name, *cells], strict=True)
    return "\n".join(f"{line},{cell}" for line, cell in lines)


@pytest.mark.parametrize(
    "text",
    [
        with_column("timeframe", "1d", "1h", "1d"),
        with_column("Exchange", "NYSE", "LSE", "NYSE"),
        with_column("Contract", "202403", "202406", "202403"),
        with_column("Symbol,Currency", "A,EUR", "A,USD", "A,EUR"),
    ],
)
def test_series_that_take_turns_are_refused_and_one_is_chosen(tmp_path, text):
    path = write(tmp_path, text, "prices.csv")
    second = text.splitlines()[2].rpartition(",")[2]
    with pytest.raises(BarsError, match=r"those of 2 markets .*, which take turns in column "):
        load_bars(path)
    assert_same_bars(load_bars(path, symbol=second)[BAR], three_bars().iloc[[1]])


def test_a_ratio_that_is_named_as_a_period_is_an_extra_column(tmp_path):
    found = load_bars(write(tmp_path, with_column("PER", "10.25", "10.5", "10.25"), "prices.csv"))
    assert found["per"].tolist() == [10.25, 10.5, 10.25]


def test_series_of_the_same_dates_are_refused_and_one_is_chosen(tmp_path):
    rows = DAILY.splitlines()
    text = "\n".join(
        [f"{rows[0]},Type", *(f"{row},{t}" for row in rows[1:] for t in ("BID", "ASK"))]
    )
    path = write(tmp_path, text, "prices.csv")
    with pytest.raises(BarsError, match=r'2 markets \(BID, ASK\)\. Choose one: symbol="BID"\.'):
        load_bars(path)
    assert_same_bars(load_bars(path, symbol="ASK"), three_bars())


def test_numbers_of_rows_of_one_date_are_no_markets(tmp_path):
    text = (
        "Date,Open,High,Low,Close,Adj Close,Volume,Dividends\n2024-01-02,10,12,9,11,11,500,0\n"
        "2024-01-03,11,13,10,12,12,400,0\n2024-01-03,0.24 Dividend,,,,,,0.24\n"
    )
    with pytest.raises(BarsError, match=r"line 4, column Open: '0.24 Dividend' isn't a number"):
        load_bars(write(tmp_path, text, "prices.csv"))


def test_series_that_are_mixed_within_the_chosen_market_are_refused(tmp_path):
    path = write(tmp_path, with_column("Symbol,tf", "A,1d", "A,1h", "A,1d"), "prices.csv")
    with pytest.raises(BarsError, match=r"column tf\. Keep the rows of one of them\. If they are"):
        load_bars(path, symbol="A")


def test_a_series_that_changes_once_is_said_and_one_value_is_not(tmp_path):
    changed = write(tmp_path, with_column("Currency", "DEM", "EUR", "EUR"), "changed.csv")
    assert read_bars(changed).notes[0] == (
        "column Currency changes from DEM to EUR at 2024-01-03; all rows were read as one market"
    )
    same = write(tmp_path, with_column("Currency", "EUR", "", "EUR"), "same.csv")
    assert read_bars(same).notes == ("left out the column Currency",)


@pytest.mark.parametrize(
    ("times", "zone"),
    [
        (("09:30:00 US/Eastern", "10:30:00 US/Eastern", "11:30:00 US/Eastern"), "US/Eastern"),
        (("09:30+01:00", "10:30+01:00", "11:30+01:00"), "UTC+01:00"),
        (("9:30Z", "10:30Z", "11:30Z"), "UTC"),
        (("9h30", "10h30", "11h30"), None),
        (("9:30 a. m.", "10:30 a. m.", "11:30 a. m."), None),
        (("0.39583", "0.4375", "0.4791666666666667"), None),
    ],
)
def test_times_beside_a_day_may_have_a_zone_or_be_fractions_of_the_day(tmp_path, times, zone):
    text = with_column("Time", *times)
    text = text.replace("2024-01-03", "2024-01-02").replace("2024-01-16", "2024-01-02")
    found = load_bars(write(tmp_path, text, "prices.csv"))
    assert [f"{time:%H:%M}" for time in found.index] == ["09:30", "10:30", "11:30"]
    assert (found.index.tz and str(found.index.tz)) == zone


@pytest.mark.parametrize("times", [("9:30 ET", "10:30 ET", "11:30 ET"), ("0.4", "0.42", "0.44")])
def test_times_that_cannot_be_read_are_no_markets(tmp_path, times):
    text = with_column("Time", *times)
    text = text.replace("2024-01-03", "2024-01-02").replace("2024-01-16", "2024-01-02")
    with pytest.raises(BarsError, match=r"line 2, column Time: the time .* can't be read. Write"):
        load_bars(write(tmp_path, text, "prices.csv"))


def test_times_that_cannot_be_read_do_not_hide_several_markets(tmp_path):
    rows = DAILY.splitlines()
    text = "\n".join(
        [f"{rows[0]},Name,Time", *(f"{r},{n},9:3{n} ET" for r in rows[1:] for n in "34")]
    )
    with pytest.raises(BarsError, match=r'2 markets \(3, 4\)\. Choose one: symbol="3"'):
        load_bars(write(tmp_path, text, "prices.csv"))


def test_prices_that_differ_in_brackets_only_are_refused(tmp_path):
    text = with_column("Close (ask)", "11.5", "12.5", "13.5")
    path = write(tmp_path, text.replace("Close,", "Close (bid),"), "prices.csv")
    with pytest.raises(
        BarsError, match=r"the columns Close \(bid\), Close \(ask\) may all be the "
    ):
        load_bars(path)
    assert load_bars(path, columns={"close": "Close (ask)"})["close"].tolist() == [11.5, 12.5, 13.5]
    plain = write(tmp_path, text.replace("Close (ask)", "Close (USD)"), "plain.csv")
    assert_same_bars(load_bars(plain)[BAR], three_bars())


SERIES = DAILY.replace(
    "Open,High,Low,Close,Volume", "open_perp,high_perp,low_perp,close_perp,volume_perp"
)
TWO_SERIES = "\n".join(
    line + ("," + line.partition(",")[2]).replace("perp", "spot") for line in SERIES.splitlines()
)
PERP = {name: f"{name}_perp" for name in BAR}


def test_columns_with_an_affix_are_read_if_there_is_one_series_of_them(tmp_path):
    found, notes = read_bars(write(tmp_path, SERIES, "prices.csv"))
    assert_same_bars(found, three_bars())
    assert notes == ("the columns with perp in their names were read as the bars",)


def test_of_several_series_one_is_chosen_by_columns(tmp_path):
    path = write(tmp_path, TWO_SERIES, "prices.csv")
    with pytest.raises(BarsError, match=r'perp, spot\. Choose one: columns=\{"open": "open_perp"'):
        load_bars(path)
    assert_same_bars(load_bars(path, columns=PERP)[BAR], three_bars())
    with pytest.raises(BarsError, match="columns asks for 'open_swap' as open, and there is no"):
        load_bars(path, columns={**PERP, "open": "open_swap"})
    with pytest.raises(BarsError, match="columns asks for 'open_perp' twice"):
        load_bars(path, columns={**PERP, "close": "open_perp"})


REFUSED = {
    "a short row": (DAILY + "2024-01-17,12\n", "line 5 has 2 cells, and the header has 6 names"),
    "a long row": (DAILY + "2024-01-17,12,14,11,13,300,7\n", "line 5 has 7 cells"),
    "a row that was cut off": (DAILY + "2024-0", "line 5 has 1 cell, and the header has 6"),
    "one name too few": (
        "Date,Open,High,Low,Close,Volume\n2024-01-02,09:01,10,12,9,11,500\n",
        "line 2 has 7 cells, and the header in line 1 has 6 names",
    ),
    "the dates twice": (
        "open_time,open,high,low,close,volume,open_time\n2024-01-02,10,12,9,11,500,\n"
        "2024-01-03,11,13,10,12,400,\n",
        "column open_time occurs more than once",
    ),
    "names that differ in case only": (
        DAILY.replace("Volume", "close"),
        "column Close, close occurs more than once",
    ),
    "another decimal mark further down": (
        "Date;Open;High;Low;Close;Volume\n2024-01-02;12,5;13,5;12,1;12,6;950\n"
        "2024-01-03;12.5;13.5;12.1;12.6;900\n",
        "line 3, column Open: '12.5' isn't a number (1 such row). Turn it into one, with a "
        "decimal comma",
    ),
    "too few columns": (
        "snapped_at,price,market_cap\n2024-01-02,10,5\n",
        "the file has no line of at least five column names",
    ),
    "32nds that may be thousands": (
        DAILY.replace("10,12,9,11,", "110'160,110'310,109'280,110'200,")
        .replace("11,13,10,12,", "110'160,110'310,109'280,110'205,")
        .replace("12.5,14,11.25,13,", "110'160,110'310,109'280,110'210,"),
        'line 2, column Open: "110\'160" can be read as 110160 and as 110 and 16/32, and no price',
    ),
    "32nds": (
        "Date,Open,High,Low,Close\n2024-01-02,118-16,119-08,117-24,118-20\n"
        "2024-01-03,118-17,119-08,117-24,118-21\n",
        "line 2, column Open: '118-16' isn't a number (a price in 32nds, 118 and 16/32?) (2 such "
        "rows). Turn it into one, with a decimal point as in the rest of the file.",
    ),
    "a unit behind every price": (
        "Date,Open,High,Low,Close\n2024-01-02,5p,6p,4p,5p\n2024-01-03,6p,7p,5p,6p\n",
        "line 2, column Open: '5p' isn't a number (2 such rows)",
    ),
    "a damaged first row": (
        DAILY.replace("10,12,9,11,500", "5p,6p,4p,5p,500"),
        "line 2, column Open: '5p' isn't a number (1 such row)",
    ),
    "percentages for prices": (
        DAILY.replace("12.5,14,11.25,13,", "5%,6%,4%,5%,"),
        "line 4, column Open: '5%' is a percentage (1 such row), which can be neither a price",
    ),
    "a percentage for the volume": (
        DAILY.replace("400", "4%"),
        "line 3, column Volume: '4%' is a percentage",
    ),
    "two volumes of which none counts money": (
        DAILY.replace("Volume", "Volume AAA,Volume BBB")
        .replace(",500", ",500,7")
        .replace(",400", ",400,9")
        .replace(",1200", ",1200,3"),
        "the columns Volume AAA, Volume BBB may all be the volume. Choose one: columns=",
    ),
    "no prices at all": (
        "timestamp,price,size,side,id\n2024-01-02 10:00:02,12,5,B,12\n",
        "column open is missing (found: timestamp, price, size, side, id)",
    ),
    "names in another order further down": (
        DAILY + "Date,Close,High,Low,Open,Volume\n2024-01-17,12,14,11,13,300\n",
        "line 5, column Date: the date 'Date' can't be read",
    ),
    "a web page": ("<!DOCTYPE html><html></html>", "the file holds a web page, not prices"),
    "a header of 200,000 characters": (
        DAILY.replace("Volume", "V" * 200_000),
        "a line can't be cut into cells",
    ),
    "signs that a terminal obeys": (
        DAILY.replace("12,9", "\x1b[31m,9"),
        "line 2, column High: '\\x1b[31m' isn't a number",
    ),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_ambiguous_is_refused_with_its_line(tmp_path, text, message):
    path = write(tmp_path, text, "prices.csv")
    with pytest.raises(BarsError) as refused:
        load_bars(path)
    assert message in str(refused.value)
    assert str(refused.value).startswith(str(path))


def test_a_market_is_chosen_only_where_a_column_names_markets(tmp_path):
    path = write(tmp_path, DAILY, "prices.csv")
    with pytest.raises(BarsError, match='symbol="AAA" chooses a market, and no column such as'):
        load_bars(path, symbol="AAA")


def test_a_missing_file_is_named_with_or_without_an_ending(tmp_path):
    for name in ("prices", "prices.csv"):
        with pytest.raises(BarsError, match=rf"there is no file {tmp_path}/{name}. Check the path"):
            load_bars(tmp_path / name)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param({"a": 1, "b": "x"}, "the JSON holds no bars: it must be a list", id="plain"),
        pytest.param([[1, 2], [3]], "row 1 has 1 cells, and the first has 2", id="uneven"),
        pytest.param(
            {"open": {"0": 1.0, "1": 2.0}, "close": [1.0, 2.0]},
            "holds lists and, under open, an object. Keep the columns alone",
            id="mixed",
        ),
    ],
)
def test_json_that_holds_no_bars_is_refused(tmp_path, content, message):
    with pytest.raises(BarsError, match=message):
        load_bars(write(tmp_path, json.dumps(content), "prices.json"))


def test_a_choice_of_what_is_no_column_of_bars_is_refused(tmp_path):
    path = write(tmp_path, DAILY.replace("Open", "First"), "prices.csv")
    with pytest.raises(
        BarsError, match=r"'opened', which isn't a column of .* Did you mean open\?"
    ):
        load_bars(path, columns={"opened": "First"})


def test_a_word_that_no_encoding_has_is_read_as_latin_1_and_said(tmp_path):
    lines = DAILY.encode().splitlines(keepends=True)
    content = lines[0].replace(b"Volume", b"Volume,Note") + b"".join(
        line.rstrip() + b",\x81\x8d\xff\xfe\n" for line in lines[1:]
    )
    found, notes = read_bars(write(tmp_path, content, "prices.csv"))
    assert_same_bars(found[BAR], three_bars())
    assert any("encoding" in note for note in notes)


def test_archives_of_several_files_and_workbooks_are_refused(tmp_path):
    several = write(tmp_path, zip_of({"a.csv": DAILY, "b.csv": DAILY}), "several.zip")
    with pytest.raises(
        BarsError, match=r"holds 2 files of bars \(a\.csv, b\.csv\)\. Choose one of"
    ):
        load_bars(several)
    with pytest.raises(BarsError, match=r"\(a\.csv, b\.csv\), none of which is named after 'c'"):
        load_bars(several, symbol="c")
    with pytest.raises(BarsError, match=r"holds no file of bars"):
        load_bars(write(tmp_path, zip_of({"a.pdf": ""}), "none.zip"))
    workbook = write(tmp_path, zip_of({"xl/workbook.xml": ""}), "prices.csv")
    with pytest.raises(BarsError, match=r"is an Excel workbook. Save it as CSV"):
        load_bars(workbook)
    with pytest.raises(BarsError, match=r"is a folder"):
        (tmp_path / "folder.csv").mkdir()
        load_bars(tmp_path / "folder.csv")


def test_extra_columns_get_names_that_python_can_use(tmp_path):
    text = "\n".join(
        f"{line},{behind}"
        for line, behind in zip(
            DAILY.splitlines(),
            ["52wh,class,Plot,Plot,flag", "1,2,3,4,True", "1,2,3,,", "1,2,3,4,False"],
            strict=True,
        )
    )
    found, notes = read_bars(write(tmp_path, text, "prices.csv"))
    assert list(found.columns[5:]) == ["column_52wh", "class_", "plot", "plot_2", "flag"]
    assert found["flag"].tolist()[::2] == [1.0, 0.0]
    assert notes == ("columns of the same name were numbered: plot_2",)
