"""The features of the newest bar, from as many bars before it as they depend on.

`market` follows one market, and `panel` many, whose features may look across them.
"""

from lstm_strategy.learning.features.trailing.market import TrailingFeatures
from lstm_strategy.learning.features.trailing.panel import TrailingPanel

__all__ = ["TrailingFeatures", "TrailingPanel"]
