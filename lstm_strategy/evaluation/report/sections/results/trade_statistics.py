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
_EXPLANATION = (
    "A trade runs from flat to flat, or from one side to the other, and its return is a share of "
    "the value put on, after all costs. Only closed trades count: the profit of an open one isn't "
    "decided. The profit factor is what the winners made over what the losers lost. Expectancy is "
    "the mean return of a trade. SQN is the square root of the number of trades times their mean "
    "profit over its standard deviation; below 30 trades it says little. Time in market is the "
    "share of closes at which a position was held, however small; the mean exposure above says "
    "how large it was. The longest drawdown is counted in bars, from a peak until it was reached "
    "again."
)


def trade_statistics_section(content: ReportContent) -> str:
    """Return win rate, profit factor and their like of every strategy as HTML."""
    table = pd.DataFrame([each.trade_statistics for each in content.results.results.values()])
    readable = pd.DataFrame(
        {heading: texts_of(table[name], form) for name, (heading, form) in _COLUMNS.items()},
        index=table.index,
    )
    caption = "The trades of every strategy"
    body = table_html(readable, caption, first="Strategy", strong=content.result.label)
    return f"{body}<p>{escape(_EXPLANATION)}</p>"
