"""Hold the markets that a trained LSTM ranks best, and short those that it ranks worst.

Train a model on a panel first, on bars that end before those that you trade:

    lstm-strategy train data/*.parquet --end 2012 --out models/universe

`btrun` takes one `--data` for each market, and the class and its parameters after the file; strings
need quotes of their own:

    btrun --csvformat btcsv --data A.csv --data B.csv --data C.csv --commission 0.001 \
        --strategy strategies/lstm_rank.py:LSTMRank:model="'models/universe'",share=0.3

In Python a panel takes the place of the feeds:

    from strategies.lstm_rank import LSTMRank
    result = run_backtest(LSTMRank, load_panel("data/*.parquet"), model="models/universe")
"""

from lstm_strategy import RankStrategy


class LSTMRank(RankStrategy):
    """`RankStrategy` with other defaults; each can still be given, such as `share=0.1`.

    Decides every fifth date, once a week of daily bars, so that costs stay small.
    """

    params = (
        ("share", 0.3),
        ("rebalance_bars", 5),
    )
