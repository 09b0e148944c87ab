"""Markets of a panel are read on first use, keep their order, and are named in every message."""

import pickle

import pandas as pd
import pytest

from lstm_strategy.bars import (
    LoadedBars,
    Panel,
    as_panel,
    check_common_dates,
    drop_lone_markets,
    is_panel,
    name_market,
    slice_panel,
)
from lstm_strategy.errors import BarsError, LooksAheadError, TradingError, UnknownMarketError


def bars_on(days, closes, **extras):
    """Bars of the given closes that open there and reach 1 beyond."""
    frame = pd.DataFrame({"open": closes, "close": closes, **extras}, pd.to_datetime(days))
    return frame.assign(high=frame["close"] + 1, low=frame["close"] - 1, volume=100)


A = bars_on(["2024-01-02", "2024-01-03", "2024-01-05"], [10, 11, 12])
B = bars_on(["2024-01-03", "2024-01-04"], [20, 22], carry=[0.1, 0.2])


def test_a_market_is_read_on_first_use_and_only_once():
    reads = []

    def read_a():
        reads.append("A")
        return LoadedBars(A, ("sorted the rows",))

    panel = Panel({"A": read_a, "B": lambda: LoadedBars(B, ())})
    assert (list(panel), len(panel), "A" in panel, "C" in panel) == (["A", "B"], 2, True, False)
    assert (reads, panel.notes) == ([], ())
    assert panel["A"] is panel["A"]
    assert (reads, panel.notes) == (["A"], ("A: sorted the rows",))


def test_a_panel_of_frames_is_validated_and_leaves_the_frames_alone():
    panel = as_panel({"B": B, "A": A})
    assert panel.symbols == ("B", "A")
    assert list(panel["B"].columns) == ["open", "high", "low", "close", "volume", "carry"]
    assert panel["A"].index.name == "datetime"
    assert A.index.name is None
    assert as_panel(panel) is panel


def test_only_what_is_given_by_symbol_is_a_panel():
    assert is_panel({"A": A})
    assert is_panel(as_panel({"A": A}))
    assert [is_panel(value) for value in (A, A["close"], [A], "A", None)] == [False] * 5


def test_the_dates_of_a_panel_are_those_of_any_market():
    expected = ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"]
    assert as_panel({"B": B, "A": A}).dates.strftime("%Y-%m-%d").tolist() == expected


def test_the_dates_of_markets_in_two_zones_are_in_utc():
    new_york = A.set_axis(A.index.tz_localize("America/New_York"))
    tokyo = B.set_axis(B.index.tz_localize("Asia/Tokyo"))
    assert str(as_panel({"A": new_york}).dates.tz) == "America/New_York"
    dates = as_panel({"A": new_york, "B": tokyo}).dates
    assert dates[:2].astype(str).tolist() == [
        "2024-01-02 05:00:00+00:00",
        "2024-01-02 15:00:00+00:00",
    ]
    with pytest.raises(BarsError, match=r"market B have a timezone \(Asia/Tokyo\).* market A have"):
        as_panel({"A": A, "B": tokyo}).dates  # noqa: B018


def test_the_fingerprint_knows_symbols_and_bars_and_no_order():
    known = as_panel({"A": A, "B": B}).fingerprint
    assert as_panel({"B": B, "A": A}).fingerprint == known
    changed = A.assign(volume=[100, 100, 101])
    others = ({"A": A}, {"A": A, "C": B}, {"A": B, "B": A}, {"A": changed, "B": B})
    assert known not in {as_panel(other).fingerprint for other in others}


def test_a_slice_leaves_out_the_markets_without_a_bar_there():
    cut = slice_panel({"A": A, "B": B}, "2024-01-05")
    assert cut["A"]["close"].tolist() == [12]
    assert (cut.symbols, list(cut.dropped)) == (("A",), ["B"])
    assert "between 2024-01-05 and the end" in cut.dropped["B"]
    whole = slice_panel({"A": A, "B": B}, end="2024")
    assert {symbol: len(bars) for symbol, bars in whole.items()} == {"A": 3, "B": 2}


def test_a_slice_may_stand_still():
    halted = bars_on(["2024-01-02", "2024-01-03", "2024-01-04"], [10, 10, 11])
    assert len(slice_panel({"A": halted}, end="2024-01-03")["A"]) == 2


def test_a_slice_without_any_bar_names_the_span_that_there_is():
    with pytest.raises(TradingError, match=r"none of the 2 markets .* 2024-01-02 to 2024-01-05"):
        slice_panel({"A": A, "B": B}, "2025")


@pytest.mark.parametrize(
    ("markets", "message"),
    [
        pytest.param(A, "bars by symbol, got DataFrame", id="bars of one market"),
        pytest.param([A, B], "bars by symbol, got list", id="a list"),
        pytest.param({}, "at least one market", id="no market"),
        pytest.param({7: A}, "must be words, got 7", id="a number for a symbol"),
        pytest.param({" ": A}, "must be words, got ' '", id="a blank symbol"),
    ],
)
def test_what_is_no_panel_is_refused(markets, message):
    with pytest.raises(BarsError, match=message):
        as_panel(markets)


