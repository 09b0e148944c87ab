"""Bars of many markets, by symbol.

A panel is a mapping from symbols to valid bars. Its markets may begin, end and pause at dates of
their own. Each is read and checked on first use, and named in every message about it.
"""

from lstm_strategy.bars.panel.common_dates import (
    check_common_dates,
    describe_lone_market,
    drop_lone_markets,
    find_lone_markets,
)
from lstm_strategy.bars.panel.load import load_panel
from lstm_strategy.bars.panel.panel import (
    Panel,
    as_panel,
    is_panel,
    name_market,
    proportional_markets,
    slice_panel,
    take_bars,
)
from lstm_strategy.bars.panel.sources import ORACLE_FOLDER, is_of_several_files

__all__ = [
    "ORACLE_FOLDER",
    "Panel",
    "as_panel",
    "check_common_dates",
    "describe_lone_market",
    "drop_lone_markets",
    "find_lone_markets",
    "is_of_several_files",
    "is_panel",
    "load_panel",
    "name_market",
    "proportional_markets",
    "slice_panel",
    "take_bars",
]
