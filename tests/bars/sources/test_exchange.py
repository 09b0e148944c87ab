"""Candles of an exchange: ccxt's own reading of Binance, against a server that plays it."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from played_binance import FIRST, HOUR, candle

from lstm_strategy import load_bars, open_source
from lstm_strategy.bars.sources.download import DownloadCache
from lstm_strategy.errors import BarsError

ccxt = pytest.importorskip("ccxt")

PERPETUAL = "ccxt:binance:BTC/USDT:USDT:1h"
SPOT = "ccxt:binance:BTC/USDT:1h"


def closes(bars):
    return [bar["close"] for bar in bars]


def hours(first, last):
    return [101.0 + number for number in range(first, last + 1)]


def test_history_is_every_closed_candle(exchange):
    bars = load_bars(SPOT)
    assert bars.index[0] == FIRST
    assert bars["close"].tolist() == hours(0, 33)  # 10:30: the candle of 10:00 still forms
    assert bars.iloc[0].tolist() == [100.0, 102.0, 99.0, 101.0, 5.0]


@pytest.mark.parametrize("size", [1, 7, 34])
def test_pages_are_joined(exchange, size):
    exchange.page_size = size
    assert load_bars(SPOT)["close"].tolist() == hours(0, 33)


@pytest.mark.parametrize(
    "reorder",
    [
        pytest.param(lambda page: page[::-1], id="the newest first"),
        pytest.param(lambda page: [row for row in page for _ in (1, 2)], id="each twice"),
    ],
)
def test_pages_may_be_out_of_order_and_repeat_themselves(exchange, reorder):
    exchange.page_size, exchange.reorder = 7, reorder
    assert load_bars(SPOT)["close"].tolist() == hours(0, 33)


def test_a_hole_of_more_than_a_page_is_stepped_over(exchange, site):
    site.now = FIRST + pd.Timedelta(hours=3000.5)
    exchange.changed = dict.fromkeys(range(100, 2500))
    bars = load_bars(SPOT)
    assert len(bars) == 3000 - 2400
    assert bars["close"].iloc[[0, 99, 100, -1]].tolist() == [101.0, 200.0, 2601.0, 3100.0]


def test_an_exchange_that_shows_nothing_before_a_market_began_is_searched(exchange, site):
    inner = exchange.klines
    window = 1000 * HOUR

    def klines(query):  # only what opens within a page of the time asked for
        since = int(query["startTime"])
        return [row for row in inner(query) if row[0] < since + window]

    site.routes["/klines"] = klines
    site.now = FIRST + pd.Timedelta(hours=2000.5)
    assert load_bars(SPOT)["close"].tolist() == hours(0, 1999)
    assert len(site.asked("klines")) < 30


@pytest.mark.parametrize(
    ("failure", "least_wait"),
    [
        pytest.param("drop", 1, id="connection dropped"),
        pytest.param((429, {"Retry-After": "7"}), 7, id="429 that asks for seven seconds"),
        pytest.param((418, {"Retry-After": "9"}), 9, id="418"),
        pytest.param((503, {}), 1, id="503"),
        pytest.param((500, {}), 1, id="500"),
        pytest.param("truncate", 1, id="truncated json"),
        pytest.param(b"", 1, id="nothing"),
        pytest.param(b"<html>maintenance</html>", 1, id="a page"),
    ],
)
def test_failures_are_waited_out(exchange, site, failure, least_wait):
    site.failures.append(("klines", failure))
    assert load_bars(SPOT)["close"].tolist() == hours(0, 33)
    assert site.waits[0] == least_wait and not site.failures


@pytest.mark.parametrize("part", ["exchangeInfo", "time", "klines", "fundingRate"])
def test_any_request_may_fail(exchange, site, part):
    site.failures.extend([(part, "drop"), (part, (502, {}))])
    assert len(load_bars(PERPETUAL)) == 34
    assert site.waits == [1.0, 2.0]


def test_without_a_network_one_line_comes_after_a_few_tries(exchange, site):
    site.close()
    with pytest.raises(BarsError) as caught:
        load_bars(SPOT)
    assert "binance can't be reached" in str(caught.value)
    assert "(5 tries). Check the network" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert site.waits == [1.0, 2.0, 4.0, 8.0]


def test_a_server_that_asks_for_long_is_not_waited_for(exchange, site):
    site.failures.append(("klines", (418, {"Retry-After": "86400"})))
    with pytest.raises(BarsError, match="asks to wait 86400 seconds"):
        load_bars(SPOT)


def test_perpetuals_have_the_rates_that_settled_as_their_bars_opened(exchange):
    rates = load_bars(PERPETUAL)["funding_rate"]
    settled = rates.dropna()
    assert settled.index.tolist() == list(pd.date_range(FIRST, periods=5, freq="8h"))
    assert settled.tolist() == pytest.approx([0.0001, 0.0002, 0.0003, 0.0004, 0.0005])


def test_live_bars_follow_the_history_with_the_same_columns(exchange, site):
    source = open_source(PERPETUAL)
    history = source.history(n_bars=5)
    assert history["close"].tolist() == hours(29, 33)
    live = source.live(after=history.index[-1])
    bars = [next(live) for _ in range(8)]
    assert closes(bars) == hours(34, 41)
    later = load_bars(PERPETUAL)
    for bar in bars:
        expected = later.loc[bar["datetime"]]
        assert list(bar) == ["datetime", *later.columns]
        np.testing.assert_array_equal([bar[name] for name in later.columns], expected)
    assert bars[6]["datetime"].hour == 16 and bars[6]["funding_rate"] == pytest.approx(0.0006)
    source.close()
    assert list(live) == []


def test_bars_that_closed_since_come_first_and_waiting_ends_as_each_closes(exchange, site):
    live = open_source(SPOT).live(after=pd.Timestamp("2024-01-02 07:00"))
    assert closes([next(live), next(live)]) == hours(32, 33)
    assert not site.waits
    next(live)
    assert site.waits == [pytest.approx(1801, abs=30)]  # from 10:30 until 11:00, and a second


def test_without_a_known_bar_live_begins_with_the_next_that_closes(exchange):
    live = open_source(SPOT).live()
    assert closes([next(live)]) == hours(34, 34)


def test_live_goes_on_after_the_exchange_was_away(exchange, site, caplog):
    live = open_source(SPOT).live(after=FIRST + pd.Timedelta(hours=32))
    assert closes([next(live)]) == hours(33, 33)
    site.failures.extend([("klines", "drop")] * 9)
    assert closes([next(live)]) == hours(34, 34)
    assert "it is asked again" in caplog.text and "reached again after 9 failures" in caplog.text
    assert max(site.waits[1:]) <= 60


def test_a_candle_without_prices_is_no_bar_of_the_history(exchange):
    exchange.changed[3] = [candle(3)[0], None, None, None, None, "0"]
    assert load_bars(SPOT)["close"].tolist() == [101, 102, 103, *hours(4, 33)]


def test_the_second_time_only_the_newest_bars_are_fetched(exchange, site):
    load_bars(SPOT)
    exchange.changed[33] = [*candle(33)[:4], "133.50", *candle(33)[5:]]  # corrected
    site.now += pd.Timedelta(hours=2)
    site.requests.clear()
    bars = load_bars(SPOT)
    assert bars["close"].tolist() == [*hours(0, 32), 133.5, *hours(34, 35)]
    assert [int(query["startTime"]) for query in site.asked("klines")] == [candle(29)[0]]


def fetched_first(exchange, site):
    site.requests.clear()
    assert load_bars(SPOT)["close"].tolist() == hours(0, 33)
    return int(site.asked("klines")[0]["startTime"]) < candle(1)[0]


def test_a_cache_is_fetched_anew_where_it_is_damaged_or_of_another_version(
    exchange, site, monkeypatch
):
    load_bars(SPOT)
    assert not fetched_first(exchange, site)
    (file,) = (path for path in DownloadCache("x").path.parent.iterdir())
    assert file.suffix == ".parquet"
    file.write_bytes(file.read_bytes()[:100])
    assert fetched_first(exchange, site)
    monkeypatch.setattr("lstm_strategy.bars.sources.download.cache._VERSION", 999)
    assert fetched_first(exchange, site)
    assert not fetched_first(exchange, site)


def test_a_download_is_kept_as_it_is_where_memory_runs_out(exchange, site, monkeypatch):
    load_bars(SPOT)
    (file,) = DownloadCache("x").path.parent.iterdir()
    kept = file.read_bytes()

    def fill(*_, **__):
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr("lstm_strategy.bars.sources.download.cache.frame_from_parquet", fill)
        with pytest.raises(MemoryError):
            load_bars(SPOT)
    assert file.read_bytes() == kept
    assert not fetched_first(exchange, site)


def test_a_user_without_a_home_downloads_all_each_time(exchange, site, no_home):
    assert DownloadCache("x").path is None
    for _ in range(2):
        assert fetched_first(exchange, site)


def test_refresh_fetches_all_anew(exchange, site):
    load_bars(SPOT)
    site.requests.clear()
    exchange.changed[0] = [*candle(0)[:4], "100.50", *candle(0)[5:]]
    assert load_bars(SPOT)["close"].iloc[0] == 101.0
    assert load_bars(f"{SPOT}?refresh=yes")["close"].iloc[0] == 100.5
    assert load_bars(SPOT)["close"].iloc[0] == 100.5


def test_prices_that_changed_throughout_are_fetched_anew(exchange):
    load_bars(SPOT)
    for number in range(34):
        row = candle(number)
        exchange.changed[number] = [row[0], *(f"{float(x) / 2:.2f}" for x in row[1:5]), *row[5:]]
    assert load_bars(SPOT)["close"].tolist() == [close / 2 for close in hours(0, 33)]


def test_prices_that_changed_throughout_begin_where_they_are_asked_for(exchange):
    load_bars(SPOT)
    for number in range(34):
        row = candle(number)
        exchange.changed[number] = [row[0], *(f"{float(x) / 2:.2f}" for x in row[1:5]), *row[5:]]
    late = load_bars(f"{SPOT}?start=2024-01-02")
    assert late["close"].tolist() == [close / 2 for close in hours(24, 33)]
    assert load_bars(SPOT)["close"].tolist() == [close / 2 for close in hours(0, 33)]


def test_a_history_that_begins_earlier_is_fetched_from_there(exchange, site):
    late = load_bars(f"{SPOT}?start=2024-01-02")
    assert late["close"].tolist() == hours(24, 33)
    assert load_bars(SPOT)["close"].tolist() == hours(0, 33)
    site.requests.clear()
    assert open_source(SPOT).history("2024-01-02 03:00")["close"].tolist() == hours(27, 33)
    assert int(site.asked("klines")[0]["startTime"]) == candle(29)[0]


def test_a_folder_that_cannot_be_written_costs_the_cache_alone(exchange, tmp_path, caplog):
    (tmp_path / "cache").write_text("a file, not a folder")
    assert load_bars(SPOT)["close"].tolist() == hours(0, 33)
    assert "the download isn't kept" in caplog.text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("ccxt:binanse:BTC/USDT:1h", "no exchange binanse. Did you mean binance"),
        pytest.param("ccxt:binance:BTC/USD:1h", "no market BTC/USD. Did you mean .*BTC/USDT"),
        pytest.param("ccxt:binance:btc/usdt:1h", "no market btc/usdt. Did you mean BTC/USDT"),
        pytest.param("ccxt:binance:BTC/USDT:7h", "no timeframe '7h'. Known: .*1h, 2h"),
        pytest.param("ccxt:binance:BTC/USDT:USDT", "no timeframe 'USDT'"),
        pytest.param("ccxt:binance", "written ccxt:EXCHANGE:SYMBOL:TIMEFRAME"),
        pytest.param("ccxt:binance:BTC/USDT:1h?start=soon", "start must be a date such as 2024"),
        pytest.param("ccxt:binance:BTC/USDT:1h?refresh=1", "refresh must be yes or no"),
    ],
)
def test_what_is_not_there_is_refused_with_the_nearest_names(exchange, text, message):
    with pytest.raises(BarsError, match=message):
        load_bars(text)


@pytest.mark.parametrize(
    ("package", "text", "extra"),
    [("ccxt", SPOT, "ccxt"), ("yfinance", "yahoo:SPY", "yahoo")],
)
def test_without_its_package_a_source_says_what_to_install(monkeypatch, package, text, extra):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(BarsError, match=rf'pip install "lstm-strategy\[{extra}\]"'):
        open_source(text)


def test_the_packages_of_sources_are_imported_by_nobody_else():
    code = "import sys, lstm_strategy; lstm_strategy.open_source; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"ccxt", "yfinance"} & set(done.stdout.split())
