"""An order that is worked over several bars: in equal slices, or as the volume is expected to come.

`WorkedOrder` is what a `TargetStrategy` with `execution_bars` above 1 sends its slices by.
"""

from lstm_strategy.trading.execution.working.worked_order import WorkedOrder

__all__ = ["WorkedOrder"]
