"""Pictures within a page."""

import base64
import io

from matplotlib.figure import Figure
from PIL import Image

from lstm_strategy.evaluation.plots import draw_pixels
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
    pixels = draw_pixels(figure, dpi=_DPI, has_background=False)
    # a third of the bytes; and without matplotlib's version in it: the same page everywhere
    quantized = Image.fromarray(pixels).quantize(_N_COLORS, method=Image.Quantize.FASTOCTREE)
    quantized.save(stored, format="png")
    return "data:image/png;base64," + base64.b64encode(stored.getvalue()).decode()
