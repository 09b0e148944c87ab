"""A rule of your own with the LSTM as a filter: copy this file and change the rule.

Long while the close is above its average, as long as the LSTM doesn't disagree.

    btrun --csvformat btcsv --data F.csv --commission 0.001 \
      --strategy strategies/trend_with_lstm_filter.py:FilteredTrend:model="'models/sp500'",length=50

In Python, from the folder that holds `strategies`:

    from strategies.trend_with_lstm_filter import FilteredTrend
    result = run_backtest(FilteredTrend, bars, model="models/sp500", length=50)
"""

import backtrader as bt

from lstm_strategy import LSTMIndicator, TargetStrategy


class FilteredTrend(TargetStrategy):
    """Long above the average of closes while the LSTM's signal isn't below `least_signal`."""

    params = (
        ("model", None),  # a forecaster or the folder of a saved one
        ("length", 100),  # bars of the average
        ("least_signal", 0.0),  # -1…1
    )

    def __init__(self) -> None:
        super().__init__()
        self.average = bt.indicators.SMA(self.data.close, period=self.p.length)
        self.lstm = LSTMIndicator(self.data, model=self.p.model)

    def target_exposure(self) -> float:
        """Return the exposure to hold from the next open on: 1 is all of the equity, 0 none."""
        is_rising = self.data.close[0] > self.average[0]
        is_confirmed = self.lstm.signal[0] >= self.p.least_signal
        return 1.0 if is_rising and is_confirmed else 0.0
