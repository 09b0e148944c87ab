"""Exchanges' records of funding, joined to bars."""

import numpy as np
import pandas as pd
import pytest

from lstm_strategy.bars import add_funding, check_funding_rates, missing_settlements
from lstm_strategy.errors import BarsError


def hourly(n_bars, *, tz="UTC", freq="h", **extras):
    index = pd.date_range("2024-01-01", periods=n_bars, freq=freq, tz=tz, name="datetime")
    closes = np.arange(n_bars) + 100.0
    prices = dict.fromkeys(("open", "high", "low", "close"), closes)
    return pd.DataFrame({**prices, "volume": 10.0, **extras}, index)


def record(*stamps, rates=0.0001, tz="UTC"):
    return pd.Series(rates, pd.DatetimeIndex(stamps, tz=tz))


def settled(bars):
    rate = bars["funding_rate"].dropna()
    return {f"{time:%d %H:%M}": value for time, value in rate.items()}


EPOCH = 1704067200  # 2024-01-01 00:00 UTC


@pytest.mark.parametrize(
    "records",
    [
        pytest.param(
            pd.DataFrame(
                {
                    "symbol": "BTCUSDT",
                    "fundingTime": [EPOCH * 1000 + 4, (EPOCH + 28800) * 1000 - 2],
                    "fundingRate": ["0.00010000", "-0.00020000"],
                }
            ),
            id="binance",
        ),
        pytest.param(
            pd.DataFrame(
                {
                    "calc_time": [EPOCH * 1000, (EPOCH + 28800) * 1000],
                    "funding_interval_hours": 8,
                    "last_funding_rate": [0.0001, -0.0002],
                }
            ),
            id="binance vision",
        ),
        pytest.param(
            pd.DataFrame(
                {
                    "fundingRate": ["-0.0002", "0.0001"],
                    "fundingRateTimestamp": [str((EPOCH + 28800) * 1000), str(EPOCH * 1000)],
                }
            ),
            id="bybit, newest first",
        ),
        pytest.param(
            pd.DataFrame(
                {
                    "instId": "BTC-USDT-SWAP",
                    "fundingRate": ["0.0007", "0.0008"],  # predicted
                    "realizedRate": ["0.0001", "-0.0002"],
                    "fundingTime": [str(EPOCH * 1000), str((EPOCH + 28800) * 1000)],
                }
            ),
            id="okx",
        ),
        pytest.param(
            pd.DataFrame(
                {
                    "datetime": ["2024-01-01T00:00:00.000Z", "2024-01-01T08:00:00.005Z"],
                    "fundingRate": [0.0001, -0.0002],
                }
            ),
            id="ccxt",
        ),
        pytest.param(
            record(
                "2024-01-01 01:00", "2024-01-01 09:00", rates=[0.0001, -0.0002], tz="Europe/Paris"
            ),
            id="a series in another zone",
        ),
        pytest.param(pd.Series([0.0001, -0.0002], [EPOCH, EPOCH + 28800]), id="counts of seconds"),
    ],
)
def test_records_are_read_as_exchanges_give_them(records):
    assert settled(add_funding(hourly(24), records)) == {"01 00:00": 0.0001, "01 08:00": -0.0002}


def test_stamps_off_the_minute_by_milliseconds_are_rounded_and_counted(caplog):
    rates = record("2024-01-01 07:59:59.993", "2024-01-01 16:00:00.012")
    assert list(settled(add_funding(hourly(24), rates))) == ["01 08:00", "01 16:00"]
    assert "rounded the times of 2 to the minute" in caplog.text


def test_what_settles_within_a_bar_is_paid_in_money_with_the_mark_known_at_its_open():
    bars = hourly(4, freq="4h", mark=[100.5, 101.5, np.nan, 103.5])
    times = pd.date_range("2024-01-01", periods=16, freq="h")
    rates = record(*times, rates=0.0001 * np.arange(1, 17))
    joined = add_funding(bars, rates)
    np.testing.assert_allclose(joined["funding_rate"], [1e-4, 5e-4, 9e-4, 13e-4])
    sums = 1e-4 * np.array([2 + 3 + 4, 6 + 7 + 8, 10 + 11 + 12, 14 + 15 + 16])
    np.testing.assert_allclose(joined["funding_payment"], sums * [100, 100.5, 101.5, 102.0])


