"""A panel: the bars of many markets, read as needed."""

import hashlib
import json
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, overload

import pandas as pd

from lstm_strategy.bars.fingerprint import bars_fingerprint
from lstm_strategy.bars.futures import has_contract, points_bars, proportional_bars
from lstm_strategy.bars.read import LoadedBars
from lstm_strategy.bars.span import Date, cut_bars
from lstm_strategy.bars.validation import validate_bars
from lstm_strategy.errors import BarsError, LSTMStrategyError, TradingError, UnknownMarketError
from lstm_strategy.support import gather_notes, suggest_names

if TYPE_CHECKING:
    from typing_extensions import TypeIs

_log = logging.getLogger(__name__)
_MOST_SHOWN = 10

ReadMarket = Callable[[], LoadedBars]
"""Reads and checks the bars of one market."""


class Panel(Mapping[str, pd.DataFrame]):
    """The bars of many markets by symbol: each is read and checked on first use, and then kept.

    Make one with `load_panel`, or with `as_panel` from frames. `panel["SPY"]` gives bars as
    `validate_bars` returns them; whoever holds them must not change them.

    Args:
        markets: The bars of each market or what reads them, by symbol, in the order to keep.
        dropped: Why markets were left out, by symbol.
        notes: What was done to all markets; sentences without a full stop.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> panel = as_panel({"SP": sample_bars("sp500"), "NQ": sample_bars("nasdaq")[:"2010"]})
        >>> panel
        Panel(2 markets: SP, NQ)
        >>> len(panel["NQ"])
        3019
    """

    def __init__(
        self,
        markets: Mapping[str, ReadMarket | LoadedBars],
        *,
        dropped: Mapping[str, str] | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        self._markets = dict(markets)
        self._dropped = dict(dropped or {})
        self._notes = tuple(notes)
        self._said: set[str] = set()

    def __getitem__(self, symbol: str) -> pd.DataFrame:
        return self._load(symbol).bars

    def __iter__(self) -> Iterator[str]:
        return iter(self._markets)

    def __len__(self) -> int:
        return len(self._markets)

    def __contains__(self, symbol: object) -> bool:  # without reading the market
        return symbol in self._markets

    # a mapping would compare frames, which pandas refuses to call equal or not
    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        shown = ", ".join(self.symbols[:6]) + (", …" if len(self) > 6 else "")
        return f"Panel({len(self)} market{'s' * (len(self) != 1)}: {shown})"

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols of the markets, in the order of the source."""
        return tuple(self._markets)

    @property
    def dropped(self) -> dict[str, str]:
        """Why markets were left out, by symbol."""
        return dict(self._dropped)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done to all markets, and to those read so far, with their symbols in front.

        What was done to several in the same way is one note, and is logged for the first of them.
        Where notes on more than three differ in their numbers alone, the first stands for all.
        """
        of_markets = (
            (symbol, note)
            for symbol, market in self._markets.items()
            if isinstance(market, LoadedBars)
            for note in market.notes
        )
        return (*self._notes, *gather_notes(of_markets))

    @cached_property
    def fingerprint(self) -> str:
        """A name of 64 hexadecimal digits that changes with any symbol and any bar of a market.

        It is the SHA-256 of the `bars_fingerprint` of every market; their order makes no
        difference.
        """
        prints = sorted((symbol, bars_fingerprint(bars)) for symbol, bars in self.items())
        return hashlib.sha256(json.dumps(["panel", 1, prints]).encode()).hexdigest()

    @cached_property
    def dates(self) -> pd.DatetimeIndex:
        """Every date on which some market has a bar, in order; in UTC where zones differ.

        Raises:
            BarsError: If some markets have dates with a timezone and others without.
        """
        indexes = {symbol: pd.DatetimeIndex(bars.index) for symbol, bars in self.items()}
        naive = [symbol for symbol, index in indexes.items() if index.tz is None]
        if 0 < len(naive) < len(self):
            aware = next(symbol for symbol in self if symbol not in naive)
            raise BarsError(
                f"the dates of market {aware} have a timezone ({indexes[aware].tz}), and those of "
                f"market {naive[0]} have none. Give all markets one, or none."
            )
        first, *rest = indexes.values()
        if any(str(index.tz) != str(first.tz) for index in rest):
            first, *rest = (index.tz_convert("UTC") for index in indexes.values())
        return pd.DatetimeIndex(first.append(list(rest)).unique().sort_values(), name="datetime")

    def _load(self, symbol: str) -> LoadedBars:
        if symbol not in self._markets:
            raise UnknownMarketError(
                f"there is no market {symbol!r} in the panel. {suggest_markets(symbol, self)}"
            )
        market = self._markets[symbol]
        if not isinstance(market, LoadedBars):
            with name_market(symbol):
                market = self._markets[symbol] = market()
            new = [note for note in market.notes if note not in self._said]
            if new:
                _log.warning("%s: %s", symbol, "; ".join(new))
            self._said.update(new)
        return market


def is_panel(value: object) -> "TypeIs[Mapping[str, pd.DataFrame]]":
    """Whether something is given by symbol, as a panel is, and isn't the bars of one market.

    Args:
        value: Bars, a panel or anything else.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> bars = sample_bars("sp500")
        >>> is_panel(bars), is_panel({"SP": bars})
        (False, True)
    """
    return isinstance(value, Mapping)


def as_panel(markets: Mapping[str, pd.DataFrame]) -> Panel:
    """Make a panel of bars by symbol; a panel comes back as it is.

    Args:
        markets: The bars of each market, as `validate_bars` takes them; left as they are. Each is
            checked on first use.

    Raises:
        BarsError: If it isn't a mapping from symbols to frames, or holds no market.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> panel = as_panel({"SP": sample_bars("sp500"), "NQ": sample_bars("nasdaq")})
        >>> panel.symbols
        ('SP', 'NQ')
        >>> len(panel.dates)
        5031
    """
    if isinstance(markets, Panel):
        return markets
    if not is_panel(markets):
        raise BarsError(
            f"a panel must be bars by symbol, got {type(markets).__name__}. "
            'Pass {"SPY": bars, "QQQ": more_bars}, or use load_panel.'
        )
    check_symbols(markets)
    return Panel({symbol: partial(_check_market, bars) for symbol, bars in markets.items()})


def slice_panel(
    panel: Mapping[str, pd.DataFrame], start: Date | None = None, end: Date | None = None
) -> Panel:
    """Cut every market of a panel to the bars from one date to another, both inclusive.

    Args:
        panel: The panel.
        start: The first date; a year or a day stands for all of it. None for no limit.
        end: The last date, in the same way.

    Returns:
        The markets that have a bar in between; `dropped` says which have none. Their frames may
        share their memory with those of `panel`.

    Raises:
        TradingError: If a date isn't one, or no market has a bar in between.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> panel = {"SP": sample_bars("sp500"), "NQ": sample_bars("nasdaq")[:"2010"]}
        >>> later = slice_panel(panel, "2013", "2013-06")
        >>> later.symbols, len(later["SP"]), list(later.dropped)
        (('SP',), 124, ['NQ'])
    """
    markets = as_panel(panel)
    between = f"between {start or 'the beginning'} and {end or 'the end'}"
    kept: dict[str, ReadMarket | LoadedBars] = {}
    dropped = markets.dropped
    for symbol, bars in markets.items():
        with name_market(symbol):
            cut = cut_bars(bars, start=start, end=end)
        if cut.empty:
            dropped[symbol] = f"it has no bar {between}"
        else:
            kept[symbol] = LoadedBars(cut, ())
    if not kept:
        first, last = markets.dates[0], markets.dates[-1]
        raise TradingError(
            f"none of the {len(markets)} markets has a bar {between}; their bars lie from "
            f"{first:%Y-%m-%d} to {last:%Y-%m-%d}. Choose other dates."
        )
    return Panel(kept, dropped=dropped)


def take_bars(panel: Panel, spans: Mapping[str, slice]) -> Panel:
    """Take some of the bars of some markets, by their positions.

    Args:
        panel: The panel.
        spans: The positions of the bars of each market to keep, by symbol.

    Returns:
        These markets. Their frames may share their memory with those of `panel`.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> panel = as_panel({"SP": sample_bars("sp500"), "NQ": sample_bars("nasdaq")})
        >>> len(take_bars(panel, {"NQ": slice(10, 30)})["NQ"])
        20
    """
    return Panel({symbol: LoadedBars(panel[symbol].iloc[of], ()) for symbol, of in spans.items()})


@overload
def proportional_markets(
    bars: pd.DataFrame, *, keep: Callable[[str], bool] | None = None
) -> pd.DataFrame: ...


@overload
def proportional_markets(
    bars: Mapping[str, pd.DataFrame], *, keep: Callable[[str], bool] | None = None
) -> Panel: ...


def proportional_markets(
    bars: pd.DataFrame | Mapping[str, pd.DataFrame], *, keep: Callable[[str], bool] | None = None
) -> pd.DataFrame | Panel:
    """Turn each market that is a continuous series into one with its returns in proportion.

    Args:
        bars: Valid bars of one market, or a panel; see `proportional_bars`.
        keep: Whether a market is traded in points, by its symbol, which is "" for one market. Then
            it keeps or gets the points of its contracts instead; see `points_bars`.

    Returns:
        The bars, or a panel; as they are where every market is as it is to be.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> panel = as_panel({"SP": sample_bars("sp500")})
        >>> proportional_markets(panel) is panel
        True
    """
    is_kept = keep or (lambda symbol: False)
    if not is_panel(bars):
        return points_bars(bars) if is_kept("") else proportional_bars(bars)
    panel = as_panel(bars)
    changed = {
        symbol: points_bars(of) if is_kept(symbol) else proportional_bars(of)
        for symbol, of in panel.items()
        if has_contract(of)
    }
    if all(of is panel[symbol] for symbol, of in changed.items()):
        return panel
    markets = {symbol: LoadedBars(changed.get(symbol, panel[symbol]), ()) for symbol in panel}
    return Panel(markets, dropped=panel.dropped, notes=panel.notes)


@contextmanager
def name_market(symbol: str) -> Iterator[None]:
    """Name the market in front of every error that the package raises within.

    Args:
        symbol: The market.

    Example:
        >>> with name_market("SPY"):
        ...     raise BarsError("there are no bars. Load at least one.")
        Traceback (most recent call last):
        lstm_strategy.errors.BarsError: market SPY: there are no bars. Load at least one.
    """
    try:
        yield
    except LSTMStrategyError as error:
        front = f"market {symbol}: "
        message, *others = error.args or ("",)
        if not str(message).startswith(front):
            error.args = (f"{front}{message}", *others)
        raise


def check_symbols(markets: Mapping[Any, object]) -> None:
    """Refuse a panel without markets, and one whose markets have no names.

    Raises:
        BarsError: If there is no market, or a symbol isn't a text.
    """
    if not markets:
        raise BarsError("a panel must hold at least one market, got none. Pass {'SPY': bars}.")
    for symbol in markets:
        if not isinstance(symbol, str) or not symbol.strip():
            raise BarsError(
                f"the symbols of a panel must be words, got {symbol!r}. Pass {{'SPY': bars}}."
            )
    check_distinct(markets)


def check_distinct(symbols: Iterable[str]) -> None:
    """Refuse symbols that differ in upper and lower case only.

    Raises:
        BarsError: Naming the first two.
    """
    seen: dict[str, str] = {}
    for symbol in symbols:
        other = seen.setdefault(symbol.strip().casefold(), symbol)
        if other != symbol:
            raise BarsError(
                f"the markets {other} and {symbol} have the same symbol but for upper and lower "
                "case. Keep one of them, or rename the other."
            )


def suggest_markets(symbol: object, symbols: Collection[str]) -> str:
    """A sentence with the symbols nearest to one that isn't there, or with the first of them."""
    suggested = suggest_names(symbol, symbols)
    if suggested.startswith("Did you mean") or len(symbols) <= _MOST_SHOWN:
        return suggested
    shown = ", ".join(list(symbols)[:_MOST_SHOWN])
    return f"Known: {shown}, … ({len(symbols)} in all)."


def _check_market(bars: pd.DataFrame) -> LoadedBars:
    return LoadedBars(validate_bars(bars), ())
