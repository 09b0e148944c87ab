"""The options of how bars are read."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from lstm_strategy.cli import options as opt
from lstm_strategy.cli.reading.universe import read_universe, split_symbols
from lstm_strategy.errors import BarsError, SettingsError

if TYPE_CHECKING:
    import pandas as pd

    from lstm_strategy.bars import LoadedBars, Panel


class LoadedMarkets(NamedTuple):
    """The bars of one market or of several, and what was done to get them.

    Attributes:
        bars: A frame, or a panel whose markets are all read.
        notes: What was repaired, dropped or left out; sentences without a full stop.
    """

    bars: "pd.DataFrame | Panel"
    notes: tuple[str, ...]


@dataclass(frozen=True)
class ReadingOptions:
    """How the bars of one market are read.

    Attributes:
        adjusted: Whether prices are scaled by the adjusted close.
        symbol: The market to take from a file or a folder of several.
        columns: Where columns of other names are, as `name=column` joined by commas.
        repair: Whether rows that aren't valid bars are dropped or corrected.
    """

    adjusted: opt.Adjusted = False
    symbol: opt.Symbol = None
    columns: opt.Columns = None
    repair: opt.Repair = False

    def read(self, source: str) -> "LoadedBars":
        """The bars of one market, and what was done to get them.

        Raises:
            SettingsError: If `columns` isn't written as it must be, or the source holds several
                markets and none was chosen.
            BarsError: If the source can't be read.
        """
        from lstm_strategy.bars import LoadedBars, is_of_several_files, load_panel, read_bars

        if not is_of_several_files(source):
            return read_bars(source, symbol=self.symbol, **self.for_every_market())
        panel = load_panel(source, **self.for_every_market())
        if self.symbol is None:
            shown = ", ".join(panel.symbols[:5]) + ", …" * (len(panel) > 5)
            raise SettingsError(
                f"one market is wanted here, and {source} holds {len(panel)} ({shown}). Choose "
                f"one: --symbol {panel.symbols[0]}."
            )
        panel = load_panel(source, symbols=[self.symbol], **self.for_every_market())
        return LoadedBars(panel[panel.symbols[0]], panel.notes)

    def for_every_market(self) -> dict[str, Any]:
        """The arguments of `load_bars` that hold for every market.

        Raises:
            SettingsError: If `columns` isn't written as it must be.
        """
        return {"adjusted": self.adjusted, "columns": self._parse_columns(), "repair": self.repair}

    def _parse_columns(self) -> dict[str, str]:
        columns: dict[str, str] = {}
        for pair in filter(None, (self.columns or "").split(",")):
            name, _, column = (part.strip() for part in pair.partition("="))
            if not (name and column):
                raise SettingsError(
                    f"--columns takes NAME=COLUMN, joined by commas, got {self.columns!r}. "
                    "Write for instance open=open_perp,close=close_perp."
                )
            if name in columns:
                raise SettingsError(f"--columns gives {name} twice. Keep one of them.")
            columns[name] = column
        return columns


@dataclass(frozen=True)
class MarketsOptions(ReadingOptions):
    """How the bars of one market or of several are read.

    Attributes:
        symbols: The markets to take from several, joined by commas; None for all.
        universe: A file that names these markets.
        on_bad: What becomes of a bad market among several: "raise" or "drop".
    """

    symbols: opt.Symbols = None
    universe: opt.Universe = None
    on_bad: opt.OnBad = "raise"

    @property
    def is_about_several(self) -> bool:
        """Whether an option was given that is about several markets."""
        return (self.symbols, self.universe, self.on_bad) != (None, None, "raise")

    def read_markets(self, source: str) -> LoadedMarkets:
        """The bars of one market or of several, and what was done to get them.

        Several are those of a folder, of a pattern, and of a file that holds more than one, unless
        `symbol` chooses one of them.

        Raises:
            SettingsError: If an option isn't written as it must be, or goes with another.
            BarsError: If the source can't be read, or a market is bad or shares no date with the
                others.
        """
        from lstm_strategy.bars import SeveralMarketsError, is_of_several_files

        symbols = self._choose_symbols()
        if self.symbol is None and (symbols is not None or is_of_several_files(source)):
            return self._read_panel(source, symbols)
        try:
            bars = LoadedMarkets(*self.read(source))
        except SeveralMarketsError:
            if self.symbol is not None:
                raise
            return self._read_panel(source, None)
        if self.on_bad != "raise":
            raise SettingsError(
                f"--on-bad {self.on_bad} is for several markets, and {source} gives one. Leave it "
                "out."
            )
        return bars

    def _read_panel(self, source: str, symbols: list[str] | None) -> LoadedMarkets:
        from lstm_strategy.bars import (
            describe_lone_market,
            drop_lone_markets,
            find_lone_markets,
            load_panel,
        )

        panel = load_panel(
            source,
            symbols=symbols,
            on_bad="drop" if self.on_bad == "drop" else "raise",
            **self.for_every_market(),
        )
        for symbol in panel:  # a bad market is refused before the work begins
            panel[symbol]
        lone = find_lone_markets(panel)
        if self.on_bad == "drop":
            panel = drop_lone_markets(panel)
        elif lone:
            offer = " Or leave out such markets: --on-bad drop." * (len(lone) < len(panel))
            raise BarsError(f"{describe_lone_market(panel, lone[0])}{offer}")
        return LoadedMarkets(panel, panel.notes)

    def _choose_symbols(self) -> list[str] | None:
        choices = {
            "--symbol": self.symbol,
            "--symbols": self.symbols,
            "--universe": self.universe,
        }
        given = [option for option, value in choices.items() if value is not None]
        if len(given) > 1:
            raise SettingsError(f"{given[0]} and {given[1]} both choose markets. Leave one out.")
        if self.symbols is not None:
            return split_symbols(self.symbols)
        return None if self.universe is None else read_universe(self.universe)
