"""backtrader's own plotter on a figure of ours, without a screen."""

from importlib import import_module
from typing import Any

import matplotlib
from matplotlib.artist import setp
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec

from lstm_strategy.evaluation.plots import NotebookFigure


class _FigureAsPyplot:
    """The five functions of pyplot that backtrader's `Plot` calls, all on one figure of ours."""

    def __init__(self) -> None:
        self.drawn = NotebookFigure(figsize=(14.0, 9.0))

    def figure(self, number: int) -> Figure:
        return self.drawn

    def subplot2grid(
        self, shape: tuple[int, int], loc: tuple[int, int], *, rowspan: int, sharex: Axes | None
    ) -> Axes:
        rows, column = slice(loc[0], loc[0] + rowspan), loc[1]
        place = GridSpec(*shape, figure=self.drawn)[rows, column]
        return self.drawn.add_subplot(place, sharex=sharex)

    def setp(self, artists: Any, **properties: Any) -> None:
        setp(artists, **properties)

    def autoscale(self, *, enable: bool, axis: Any, tight: bool) -> None:
        self.drawn.gca().autoscale(enable=enable, axis=axis, tight=tight)

    def show(self) -> None:
        """Do nothing: the figure is returned, and whoever wants to see it shows it."""


def build_headless_plotter(scheme: Any) -> Any:
    """Return backtrader's `Plot`, drawing on a figure of ours.

    Its method `plot` assigns the real pyplot to `self.mpyplot`; the property swallows that.
    """
    base: Any = import_backtrader_plot().Plot

    class HeadlessPlot(base):
        pyplot = _FigureAsPyplot()
        mpyplot = property(lambda self: self.pyplot, lambda self, ignored: None)

    return HeadlessPlot(scheme=scheme)


def import_backtrader_plot() -> Any:
    """Import `backtrader.plot` without the Tk backend that it would force on us."""
    real_use = matplotlib.use
    matplotlib.use = lambda *args, **kwargs: None
    try:
        return import_module("backtrader.plot")
    finally:
        matplotlib.use = real_use


def remove_cursor(cursor: Any) -> None:
    """Take away the cross-hair, which follows a mouse that a picture doesn't have."""
    cursor.disconnect()
    for line in cursor.vlines + cursor.hlines:
        line.remove()
