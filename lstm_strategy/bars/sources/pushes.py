"""What an exchange pushes over its websocket, so that a closed candle is asked for at once."""

import asyncio
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

_log = logging.getLogger(__name__)
_LONGEST_WAIT = 60.0
_LONGEST_SILENCE = 120.0  # then the connection counts as dead: half a message stops ccxt in silence
Candle = list[Any]


class CandlePushes:
    """Listens to the candles of one market in a thread of its own.

    A candle has closed once a later one begins. The pushes only say when to ask: bars come over
    HTTP, as those of the history do. While the connection is down nothing is pushed, and it is
    made again at once, then after 1, 2, 4 … seconds, a minute apart at last.

    Args:
        name: Of the source, for messages.
        exchange: An object of `ccxt.pro`, which this closes.
        symbol: The market as ccxt writes it.
        timeframe: Such as `1h`.
        on_close: Called, in the thread, whenever a candle has closed.
    """

    def __init__(
        self,
        name: str,
        exchange: Any,
        symbol: str,
        timeframe: str,
        on_close: Callable[[], None],
    ) -> None:
        self._name, self._exchange = name, exchange
        self._symbol, self._timeframe = symbol, timeframe
        self._on_close = on_close
        self._forming: Candle | None = None
        self._closed: Candle | None = None
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name=f"{name} pushes", daemon=True)
        self._thread.start()

    @property
    def closed(self) -> Candle | None:
        """The last candle that closed: milliseconds, open, high, low, close, volume."""
        return self._closed

    def close(self) -> None:
        """Let the connection go and end the thread."""
        with suppress(RuntimeError):  # the loop has ended by itself
            self._loop.call_soon_threadsafe(self._cancel)
        self._thread.join()

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _run(self) -> None:
        self._task = self._loop.create_task(self._listen())
        try:
            with suppress(asyncio.CancelledError):
                self._loop.run_until_complete(self._task)
            self._loop.run_until_complete(self._exchange.close())
        finally:
            self._loop.close()

    async def _listen(self) -> None:
        n_failures = 0
        while True:
            try:
                # no task of its own: ccxt forgets what comes before it is asked again
                async with asyncio.timeout(_LONGEST_SILENCE):
                    candles = await self._exchange.watch_ohlcv(self._symbol, self._timeframe)
                self._take(candles)
                n_failures = 0
            except TimeoutError:
                await self._hang_up()
            except Exception as error:  # whatever ccxt raises, the clock goes on
                n_failures += 1
                if n_failures == 1:
                    kind = type(error).__name__
                    _log.warning("%s: pushes ended (%s); bars come by the clock", self._name, kind)
                await self._hang_up()
                if n_failures > 1:
                    await asyncio.sleep(min(2.0 ** (n_failures - 2), _LONGEST_WAIT))

    async def _hang_up(self) -> None:
        self._forming = None  # its end will be missed
        await self._exchange.close()

    def _take(self, candles: list[Candle]) -> None:
        for candle in candles:
            forming = self._forming
            if forming is not None and candle[0] < forming[0]:
                continue  # told late
            if forming is not None and candle[0] > forming[0]:
                self._closed = forming
                self._on_close()
            self._forming = list(candle)
