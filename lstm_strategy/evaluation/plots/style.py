"""The look of every figure, made without pyplot and without a trace in matplotlib."""

import base64
import contextlib
import io
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import matplotlib
import matplotlib.dates as mdates
import matplotlib.ticker as mticker
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from lstm_strategy.support import number_text, png_html

STRONG_COLORS = ("#d1242f", "#0550ae", "#d98c00", "#3a9bdc", "#882255")
"""Red, blue, amber, sky blue, wine: what the figure is about, the first of them first.

They stay apart, from each other and from black, for eyes without red, green or blue cones.
"""

STRONG_LOOKS = tuple(itertools.product(("-", "--", ":"), STRONG_COLORS))
"""Line style and colour of one line after the other, when there are more than colours."""

_MOST_DECIMALS = 6
_N_COLORS = 256


class PercentTicks(mticker.Formatter):
    """Fractions as percentages, with as many decimals as the ticks of an axis need to be true.

    Example:
        >>> PercentTicks().format_ticks([-0.05, -0.025, 0.0])
        ['-5.0%', '-2.5%', '0.0%']
    """

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Return one value as text."""
        return self.format_ticks([x])[0]

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """Return the texts of all ticks, with the same number of decimals."""
        percent = 100.0 * np.asarray(values, dtype=float)
        # the ticks of a wide axis carry rounding errors of its size
        slack = 1e-9 * float(np.abs(percent).max(initial=0.0))
        decimals = next(
            (n for n in range(_MOST_DECIMALS) if np.allclose(percent.round(n), percent, 0, slack)),
            _MOST_DECIMALS,
        )
        return [number_text(value / 100.0, f"{{:,.{decimals}%}}") for value in percent]


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

    def draw(self, renderer: RendererBase) -> None:
        """Draw with hyphens before numbers below zero, as in every table."""
        with matplotlib.rc_context({"axes.unicode_minus": False}):
            super().draw(renderer)

    def _repr_png_(self) -> bytes:
        return _png_of(self)

    def _ipython_display_(self) -> None:
        # once any plot of pandas has loaded pyplot, nobody asks for `_repr_png_`
        from IPython import display

        picture = base64.b64encode(self._repr_png_()).decode()
        display.display({"image/png": picture, "text/plain": repr(self)}, raw=True)  # type: ignore[no-untyped-call]


def figure_html(figure: "NotebookFigure | Figure", alt: str) -> str:
    """Return a figure of ours as a picture within the card of a notebook.

    Example:
        >>> figure_html(NotebookFigure(figsize=(1.0, 1.0)), "Nothing").startswith("<img")
        True
    """
    return png_html(_png_of(figure), alt, width=round(75 * figure.get_size_inches()[0]))


def _png_of(figure: Figure) -> bytes:
    """The figure in as many colours as the eye needs: a third of the bytes, in every notebook."""
    drawn, stored = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=90, bbox_inches="tight")
    picture = Image.open(drawn).convert("RGB").quantize(_N_COLORS, dither=Image.Dither.NONE)
    picture.save(stored, format="png", optimize=True)
    return stored.getvalue()


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
                "axes.formatter.useoffset": False,
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


def draw_legend_below(ax: Axes, *, ncols: int = 3) -> None:
    """Write the names of the lines below the figure, where they cover none of them."""
    lines, labels = ax.get_legend_handles_labels()
    ax.figure.legend(lines, labels, loc="outside lower right", ncols=ncols, fontsize=8)
