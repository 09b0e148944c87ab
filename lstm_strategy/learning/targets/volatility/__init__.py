"""How much will the price move: a variance next to the usual one, and the line it begins with."""

from lstm_strategy.learning.targets.volatility.regression import fit_log_ratio
from lstm_strategy.learning.targets.volatility.target import Volatility

__all__ = ["Volatility", "fit_log_ratio"]
