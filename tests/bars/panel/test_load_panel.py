"""Markets from folders, patterns, files and frames of several: found by name, read as needed."""

import gzip
import io
import json
import logging
import zipfile

import pandas as pd
import pytest

from lstm_strategy import load_bars, load_panel
from lstm_strategy.bars import as_panel
from lstm_strategy.errors import BarsError

HEADER = "Date,Open,High,Low,Close,Volume"
A = f"{HEADER}\n2024-01-02,10,12,9,11,500\n2024-01-03,11,13,10,12,400\n"
B = f"{HEADER},Carry\n2024-01-03,20,22,19,21,50,0.5\n2024-01-05,21,23,20,22,40,\n"
BAD = f"{HEADER}\n2024-01-02,10,12,9,11,500\n2024-01-03,11,13,19,12,400\n"
LONG = (
    "Date,Symbol,Open,High,Low,Close,Volume\n"
    "2024-01-02,BBB,20,22,19,21,50\n2024-01-02,AAA,10,12,9,11,500\n"
    "2024-01-03,AAA,11,13,10,12,400\n2024-01-05,BBB,21,23,20,22,40\n"
)
WIDE = (
    "Price,Open,High,Low,Close,Volume,Open,High,Low,Close,Volume\n"
    "Ticker,AAA,AAA,AAA,AAA,AAA,BBB,BBB,BBB,BBB,BBB\nDate,,,,,,,,,,\n"
    "2024-01-02,10,12,9,11,500,20,22,19,21,50\n2024-01-03,11,13,10,12,400,,,,,\n"
    "2024-01-05,,,,,,21,23,20,22,40\n"
)


def write_files(folder, **files):
    """Files of these texts, whose names write their points as two underscores."""
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return folder


def closes(panel):
    return {symbol: bars["close"].tolist() for symbol, bars in panel.items()}


def test_the_files_of_a_folder_are_markets_named_after_them(tmp_path):
    write_files(tmp_path, BRK__B__csv=B, AAA__csv=A)
    (tmp_path / "ZIP.csv.gz").write_bytes(gzip.compress(A.encode()))
    panel = load_panel(tmp_path)
    assert panel.symbols == ("AAA", "BRK.B", "ZIP")
    assert closes(panel) == {"AAA": [11, 12], "BRK.B": [21, 22], "ZIP": [11, 12]}
    assert list(panel["BRK.B"].columns)[-1] == "carry"
    assert closes(load_panel(str(tmp_path / "A*.csv"))) == {"AAA": [11, 12]}
    assert load_panel([tmp_path / "ZIP.csv.gz", tmp_path / "AAA.csv"]).symbols == ("ZIP", "AAA")


def test_a_folder_is_read_as_its_markets_are_needed(tmp_path):
    panel = load_panel(write_files(tmp_path, AAA__csv=A, BAD__csv=BAD))
    (tmp_path / "AAA.csv").write_text(A.replace("12,400", "12.5,400"))
    assert panel["AAA"]["close"].tolist() == [11, 12.5]
    (tmp_path / "AAA.csv").unlink()
    assert panel["AAA"]["close"].tolist() == [11, 12.5]
    with pytest.raises(BarsError, match=r"^market BAD: .*BAD.csv: line 3: .* low 19 .*on_bad=\"dr"):
        panel["BAD"]


def test_bad_markets_are_dropped_and_counted_where_the_user_says_so(tmp_path, caplog):
    write_files(tmp_path, AAA__csv=A, BAD__csv=BAD, EMPTY__csv="")
    with caplog.at_level(logging.WARNING):
        panel = load_panel(tmp_path, on_bad="drop")
    assert closes(panel) == {"AAA": [11, 12]}
    assert list(panel.dropped) == ["BAD", "EMPTY"]
    assert "line 3" in panel.dropped["BAD"]
    assert "on_bad" not in panel.dropped["BAD"]
    assert "dropped 2 of 3 markets: BAD (" in caplog.text
    (tmp_path / "AAA.csv").unlink()
    with pytest.raises(BarsError, match="none of the 2 markets can be read; market BAD: "):
        load_panel(tmp_path, on_bad="drop")


