"""What the model of each fold earned."""

from collections.abc import Iterable

import pandas as pd

from lstm_strategy.evaluation.report.content import ReportContent
from lstm_strategy.evaluation.report.page import PERCENT, date_texts, table_html
from lstm_strategy.support import number_text

_MARKET = (
    "Market is the change of the close over the bars of a fold, without costs, from the close "
    "before them. A strategy that holds the market pays costs and can't buy before the open of "
    "the second bar, so that its returns differ a little."
)


def folds_section(content: ReportContent) -> str:
    """Return the table of `fold_table` as HTML; "" without folds."""
    folds = content.folds
    if folds is None:
        return ""
    columns: dict[str, Iterable[str]] = {
        "First bar": date_texts(folds["first"]),
        "Last bar": date_texts(folds["last"]),
    }
    if "train_end" in folds:
        columns["Trained until"] = date_texts(folds["train_end"])
    columns |= {
        "Bars": [f"{bars:,}" for bars in folds["bars"]],
        "Return": [number_text(value, PERCENT) for value in folds["total_return"]],
    }
    if "market_return" in folds:
        columns["Market"] = [number_text(value, PERCENT) for value in folds["market_return"]]
    columns |= {
        "Sharpe": [number_text(value) for value in folds["sharpe"]],
        "Max drawdown": [number_text(value, PERCENT) for value in folds["max_drawdown"]],
        "Turnover per year": [number_text(value) for value in folds["turnover"]],
        "Closed trades": [f"{trades:,}" for trades in folds["trades"]],
    }
    table = pd.DataFrame(columns, index=folds.index)
    caption = "Each fold, traded by a model that was trained on earlier bars"
    body = table_html(table, caption, first="Fold")
    return body + (f"<p>{_MARKET}</p>" if "market_return" in folds else "")
