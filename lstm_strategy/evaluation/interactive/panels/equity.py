"""Growth with the strip of folds, drawdown and exposure, one above the other."""

from typing import Any

import numpy as np
import pandas as pd
from bokeh.core.properties import value
from bokeh.layouts import column
from bokeh.models import ColumnDataSource, FixedTicker, LogTicker, Range1d

from lstm_strategy.evaluation.interactive.panels.timeline import FONT, Timeline, add_hover
from lstm_strategy.evaluation.interactive.series import (
    PANELS,
    Series,
    columns_of,
    milliseconds,
)
from lstm_strategy.evaluation.plots import on_plain_dates
from lstm_strategy.evaluation.thinning import fold_pieces

_FOLD_COLORS = ("#6f9fcf", "#b9cfe6")
_TITLES = {"growth": "Growth of 1 (log)", "drawdown": "Drawdown", "exposure": "Exposure"}
_FLAT_MARGIN = 0.05  # above and below a line that never moves
_HEIGHTS = {"growth": 320, "drawdown": 150, "exposure": 150}


def draw_equity(
    timeline: Timeline, table: pd.DataFrame, series: list[Series], ledger: pd.DataFrame | None
) -> Any:
    """Return the panels as one layout of bokeh.

    Args:
        timeline: The time axis.
        table: What `tabulate_series` gives.
        series: What `choose_series` gives.
        ledger: Which fold's model forecast each bar; None for a model that was trained once.
    """
    source = ColumnDataSource(columns_of(table), name="series")
    panels = []
    for kind in PANELS:
        is_growth = kind == "growth"
        panel = timeline.add_panel(
            _TITLES[kind],
            height=_HEIGHTS[kind],
            y_axis_type="log" if is_growth else "linear",
            tick_format="0.[0000]" if is_growth else "0.[00]%",
            shows_dates=kind == PANELS[-1],
        )
        draw = panel.line if kind != "exposure" else panel.step
        mode = {} if kind != "exposure" else {"mode": "after"}
        for each in reversed(series):  # what the page is about comes first, and lies on top
            draw(
                "x",
                f"{each.key}_{kind}",
                source=source,
                name=each.key,
                color=each.color,
                line_dash=each.dash,
                line_width=1.8 if each.is_shown else 1.3,
                visible=each.is_shown,
                **mode,
            )
        panel.y_range = _range_of(kind, table, series)
        if is_growth:
            # bokeh's own steps, 1 and 5, leave one tick or none to a growth of 1.2
            panel.yaxis.ticker = LogTicker(mantissas=[1, 2, 5])
        panels.append(panel)
        if is_growth and ledger is not None:
            panels.append(_draw_folds(timeline, on_plain_dates(ledger), table.index))
    return column(*panels, sizing_mode="stretch_width", spacing=0)


def _range_of(kind: str, table: pd.DataFrame, series: list[Series]) -> Range1d:
    """The range of the strategies that are shown first; the page's script fits it from then on.

    Bokeh by itself leaves a logarithmic axis as it was, and takes all bars where one strategy has
    no number in view. A growth that falls to 0 ends at its last value above.
    """
    shown = table[[f"{each.key}_{kind}" for each in series if each.is_shown]].to_numpy()
    if kind == "growth":
        above = shown[shown > 0]
        low, high = (float(above.min()), float(above.max())) if len(above) else (1.0, 1.0)
        return Range1d(start=low / 1.03, end=high * 1.03, name="growth-range")
    known = shown[np.isfinite(shown)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    margin = 0.05 * (high - low) or _FLAT_MARGIN
    return Range1d(start=low - margin, end=high + margin, name=f"{kind}-range")


def _draw_folds(timeline: Timeline, ledger: pd.DataFrame, dates: Any) -> Any:
    """A strip that says which fold's model forecast each bar that was traded."""
    traded = ledger[(ledger.index >= dates[0]) & (ledger.index <= dates[-1])]
    pieces = fold_pieces(traded)
    firsts = [piece.first for piece in pieces]
    ends = [*firsts[1:], traded.index[-1]] if pieces else []
    trained = [
        "unknown" if piece.trained_until is None else f"{piece.trained_until:%Y-%m-%d}"
        for piece in pieces
    ]
    source = ColumnDataSource(
        {
            "left": milliseconds(firsts),
            "right": milliseconds(ends),
            "fold": [piece.label for piece in pieces],
            "middle": (milliseconds(firsts) + milliseconds(ends)) / 2,
            "trained": trained,
            "color": [_FOLD_COLORS[place % 2] for place in range(len(pieces))],
        }
    )
    strip = timeline.add_panel("Fold", height=34)
    quads = strip.quad(
        left="left", right="right", bottom=0, top=1, color="color", source=source, line_color=None
    )
    strip.text(
        "middle",
        0.5,
        "fold",
        source=source,
        text_align="center",
        text_baseline="middle",
        text_font=value(FONT),  # a text by itself would name a column
        text_font_size="11px",
        text_color="#10161c",
    )
    strip.y_range.start, strip.y_range.end = 0, 1
    strip.yaxis.ticker = FixedTicker(ticks=[])
    strip.yaxis.axis_label_orientation = "horizontal"
    strip.grid.visible = False
    add_hover(strip, quads, [("Fold", "@fold"), ("Trained until", "@trained")])
    return strip
