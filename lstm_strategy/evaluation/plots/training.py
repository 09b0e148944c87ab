"""The course of a training as a figure."""

from typing import TYPE_CHECKING

import matplotlib.ticker as mticker
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lstm_strategy.evaluation.plots.equity import _STRONG_COLORS
from lstm_strategy.evaluation.plots.style import NotebookFigure, plotting_style

if TYPE_CHECKING:
    pass


def plot_history(history: pd.DataFrame) -> Figure:
    """Training and validation loss by epoch, one pair of lines for each seed.

    `history` is in long form: columns `seed`, `epoch`, `loss`, `val_loss` (`epoch` may be the
    index; without `seed` it is one run). A dot marks the epoch of the lowest validation loss.
    """
    rows = history if "epoch" in history.columns else history.rename_axis("epoch").reset_index()
    rows = rows if "member" in rows.columns else rows.assign(member=0)
    with plotting_style():
        figure = NotebookFigure(figsize=(8.0, 4.5), layout="constrained")
        ax = figure.subplots()
        for position, (member, run) in enumerate(rows.groupby("member", sort=False)):
            _draw_losses(ax, run, member, color=_STRONG_COLORS[position % len(_STRONG_COLORS)])
        ax.set_xlabel("Epoch")
        ax.set_ylabel("Loss")
        ax.set_title("Loss by epoch (dot: lowest validation loss)", loc="left")
        ax.xaxis.set_major_locator(mticker.MaxNLocator(integer=True))
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0))
    return figure


def _draw_losses(ax: Axes, run: pd.DataFrame, member: object, *, color: str) -> None:
    ax.plot(run["epoch"], run["loss"], color=color, ls="--", lw=1, label=f"member {member}, training")
    if "val_loss" not in run or run["val_loss"].isna().all():
        return
    ax.plot(run["epoch"], run["val_loss"], color=color, lw=1.6, label=f"member {member}, validation")
    best = run.sort_values("val_loss", kind="stable").iloc[0]
    ax.plot(best["epoch"], best["val_loss"], marker="o", color=color)
