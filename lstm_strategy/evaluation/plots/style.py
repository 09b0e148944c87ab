"""The look of every figure, made without pyplot and without a trace in matplotlib."""

import base64
import contextlib
import io
import itertools
import re
import unicodedata
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import matplotlib
import matplotlib.dates as mdates
import matplotlib.ticker as mticker
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from lstm_strategy.errors import escape_controls
from lstm_strategy.evaluation.looks import Look
from lstm_strategy.support import number_text, png_html

STRONG_COLORS = ("#d1242f", "#0550ae", "#d98c00", "#3a9bdc", "#882255")
"""Red, blue, amber, sky blue, wine: what the figure is about, the first of them first.

They stay apart, from each other and from black, for eyes without red, green or blue cones.
"""

STRONG_LOOKS = tuple(itertools.product(("-", "--", ":"), STRONG_COLORS))
"""Line style and colour of one line after the other, when there are more than colours."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MOST_DECIMALS = 6
_N_COLORS = 256
_FROM_LEFT = "\N{LEFT-TO-RIGHT MARK}"


def line_style(look: Look) -> Any:
    """Return the strokes of a look as matplotlib takes them, whatever the width of the line.

    Example:
        >>> line_style(Look("black")), line_style(Look("black", (6, 2)))
        ('-', (0, (6, 2)))
    """
    return (0, look.strokes) if look.strokes else "-"


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


@contextlib.contextmanager
def _ticks_found_once(figure: Figure) -> Iterator[None]:
    """Find the ticks of an axis once for as long as it stays as it is.

    matplotlib finds them again for each label, title and margin, which took half of the time of a
    picture. An axis of a version that does so under other names is just slower.
    """
    names = ("_update_ticks", "_get_ticklabel_bboxes")
    axes = [axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)]
    found = [(axis, name) for axis in axes for name in names if hasattr(axis, name)]
    for axis, name in found:
        setattr(axis, name, _answer_once(axis, getattr(axis, name)))
    try:
        yield
    finally:
        for axis, name in found:
            delattr(axis, name)


def _answer_once(axis: Axis, ask: Callable[..., Any]) -> Callable[..., Any]:
    """A method of an axis that remembers its answer until the axis shows or lies elsewhere."""
    answers: dict[tuple[float, ...], Any] = {}

    def answer(*arguments: Any) -> Any:
        state = (*axis.get_view_interval(), *axis.axes.bbox.bounds)
        if state not in answers:
            answers.clear()
            answers[state] = ask(*arguments)
        return answers[state]

    return answer


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
        with (
            matplotlib.rc_context({"axes.unicode_minus": False}),
            _ticks_found_once(self),
            warnings.catch_warnings(),
        ):
            # a box stands for a letter of a name that no font has, and nobody can change that
            warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
            super().draw(renderer)

    def _repr_png_(self) -> bytes:
        return _png_of(self)

    def _ipython_display_(self) -> None:
        # once any plot of pandas has loaded pyplot, nobody asks for `_repr_png_`
        from IPython import display

        picture = base64.b64encode(self._repr_png_()).decode()
        display.display({"image/png": picture, "text/plain": repr(self)}, raw=True)  # type: ignore[no-untyped-call]


def draw_pixels(figure: Figure, *, dpi: int, has_background: bool = True) -> np.ndarray:
    """Draw a figure once, where `savefig` would draw it twice.

    Args:
        figure: Any figure of matplotlib, without figures within it; it stays as it is.
        dpi: Pixels an inch.
        has_background: Whether it gets its own background; else it has none.

    Returns:
        Red, green, blue and opacity, shape (height, width, 4), bytes.

    Example:
        >>> draw_pixels(NotebookFigure(figsize=(4.0, 3.0)), dpi=10).shape
        (30, 40, 4)
    """
    canvas_before, dpi_before = figure.canvas, figure.dpi
    canvas = FigureCanvasAgg(figure)  # attaches itself to the figure
    parts: list[Any] = [] if has_background else [figure, *figure.axes]
    patches = [part.patch for part in parts]
    colors = [(patch.get_facecolor(), patch.get_edgecolor()) for patch in patches]
    try:
        for patch in patches:
            patch.set(facecolor="none", edgecolor="none")
        figure.set_dpi(dpi)
        canvas.draw()
        return np.array(canvas.buffer_rgba())
    finally:
        figure.set_dpi(dpi_before)
        figure.set_canvas(canvas_before)
        for patch, (face, edge) in zip(patches, colors, strict=True):
            patch.set(facecolor=face, edgecolor=edge)


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
                "legend.handlelength": 3.0,  # room for the strokes of a line
                "lines.scale_dashes": False,
            }
        )
        yield


def picture_text(text: str) -> str:
    r"""Return a text as a picture shows it: no dollar sign begins a formula, nothing turns it.

    Example:
        >>> print(picture_text("$SPX and $VIX"))
        \$SPX and \$VIX
    """
    return escape_controls(text).replace("$", r"\$")


def picture_name(name: object, *, most: int = 40) -> str:
    r"""Return a name as a picture shows it: on one line, letter by letter, and not too long.

    Args:
        name: Any name.
        most: The most letters; of a longer one the first are shown.

    Example:
        >>> picture_name("costs $5\nor more"), picture_name("a" * 100, most=4)
        ('costs \\$5 or more', 'aaa…')
    """
    text = escape_controls(" ".join(str(name).split()))
    if len(text) > most:
        text = f"{text[: most - 1].rstrip()}\N{HORIZONTAL ELLIPSIS}"
    # between marks, so that numbers beside Arabic or Hebrew keep their sign in front; and
    # matplotlib leaves out of a legend what begins with a line
    if text.startswith("_") or any(map(_is_from_right, text)):
        text = f"{_FROM_LEFT}{text}{_FROM_LEFT}"
    return text.replace("$", r"\$")


def _is_from_right(letter: str) -> bool:
    return unicodedata.bidirectional(letter) in ("R", "AL")


def label_dates(ax: Axes, *, minticks: int = 4, maxticks: int = 10) -> None:
    """Give a time axis a few short dates that don't cover each other."""
    locator = mdates.AutoDateLocator(minticks=minticks, maxticks=maxticks)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(_EnglishDates(locator))


class _EnglishDates(mdates.ConciseDateFormatter):
    """Short dates whose months are English, whatever locale a program has chosen."""

    def __init__(self, locator: mdates.AutoDateLocator) -> None:
        super().__init__(locator)  # type: ignore[no-untyped-call]
        for formats in (self.formats, self.zero_formats, self.offset_formats):
            formats[:] = [each.replace("%b", "{%m}") for each in formats]

    def format_ticks(self, values: Any) -> list[str]:
        """Return the labels of the ticks."""
        labels = super().format_ticks(values)  # type: ignore[no-untyped-call]
        return [_name_months(label) for label in labels]

    def get_offset(self) -> str:
        """Return what the dates of all ticks share."""
        return _name_months(super().get_offset())  # type: ignore[no-untyped-call]


def _name_months(text: str) -> str:
    """Put the name of a month where its number stands in braces."""
    return re.sub(r"\{(\d\d)\}", lambda found: _MONTHS[int(found[1]) - 1], text)


def draw_legend_below(ax: Axes, *, ncols: int = 3) -> None:
    """Write the names of the lines below the figure, where they cover none of them."""
    lines, labels = ax.get_legend_handles_labels()
    ax.figure.legend(lines, labels, loc="outside lower right", ncols=ncols, fontsize=8)