@pytest.mark.parametrize("text", [LONG, WIDE], ids=["in rows", "in columns"])
def test_one_file_or_frame_may_hold_several_markets(tmp_path, text):
    write_files(tmp_path, prices__csv=text)
    expected = {"AAA": [11, 12], "BBB": [21, 22]}
    panel = load_panel(tmp_path / "prices.csv")
    assert dict(sorted(closes(panel).items())) == expected
    assert [str(day.date()) for day in panel["BBB"].index] == ["2024-01-02", "2024-01-05"]
    header = [0, 1] if text is WIDE else 0
    frame = pd.read_csv(tmp_path / "prices.csv", header=header, index_col=0, parse_dates=True)
    assert dict(sorted(closes(load_panel(frame)).items())) == expected


@pytest.mark.parametrize(
    "index", [["Symbol", "Date"], ["Date", "Symbol"]], ids=["by market", "by date"]
)
def test_markets_may_stand_in_the_index_of_a_frame(tmp_path, index):
    write_files(tmp_path, prices__csv=LONG)
    frame = pd.read_csv(tmp_path / "prices.csv", parse_dates=["Date"]).set_index(index).sort_index()
    assert dict(sorted(closes(load_panel(frame)).items())) == {"AAA": [11, 12], "BBB": [21, 22]}


def test_a_bad_bar_of_a_file_of_several_is_named_by_market_and_line(tmp_path):
    path = write_files(tmp_path, prices__csv=LONG.replace("21,23,20,22", "21,23,24,22"))
    panel = load_panel(path / "prices.csv")
    assert len(panel["AAA"]) == 2
    with pytest.raises(BarsError, match=r"^market BBB: .*prices.csv: line 5: .* low 24"):
        panel["BBB"]


def test_rows_without_a_market_are_refused(tmp_path):
    path = write_files(tmp_path, prices__csv=LONG.replace("01-03,AAA", "01-03,"))
    with pytest.raises(BarsError, match=r"line 4, column Symbol: the row names no market \(1 in a"):
        load_panel(path / "prices.csv")


def test_a_file_of_one_market_is_a_panel_of_one(tmp_path):
    write_files(tmp_path, AAA__csv=A, long__csv=LONG.replace("BBB", "AAA").replace("05", "08"))
    assert load_panel(tmp_path / "AAA.csv").symbols == ("AAA",)
    assert load_panel("sample:sp500").symbols == ("sp500",)
    one = "\n".join(line for line in LONG.splitlines() if "BBB" not in line)
    write_files(tmp_path, long__csv=one)
    assert load_panel(tmp_path / "long.csv").symbols == ("AAA",)


def test_markets_given_by_symbol_may_be_frames_files_and_samples(tmp_path):
    write_files(tmp_path, AAA__csv=A)
    frame = pd.read_csv(tmp_path / "AAA.csv")
    panel = load_panel({"X": frame, "Y": str(tmp_path / "AAA.csv"), "SP": "sample:sp500"})
    assert (panel.symbols, len(panel["SP"])) == (("X", "Y", "SP"), 5031)
    assert panel["X"].equals(panel["Y"])


def test_what_was_done_to_a_market_is_said_when_it_is_read(tmp_path, caplog):
    newest_first = "\n".join([HEADER, *reversed(A.splitlines()[1:])])
    panel = load_panel(write_files(tmp_path, AAA__csv=newest_first))
    with caplog.at_level(logging.WARNING):
        assert panel["AAA"]["close"].tolist() == [11, 12]
        assert panel["AAA"] is panel["AAA"]
    assert [record.getMessage() for record in caplog.records] == [
        "AAA: the newest bar came first; the order was reversed"
    ]
    assert panel.notes == ("AAA: the newest bar came first; the order was reversed",)


def test_what_was_done_to_several_markets_alike_is_said_once(tmp_path, caplog):
    lines = (
        LONG.replace("Symbol", "Symbol,Name").replace("AAA", "AAA,one").replace("BBB", "BBB,two")
    )
    lines += "2024-01-02,CCC,three,20,22,19,21,50\n2024-01-03,DDD,four,20,22,19,21,50\n"
    lines += "2024-01-03,CCC,three,21,23,20,22,40\n2024-01-04,DDD,four,21,23,20,22,40\n"
    panel = load_panel(write_files(tmp_path, long__csv=lines) / "long.csv")
    with caplog.at_level(logging.WARNING):
        assert [len(bars) for bars in panel.values()] == [2, 2, 2, 2]
    said = "left out the columns Symbol, Name"
    assert [record.getMessage() for record in caplog.records] == [f"BBB: {said}"]
    assert panel.notes == (f"BBB, AAA and 2 more: {said}",)


