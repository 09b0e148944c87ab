"""Forecasts bar by bar, with the numbers of all bars at once.

`stream` follows one market and `panel_stream` many; `bar_reader` checks the bars as they come in,
and `bar_watch` says what is odd about them.
"""

from lstm_strategy.learning.forecaster.streams.bar_reader import BarReader
from lstm_strategy.learning.forecaster.streams.panel_stream import PanelStream
from lstm_strategy.learning.forecaster.streams.stream import ForecastStream, StreamedModel

__all__ = ["BarReader", "ForecastStream", "PanelStream", "StreamedModel"]
