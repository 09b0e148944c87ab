"""What the site on localhost answers for Binance."""

import pandas as pd

HOUR = 3_600_000
FIRST = pd.Timestamp("2024-01-01", tz="UTC")


def market(symbol, **more):
    return {"symbol": symbol, "baseAsset": "BTC", "quoteAsset": "USDT", "filters": [], **more}


def candle(number):
    """A kline of Binance: times in milliseconds, prices as text, the rest behind."""
    opened = round(FIRST.timestamp() * 1000) + number * HOUR
    prices = [f"{100 + number + step:.2f}" for step in (0, 2, -1, 1)]
    return [opened, *prices, "5.0", opened + HOUR - 1, "500.0", 40, "2.5", "250.0", "0"]


class Exchange:
    """What the site answers for Binance: candles since FIRST, the last of which still forms."""

    def __init__(self, site):
        self.site = site
        self.page_size = 1000
        self.reorder = lambda page: page
        self.changed = {}
        spot = {"symbols": [market("BTCUSDT", status="TRADING")]}
        contract = {
            "contractType": "PERPETUAL",
            "marginAsset": "USDT",
            "deliveryDate": 4133404800000,
        }
        swap = {
            "symbols": [market("BTCUSDT", contractStatus="TRADING", status="TRADING", **contract)]
        }
        site.routes = {
            "/api/exchangeInfo": lambda query: spot,
            "/fapi/exchangeInfo": lambda query: swap,
            "/dapi/exchangeInfo": lambda query: {"symbols": []},
            "/time": lambda query: {"serverTime": site.now_ms},
            "/klines": self.klines,
            "/fundingRate": self.rates,
        }

    def klines(self, query):
        n_opened = (self.site.now_ms - candle(0)[0]) // HOUR + 1
        since = int(query.get("startTime", 0))
        rows = [self.changed.get(number, candle(number)) for number in range(n_opened)]
        size = min(self.page_size, int(query["limit"]))
        return self.reorder([row for row in rows if row and row[0] >= since][:size])

    def rates(self, query):
        since, settled = int(query["startTime"]), candle(0)[0]
        rows = []
        while settled <= self.site.now_ms:
            if settled >= since:
                rate = f"{0.0001 * (1 + (settled - candle(0)[0]) // HOUR // 8):.8f}"
                rows.append({"symbol": "BTCUSDT", "fundingRate": rate, "fundingTime": settled + 4})
            settled += 8 * HOUR
        return rows[: int(query["limit"])]
