"""What `compare` and `demo` do.

`setup` says what decides a comparison, `models` trains, `trials` keeps the record of what was
tried, `files` writes, and `run` goes through it all in order.
"""

from lstm_strategy.cli.comparison.run import run_comparison_command
from lstm_strategy.cli.comparison.setup import ComparisonSetup, dates_frame

__all__ = ["ComparisonSetup", "dates_frame", "run_comparison_command"]
