"""A site on localhost that answers as Binance and Yahoo do, and fails as they do on request."""

import json
import threading
import urllib.parse
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pandas as pd
import pytest
from played_binance import Exchange

from lstm_strategy.bars.sources.download import Patience

HOUR = 3_600_000


class Site:
    """Answers requests; its clock stands still unless a test, or somebody's waiting, moves it."""

    def __init__(self):
        self.now = pd.Timestamp("2024-01-02 10:30", tz="UTC")
        self.routes = {}
        self.failures = deque()  # (part of the path, what happens), each once
        self.requests = []
        self.waits = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                site.answer(self)

            def log_message(self, *words):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def now_ms(self):
        return round(self.now.timestamp() * 1000)

    def asked(self, part):
        return [query for path, query in self.requests if part in path]

    def answer(self, handler):
        url = urllib.parse.urlsplit(handler.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        self.requests.append((url.path, query))
        failure = None
        if self.failures and self.failures[0][0] in url.path:
            failure = self.failures.popleft()[1]
        if failure == "drop":
            handler.close_connection = True
            handler.connection.close()
            return
        status, headers, body = 200, {}, b""
        if isinstance(failure, tuple):
            status, headers = failure
            body = b'{"code": -1003, "msg": "Too many requests."}' if status < 500 else b"<html>"
        elif isinstance(failure, bytes):
            body = failure
        else:
            route = next((r for part, r in self.routes.items() if url.path.endswith(part)), None)
            if route is None:
                status, body = 404, b"{}"
            else:
                answer = route(query)
                status, answer = answer if isinstance(answer, tuple) else (200, answer)
                body = json.dumps(answer).encode()
            if failure == "truncate":
                body = body[: len(body) // 2]
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def site(tmp_path, monkeypatch):
    """The site; downloads are kept in a folder of the test, and waiting moves the site's clock."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    site = Site()
    stopped = Patience.wait

    def wait(self, seconds):
        stopped(self, 0)
        site.waits.append(seconds)
        site.now += pd.Timedelta(seconds=seconds)

    monkeypatch.setattr(Patience, "wait", wait)
    monkeypatch.setattr(Patience, "wait_for_news", wait)
    yield site
    site.close()


@pytest.fixture
def exchange(site, monkeypatch):
    """Binance on localhost."""
    ccxt = pytest.importorskip("ccxt")

    class LocalBinance(ccxt.binance):  # type: ignore[name-defined]  # made as it is imported
        def describe(self):
            described = super().describe()
            for name in described["urls"]["api"]:
                described["urls"]["api"][name] = f"{site.url}/{name.removesuffix('Public')}"
            described["urls"]["api"]["public"] = f"{site.url}/api"
            described["rateLimit"] = 0.001
            return described

    monkeypatch.setattr(ccxt, "binance", LocalBinance)
    return Exchange(site)
