"""The first bad bar, named, before anything is computed from it.

A frame is judged by its columns, its dates and the numbers of each bar; a stream has its bars
judged one at a time, by the same rules.
"""

from lstm_strategy.bars.validation.bar import check_bar
from lstm_strategy.bars.validation.frame import CheckedBars, check_bars, validate_bars
from lstm_strategy.bars.validation.near_names import (
    describe_near_columns,
    hint_near_column,
    near_column,
)
from lstm_strategy.bars.validation.offences import BAR_COLUMNS, PRICE_COLUMNS, BadBarError

__all__ = [
    "BAR_COLUMNS",
    "PRICE_COLUMNS",
    "BadBarError",
    "CheckedBars",
    "check_bar",
    "check_bars",
    "describe_near_columns",
    "hint_near_column",
    "near_column",
    "validate_bars",
]