def test_symbols_that_differ_in_case_alone_are_refused(tmp_path):
    same = "the markets A01 and a01 have the same symbol but for upper and lower case"
    write_files(tmp_path, A01__csv=A, a01__csv=B)
    with pytest.raises(BarsError, match=same):
        load_panel(tmp_path)
    assert load_panel(tmp_path, symbols=["a01"]).symbols == ("a01",)
    with pytest.raises(BarsError, match=same):
        as_panel({"A01": tmp_path, "a01": tmp_path})
    write_files(tmp_path, long__csv=LONG.replace("AAA", "A01").replace("BBB", "a01"))
    with pytest.raises(BarsError, match="the markets a01 and A01 have the same symbol"):
        load_panel(tmp_path / "long.csv")


def test_an_archive_of_several_files_holds_a_market_in_each(tmp_path):
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("prices/AAA.csv", A)
        archive.writestr("prices/BBB.csv", B)
        archive.writestr("readme.md", "hello")
    panel = load_panel(path)
    assert closes(panel) == {"AAA": [11, 12], "BBB": [21, 22]}
    assert panel["BBB"]["carry"].iloc[0] == 0.5
    assert load_bars(path, symbol="bbb")["close"].tolist() == [21, 22]
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("older/AAA.csv", A)
    with pytest.raises(BarsError, match=r"market AAA is in .* twice: prices/AAA.csv and older"):
        load_panel(path)


@pytest.mark.parametrize("orient", ["records", "list"])
def test_json_may_hold_bars_by_symbol(tmp_path, orient):
    by_symbol = {
        symbol: pd.read_csv(io.StringIO(text))
        .drop(columns="Carry", errors="ignore")
        .to_dict(orient)
        for symbol, text in (("AAA", A), ("BBB", B))
    }
    path = tmp_path / "all.json"
    path.write_text(json.dumps(by_symbol))
    assert closes(load_panel(path)) == {"AAA": [11, 12], "BBB": [21, 22]}
    assert load_bars(path, symbol="BBB")["close"].tolist() == [21, 22]


def test_a_frame_of_several_markets_is_not_one_of_them(tmp_path):
    write_files(tmp_path, long__csv=LONG)
    panel = load_panel({"X": pd.read_csv(tmp_path / "long.csv")})
    with pytest.raises(BarsError, match=r"^market X: the frame holds 2 markets \(BBB, AAA\)\. Ch"):
        panel["X"]


@pytest.mark.parametrize("kind", ["category", "int64", "datetime index"])
def test_frames_tell_markets_apart_by_whatever_names_them(tmp_path, kind):
    write_files(tmp_path, long__csv=LONG)
    frame = pd.read_csv(tmp_path / "long.csv", parse_dates=["Date"])
    names = {"AAA": "AAA", "BBB": "BBB"}
    if kind == "int64":
        names = {"AAA": "600519", "BBB": "601398"}
        frame["Symbol"] = frame["Symbol"].map({"AAA": 600519, "BBB": 601398})
    elif kind == "category":
        frame["Symbol"] = frame["Symbol"].astype("category")
    else:
        frame = frame.set_index("Date")
    panel = load_panel(frame)
    assert closes(panel) == {names["BBB"]: [21, 22], names["AAA"]: [11, 12]}


def test_symbols_choose_markets_in_their_order_whatever_their_case(tmp_path):
    write_files(tmp_path, AAA__csv=A, BBB__csv=B, CCC__csv=A)
    panel = load_panel(tmp_path, symbols=["ccc", "AAA"])
    assert panel.symbols == ("CCC", "AAA")
    assert load_panel(panel, symbols=["AAA"])["AAA"] is panel["AAA"]


def test_the_columns_to_read_hold_for_every_market(tmp_path):
    text = A.replace("Close", "Last Price X")
    write_files(tmp_path, AAA__csv=text, BBB__csv=B)
    panel = load_panel(tmp_path, columns={"close": "Last Price X"}, on_bad="drop")
    assert panel.symbols == ("AAA",)
    assert "Last Price X" in panel.dropped["BBB"]


def test_other_files_of_a_folder_are_left_out_and_said(tmp_path, caplog):
    write_files(tmp_path, AAA__csv=A, notes__md="", __DS_Store="")
    (tmp_path / "old").mkdir()
    with caplog.at_level(logging.WARNING):
        panel = load_panel(tmp_path)
    assert panel.symbols == ("AAA",)
    assert panel.notes == ("left out notes.md, old, which are no files of bars",)
    assert "left out notes.md, old" in caplog.text


