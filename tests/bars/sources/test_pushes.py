"""Candles that an exchange pushes: ccxt's own reading of Binance, against a websocket server."""

import asyncio
import json
import queue
import threading

import pandas as pd
import pytest
from played_binance import HOUR, candle

from lstm_strategy import open_source
from lstm_strategy.bars.sources.download import Patience
from lstm_strategy.bars.sources.pushes import CandlePushes
from lstm_strategy.errors import BarsError

ccxt = pytest.importorskip("ccxt")
web = pytest.importorskip("aiohttp.web")

SPOT = "ccxt:binance:BTC/USDT:1h"
FIRST = candle(0)[0]
GUARD = 30  # seconds after which a test that waits in vain fails


class PushingSite:
    """Hands to each client what `say` is given, once the client has subscribed."""

    def __init__(self):
        self.subscribed = queue.Queue()
        self.sockets = []
        self.loop = asyncio.new_event_loop()
        self.is_ready = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        assert self.is_ready.wait(GUARD)

    def run(self):
        async def begin():
            app = web.Application()
            app.router.add_get("/{tail:.*}", self.serve)
            self.runner = web.AppRunner(app, shutdown_timeout=0.1)
            await self.runner.setup()
            site = web.TCPSite(self.runner, "127.0.0.1", 0)
            await site.start()
            self.url = f"ws://127.0.0.1:{self.runner.addresses[0][1]}"
            self.is_ready.set()

        self.loop.run_until_complete(begin())
        self.loop.run_forever()
        self.loop.run_until_complete(self.runner.cleanup())
        self.loop.close()

    async def serve(self, request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            asked = json.loads(message.data)
            await socket.send_json({"result": None, "id": asked["id"]})
            self.sockets.append(socket)
            self.subscribed.put(asked["params"])
        return socket

    def do(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(GUARD)

    def say(self, number, close, volume=5.0):
        """Push the candle of an hour as it stands."""
        opened = FIRST + number * HOUR
        prices = {"o": 100 + number, "h": 102 + number, "l": 99 + number, "c": close, "v": volume}
        kline = {"t": opened, "T": opened + HOUR - 1, "s": "BTCUSDT", "i": "1h", "x": False}
        kline |= {name: str(float(value)) for name, value in prices.items()}
        self.do(self.sockets[-1].send_json({"e": "kline", "s": "BTCUSDT", "k": kline}))

    def say_nonsense(self):
        self.do(self.sockets[-1].send_str('{"e": "kline", "s": "BTCUSDT", "k": {"t": 1'))

    def drop(self):
        self.do(self.sockets[-1].close())

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()


@pytest.fixture
def pushing(exchange, monkeypatch):
    """A server that pushes, beside the one that is asked."""
    from ccxt import pro

    site = PushingSite()

    class LocalBinance(pro.binance):  # type: ignore[name-defined]  # made as it is imported
        def describe(self):
            described = super().describe()
            described["urls"]["api"]["ws"]["spot"] = f"{site.url}/stream/ws"  # which marks spot
            return described

    monkeypatch.setattr(pro, "binance", LocalBinance)
    yield site
    site.close()


class Listener:
    """Pushes of the site, with what has been heard of them."""

    def __init__(self):
        from ccxt import pro

        self.closed = queue.Queue()
        made = pro.binance()
        made.set_markets(ccxt.binance().load_markets())
        self.pushes = CandlePushes(SPOT, made, "BTC/USDT", "1h", self.hear)

    def hear(self):
        self.closed.put(list(self.pushes.closed))


@pytest.fixture
def listener(pushing):
    listener = Listener()
    assert pushing.subscribed.get(timeout=GUARD) == ["btcusdt@kline_1h"]
    yield listener
    listener.pushes.close()


def test_a_candle_has_closed_with_its_last_values_once_the_next_begins(pushing, listener):
    for close in (134.0, 135.5, 134.5):
        pushing.say(34, close)
    pushing.say(35, 135.0)
    opened = FIRST + 34 * HOUR
    assert listener.closed.get(timeout=GUARD) == [opened, 134.0, 136.0, 133.0, 134.5, 5.0]


def test_a_candle_that_is_told_late_is_nothing_new(pushing, listener):
    for number in (34, 33, 34, 35):
        pushing.say(number, 134.0)
    assert listener.closed.get(timeout=GUARD)[0] == FIRST + 34 * HOUR
    assert listener.closed.empty()


@pytest.mark.parametrize("fail", ["drop", "say_nonsense"])
def test_a_connection_that_ends_is_made_again(pushing, listener, fail, monkeypatch):
    pushing.say(34, 134.0)
    monkeypatch.setattr("lstm_strategy.bars.sources.pushes._LONGEST_SILENCE", 0.5)
    pushing.say(35, 135.0)  # the silence that is allowed is read before each push
    assert listener.closed.get(timeout=GUARD)[0] == FIRST + 34 * HOUR
    getattr(pushing, fail)()
    pushing.subscribed.get(timeout=GUARD)
    monkeypatch.undo()
    pushing.say(36, 136.0)
    pushing.say(37, 137.0)
    assert listener.closed.get(timeout=GUARD)[0] == FIRST + 36 * HOUR


def test_a_bar_comes_as_soon_as_it_is_pushed_and_once_it_is_whole(
    exchange, pushing, site, monkeypatch
):
    waited = Patience.wait_for_news  # moves the site's clock, which here stands still instead
    news = threading.Event()

    def wait_for_news(self, seconds):
        waited(self, 0)
        assert seconds > 0 and news.wait(GUARD)

    monkeypatch.setattr(Patience, "wait_for_news", wait_for_news)
    monkeypatch.setattr(Patience, "nudge", lambda self: news.set())
    lagging = [
        FIRST + 34 * HOUR,
        "134.00",
        "136.00",
        "133.00",
        "134.20",
        "4.0",
        0,
        "0",
        1,
        "0",
        "0",
    ]
    exchange.changed[34] = lagging

    def end_candle():
        pushing.subscribed.get(timeout=GUARD)
        site.now = pd.Timestamp("2024-01-02 11:00:00.050", tz="UTC")
        pushing.say(34, 135.0)
        pushing.say(35, 135.0)

    thread = threading.Thread(target=end_candle)
    thread.start()
    asked = []

    def catch_up(self, seconds):
        asked.append(seconds)
        exchange.changed.pop(34, None)

    monkeypatch.setattr(Patience, "wait", catch_up)
    source = open_source(f"{SPOT}?push=yes")
    live = source.live(after=pd.Timestamp("2024-01-02 09:00"))
    bar = next(live)
    thread.join()
    source.close()
    assert list(live) == []
    assert (bar["datetime"].hour, bar["close"], bar["volume"]) == (10, 135.0, 5.0)
    assert asked == [0.2]


def test_an_exchange_that_pushes_nothing_is_said_at_once():
    with pytest.raises(BarsError, match=r"bitso pushes no candles\. Leave out push\."):
        open_source("ccxt:bitso:BTC/MXN:1h?push=yes")
