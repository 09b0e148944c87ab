"""The files that results are written to."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from lstm_strategy.support import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write_results(
    folder: str | Path, tables: Mapping[str, pd.DataFrame], equity_figure: "Figure"
) -> Path:
    """Write the tables by file name and equity.png, each whole or not at all, and say where."""
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    contents = {file_name: table.to_csv().encode() for file_name, table in tables.items()}
    for file_name, content in (contents | {"equity.png": _png(equity_figure)}).items():
        write_whole(target / file_name, content)
    return target


def write_picture(path: str | Path, figure: "Figure") -> Path:
    """Write a figure as a PNG, whole or not at all, and return its path."""
    return write_whole(path, _png(figure))


def _png(figure: "Figure") -> bytes:
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=120)
    return picture.getvalue()
