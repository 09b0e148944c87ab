"""What each market of a portfolio added to its result, in the order of time."""

import textwrap

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lstm_strategy.evaluation.looks import choose_market_looks
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
from lstm_strategy.support import number_text

_NARROW_INCHES = 8.0
_TITLE_LETTERS_AN_INCH = 12.5


def plot_contributions(
    contributions: pd.DataFrame, *, title: str = "", width_inches: float = 11.0
) -> Figure:
    """Draw what each market earned so far and, in black, their sum.

    Args:
        contributions: Fractions of the equity at the start, one column a market, as
            `contribution_by_market` gives them.
        title: What is shown.
        width_inches: The width of the figure; below 8 the legend stands under the panel.

    Example:
        >>> days = pd.date_range("2024-01-01", periods=2)
        >>> earned = pd.DataFrame({"A": [0.0, 0.02], "B": [0.0, -0.01]}, days)
        >>> [line.get_label() for line in plot_contributions(earned).axes[0].get_lines()[:3]]
        ['A  2.0%', 'B  -1.0%', 'All markets  1.0%']
    """
    frame, is_narrow = on_plain_dates(contributions), width_inches < _NARROW_INCHES
    with plotting_style():
        height = 3.6 + (0.12 * len(frame.columns) if is_narrow else 0.0)
        figure = NotebookFigure(figsize=(width_inches, height), layout="constrained")
        ax = figure.subplots()
        looks = choose_market_looks(frame.shape[1])
        for name, look in zip(frame, looks, strict=True):
            _draw_line(ax, frame[name], str(name), color=look.color, ls=line_style(look), lw=1.1)
        _draw_line(ax, frame.sum(axis=1), "All markets", color="black", lw=1.8)
        ax.axhline(0.0, color="0.7", lw=0.8, zorder=1)
        ax.set_ylabel("Share of the starting equity")
        ax.yaxis.set_major_formatter(PercentTicks())
        if len(frame) > 1:
            ax.set_xlim(frame.index[0], frame.index[-1])
        label_dates(ax, minticks=3, maxticks=7 if is_narrow else 12)
        _draw_legend(ax, is_below=is_narrow)
        title = picture_text(title)
        if is_narrow:
            title = textwrap.fill(title, round(_TITLE_LETTERS_AN_INCH * width_inches))
        ax.set_title(title, loc="left", size=8.5 if is_narrow else 11)
    return figure


def _draw_line(ax: Axes, values: pd.Series, name: str, **look: object) -> None:
    label = f"{picture_name(name)}  {number_text(values.iloc[-1], '{:.1%}')}"
    values = thin_series(values)
    ax.plot(values.index, values.to_numpy(), label=label, **look)  # type: ignore[arg-type]


def _draw_legend(ax: Axes, *, is_below: bool) -> None:
    """Write the names outside the panel, in the order of the lines at its right edge."""
    lines = [line for line in ax.get_lines() if not str(line.get_label()).startswith("_")]
    lines.sort(key=lambda line: -float(line.get_ydata()[-1]))  # type: ignore[index, arg-type]
    if is_below:
        ax.figure.legend(handles=lines, loc="outside lower left", ncols=2)
    else:
        ax.legend(handles=lines, loc="upper left", bbox_to_anchor=(1.005, 1.02))
