"""A panel from files and frames."""

import logging
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Literal

from lstm_strategy.bars.load import LoadedBars
from lstm_strategy.bars.panel.panel import Panel, ReadMarket, name_market, suggest_markets
from lstm_strategy.bars.panel.sources import Source, find_sources
from lstm_strategy.errors import BarsError
from lstm_strategy.support import count_of, spell

_log = logging.getLogger(__name__)
_MOST_SHOWN = 5


def load_panel(
    source: Source,
    *,
    symbols: Iterable[str] | None = None,
    on_bad: Literal["raise", "drop"] = "raise",
    adjusted: bool = False,
    columns: Mapping[str, str] | None = None,
    repair: bool = False,
) -> Panel:
    """Load the bars of many markets, each as `load_bars` loads and checks them.

    The files of a folder are read as their markets are needed, and so are those of a pattern; a
    file of several markets is read at once. Markets may begin, end and pause at dates of their own,
    and have extra columns of their own. What is repaired or left out is in `notes`.

    Args:
        source: A folder or a pattern such as `"data/*.parquet"` or a list of files, each of which
            is named after its market (`SPY` for `SPY.csv.gz`) and holds one; one file or frame of
            several markets, told apart by a column such as Symbol or by tickers above the columns;
            or what `load_bars` takes, by symbol.
        symbols: The markets to load, in this order, whatever else the source holds. None for all.
        on_bad: "raise" to raise the error of a bad market when it is read. "drop" to read all
            markets at once and leave out those that can't be; `dropped` says why, and it is logged.
        adjusted: As in `load_bars`, for every market.
        columns: As in `load_bars`, for every market.
        repair: As in `load_bars`, for every market.

    Raises:
        BarsError: If there are no markets, one is there twice, one of `symbols` isn't there, or all
            were dropped. Whatever is wrong with the bars of a market is raised when it is read,
            with its symbol in front.

    Example:
        >>> import pandas as pd
        >>> frame = pd.DataFrame(
        ...     {"Date": ["2024-01-02", "2024-01-02", "2024-01-03"], "Symbol": ["A", "B", "A"],
        ...      "Open": [10, 20, 11], "High": [12, 22, 13], "Low": [9, 19, 10],
        ...      "Close": [11, 21, 12], "Volume": [500, 600, 400]})
        >>> panel = load_panel(frame)
        >>> {symbol: len(bars) for symbol, bars in panel.items()}
        {'A': 2, 'B': 1}
    """
    if on_bad not in ("raise", "drop"):
        raise BarsError(f'on_bad must be "raise" or "drop", got {on_bad!r}. Choose one.')
    found = find_sources(source, adjusted=adjusted, columns=columns, repair=repair)
    readers = found.readers
    if symbols is not None:
        chosen = [symbols] if isinstance(symbols, str) else list(symbols)
        readers = _choose_markets(readers, chosen)
    if on_bad == "drop":
        panel = _drop_bad_markets(readers, found.notes)
    else:
        offering = {name: partial(_offer_to_drop, read) for name, read in readers.items()}
        panel = Panel(offering, notes=found.notes)
    for note in panel.notes:
        _log.warning("%s", note)
    return panel


def _choose_markets(
    readers: Mapping[str, ReadMarket], symbols: Iterable[str]
) -> dict[str, ReadMarket]:
    by_case: dict[str, list[str]] = {}
    for name in readers:
        by_case.setdefault(name.casefold(), []).append(name)
    chosen: dict[str, ReadMarket] = {}
    for symbol in symbols:
        same = by_case.get(symbol.strip().casefold(), []) if isinstance(symbol, str) else []
        if symbol not in readers and len(same) != 1:
            raise BarsError(
                f"there is no market {symbol!r} among the {len(readers)} of the source. "
                f"{suggest_markets(symbol, readers)}"
            )
        name = symbol if symbol in readers else same[0]
        if name in chosen:
            raise BarsError(f"market {name} stands twice in {spell('symbols')}. Name it once.")
        chosen[name] = readers[name]
    if not chosen:
        raise BarsError(f"{spell('symbols')} names no market. Name one, or leave it out.")
    return chosen


def _drop_bad_markets(readers: Mapping[str, ReadMarket], notes: tuple[str, ...]) -> Panel:
    good: dict[str, LoadedBars] = {}
    dropped: dict[str, str] = {}
    for symbol, read in readers.items():
        try:
            with name_market(symbol):
                good[symbol] = read()
        except BarsError as error:
            dropped[symbol] = str(error).removeprefix(f"market {symbol}: ")
    if not good:
        symbol, why = next(iter(dropped.items()))
        raise BarsError(f"none of the {len(readers)} markets can be read; market {symbol}: {why}")
    if dropped:
        first = [f"{symbol} ({why.rstrip('.')})" for symbol, why in dropped.items()][:_MOST_SHOWN]
        more = "; …" * (len(dropped) > _MOST_SHOWN)
        count = f"dropped {len(dropped)} of {count_of(len(readers), 'market')}"
        notes = (*notes, f"{count}: {'; '.join(first)}{more}")
    return Panel(good, dropped=dropped, notes=notes)


def _offer_to_drop(read: ReadMarket) -> LoadedBars:
    try:
        return read()
    except BarsError as error:
        error.args = (f"{error} Or leave out bad markets: {spell('on_bad', 'drop')}.",)
        raise
