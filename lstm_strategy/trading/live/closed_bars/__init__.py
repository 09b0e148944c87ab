"""Closed bars of a live source, each once and in order: `ClosedBars`.

`inlets` gets bars from feeds, iterators and sources, `sequence` decides what becomes of each,
`gaps` says which are missing, and `feed` hands them to Cerebro.
"""

from lstm_strategy.trading.live.closed_bars.feed import ClosedBars
from lstm_strategy.trading.live.closed_bars.sequence import KINDS, BarNote

__all__ = ["KINDS", "BarNote", "ClosedBars"]
