"""The command line: `app` parses and calls, one file in `commands` for each command."""

from lstm_strategy.cli.app import main

__all__ = ["main"]
