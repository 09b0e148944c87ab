"""Panels one above the other that share their time axis: zoom, pan and crosshair."""

from typing import Any

from bokeh.models import (
    BoxZoomTool,
    CrosshairTool,
    DatetimeTickFormatter,
    HoverTool,
    NumeralTickFormatter,
    PanTool,
    Range1d,
    ResetTool,
    WheelZoomTool,
)
from bokeh.models.annotations import Span
from bokeh.plotting import figure

FONT = "system-ui, sans-serif"
"""That of the page; bokeh's own is serif where it isn't installed, as in Firefox on Linux."""

_TEXT = "#7a828a"
_FEWEST_BARS = 10


class Timeline:
    """The time axis that the panels of a page share.

    Args:
        first: Its first moment, in milliseconds since 1970.
        last: Its last one.
        n_bars: How many bars there are between the two: no less than ten of them are shown.
        date_form: How a date is written, in bokeh's words.
    """

    def __init__(
        self, first: float, last: float, *, n_bars: int, date_form: str = "%Y-%m-%d"
    ) -> None:
        last = max(last, first + 1.0)
        self.date_form = date_form
        self.range = Range1d(
            start=first,
            end=last,
            bounds=(first, last),
            min_interval=(last - first) * min(1.0, _FEWEST_BARS / max(n_bars, 1)),
            name="time",
        )
        self._cursor = Span(dimension="height", line_color=_TEXT, line_width=1)

    def add_panel(
        self,
        title: str,
        *,
        height: int,
        y_axis_type: Any = "linear",
        tick_format: str = "0.[00]",
        shows_dates: bool = False,
    ) -> Any:
        """Return an empty figure on this axis.

        Args:
            title: What its vertical axis says.
            height: In pixels; the width is that of the page.
            y_axis_type: "linear" or "log".
            tick_format: Of the vertical axis, in bokeh's words.
            shows_dates: Whether the dates stand below it.
        """
        panel: Any = figure(
            height=height,
            sizing_mode="stretch_width",
            x_range=self.range,
            window_axis="x",
            x_axis_type="datetime",
            y_axis_type=y_axis_type,
            tools=[
                PanTool(dimensions="width"),
                BoxZoomTool(dimensions="width"),
                WheelZoomTool(dimensions="width", modifiers="ctrl"),
                ResetTool(),
                CrosshairTool(overlay=self._cursor),
            ],
            toolbar_location=None,
            min_border_left=64,
            min_border_right=26,  # half of a date
        )
        # a finger scrolls the page; a pointer draws the span to look at
        panel.toolbar.active_drag = None
        panel.y_range.only_visible = True
        panel.yaxis.axis_label = title
        panel.yaxis.formatter = NumeralTickFormatter(format=tick_format)
        panel.xaxis.formatter = _date_formatter()
        panel.xaxis.visible = shows_dates
        panel.axis.major_label_text_font = panel.axis.axis_label_text_font = FONT
        panel.axis.major_tick_line_color = None  # beside a grid they look like stray strokes
        panel.axis.minor_tick_line_color = None
        panel.background_fill_alpha = panel.border_fill_alpha = 0.0
        panel.outline_line_color = None
        return panel


def _date_formatter() -> DatetimeTickFormatter:
    """Dates as short as they can be; the first has its day or year below it."""
    clock = ("microseconds", "milliseconds", "seconds", "minsec", "minutes", "hourmin", "hours")
    day: Any = dict.fromkeys(clock, "%d %b %Y")
    times: Any = {name: "%H:%M:%S" if "sec" in name else "%H:%M" for name in clock}
    context = DatetimeTickFormatter(**day, days="%Y", months="", years="")
    return DatetimeTickFormatter(
        **times, days="%d %b", months="%b %Y", years="%Y", context=context, context_which="start"
    )


def add_hover(panel: Any, renderer: Any, rows: list[tuple[str, str]], **formats: str) -> None:
    """Let a line or the marks of a panel say their numbers under the pointer.

    Args:
        panel: The figure.
        renderer: What answers.
        rows: Headings and fields in bokeh's words: ("Date", "@x{%F}").
        **formats: How fields are read, in bokeh's words; by name without the "@".
    """
    readers: Any = {f"@{name}": kind for name, kind in formats.items()}
    panel.add_tools(
        HoverTool(
            renderers=[renderer],
            tooltips=rows,
            formatters=readers,
            line_policy="nearest",
            limit=1,
            visible=False,
        )
    )
