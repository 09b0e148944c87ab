"""What sources that are asked over the network have in common.

`patience` repeats requests that failed, `cache` keeps what was downloaded, and `source` makes a
source with history and live bars of whatever fetches bars.
"""

from lstm_strategy.bars.sources.download.cache import DownloadCache
from lstm_strategy.bars.sources.download.patience import Patience, UnreachableError
from lstm_strategy.bars.sources.download.source import DownloadedSource

__all__ = ["DownloadCache", "DownloadedSource", "Patience", "UnreachableError"]
