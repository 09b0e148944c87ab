"""A file that is played: history first, then bar after bar, with faults on request."""

import threading
import time

import pandas as pd
import pytest

from lstm_strategy import LSTMStrategyError, load_bars, open_source
from lstm_strategy.bars import disturb_bars

BARS = pd.DataFrame(
    {
        "open": [10.0, 11.0, 12.0, 13.0, 14.0],
        "high": [12.0, 13.0, 14.0, 15.0, 16.0],
        "low": [9.0, 10.0, 11.0, 12.0, 13.0],
        "close": [11.0, 12.0, 13.0, 14.0, 15.0],
        "volume": [100.0, 200.0, 300.0, 400.0, 500.0],
        "funding_rate": [0.0001, 0.0002, 0.0003, 0.0004, 0.0005],
    },
    index=pd.date_range("2024-01-01", periods=5, freq="h", tz="UTC", name="datetime"),
)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "bars.csv"
    BARS.to_csv(path)
    return path


def closes(bars) -> list[float]:
    return [bar["close"] for bar in bars]


def test_the_first_bars_are_history_and_the_others_come_one_by_one(file):
    source = open_source(f"play:{file}?history=3&pace=0")
    pd.testing.assert_frame_equal(source.history(), BARS[:3], check_freq=False)
    bars = list(source.live())
    assert bars == [
        {"datetime": time, **row} for time, row in BARS[3:].to_dict(orient="index").items()
    ]
    assert source.spacing == pd.Timedelta(hours=1)
    assert source.name == f"play:{file}?history=3&pace=0"


def test_half_of_the_file_is_history_unless_it_is_said(file):
    source = open_source(f"play:{file}?pace=0")
    assert len(source.history()) == 2
    assert closes(source.live()) == [13.0, 14.0, 15.0]


@pytest.mark.parametrize(
    "after",
    [
        pytest.param("2024-01-01 03:00+00:00", id="utc"),
        pytest.param("2024-01-01 03:00", id="without a zone, which is utc"),
        pytest.param("2024-01-01 04:00+01:00", id="another zone"),
    ],
)
def test_bars_after_one_that_is_known_come_and_none_twice(file, after):
    source = open_source(f"play:{file}?history=1&pace=0")
    assert closes(source.live(pd.Timestamp(after))) == [15.0]


def test_history_is_cut_by_dates_and_by_number(file):
    source = open_source(f"play:{file}?history=4&pace=0")
    assert source.history("2024-01-01 01:00", "2024-01-01 02:00")["close"].tolist() == [12, 13]
    assert source.history(n_bars=2)["close"].tolist() == [13, 14]
    assert len(source.history(n_bars=99)) == 4
    assert source.history(n_bars=0).empty


def test_load_bars_gives_the_history_of_a_source(file):
    bars = load_bars(f"play:{file}?history=3")
    pd.testing.assert_frame_equal(bars, BARS[:3], check_freq=False)


def test_close_ends_a_source_that_waits(file):
    source = open_source(f"play:{file}?pace=3600")
    bars = iter(source.live())
    threading.Timer(0.05, source.close).start()
    began = time.monotonic()
    assert list(bars) == []
    assert time.monotonic() - began < 60


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param("pase=1", "there is no option pase here. Did you mean pace", id="unknown"),
        pytest.param("pace=fast", "pace must be a number of seconds such as 0.5, got 'fast'"),
        pytest.param("pace=-1", "pace must be a number of seconds such as 0.5, got '-1'"),
        pytest.param("pace=nan", "pace must be a number of seconds"),
        pytest.param("history=2.5", "history must be a whole number such as 500, got '2.5'"),
        pytest.param("history=6", "history must be at most the 5 bars of the file, got 6"),
        pytest.param("faults=2", "faults must be a share from 0 to 1 such as 0.01, got '2'"),
        pytest.param("pace=1&pace=2", "pace is given twice"),
    ],
)
def test_options_are_checked(file, options, message):
    with pytest.raises(LSTMStrategyError, match=message):
        open_source(f"play:{file}?{options}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "bars.csv",
            "a source begins with ccxt:, yahoo: or play:.*write play:bars",
            id="a path",
        ),
        pytest.param("plya:bars.csv", "there is no source plya:.*Did you mean play:", id="near"),
        pytest.param("play:missing.csv", "missing.csv", id="no file"),
    ],
)
def test_what_names_no_source_is_refused(text, message):
    with pytest.raises(LSTMStrategyError, match=message):
        open_source(text)


def test_no_history_is_refused_when_it_is_asked_for(file):
    source = open_source(f"play:{file}?history=0&pace=0")
    with pytest.raises(LSTMStrategyError, match="there is no history"):
        source.history()
    assert len(list(source.live())) == 5


def disturbed(*faults: str) -> list[tuple[object, ...]]:
    """Three bars, of which the second has a fault."""
    bars = [
        {"datetime": day, "open": 2.0, "high": 4.0, "low": 1.0, "close": 3.0, "volume": 9.0}
        for day in (1, 2, 3)
    ]
    first = disturb_bars(bars[:1], share=0)
    faulty = disturb_bars(bars[1:], share=1, faults=faults)
    return [(bar["datetime"], bar.get("closed", True)) for bar in [*first, *faulty]]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        pytest.param("repeated", [1, 2, 2, 3, 3], id="repeated"),
        pytest.param("late", [1, 2, 3], id="late: held back to the end"),
        pytest.param("missing", [1], id="missing"),
        pytest.param("bad", [1, 2, 2, 3, 3], id="bad"),
        pytest.param("corrected", [1, 2, 3, 2, 3], id="corrected"),
        pytest.param("unfinished", [1, 2, 2, 2, 3, 3, 3], id="unfinished"),
    ],
)
def test_each_fault_comes_as_it_is_described(fault, expected):
    bars = disturbed(fault)
    assert [day for day, _ in bars] == expected
    n_forming = sum(not closed for _, closed in bars)
    assert n_forming == (4 if fault == "unfinished" else 0)


def test_faults_are_the_same_for_the_same_seed_and_spare_the_rest(file):
    names = [f"play:{file}?history=0&pace=0&faults=0.5&seed={seed}" for seed in (1, 1, 2)]
    played = [[str(bar) for bar in open_source(name).live()] for name in names]
    assert played[0] == played[1] != played[2]
    assert closes(open_source(f"play:{file}?history=0&pace=0&faults=0").live()) == closes(
        {"close": value} for value in BARS["close"]
    )