def test_the_mark_of_the_record_goes_before_that_of_the_bars():
    records = pd.DataFrame(
        {
            "fundingTime": [(EPOCH + 3600) * 1000, (EPOCH + 7200) * 1000],
            "fundingRate": 0.001,
            "markPrice": ["123.0", ""],
        }
    )
    joined = add_funding(hourly(4, freq="4h", mark=100.5), records)
    np.testing.assert_allclose(joined["funding_payment"], [0.123 + 0.001 * 100, 0, 0, 0])
    assert joined["funding_rate"].isna().all()


def test_a_settlement_in_a_hole_of_the_bars_is_paid_with_the_bar_before_it():
    bars = hourly(24)
    bars = bars.drop(bars.index[6:12])
    joined = add_funding(bars, record("2024-01-01 00:00", "2024-01-01 08:00", "2024-01-01 16:00"))
    assert list(settled(joined)) == ["01 00:00", "01 16:00"]
    assert joined["funding_payment"].to_numpy().nonzero()[0].tolist() == [5]
    assert joined["funding_payment"].iloc[5] == pytest.approx(0.0001 * 104)


def test_bars_whose_funding_settles_at_their_opens_get_one_column():
    bars = hourly(24)
    joined = add_funding(bars, record("2024-01-01 08:00"))
    assert list(joined) == [*bars, "funding_rate"]
    assert "funding_rate" not in bars


def test_settlements_before_and_after_the_bars_do_not_count():
    rates = record("2023-12-31 16:00", "2024-01-01 00:00", "2024-01-01 08:00", "2024-01-02 00:00")
    assert list(settled(add_funding(hourly(24), rates))) == ["01 00:00", "01 08:00"]


def test_intervals_may_change_and_gaps_are_counted_and_never_filled(caplog):
    first = pd.date_range("2024-01-01", periods=12, freq="8h").delete(5)
    then = pd.date_range("2024-01-05", periods=24, freq="4h").delete([10, 11])
    rates = record(*first, *then)
    joined = add_funding(hourly(24 * 8), rates)
    assert joined["funding_rate"].count() == 11 + 22
    assert "3 seem to be missing, the first at 2024-01-02 16:00:00+00:00" in caplog.text


def test_a_change_of_the_interval_is_no_gap():
    eight = pd.date_range("2024-01-01", periods=9, freq="8h")
    two = pd.date_range("2024-01-04", periods=9, freq="2h")
    again = pd.date_range("2024-01-05", periods=9, freq="8h")
    assert len(missing_settlements(eight.append([two, again]))) == 0


def test_the_same_settlement_twice_counts_once(caplog):
    rates = record("2024-01-01 08:00", "2024-01-01 08:00:00.007", "2024-01-01 16:00")
    assert add_funding(hourly(24), rates)["funding_rate"].count() == 2
    assert "1 came twice and count once" in caplog.text


def test_rows_without_a_rate_are_left_out_and_counted(caplog):
    rates = record("2024-01-01 00:00", "2024-01-01 08:00", rates=[np.nan, 0.0001])
    assert list(settled(add_funding(hourly(24), rates))) == ["01 08:00"]
    assert "left out 1 without a rate, the first at 2024-01-01 00:00:00+00:00" in caplog.text


