"""What `compare` and `demo` do: what decides a comparison, its models, its files."""

from lstm_strategy.cli.comparison.run import run_comparison_command
from lstm_strategy.cli.comparison.setup import ComparisonSetup, Windows

__all__ = ["ComparisonSetup", "Windows", "run_comparison_command"]
