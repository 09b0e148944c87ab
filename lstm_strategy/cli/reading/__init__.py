"""How the command line reads bars: of one market, or of the markets of a folder or a universe."""

from lstm_strategy.cli.reading.reading_options import MarketsOptions, ReadingOptions
from lstm_strategy.cli.reading.universe import read_universe

__all__ = ["MarketsOptions", "ReadingOptions", "read_universe"]
