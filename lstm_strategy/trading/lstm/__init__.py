"""A trained forecaster inside backtrader: the indicator and the strategies."""

from lstm_strategy.trading.lstm.indicator import LSTMIndicator
from lstm_strategy.trading.lstm.rank_strategy import RankStrategy
from lstm_strategy.trading.lstm.strategy import LSTMStrategy

__all__ = ["LSTMIndicator", "LSTMStrategy", "RankStrategy"]
