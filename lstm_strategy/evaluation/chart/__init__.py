"""backtrader's own chart as a figure, on a server and in a notebook alike."""

from lstm_strategy.evaluation.chart.chart import plot_chart

__all__ = ["plot_chart"]
