"""Prices of Yahoo: yfinance's own reading of its answers, against a server that plays it."""

import numpy as np
import pandas as pd
import pytest
import requests
from requests.adapters import HTTPAdapter

from lstm_strategy import load_bars, open_source
from lstm_strategy.bars.sources.yahoo import YahooPrices
from lstm_strategy.errors import BarsError

yfinance = pytest.importorskip("yfinance")
ZONE = "America/New_York"
DAYS = pd.bdate_range("2023-12-18", "2024-01-31", tz=ZONE) + pd.Timedelta(hours=9.5)


class Yahoo:
    """What the site answers for SPY: a bar for each of DAYS that has begun."""

    def __init__(self, site):
        self.site, self.factor = site, 1.0
        site.routes = {
            "/chart/SPY": self.chart,
            "/getcrumb": lambda query: "crumb",
            "/search": lambda query: {"quotes": [{"symbol": "SPY"}, {"symbol": "SPYG"}]},
            "/chart/SPYY": lambda query: (
                404,
                {"chart": {"result": None, "error": {"code": "Not Found", "description": "none"}}},
            ),
        }

    def chart(self, query):
        step = pd.Timedelta(hours=1)
        opens = DAYS
        if query["interval"] == "1h":
            opens = pd.DatetimeIndex([day + step * number for day in DAYS for number in range(7)])
        since = pd.Timestamp(int(query.get("period1", 0)), unit="s", tz="UTC")
        opens = opens[(opens <= self.site.now) & (opens >= since)]
        prices = [100.0 + (day - DAYS[0]).days for day in opens]
        today = self.site.now.tz_convert(ZONE).normalize()
        session = {
            "timezone": "EST",
            "gmtoffset": -18000,
            "start": int((today + pd.Timedelta(hours=9.5)).timestamp()),
            "end": int((today + pd.Timedelta(hours=16)).timestamp()),
        }
        days = sorted({int((o.normalize() + step * 9.5).timestamp()) for o in opens})
        meta = {
            "currency": "USD",
            "symbol": "SPY",
            "instrumentType": "ETF",
            "exchangeTimezoneName": ZONE,
            "timezone": "EST",
            "gmtoffset": -18000,
            "priceHint": 2,
            "dataGranularity": query["interval"],
            "validRanges": ["1d", "max"],
            "tradingPeriods": [[{**session, "start": s, "end": s + 23400}] for s in days],
            "currentTradingPeriod": {"pre": session, "regular": session, "post": session},
        }
        quote = {
            "open": prices,
            "high": [price + 2 for price in prices],
            "low": [price - 1 for price in prices],
            "close": [price + 1 for price in prices],
            "volume": [1000] * len(prices),
        }
        adjusted = [(price + 1) * self.factor for price in prices]
        indicators = {"quote": [quote]}
        if query["interval"] == "1d":
            indicators["adjclose"] = [{"adjclose": adjusted}]
        stamps = [int(moment.timestamp()) for moment in opens]
        result = {"meta": meta, "timestamp": stamps, "indicators": indicators}
        return {"chart": {"result": [result], "error": None}}


@pytest.fixture
def yahoo(site, monkeypatch, tmp_path):
    class Forward(HTTPAdapter):
        def send(self, request, *args, **options):
            request.url = f"{site.url}/{request.url.split('/', 3)[-1]}"
            return super().send(request, *args, **options)

    session = requests.Session()
    session.trust_env = False
    session.mount("https://", Forward())
    data = yfinance.data.YfData()
    monkeypatch.setattr(data, "_session", session)
    monkeypatch.setattr(data, "_crumb", None)
    monkeypatch.setattr(data, "_cookie", True)
    data.cache_get.cache_clear()
    yfinance.set_tz_cache_location(str(tmp_path / "zones"))
    monkeypatch.setattr(YahooPrices, "now", lambda self: site.now)
    site.now = pd.Timestamp("2024-01-03 11:00", tz=ZONE).tz_convert("UTC")
    yield Yahoo(site)
    session.close()


def test_daily_bars_are_those_of_sessions_that_are_over(yahoo, site):
    bars = load_bars("yahoo:SPY")
    assert bars.index.tz is None
    assert bars.index[[0, -1]].tolist() == [pd.Timestamp("2023-12-18"), pd.Timestamp("2024-01-02")]
    assert bars.iloc[0].tolist() == [100.0, 102.0, 99.0, 101.0, 1000.0]
    site.now = pd.Timestamp("2024-01-03 16:10", tz=ZONE).tz_convert("UTC")
    assert load_bars("yahoo:SPY").index[-1] == pd.Timestamp("2024-01-02")
    site.now = pd.Timestamp("2024-01-03 16:21", tz=ZONE).tz_convert("UTC")
    assert load_bars("yahoo:SPY").index[-1] == pd.Timestamp("2024-01-03")


def test_prices_are_adjusted_and_fetched_anew_once_the_past_is_adjusted_otherwise(yahoo):
    first = load_bars("yahoo:SPY")
    yahoo.factor = 0.5
    adjusted = load_bars("yahoo:SPY")
    np.testing.assert_allclose(adjusted[["open", "close"]], first[["open", "close"]] / 2)


def test_bars_within_the_day_are_stamped_at_their_open_in_the_zone_of_the_exchange(yahoo):
    bars = load_bars("yahoo:SPY:1h")
    assert str(bars.index.tz) == ZONE
    assert bars.index[-1] == pd.Timestamp("2024-01-03 09:30", tz=ZONE)


def test_live_bars_come_as_sessions_end_and_over_a_weekend(yahoo, site, monkeypatch):
    # six days in steps of an hour, or it would be asked two thousand times
    monkeypatch.setattr("lstm_strategy.bars.sources.download.source._LONGEST_POLL", 3_600.0)
    source = open_source("yahoo:SPY")
    history = source.history(n_bars=3)
    live = source.live(after=history.index[-1])
    days = [next(live)["datetime"] for _ in range(4)]
    assert days == list(pd.to_datetime(["2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08"]))
    source.close()
    assert list(live) == []


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param("drop", id="connection dropped"),
        pytest.param((503, {}), id="503"),
        pytest.param("truncate", id="truncated json"),
    ],
)
def test_failures_of_yahoo_are_waited_out(yahoo, site, failure):
    load_bars("yahoo:SPY")
    site.failures.extend([("chart", failure)] * 2)
    assert load_bars("yahoo:SPY?refresh=yes").index[-1] == pd.Timestamp("2024-01-02")
    assert site.waits


def test_too_many_requests_end_in_one_line(yahoo, site):
    site.failures.extend([("chart", (429, {}))] * 50)
    with pytest.raises(BarsError, match=r"too many requests \(5 tries\)"):
        load_bars("yahoo:SPY")


def test_without_a_network_yahoo_is_one_line(yahoo, site):
    site.close()
    with pytest.raises(BarsError, match=r"Yahoo can't be reached .*\(5 tries\). Check the network"):
        load_bars("yahoo:SPY")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("yahoo:SPYY", "there is no market SPYY.*Did you mean SPY, SPYG"),
        pytest.param("yahoo:SPY:7h", "no interval '7h' here. Known: 1m, 2m"),
        pytest.param("yahoo:", "written yahoo:SYMBOL or yahoo:SYMBOL:INTERVAL"),
        pytest.param("yahoo:SPY?referesh=yes", "no option referesh here. Did you mean refresh"),
    ],
)
def test_what_yahoo_has_not_is_refused_with_the_nearest_names(yahoo, text, message):
    with pytest.raises(BarsError, match=message):
        load_bars(text)
