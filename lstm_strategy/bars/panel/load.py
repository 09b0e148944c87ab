"""A panel from files and frames."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Literal

from lstm_strategy.bars.panel.panel import (
    Panel,
    ReadMarket,
    check_distinct,
    name_market,
    suggest_markets,
)
from lstm_strategy.bars.panel.sources import Source, find_sources
from lstm_strategy.bars.read import LoadedBars
from lstm_strategy.errors import BarsError
from lstm_strategy.support import count_of, explain_arguments, spell

_log = logging.getLogger(__name__)
_MOST_SHOWN = 5


@explain_arguments(BarsError)
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
            markets at once and leave out those that can't be, and symbols that aren't there;
            `dropped` says why, and it is logged.
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
    readers, unknown = found.readers, dict[str, str]()
    if symbols is not None:
        chosen = [symbols] if isinstance(symbols, str) else list(symbols)
        readers, unknown = _choose_markets(readers, chosen, may_drop=on_bad == "drop")
    check_distinct(readers)
    if on_bad == "drop":
        panel = _drop_bad_markets(readers, unknown, found.notes)
    else:
        if len(readers) > 1:
            readers = {name: partial(_offer_to_drop, read) for name, read in readers.items()}
        panel = Panel(readers, notes=found.notes)
    for note in panel.notes:
        _log.warning("%s", note)
    return panel


def _choose_markets(
    readers: Mapping[str, ReadMarket], symbols: Sequence[str], *, may_drop: bool
) -> tuple[dict[str, ReadMarket], dict[str, str]]:
    """The chosen markets, and why others aren't there."""
    by_case: dict[str, list[str]] = {}
    for name in readers:
        by_case.setdefault(name.casefold(), []).append(name)
    chosen: dict[str, ReadMarket] = {}
    unknown: list[str] = []
    for symbol in symbols:
        same = by_case.get(symbol.strip().casefold(), []) if isinstance(symbol, str) else []
        if symbol not in readers and len(same) != 1:
            unknown.append(symbol)
            continue
        name = symbol if symbol in readers else same[0]
        if name in chosen:
            raise BarsError(f"market {name} is asked for twice. Name it once.")
        chosen[name] = readers[name]
    if unknown and not (may_drop and chosen):
        offer = f" Or leave it out: {spell('on_bad', 'drop')}." if chosen else ""
        raise BarsError(f"{_describe_unknown(unknown, readers)}{offer}")
    if not chosen:
        raise BarsError(f"{spell('symbols')} names no market. Name one, or leave it out.")
    return chosen, {str(symbol): "the source has no such market" for symbol in unknown}


def _describe_unknown(unknown: Sequence[str], readers: Mapping[str, ReadMarket]) -> str:
    among = f"among the {len(readers)} of the source"
    if len(unknown) == 1:
        suggested = suggest_markets(unknown[0], readers)
        return f"there is no market {unknown[0]!r} {among}. {suggested}"
    names = ", ".join(map(str, unknown[:_MOST_SHOWN])) + ", …" * (len(unknown) > _MOST_SHOWN)
    return f"{len(unknown)} of the markets asked for aren't {among}: {names}. Correct them."


def _drop_bad_markets(
    readers: Mapping[str, ReadMarket], unknown: Mapping[str, str], notes: tuple[str, ...]
) -> Panel:
    good: dict[str, LoadedBars] = {}
    dropped = dict(unknown)
    for symbol, read in readers.items():
        try:
            with name_market(symbol):
                good[symbol] = read()
        except BarsError as error:
            dropped[symbol] = str(error).removeprefix(f"market {symbol}: ")
    n_markets = len(readers) + len(unknown)
    if not good:
        symbol = next(iter(readers))
        raise BarsError(
            f"none of the {n_markets} markets can be read; market {symbol}: {dropped[symbol]}"
        )
    if dropped:
        first = [f"{symbol} ({why.rstrip('.')})" for symbol, why in dropped.items()][:_MOST_SHOWN]
        more = "; …" * (len(dropped) > _MOST_SHOWN)
        count = f"dropped {len(dropped)} of {count_of(n_markets, 'market')}"
        notes = (*notes, f"{count}: {'; '.join(first)}{more}")
    return Panel(good, dropped=dropped, notes=notes)


def _offer_to_drop(read: ReadMarket) -> LoadedBars:
    try:
        return read()
    except BarsError as error:
        error.args = (f"{error} Or leave out bad markets: {spell('on_bad', 'drop')}.",)
        raise