@pytest.mark.parametrize(
    ("rates", "message"),
    [
        pytest.param(
            record(*pd.date_range("2024-01-01", periods=12, freq="2h"), rates=[0.01, -0.005] * 6),
            "looks like percent: its usual size is .*Divide the column by 100",
            id="percent",
        ),
        pytest.param(
            record("2024-01-01 00:00", "2024-01-01 08:00", "2024-01-01 16:00", rates=[0.0, 0.5, 0]),
            r"is 0.5 at 2024-01-01 08:00:00\+00:00, more than 10% of the notional",
            id="half of it",
        ),
        pytest.param(
            record("2024-01-01 08:00", "2024-01-01 08:00", rates=[0.0001, 0.0002]),
            "two funding rates settle at 2024-01-01 08:00:00.*0.0001 and 0.0002",
            id="two rates",
        ),
        pytest.param(
            record("2024-01-01 08:00", tz=None),
            r"the funding rates have times without a timezone.*rates.tz_localize",
            id="no zone",
        ),
        pytest.param(record("2025-01-01"), "nothing settles within the bars", id="another time"),
        pytest.param(pd.Series(dtype=float), "is empty", id="empty"),
        pytest.param([0.0001], "a series, a frame or a list of records, got list", id="list"),
        pytest.param(pd.Series([0.0001], [7]), "the time 7 of a funding rate", id="no time"),
        pytest.param(
            pd.DataFrame({"fundingTime": [EPOCH], "interest": [1]}),
            "no column of rates, found: fundingTime, interest. Rename that column to fundingRate",
            id="no rates",
        ),
        pytest.param(pd.DataFrame({"fundingRate": [0.0001]}), "no column of times", id="no times"),
        pytest.param(
            pd.DataFrame({"time": [EPOCH], "fundingRate": ["0.01%"]}),
            "'0.01%' at 0 isn't a number.*Divide percents by 100",
            id="percent sign",
        ),
        pytest.param(
            pd.DataFrame({"time": ["Monday"], "fundingRate": [0.0001]}),
            "a time of the funding rates can't be read",
            id="words",
        ),
        pytest.param(
            pd.DataFrame({"time": [EPOCH] * 2, "symbol": ["A", "B"], "fundingRate": 0.0001}),
            "several markets, A and B among them. Choose one",
            id="two markets",
        ),
    ],
)
def test_what_cannot_be_read_surely_is_refused(rates, message):
    with pytest.raises(BarsError, match=message):
        add_funding(hourly(24), rates)


def test_bars_without_a_zone_take_rates_without_one():
    naive = hourly(24, tz=None)
    assert list(settled(add_funding(naive, record("2024-01-01 08:00", tz=None)))) == ["01 08:00"]
    with pytest.raises(BarsError, match=r'the bars have times without.*bars.tz_localize\("UTC"\)'):
        add_funding(naive, record("2024-01-01 08:00"))


def test_bars_that_have_funding_already_are_refused():
    with pytest.raises(BarsError, match="have a column funding_rate already"):
        add_funding(hourly(24, funding_rate=np.nan), record("2024-01-01 08:00"))


def test_no_rate_at_all_is_nothing_to_refuse():
    check_funding_rates(pd.Series([np.nan], pd.to_datetime(["2024-01-01"])))


def test_a_list_of_records_is_read_as_a_frame_of_them():
    records = [
        {"symbol": "BTC/USDT:USDT", "info": {}, "timestamp": 1000 * EPOCH, "fundingRate": 0.0001},
        {"symbol": "BTC/USDT:USDT", "info": {}, "timestamp": 1000 * (EPOCH + 28_800)},
    ]
    records[1]["fundingRate"] = -0.0002
    joined = add_funding(hourly(24), records)
    assert settled(joined) == {"01 00:00": 0.0001, "01 08:00": -0.0002}
    with pytest.raises(BarsError, match="is empty"):
        add_funding(hourly(24), [])


def test_a_record_that_ends_before_the_bars_is_counted_to_their_end(caplog):
    add_funding(hourly(72), record(*pd.date_range("2024-01-01 16:00", periods=3, freq="8h")))
    # before: 00:00 and 08:00; after 2024-01-02 08:00: 16:00, and three on the day after
    assert "6 seem to be missing, the first at 2024-01-01 00:00:00+00:00" in caplog.text
