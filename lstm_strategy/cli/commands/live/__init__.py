"""Commands about bars that are still to come.

`live` trades them, and shows a page meanwhile; `replay` says what a backtest does otherwise, and
why.
"""

from typing import TYPE_CHECKING

from lstm_strategy.cli.commands.live.rerun import replay
from lstm_strategy.cli.commands.live.trade import live
from lstm_strategy.support.lazy import import_on_first_use

if TYPE_CHECKING:
    from lstm_strategy.cli.commands.live.page import build_page

__all__ = ["build_page", "live", "replay"]

__getattr__ = import_on_first_use(__name__, {"build_page": ".page"})
