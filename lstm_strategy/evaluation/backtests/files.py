"""The files that results are written to."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from lstm_strategy.support import write_together, write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DPI = 120


def write_results(
    folder: str | Path,
    tables: Mapping[str, pd.DataFrame],
    equity_figure: "Figure",
    *,
    equity_file: str = "equity.png",
) -> Path:
    """Write tables and a picture to a folder, each whole, and none where one can't be written.

    Args:
        folder: Where to; it is made where there is none.
        tables: The tables by the names of their CSV files.
        equity_figure: The picture of the equity.
        equity_file: The name of its file.

    Returns:
        The folder.

    Example:
        >>> import tempfile
        >>> from lstm_strategy.evaluation.plots import NotebookFigure
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     table = pd.DataFrame({"sharpe": [1.0]})
        ...     target = write_results(folder, {"metrics.csv": table}, NotebookFigure())
        ...     sorted(file.name for file in target.iterdir())
        ['equity.png', 'metrics.csv']
    """
    contents = {name: table.to_csv().encode() for name, table in tables.items()}
    return write_together(folder, {**contents, equity_file: _png_of(equity_figure)})


def write_picture(path: str | Path, figure: "Figure") -> Path:
    """Write a figure as a PNG, whole or not at all.

    Args:
        path: The file.
        figure: Any figure of matplotlib.

    Returns:
        The path.

    Example:
        >>> import tempfile
        >>> from lstm_strategy.evaluation.plots import NotebookFigure
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_picture(Path(folder) / "empty.png", NotebookFigure()).read_bytes()[1:4]
        b'PNG'
    """
    return write_whole(path, _png_of(figure))


def _png_of(figure: "Figure") -> bytes:
    from matplotlib.image import imsave

    from lstm_strategy.evaluation.plots import draw_pixels

    picture = io.BytesIO()
    imsave(picture, draw_pixels(figure, dpi=_DPI), format="png", origin="upper", dpi=_DPI)
    return picture.getvalue()