@pytest.mark.parametrize(
    ("bars", "message"),
    [
        pytest.param(A.drop(columns="close"), "market B: column close is missing", id="a column"),
        pytest.param(
            A.assign(low=[9, 99, 11]), "market B: .* below low 99 at 2024-01-03", id="a bad bar"
        ),
        pytest.param([1, 2], "market B: bars must be a pandas DataFrame, got list", id="no frame"),
    ],
)
def test_bad_bars_are_refused_on_first_use_by_their_market(bars, message):
    panel = as_panel({"A": A, "B": bars})
    assert len(panel["A"]) == 3
    for _ in range(2):
        with pytest.raises(BarsError, match=message) as refused:
            panel["B"]
        assert str(refused.value).count("market B") == 1


def test_an_unknown_market_is_a_key_error_that_names_the_nearest():
    panel = as_panel({"SPY": A, "QQQ": B})
    assert panel.get("spy") is None
    with pytest.raises(UnknownMarketError, match=r"^there is no market 'SPX' .* mean SPY\?$"):
        panel["SPX"]
    many = as_panel({f"M{n:03}": A for n in range(500)})
    with pytest.raises(UnknownMarketError, match=r"Known: M000, .*, M009, … \(500 in all\)\.$"):
        many["x"]


def test_an_error_keeps_its_class_and_what_it_knows_when_its_market_is_named():
    with pytest.raises(LooksAheadError) as raised, name_market("A"):
        raise LooksAheadError("rsi looks ahead", column="rsi", bars_back=2)
    assert str(raised.value) == "market A: rsi looks ahead"
    assert (raised.value.column, raised.value.bars_back) == ("rsi", 2)


def test_a_panel_travels_to_other_processes():
    panel = pickle.loads(pickle.dumps(as_panel({"A": A, "B": B})))
    assert panel.symbols == ("A", "B")
    pd.testing.assert_frame_equal(panel["A"], as_panel({"A": A})["A"])


def test_a_market_that_shares_no_date_with_another_is_named():
    later = bars_on(["2025-01-02", "2025-01-03"], [5, 6])
    check_common_dates({"A": A, "B": B})
    check_common_dates({"C": later})
    with pytest.raises(
        BarsError, match=r"^market C has no date .* has 2 bars from 2025-01-02 .*A h"
    ):
        check_common_dates({"A": A, "B": B, "C": later})


@pytest.mark.parametrize(
    "other",
    [
        B.set_axis(B.index + pd.Timedelta(hours=16)),
        B.iloc[-2:].set_axis(B.index[-2:] + pd.Timedelta(hours=16)),
    ],
    ids=["other times", "one day of several"],
)
def test_equal_days_at_other_times_are_told_from_other_days(other):
    with pytest.raises(BarsError) as refusal:
        check_common_dates({"A": A, "B": other})
    message = str(refusal.value)
    assert f"days in common with market B: its first bar is at {A.index[0]}" in message
    assert f"that of market B at {other.index[0]}" in message
    assert "plain dates (bars.set_axis(bars.index.tz_localize(None).normalize()))" in message


def test_the_remedy_for_daily_bars_of_two_zones_brings_them_together():
    zones = {"A": "UTC", "B": "America/New_York"}
    panel = {name: A.set_axis(A.index.tz_localize(zone)) for name, zone in zones.items()}
    with pytest.raises(BarsError, match=r"days in common with market B.*00:00:00-05:00"):
        check_common_dates(panel)
    check_common_dates(
        {
            name: bars.set_axis(bars.index.tz_localize(None).normalize())
            for name, bars in panel.items()
        }
    )


def test_bars_of_one_day_at_other_times_are_to_be_brought_to_the_same():
    hours = A.set_axis(pd.date_range("2024-01-02 10:00", periods=len(A), freq="h"))
    halves = hours.set_axis(hours.index + pd.Timedelta(minutes=30))
    with pytest.raises(BarsError, match=r"10:30:00\. Bring the bars to the same times, or leave"):
        check_common_dates({"A": hours, "B": halves})


def test_dates_in_two_zones_are_compared_as_instants():
    utc = A.set_axis(A.index.tz_localize("UTC"))
    tokyo = A.set_axis(utc.index.tz_convert("Asia/Tokyo"))
    check_common_dates({"A": utc, "B": tokyo})


def test_markets_that_share_no_date_are_dropped_and_said():
    index = pd.date_range("2024-01-01", periods=3)
    bars = pd.DataFrame(
        {"open": 10.0, "high": 12.0, "low": 9.0, "close": [10.0, 11.0, 10.0], "volume": 1.0}, index
    )
    old = bars.set_axis(index - pd.Timedelta(days=900))
    panel = as_panel({"A": bars, "OLD": old, "B": bars})
    kept = drop_lone_markets(panel)
    assert (kept.symbols, list(kept.dropped)) == (("A", "B"), ["OLD"])
    assert kept.notes[0].startswith("dropped 1 of 3 markets: market OLD has no date in common with")
    assert drop_lone_markets(kept) is kept
    with pytest.raises(BarsError, match="market A has no date in common"):
        drop_lone_markets(as_panel({"A": bars, "OLD": old}))
