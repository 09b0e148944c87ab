"""The command line: `app` parses and calls, one file in `commands` for each command.

`manual_page` describes it all for the documentation.
"""

from lstm_strategy.cli.app import main
from lstm_strategy.cli.manual import manual_page

__all__ = ["main", "manual_page"]
