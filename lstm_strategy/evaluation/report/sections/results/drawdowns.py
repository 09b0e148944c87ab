"""The deepest falls from a peak."""

import pandas as pd

from lstm_strategy.evaluation.metrics import drawdown_periods
from lstm_strategy.evaluation.report.content import ReportContent
from lstm_strategy.evaluation.report.page import PERCENT, date_texts, table_html
from lstm_strategy.support import number_text

_N_DRAWDOWNS = 5


def worst_drawdowns(equity: pd.Series, *, n: int = _N_DRAWDOWNS) -> pd.DataFrame:
    """Return the `n` deepest falls from a peak, the deepest first, as `drawdown_periods` does.

    Example:
        >>> curve = pd.Series([10.0, 9.5, 10.0, 8.0, 9.0], pd.date_range("2024-01-01", periods=5))
        >>> worst_drawdowns(curve)[["depth", "bars"]].round(2).to_numpy().tolist()
        [[-0.2, 2.0], [-0.05, 2.0]]
    """
    table = drawdown_periods(equity)
    return table.sort_values("depth", kind="stable").head(n).reset_index(drop=True)


def drawdowns_section(content: ReportContent) -> str:
    """Return the deepest falls from a peak as HTML."""
    equity = content.result.equity
    worst = worst_drawdowns(equity)
    if worst.empty and equity.nunique() == 1:
        return "<p>The equity never changed, so there is no drawdown.</p>"
    if worst.empty:
        return "<p>The equity never fell below an earlier peak.</p>"
    table = pd.DataFrame(
        {
            "Depth": [number_text(depth, PERCENT) for depth in worst["depth"]],
            "Peak": date_texts(worst["peak"]),
            "Trough": date_texts(worst["bottom"]),
            "Recovered": date_texts(worst["recovered"], missing="not yet"),
            "Bars from peak to recovery": [f"{bars:,}" for bars in worst["bars"]],
        },
        index=range(1, len(worst) + 1),
    )
    caption = f"The deepest drawdowns of {content.name}"
    until = ""
    if worst["recovered"].isna().any():
        until = "<p>The bars of a drawdown that isn't over are counted to the last bar.</p>"
    return table_html(table, caption, first="No.") + until
