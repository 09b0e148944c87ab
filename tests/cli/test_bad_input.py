"""Bars and models that can't be used: refused by every command, and nothing is lost."""

import re
import shutil

import numpy as np
import pytest
from made_up import random_walk


def bars_with_a_gap():
    bars = random_walk(120)
    return bars.assign(close=bars["close"].where(np.arange(120) != 50))


SOURCES = {
    "missing file": ("gone.csv", "there is no file gone.csv. Check the path"),
    "empty file": ("empty.csv", "empty.csv.* the file is empty. Download it again"),
    "unknown ending": ("bars.xlsx", "must end in .csv, .* got 'bars.xlsx'. Convert it"),
    "unknown sample": ("sample:dax", "must be one of sp500, nasdaq, got 'dax'."),
    "price of NaN": ("nan.csv", "nan.csv.*: close is NaN at 2001-02-20 .* Fill or drop"),
}


@pytest.mark.parametrize("case", SOURCES)
def test_a_source_without_good_bars_is_refused_by_its_name(refusal, here, case):
    (here / "empty.csv").touch()
    (here / "bars.xlsx").touch()
    bars_with_a_gap().to_csv("nan.csv")
    source, message = SOURCES[case]
    assert re.search(message, refusal("backtest", source, "--strategy", "MACD"))


OHLCV = "Date,Open,High,Low,Close,Volume"


def table_of(*dates, header=OHLCV, row="10,12,9,{close},500"):
    """Bars as text, with a close that moves."""
    rows = [f"{date},{row.format(close=11 - number % 2)}" for number, date in enumerate(dates)]
    return "\n".join([header, *rows]) + "\n"


DAYS = ("2024-01-02", "2024-01-03", "2024-01-04")
FILES = {
    "row numbers": (table_of(0, 1, 2), "line 2, column Date: 0 .*row numbers"),
    "Excel days": (table_of(45293, 45294, 45295), "45293 .*days as Excel counts them"),
    "yymmdd": (table_of(240102, 240103, 240104), "240102 .*yymmdd"),
    "day or month first": (
        table_of("01/02/2024", "01/03/2024", "02/03/2024"),
        "as day/month and as month/day",
    ),
    "with and without a zone": (
        table_of("2024-01-02 00:00+01:00", "2024-01-03 00:00", "2024-01-04 00:00"),
        "line 3.* with and without a timezone are mixed",
    ),
    "a longer row": (table_of(*DAYS) + "2024-01-05,10,12,9,11,500,7\n", "line 5 has 7 cells"),
    "a shorter row": (table_of(*DAYS) + "2024-01-05,10,12\n", "line 5 has 3 cells"),
    "points that may be thousands": (
        table_of(*DAYS, row="1.100;1.200;1.000;1.1{close};500").replace(",", ";"),
        "can be read as 1100 and as 1.1",
    ),
    "a negative price": (
        table_of(*DAYS, row="10,12,-9,{close},500"),
        "line 2: low is -9 .* Or let --repair do it",
    ),
    "high below close": (table_of(*DAYS, row="10,10.5,9,{close},5"), "line 2: high 10.5 is below"),
    "a date twice": (table_of(*DAYS, DAYS[2]), "line 5: the date is repeated at 2024-01-04"),
    "two markets in rows": (
        table_of(*DAYS, *DAYS, header=f"{OHLCV},Ticker", row="10,12,9,{close},500,{close}0"),
        "2 markets .* Choose one: --symbol",
    ),
    "two series in columns": (
        table_of(
            *DAYS,
            header="Date,open_perp,high_perp,low_perp,close_perp,open_spot,high_spot,low_spot,close_spot",
            row="10,12,9,{close},10,12,9,{close}",
        ),
        "perp, spot. Choose one: --columns open=open_perp",
    ),
    "no close": (
        table_of(*DAYS, header="Date,Open,High,Low,Volume", row="10,12,9,500"),
        "column close is missing .* --columns close=",
    ),
    "columns alike but for their case": (
        table_of(*DAYS, header=f"{OHLCV},open", row="10,12,9,{close},500,10"),
        "Open, open occurs more than once",
    ),
    "a broken archive": ("\x1f\x8b\x08 torn", "can't be read"),
}


@pytest.mark.parametrize("case", FILES)
def test_a_file_that_leaves_a_doubt_is_refused_with_its_place_and_an_option(refusal, here, case):
    content, message = FILES[case]
    (here / "doubt.csv").write_bytes(content.encode("latin1"))
    said = refusal("backtest", "doubt.csv", "--strategy", "MACD")
    assert re.search(f"error: doubt.csv.*{message}", said), said
    assert "on the command line" not in said


