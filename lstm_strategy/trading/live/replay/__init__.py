"""A live run once more, as a backtest: what differs, and why.

`rerun` runs a strategy on bars and takes down what a journal does, `tables` finds where two such
records differ, and `replay` says why.
"""

from lstm_strategy.trading.live.replay.replay import CAUSES, Replay, replay_journal

__all__ = ["CAUSES", "Replay", "replay_journal"]
