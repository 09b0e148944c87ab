"""The trained LSTM as backtrader's own ``btrun`` wants it: a strategy class in a file.

btrun --csvformat btcsv --data F.csv --strategy strategies/lstm.py:LSTM:model="'models/sp500'"
"""

from lstm_strategy.trading.lstm import LSTMStrategy


class LSTM(LSTMStrategy):
    """Hold the exposure that the model in the folder ``model`` asks for."""
