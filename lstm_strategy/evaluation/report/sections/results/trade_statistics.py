"""What traders ask of the trades of every strategy."""

import pandas as pd

from lstm_strategy.evaluation.report.content import ReportContent
from lstm_strategy.evaluation.report.page import (
    PERCENT,
    RATIO,
    SMALL_PERCENT,
    WHOLE,
    escape,
    table_html,
    texts_of,
)

_COLUMNS = {
    "closed_trades": ("Closed trades", WHOLE),
    "open_trades": ("Still open", WHOLE),
    "exposure_time": ("Time in market", PERCENT),
    "longest_drawdown_bars": ("Longest drawdown", WHOLE),
    "win_rate": ("Win rate", PERCENT),
    "profit_factor": ("Profit factor", RATIO),
    "expectancy": ("Expectancy", SMALL_PERCENT),
    "average_win": ("Average win", SMALL_PERCENT),
    "average_loss": ("Average loss", SMALL_PERCENT),
    "holding_bars": ("Bars held", "{:,.1f}"),
    "sqn": ("SQN", RATIO),
    "best_trade": ("Best trade", SMALL_PERCENT),
    "worst_trade": ("Worst trade", SMALL_PERCENT),
}
_HELPS = {
    "Profit factor": "What the winning trades made, in money, divided by what the losing ones lost",
    "Expectancy": "The mean return of a trade; each trade counts alike, whatever its size in money",
    "SQN": "System quality number: the mean profit over its standard deviation, times the square "
    "root of the number of trades",
    "Best trade": "The highest return of a closed trade; another may have made more money",
    "Worst trade": "The lowest return of a closed trade; another may have lost more money",
}
_EXPLANATION = (
    "A trade lasts until the position is closed or changes sides. Its return is a share of the "
    "value of the position, after all costs. Only closed trades count, since the profit of an open "
    "trade isn't final. The profit factor is gross profit divided by gross loss, both in money, so "
    "large positions count more. Expectancy is the mean return per trade, and each trade counts "
    "alike: a profit factor below 1 can stand beside an expectancy above 0 where the large trades "
    "lost. SQN is the square root of the number of trades times their mean profit "
    "divided by its standard deviation; with fewer than 30 trades it means little. Time in market "
    "is the share of closes at which a position was open, however small; the mean exposure above "
    "shows how large it was. The longest drawdown is counted in bars, from a peak until that level "
    "is reached again."
)


def trade_statistics_section(content: ReportContent) -> str:
    """Return win rate, profit factor and their like of every strategy as HTML."""
    table = pd.DataFrame([each.trade_statistics for each in content.results.results.values()])
    readable = pd.DataFrame(
        {heading: texts_of(table[name], form) for name, (heading, form) in _COLUMNS.items()},
        index=table.index,
    )
    caption = "The trades of every strategy"
    body = table_html(
        readable, caption, first="Strategy", strong=content.result.label, helps=_HELPS
    )
    return f"{body}<p>{escape(_EXPLANATION)}</p>"
