"""Hold what a trained LSTM asks for, long or short.

Train a model first, on bars that end before those that you trade:

    lstm-strategy train sample:sp500 --end 2012 --out models/sp500

`btrun` takes the class and its parameters after the file; strings need quotes of their own:

    btrun --csvformat btcsv --data F.csv --commission 0.001 \
        --strategy strategies/lstm.py:LSTM:model="'models/sp500'",band=0.05
"""

from lstm_strategy import LSTMStrategy


class LSTM(LSTMStrategy):
    """Takes every parameter of `LSTMStrategy`, such as `model`, `min_signal` and `band`."""
