"""The course of a training as a figure."""

import itertools
from typing import Any

import matplotlib.ticker as mticker
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lstm_strategy.evaluation.plots.style import (
    STRONG_COLORS,
    NotebookFigure,
    picture_name,
    plotting_style,
)

_MARKERS = ("o", "s", "^", "D")  # one after the other, when the colours begin again


def plot_history(history: pd.DataFrame) -> Figure:
    """Draw training and validation loss by epoch, a pair of lines for each member.

    Args:
        history: In long form, with the columns member, epoch, loss and val_loss, as in
            `LSTMForecaster.history`. The epoch may be the index; without a member it is one run.
            Members count from 0 there, and from 1 in the figure.

    Returns:
        A figure whose marks show the epoch of the lowest validation loss.

    Example:
        >>> figure = plot_history(pd.DataFrame({"loss": [3.0, 2.0], "val_loss": [4.0, 5.0]}))
        >>> [line.get_label() for line in figure.axes[0].get_lines()[:2]]
        ['member 1, training', 'member 1, validation']
    """
    rows = history if "epoch" in history.columns else history.rename_axis("epoch").reset_index()
    rows = rows if "member" in rows.columns else rows.assign(member=0)
    with plotting_style():
        figure = NotebookFigure(figsize=(8.0, 4.5), layout="constrained")
        ax = figure.subplots()
        looks = itertools.product(_MARKERS, STRONG_COLORS)
        runs = rows.groupby(rows["member"] + 1, sort=False)
        for (member, run), (marker, color) in zip(runs, itertools.cycle(looks), strict=False):
            _draw_losses(ax, run, f"member {member}", color=color, marker=marker)
        ax.set_xlabel("Epoch")
        ax.set_ylabel("Loss")
        ax.set_title("Loss by epoch (mark: lowest validation loss)", loc="left")
        ax.xaxis.set_major_locator(mticker.MaxNLocator(integer=True))
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0))
    return figure


def _draw_losses(ax: Axes, run: pd.DataFrame, name: str, *, color: str, marker: str) -> None:
    ax.plot(
        run["epoch"],
        run["loss"],
        color=color,
        ls="--",
        lw=1,
        label=f"{picture_name(name)}, training",
    )
    if "val_loss" not in run or run["val_loss"].isna().all():
        return
    look: dict[str, Any] = {"color": color, "marker": marker}
    look["markevery"] = [int(run["val_loss"].argmin())]
    ax.plot(
        run["epoch"], run["val_loss"], lw=1.6, label=f"{picture_name(name)}, validation", **look
    )
