"""Strategies that are ready to run by `btrun` and to copy; the baselines themselves are in the package.

``from strategies import BASELINES`` works in a clone, as ``from lstm_strategy import BASELINES``
works everywhere.
"""

from lstm_strategy import BASELINES

__all__ = ["BASELINES"]
