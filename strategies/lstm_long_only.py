"""Hold what a trained LSTM asks for, never short, and get out when the market turns.

A position is closed at the open after a close that lies two average true ranges (ATR) below its
entry or three below its best close. It is opened again once the LSTM has changed its mind: after
a signal of 0 or below.

    btrun --csvformat btcsv --data F.csv --commission 0.001 \
        --strategy strategies/lstm_long_only.py:LSTMLongOnly:model="'models/sp500'"
"""

from lstm_strategy import LSTMStrategy


class LSTMLongOnly(LSTMStrategy):
    """`LSTMStrategy` with other defaults; each can still be given, such as `stop_loss_atr=3`."""

    params = (
        ("long_only", True),
        ("stop_loss_atr", 2.0),
        ("trailing_stop_atr", 3.0),
    )