@pytest.mark.parametrize("command", ["train", "forecast", "backtest", "compare", "audit", "tune"])
def test_every_command_refuses_bad_bars_and_keeps_earlier_results(
    refusal, here, model_folder, command
):
    bars_with_a_gap().to_csv("bad.csv")
    shutil.copytree(model_folder, "kept")
    (here / "kept" / "metrics.csv").write_text("from an earlier run")
    model = () if command in ("train", "tune") else ("--model", model_folder)
    model = (*model, "--force") if command == "train" else model  # the kept model has others
    assert "close is NaN at 2001-02-20" in refusal(command, "bad.csv", *model, "--out", "kept")


DATES = {
    "no date": (("--start", "soon"), "--start must be a date such as .* 'soon'"),
    "day first": (
        ("--start", "01/06/2001"),
        "--start must be a date such as 2013, 2013-05 or 2013-05-02, got '01/06/2001'. Write the "
        "year first, then the month",
    ),
    "no such month": (
        ("--end", "2001-13"),
        "--end must be a date that exists, got '2001-13'. There is no month 13",
    ),
    "no such day": (
        ("--start", "2001-02-30"),
        "--start must be a date that exists, got '2001-02-30'. There is no such day: February 2001 "
        "has 28",
    ),
    "after the last bar": (
        ("--start", "2031"),
        "500 bars from 2001-01-01 to 2002-05-15 lies between 2031 and the end. Choose other dates",
    ),
    "in the wrong order": (
        ("--start", "2002", "--end", "2001"),
        "--start 2002 lies after --end 2001. Exchange",
    ),
}


@pytest.mark.parametrize("command", ["train", "backtest", "compare", "audit", "tune"])
@pytest.mark.parametrize("case", DATES)
def test_dates_that_choose_no_bars_are_refused(refusal, command, case):
    strategy = ("--strategy", "MACD") if command in ("backtest", "audit") else ()
    dates, message = DATES[case]
    assert re.search(message, refusal(command, "bars.csv", *strategy, *dates))


TOO_FEW = {
    "train": (("--config", "tiny.toml"), "training needs 82 bars .*, got 12. Load more history"),
    "forecast": (("--model", "MODEL"), "needs {} bars before its first forecast, got 12. Load"),
    "backtest": (
        ("--model", "MODEL"),
        "needs {} bars before its first decision, got 12 .*Load more history: bars before those "
        "that you trade count too",
    ),
    "compare": (("--model", "MODEL"), "needs {} bars before its first decision, got 12 "),
}


@pytest.mark.parametrize("command", TOO_FEW)
def test_too_few_bars_are_counted(refusal, trained, model_folder, command):
    random_walk(12, start="2002-03-01").to_csv("short.csv")
    words, message = TOO_FEW[command]
    words = [str(model_folder) if word == "MODEL" else word for word in words]
    assert re.search(message.format(trained.warm_up + 1), refusal(command, "short.csv", *words))


def test_adjusting_needs_a_column_of_adjusted_closes(refusal):
    message = refusal("backtest", "bars.csv", "--strategy", "MACD", "--adjusted")
    assert "needs a column of adjusted closes" in message


MODELS = {
    "missing": (shutil.rmtree, "no model at mine. Train one with `lstm-strategy train"),
    "elsewhere": (
        lambda folder: [(folder / name).unlink() for name in ("model.json", "network.keras")],
        "there is no model in mine: it holds neither model.json nor network.keras.",
    ),
    "incomplete": (
        lambda folder: (folder / "network.keras").unlink(),
        "model at mine is incomplete: network.keras is missing",
    ),
    "damaged": (
        lambda folder: (folder / "network.keras").write_bytes(b"other weights"),
        "mine/network.keras isn't the network that was saved",
    ),
    "without ONNX": (
        lambda folder: (folder / "network.onnx").unlink(),
        "Restore it, load the model with --engine keras, or train",
    ),
}


@pytest.mark.parametrize("command", ["forecast", "backtest", "compare", "audit"])
@pytest.mark.parametrize("case", MODELS)
def test_a_model_that_cannot_be_trusted_is_refused(refusal, here, model_folder, case, command):
    shutil.copytree(model_folder, "mine")
    damage, message = MODELS[case]
    damage(here / "mine")
    assert message in refusal(command, "bars.csv", "--model", "mine")
