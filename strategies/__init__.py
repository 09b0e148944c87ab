"""Files that backtrader's `btrun` runs as they are, to copy and change.

The package itself never needs them. `from strategies import BASELINES` works in a clone, as
`from lstm_strategy import BASELINES` works everywhere.
"""

from lstm_strategy import BASELINES

__all__ = ["BASELINES"]
