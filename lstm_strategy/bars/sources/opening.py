"""A source of bars from the text that names it."""

import re
from collections.abc import Callable, Mapping

from lstm_strategy.bars.sources.exchange import ExchangeCandles
from lstm_strategy.bars.sources.played import PlayedFile
from lstm_strategy.bars.sources.source import BarSource
from lstm_strategy.bars.sources.yahoo import YahooPrices
from lstm_strategy.errors import BarsError
from lstm_strategy.support import suggest_names

_SOURCES: Mapping[str, Callable[[str], BarSource]] = {
    "ccxt": ExchangeCandles.open,
    "yahoo": YahooPrices.open,
    "play": PlayedFile.open,
}


def open_source(text: str) -> BarSource:
    """Open a market that has a history and, after it, live bars.

    Args:
        text: One of

            - `ccxt:EXCHANGE:SYMBOL:TIMEFRAME`, such as `ccxt:binance:BTC/USDT:USDT:1h`: candles of
              an exchange and the funding rates of its perpetuals, on the times at which they open,
              in UTC. `?start=2024` leaves out what came before.
            - `yahoo:SYMBOL` or `yahoo:SYMBOL:INTERVAL`, such as `yahoo:SPY` or `yahoo:BTC-USD:1h`:
              prices of Yahoo Finance, adjusted for splits and dividends; daily without an INTERVAL.
            - `play:FILE`: a price file whose first half is history, and whose other bars come one
              a second. `play:FILE?history=500&pace=0.1` says how many bars are history, and how
              many seconds pass from bar to bar. `faults=0.01&seed=7` adds what real feeds do
              wrong (see `disturb_bars`).

            Downloads are kept in the user's cache folder, and the next time only what came since is
            fetched; `?refresh=yes` fetches all of it anew. ccxt and yfinance are extras:
            `pip install "lstm-strategy[ccxt,yahoo]"`.

    Returns:
        The source; see `BarSource` for what it can do.

    Raises:
        BarsError: If there is no such source, or the text isn't written as it must be.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from lstm_strategy import sample_bars
        >>> file = Path(tempfile.mkdtemp()) / "index.csv"
        >>> sample_bars("sp500")[:100].to_csv(file)
        >>> source = open_source(f"play:{file}?history=60&pace=0")
        >>> len(source.history()), len(list(source.live()))
        (60, 40)
    """
    scheme = scheme_of(text)
    if scheme is not None and scheme in _SOURCES:
        return _SOURCES[scheme](text)
    known = [f"{name}:" for name in _SOURCES]
    if scheme is None:
        names = f"{', '.join(known[:-1])} or {known[-1]}"
        raise BarsError(
            f"a source begins with {names}, got {text!r}. To have the bars of a file come one by "
            f"one, write play:{text}."
        )
    nearest = suggest_names(f"{scheme}:", ["sample:", *known])
    raise BarsError(
        f"there is no source {scheme}: ({text!r}). {nearest} Or save those prices to a CSV or "
        "Parquet file and pass its path."
    )


def scheme_of(text: str) -> str | None:
    r"""What stands before the colon of a source; None for a path, also for `C:\prices.csv`.

    Args:
        text: What a user calls the bars.

    Example:
        >>> scheme_of("play:prices.csv"), scheme_of("C:/prices.csv"), scheme_of("prices.csv")
        ('play', None, None)
    """
    found = re.match(r"([A-Za-z]\w+):", text)  # two letters at least
    return None if found is None else found[1]