@pytest.mark.parametrize(
    ("files", "source", "message"),
    [
        pytest.param({}, ".", "there is nothing in the folder .*", id="an empty folder"),
        pytest.param({"a__md": ""}, ".", "no file of bars in .*, only a.md", id="other files"),
        pytest.param({}, "*.csv", r"no file matches .*\*.csv. Check", id="nothing matches"),
        pytest.param({}, "none", "there is no folder and no file .*none. Check", id="no folder"),
        pytest.param(
            {"A__csv": A, "A__txt": A},
            ".",
            "market A is there twice: .*A.csv and .*A.txt",
            id="twice",
        ),
    ],
)
def test_a_place_without_markets_is_refused_in_one_line(tmp_path, files, source, message):
    write_files(tmp_path, **files)
    with pytest.raises(BarsError, match=message) as refused:
        load_panel(f"{tmp_path}/{source}")
    assert "\n" not in str(refused.value)


def test_the_folders_in_a_folder_are_named_by_a_pattern(tmp_path):
    (tmp_path / "2012").mkdir()
    write_files(tmp_path / "2012", AAA__csv=A)
    with pytest.raises(BarsError, match=r"only 2012. Name the files .* such as .*/\*/\*.csv"):
        load_panel(tmp_path)
    assert load_panel(f"{tmp_path}/*/*.csv").symbols == ("AAA",)


def test_a_file_of_several_among_others_is_refused_when_it_is_read(tmp_path):
    panel = load_panel(write_files(tmp_path, AAA__csv=A, all__csv=LONG))
    with pytest.raises(BarsError, match=r"market all: .*all.csv holds 2 markets \(BBB, AAA\), and"):
        panel["all"]


@pytest.mark.parametrize(
    ("symbols", "message"),
    [
        pytest.param(["AAA", "ABC"], r"no market 'ABC' among the 2 .* Did you mean", id="unknown"),
        pytest.param(
            ["X", "AAA", "Y"], "2 of the markets asked for aren't among .*: X, Y", id="several"
        ),
        pytest.param(["AAA", "aaa"], "market AAA is asked for twice", id="twice"),
        pytest.param([], "names no market", id="none"),
    ],
)
def test_symbols_that_cannot_be_chosen_are_refused(tmp_path, symbols, message):
    write_files(tmp_path, AAA__csv=A, ABB__csv=B)
    with pytest.raises(BarsError, match=message):
        load_panel(tmp_path, symbols=symbols)


def test_symbols_that_are_not_there_are_dropped_and_counted_with_the_bad_ones(tmp_path):
    write_files(tmp_path, AAA__csv=A, BAD__csv=BAD)
    panel = load_panel(tmp_path, symbols=["AAA", "XYZ", "BAD"], on_bad="drop")
    assert (panel.symbols, list(panel.dropped)) == (("AAA",), ["XYZ", "BAD"])
    assert "dropped 2 of 3 markets: XYZ (the source has no such market); BAD (" in panel.notes[0]
    with pytest.raises(BarsError, match="no market 'XYZ' among the 2"):
        load_panel(tmp_path, symbols=["XYZ"], on_bad="drop")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param({"source": 7}, "a panel comes from a folder, .* got int", id="a number"),
        pytest.param({"source": {}}, "at least one market", id="an empty mapping"),
        pytest.param({"source": []}, "there is nothing in the list", id="an empty list"),
        pytest.param({"source": ["A.csv"]}, "there is no file A.csv. Check", id="a missing file"),
        pytest.param(
            {"source": pd.DataFrame({"Open": [1]})},
            "column high is missing",
            id="a frame without prices",
        ),
        pytest.param({"source": "x.csv", "on_bad": "skip"}, "on_bad must be", id="on_bad"),
    ],
)
def test_what_is_no_source_is_refused(arguments, message):
    with pytest.raises(BarsError, match=message):
        load_panel(**arguments)


def test_a_frame_of_one_market_without_a_name_is_refused(tmp_path):
    write_files(tmp_path, AAA__csv=A)
    with pytest.raises(BarsError, match=r"needs a column such as Symbol .*found: Date, Open"):
        load_panel(pd.read_csv(tmp_path / "AAA.csv"))
