"""Where bars come from while they are made: history first, then each bar as it closes.

Every source is one file, and `source` says what it promises. A market that is played from a file,
and the faults of real feeds on request, stand in for one where there is no network.
"""

from lstm_strategy.bars.sources.disturb import disturb_bars
from lstm_strategy.bars.sources.opening import open_source, scheme_of
from lstm_strategy.bars.sources.source import BarSource

__all__ = ["BarSource", "disturb_bars", "open_source", "scheme_of"]
