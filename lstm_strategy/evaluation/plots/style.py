"""The look of every figure, made without pyplot and without a trace in matplotlib."""

import contextlib
import io
from collections.abc import Iterator
from typing import Any

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


class NotebookFigure(Figure):
    """A matplotlib figure that shows itself in Jupyter without pyplot or `%matplotlib inline`."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        FigureCanvasAgg(self)  # attaches itself to the figure

    def _repr_png_(self) -> bytes:
        picture = io.BytesIO()
        self.savefig(picture, format="png", dpi=90, bbox_inches="tight")
        return picture.getvalue()


@contextlib.contextmanager
def plotting_style() -> Iterator[None]:
    """Our look while a figure is made; the user's own matplotlib settings come back after it."""
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
