"""Pictures within a page."""

import base64
import io
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, FigureBase
from PIL import Image

from lstm_strategy.evaluation.report.page.text import escape

_DPI = 130
_N_COLORS = 128


def picture_html(figure: Figure, alt: str, caption: str, *, on_phone: Figure | None = None) -> str:
    """Return a figure as a PNG within the page.

    Args:
        figure: The figure.
        alt: What it shows, for those who can't see it.
        caption: The line below it.
        on_phone: Another figure for narrow screens.
    """
    width, height = (round(96 * inches) for inches in figure.get_size_inches())
    narrow = ""
    if on_phone is not None:
        narrow = f'<source media="(max-width: 40rem)" srcset="{_data_uri(on_phone)}">'
    size = f' width="{width}" height="{height}"' if on_phone is None else ""
    return (
        f"<figure><picture>{narrow}"
        f'<img src="{_data_uri(figure)}" alt="{escape(alt)}"{size}></picture>'
        f"<figcaption>{escape(caption)}</figcaption></figure>\n"
    )


def _data_uri(figure: Figure) -> str:
    stored = io.BytesIO()
    # a third of the bytes; and without matplotlib's version in it: the same page everywhere
    Image.fromarray(_draw_pixels(figure)).quantize(
        _N_COLORS, method=Image.Quantize.FASTOCTREE
    ).save(stored, format="png", optimize=True)
    return "data:image/png;base64," + base64.b64encode(stored.getvalue()).decode()


def _draw_pixels(figure: Figure) -> np.ndarray:
    """The figure on no background; `savefig` would draw twice, and pack what is unpacked again."""
    canvas_before, dpi = figure.canvas, figure.dpi
    canvas = FigureCanvasAgg(figure)  # attaches itself to the figure
    parts: list[Any] = figure.findobj(lambda part: isinstance(part, Axes | FigureBase))
    patches = [part.patch for part in parts]
    colors = [(patch.get_facecolor(), patch.get_edgecolor()) for patch in patches]
    try:
        for patch in patches:
            patch.set(facecolor="none", edgecolor="none")
        figure.set_dpi(_DPI)
        canvas.draw()
        return np.array(canvas.buffer_rgba())
    finally:
        figure.set_dpi(dpi)
        figure.set_canvas(canvas_before)
        for patch, (face, edge) in zip(patches, colors, strict=True):
            patch.set(facecolor=face, edgecolor=edge)
