"""The files that results are written to."""

import io
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from lstm_strategy.support import write_whole


def write_results(
    folder: str | Path, tables: Mapping[str, pd.DataFrame], equity_figure: Figure
) -> Path:
    """Write the tables by file name and equity.png, each whole or not at all; return the folder."""
    target = Path(folder)
    for file_name, table in tables.items():
        write_whole(target / file_name, table.to_csv().encode())
    write_picture(target / "equity.png", equity_figure)
    return target


def write_picture(path: str | Path, figure: Figure) -> Path:
    """Write a figure as a PNG, whole or not at all, and return its path."""
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=120)
    return write_whole(path, picture.getvalue())
