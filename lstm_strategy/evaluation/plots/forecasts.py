"""Forecasts of volatility beside what came, and who gains on the reference when."""

import math
import textwrap
from typing import Any

import matplotlib.ticker as mticker
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lstm_strategy.evaluation.looks import choose_looks
from lstm_strategy.evaluation.plots.curves import on_plain_dates, thin_series
from lstm_strategy.evaluation.plots.style import (
    NotebookFigure,
    PercentTicks,
    label_dates,
    line_style,
    picture_name,
    picture_text,
    plotting_style,
)

_NARROW_INCHES = 8.0
_TITLE_LETTERS_AN_INCH = 12.5
_POINTS_AN_INCH = 45.0  # more than that, and lines hide each other

_REALIZED = "\0realized"  # no model is called that


def plot_forecasts(
    forecasts: pd.DataFrame,
    realized: pd.Series,
    losses: pd.DataFrame,
    *,
    reference: str,
    highlight: str,
    loss_label: str = "loss",
    title: str = "",
    width_inches: float = 11.0,
) -> Figure:
    """Draw forecast and realised volatility, and the loss that each model saves on the reference.

    Args:
        forecasts: Annualised volatilities as fractions, one column a model.
        realized: What came, in the same unit, on the same dates: the grey dots.
        losses: The loss of each model at each bar.
        reference: The model that the lower panel compares with; drawn in black.
        highlight: The model in red.
        loss_label: The loss in words.
        title: What is shown, on one line or more.
        width_inches: The width of the figure; below 8 the legend stands under the panels.

    Example:
        >>> dates = pd.date_range("2024-01-01", periods=3)
        >>> frame = pd.DataFrame({"a": [0.1, 0.2, 0.2], "b": [0.2, 0.2, 0.1]}, dates)
        >>> figure = plot_forecasts(frame, frame["a"], frame, reference="b", highlight="a")
        >>> [ax.get_ylabel() for ax in figure.axes]
        ['Volatility (log)', 'Loss saved on b']
    """
    forecasts, losses = on_plain_dates(forecasts), on_plain_dates(losses)
    looks = _choose_looks([str(name) for name in forecasts], reference, highlight)
    is_narrow = width_inches < _NARROW_INCHES
    with plotting_style():
        figure = NotebookFigure(
            figsize=(width_inches, 6.4 + 0.1 * len(looks) * is_narrow), layout="constrained"
        )
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3.0, 2.0])
        most_points = width_inches * _POINTS_AN_INCH
        _draw_volatility(above, forecasts, realized, looks, most_points=most_points)
        _draw_savings(below, losses, looks, reference)
        title = picture_text(title)
        what = loss_label[:1].upper() + loss_label[1:]
        below.set_ylabel(f"{what} saved on {picture_name(reference, most=24)}")
        lines, labels = above.get_legend_handles_labels()
        if is_narrow:
            figure.legend(lines, labels, loc="outside lower left", ncols=2)
            title = textwrap.fill(title, round(_TITLE_LETTERS_AN_INCH * width_inches))
        else:
            above.legend(lines, labels, loc="upper left", bbox_to_anchor=(1.005, 1.02))
            title = textwrap.fill(title, 100)
        above.set_title(title, loc="left", size=8.5 if is_narrow else 11)
        label_dates(below, minticks=3 if is_narrow else 5, maxticks=7 if is_narrow else 12)
        figure.align_ylabels()
    return figure


def _choose_looks(names: list[str], reference: str, highlight: str) -> dict[str, dict[str, Any]]:
    """How matplotlib draws each model: two stand out, the others stay in the background."""
    looks = choose_looks(names, own=highlight, held=[reference])
    widths = {highlight: (1.2, 4), reference: (1.0, 3)}
    return {
        name: dict(
            zip(("lw", "zorder"), widths.get(name, (0.9, 2)), strict=True),
            color=look.color,
            ls=line_style(look),
        )
        for name, look in looks.items()
    }


def _draw_volatility(
    ax: Axes,
    forecasts: pd.DataFrame,
    realized: pd.Series,
    looks: dict[str, dict[str, Any]],
    *,
    most_points: float,
) -> None:
    """Draw dots for what came and lines for forecasts; of many bars, roots of mean variances."""
    block_bars = math.ceil(len(forecasts) / most_points)
    together = forecasts.assign(**{_REALIZED: realized.to_numpy()}) ** 2
    blocks = together.groupby(np.arange(len(together)) // block_bars)
    shown = (blocks.mean() ** 0.5).set_axis(together.index[::block_bars])
    ax.plot(shown.index, shown[_REALIZED], ".", color="0.65", ms=3.5, zorder=1, label="Realised")
    for name, look in looks.items():
        ax.plot(shown.index, shown[name].to_numpy(), label=picture_name(name), **look)
    ax.set_yscale("log")
    values = shown.to_numpy()
    if values.max() > 10 * values.min():
        ax.yaxis.set_major_locator(mticker.LogLocator(subs=(1.0, 2.0, 5.0)))
    else:  # a log axis of powers of ten could show no tick at all
        ax.yaxis.set_major_locator(mticker.MaxNLocator(nbins=7, steps=[1, 2, 2.5, 5, 10]))
    ax.yaxis.set_major_formatter(PercentTicks())
    ax.yaxis.set_minor_formatter(mticker.NullFormatter())
    ax.set_ylabel("Volatility (log)" + (f", {block_bars} bars each" if block_bars > 1 else ""))


def _draw_savings(
    ax: Axes, losses: pd.DataFrame, looks: dict[str, dict[str, Any]], reference: str
) -> None:
    """Draw how far the sum of each model's losses lies below that of the reference."""
    for name, look in looks.items():
        saved = thin_series((losses[reference] - losses[name]).cumsum())
        ax.plot(saved.index, saved.to_numpy(), **look)
