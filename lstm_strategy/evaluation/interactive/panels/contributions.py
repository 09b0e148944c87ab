"""What each market of a portfolio earned, and their sum."""

from typing import Any

import pandas as pd
from bokeh.layouts import column
from bokeh.models import ColumnDataSource

from lstm_strategy.evaluation.interactive.bounds import most_rows
from lstm_strategy.evaluation.interactive.panels.timeline import Timeline
from lstm_strategy.evaluation.interactive.series import Series, columns_of
from lstm_strategy.evaluation.plots import on_plain_dates
from lstm_strategy.evaluation.thinning import thin_rows

_SHARE_OF_PAGE = 4  # a quarter of the numbers that the largest chart may have


def draw_contributions(timeline: Timeline, earned: pd.DataFrame, lines: list[Series]) -> Any:
    """Return the panel as a layout of bokeh.

    Args:
        timeline: The time axis.
        earned: What each market earned so far, as `contribution_by_market` has it.
        lines: What `choose_lines` gives for it: a line for each market, and the last for their sum.
    """
    values = [*(earned[name] for name in earned), earned.sum(axis=1)]
    table = pd.DataFrame({each.key: of for each, of in zip(lines, values, strict=True)})
    table = on_plain_dates(thin_rows(table, most_rows(_SHARE_OF_PAGE * len(lines))))
    source = ColumnDataSource(columns_of(table), name="markets")
    panel = timeline.add_panel("Earned so far", height=300, tick_format="0.[00]%", shows_dates=True)
    for each in lines:
        panel.line(
            "x",
            each.key,
            source=source,
            name=each.key,
            color=each.color,
            line_dash=each.dash,
            line_width=2.2 if each is lines[-1] else 1.3,
            visible=each.is_shown,
        )
    return column(panel, sizing_mode="stretch_width", spacing=0)
