"""What a model forecast, and how it was trained, as figures."""

from collections.abc import Mapping
from typing import Any

import matplotlib
import matplotlib.ticker as mticker
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lstm_strategy.evaluation.plots.curves import on_plain_dates, thin_band
from lstm_strategy.evaluation.plots.style import (
    STRONG_COLORS,
    NotebookFigure,
    label_dates,
    plotting_style,
)

_COLORS = "viridis"
_LIGHTEST = 0.85  # of the colours: what is lighter can't be seen on white
_MOST_NAMES = 12


def plot_course(
    forecasts: Mapping[str, pd.DataFrame],
    *,
    label: str,
    column: str = "forecast",
    width_inches: float = 11.0,
) -> Figure:
    """Draw forecasts in the order of time, with the standard deviation between members around them.

    Args:
        forecasts: What was forecast at each close, by market, each with a panel of its own; with
            the column `uncertainty`, the standard deviation between the members, NaN for none. One
            market may have the name "".
        label: What is forecast.
        column: Where it stands.
        width_inches: The width of the figure.

    Example:
        >>> days = pd.date_range("2024-01-01", periods=2)
        >>> told = pd.DataFrame({"forecast": [0.4, 0.6], "uncertainty": [0.04, 0.06]}, days)
        >>> [ax.get_ylabel() for ax in plot_course({"": told}, label="Probability").axes]
        ['Probability']
        >>> figure = plot_course({"A": told, "B": told}, label="Probability")
        >>> [ax.get_title(loc="left") for ax in figure.axes], figure.get_supylabel()
        (['A', 'B'], 'Probability')
    """
    height = 2.6 if len(forecasts) == 1 else 0.5 + 1.3 * len(forecasts)
    with plotting_style():
        figure = NotebookFigure(figsize=(width_inches, height), layout="constrained")
        panels = figure.subplots(len(forecasts), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
        for ax, (market, frame) in zip(panels, forecasts.items(), strict=True):
            _draw_course(ax, on_plain_dates(frame), column)
            ax.set_title(market, loc="left", size=9)
        if len(forecasts) == 1:
            panels[0].set_ylabel(label)
        else:
            figure.supylabel(label, size=9)
        label_dates(panels[-1], minticks=3, maxticks=7 if width_inches < 8.0 else 12)
    return figure


def _draw_course(ax: Axes, frame: pd.DataFrame, column: str) -> None:
    band = thin_band(frame[column], frame["uncertainty"])
    look: dict[str, Any] = {"color": STRONG_COLORS[1], "alpha": 0.25, "lw": 0}
    ax.fill_between(band.index, band["low"], band["high"], **look)
    ax.plot(band.index, band["middle"], color=STRONG_COLORS[1], lw=0.9)
    ax.margins(x=0.0)


def plot_epochs(
    histories: Mapping[str, pd.DataFrame], *, is_utility: bool, width_inches: float = 9.0
) -> Figure:
    """Draw loss or utility by epoch, in training and on held-out bars, a line for each fold.

    Args:
        histories: Of each fold, by its name and in the order of time: epoch, loss and val_loss, a
            row for each epoch of each member, of which the mean is drawn. A member that stopped
            earlier counts with its last values: of those left alone it would jump.
        is_utility: Whether a loss is utility that is lost, so that the line shows its negative.
        width_inches: The width of the figure.

    Example:
        >>> history = pd.DataFrame({"epoch": [0, 1], "loss": [1.0, 0.5], "val_loss": [1.0, 0.8]})
        >>> figure = plot_epochs({"1": history}, is_utility=True)
        >>> [ax.get_title(loc="left") for ax in figure.axes]
        ['In training', 'On held-out bars']
    """
    shades = matplotlib.colormaps[_COLORS](np.linspace(0.0, _LIGHTEST, max(len(histories), 2)))
    with plotting_style():
        figure = NotebookFigure(figsize=(width_inches, 3.4), layout="constrained")
        left, right = figure.subplots(1, 2)
        for (name, history), color in zip(histories.items(), shades, strict=False):
            means = _mean_of_members(history)
            means = -means if is_utility else means
            left.plot(means.index, means["loss"].to_numpy(), color=color, lw=1.1, label=name)
            right.plot(means.index, means["val_loss"].to_numpy(), color=color, lw=1.1, label=name)
        left.set_ylabel("Utility" if is_utility else "Loss")
        _finish(left, "In training")
        _finish(right, "On held-out bars")
        if 1 < len(histories) <= _MOST_NAMES:
            right.legend(title="Fold", loc="upper left", bbox_to_anchor=(1.01, 1.02), fontsize=8)
    return figure


def _mean_of_members(history: pd.DataFrame) -> pd.DataFrame:
    """Loss and val_loss by epoch; a member that has stopped keeps its last ones."""
    members = history["member"] if "member" in history else pd.Series(0, history.index)
    means = {}
    for column in ("loss", "val_loss"):
        by_member = history.assign(member=members).pivot(
            index="epoch", columns="member", values=column
        )
        means[column] = by_member.ffill().mean(axis=1)
    return pd.DataFrame(means)


def _finish(ax: Axes, title: str) -> None:
    ax.set_title(title, loc="left")
    ax.set_xlabel("Epoch")
    ax.xaxis.set_major_locator(mticker.MaxNLocator(integer=True))
