"""The deepest falls from a peak."""

import pandas as pd

from lstm_strategy.evaluation.metrics import drawdown
from lstm_strategy.evaluation.report.content import ReportContent
from lstm_strategy.evaluation.report.page import date_texts, table_html

_N_DRAWDOWNS = 5


def worst_drawdowns(equity: pd.Series, *, n: int = _N_DRAWDOWNS) -> pd.DataFrame:
    """Return the deepest falls from a peak, each until the peak is reached again.

    Args:
        equity: Account value at each close.
        n: The most falls.

    Returns:
        One row for each fall, the deepest first: peak, bottom and recovered (dates; NaT while still
        below), depth (a negative fraction) and bars (from the peak to the recovery, or to the end).

    Example:
        >>> curve = pd.Series([10.0, 8.0, 9.0, 10.0, 9.5], pd.date_range("2024-01-01", periods=5))
        >>> worst_drawdowns(curve)[["depth", "bars"]].round(2).to_numpy().tolist()
        [[-0.2, 3.0], [-0.05, 1.0]]
    """
    depth = drawdown(equity)
    is_below = (depth < 0).to_numpy()
    number = (depth.eq(0) & depth.shift(-1).lt(0)).cumsum()
    position = pd.Series(range(len(equity)), index=equity.index)
    rows = []
    for _, under in depth[is_below].groupby(number[is_below]):
        first, last = int(position[under.index[0]]), int(position[under.index[-1]])
        has_recovered = last + 1 < len(equity)
        rows.append(
            {
                "peak": equity.index[first - 1],
                "bottom": under.idxmin(),
                "recovered": equity.index[last + 1] if has_recovered else pd.NaT,
                "depth": float(under.min()),
                "bars": last + has_recovered - first + 1,
            }
        )
    table = pd.DataFrame(rows, columns=["peak", "bottom", "recovered", "depth", "bars"])
    return table.sort_values("depth", kind="stable").head(n).reset_index(drop=True)


def drawdowns_section(content: ReportContent) -> str:
    """Return the deepest falls from a peak as HTML."""
    worst = worst_drawdowns(content.result.equity)
    if worst.empty:
        return "<p>The equity never fell below an earlier peak.</p>"
    table = pd.DataFrame(
        {
            "Depth": [f"{depth:.1%}" for depth in worst["depth"]],
            "Peak": date_texts(worst["peak"]),
            "Bottom": date_texts(worst["bottom"]),
            "Recovered": date_texts(worst["recovered"], missing="not yet"),
            "Bars": [f"{bars:,}" for bars in worst["bars"]],
        },
        index=range(1, len(worst) + 1),
    )
    return table_html(table, f"The deepest falls of {content.name} from a peak", first="No.")
