"""The look of every figure, made without pyplot and without a trace in matplotlib."""

import contextlib
import io
from collections.abc import Iterator
from typing import Any

import matplotlib
import matplotlib.dates as mdates
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

STRONG_COLORS = ("#d1242f", "#0550ae", "#8250df", "#bc4c00")
"""Red, blue, violet, orange: what the figure is about, the first of them first."""


class NotebookFigure(Figure):
    """A matplotlib figure that shows itself in Jupyter without pyplot or `%matplotlib inline`.

    It takes what `matplotlib.figure.Figure` takes.

    Example:
        >>> figure = NotebookFigure(figsize=(4.0, 3.0))
        >>> figure._repr_png_()[1:4]
        b'PNG'
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        FigureCanvasAgg(self)  # attaches itself to the figure

    def _repr_png_(self) -> bytes:
        picture = io.BytesIO()
        self.savefig(picture, format="png", dpi=90, bbox_inches="tight")
        return picture.getvalue()


@contextlib.contextmanager
def plotting_style() -> Iterator[None]:
    """Use our look while a figure is made; the user's own matplotlib settings come back after it.

    Example:
        >>> with plotting_style():
        ...     matplotlib.rcParams["font.size"]
        9.0
    """
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(
            {
                "axes.grid": True,
                "axes.spines.right": False,
                "axes.spines.top": False,
                "axes.titlesize": 11,
                "font.size": 9,
                "grid.color": "0.92",
                "legend.frameon": False,
            }
        )
        yield


def label_dates(ax: Axes, *, minticks: int = 4, maxticks: int = 10) -> None:
    """Give a time axis a few short dates that don't cover each other."""
    locator = mdates.AutoDateLocator(minticks=minticks, maxticks=maxticks)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))
