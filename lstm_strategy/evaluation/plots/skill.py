"""How good forecasts of returns are: by horizon, and by the quantile of the forecast."""

import itertools
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lstm_strategy.evaluation.plots.curves import on_plain_dates
from lstm_strategy.evaluation.plots.style import (
    STRONG_COLORS,
    NotebookFigure,
    PercentTicks,
    draw_legend_below,
    label_dates,
    picture_name,
    plotting_style,
)

_ERRORS = 2.0


def plot_by_horizon(
    means: pd.DataFrame,
    errors: pd.DataFrame,
    *,
    title: str,
    label: str,
    level: float,
    width_inches: float = 5.6,
) -> Figure:
    """Draw measures by horizon, each with two standard errors on either side.

    Args:
        means: One row a horizon in bars, one column a measure, whose name is its label.
        errors: Their standard errors, likewise; NaN for none.
        title: What is shown.
        label: Of the vertical axis.
        level: What a forecast without any skill would have: a dotted line.
        width_inches: The width of the figure.

    Example:
        >>> means = pd.DataFrame({"Of ranks": [0.04, 0.02]}, index=[1, 5])
        >>> figure = plot_by_horizon(means, means / 4, title="Decay", label="IC", level=0.0)
        >>> figure.axes[0].get_title(loc="left")
        'Decay'
    """
    with plotting_style():
        figure = NotebookFigure(figsize=(width_inches, 3.6), layout="constrained")
        ax = figure.subplots()
        places = np.arange(len(means))
        shifts = np.linspace(-0.06, 0.06, means.shape[1]) if means.shape[1] > 1 else [0.0]
        looks = zip(means.items(), shifts, itertools.cycle(STRONG_COLORS), strict=False)
        for (name, values), shift, color in looks:
            ax.errorbar(
                places + shift,
                values.to_numpy(),
                yerr=_ERRORS * errors[name].to_numpy(),
                color=color,
                marker="o",
                ms=4,
                capsize=3,
                lw=1.2,
                label=picture_name(name),
            )
        ax.axhline(level, color="0.4", ls=":", lw=1.2)
        ax.set_xticks(places, [f"{horizon:,}" for horizon in means.index])
        ax.set_xlabel("Horizon in bars; whiskers are two standard errors")
        ax.set_ylabel(label)
        ax.set_title(title, loc="left")
        draw_legend_below(ax)
    return figure


def plot_calibration(table: pd.DataFrame, *, kind: str, width_inches: float = 5.6) -> Figure:
    """Draw what came against what was forecast, a dot for each group of forecasts.

    Args:
        table: One row a group: forecast, outcome and outcome_error; NaN for no error.
        kind: "probability" and "volatility" are the same unit as what came, so that the line where
            the two agree is drawn; "return" isn't.
        width_inches: The width of the figure.

    Example:
        >>> table = pd.DataFrame({"forecast": [0.4], "outcome": [0.5], "outcome_error": [0.1]})
        >>> plot_calibration(table, kind="probability").axes[0].get_ylabel()
        'Share of higher closes'
    """
    labels = {
        "probability": ("Forecast probability of a higher close", "Share of higher closes"),
        "volatility": ("Forecast volatility", "Realised volatility"),
    }
    across, up = labels.get(kind, ("Forecast", "Mean return that followed"))
    with plotting_style():
        figure = NotebookFigure(figsize=(width_inches, 3.6), layout="constrained")
        ax = figure.subplots()
        forecast, outcome = table["forecast"].to_numpy(), table["outcome"].to_numpy()
        if kind in labels:
            ends = [min(forecast.min(), outcome.min()), max(forecast.max(), outcome.max())]
            ax.plot(ends, ends, color="0.4", ls=":", lw=1.2, label="Forecast and outcome agree")
            ax.xaxis.set_major_formatter(PercentTicks())
            draw_legend_below(ax)
        else:
            ax.axhline(0.0, color="0.4", ls=":", lw=1.2)
        errors = _ERRORS * table["outcome_error"].to_numpy(float)
        look: dict[str, Any] = {
            "color": STRONG_COLORS[1],
            "marker": "o",
            "ms": 4,
            "capsize": 3,
            "lw": 1.2,
        }
        ax.errorbar(forecast, outcome, yerr=errors, **look)
        ax.yaxis.set_major_formatter(PercentTicks())
        ax.set_xlabel(across)
        ax.set_ylabel(up)
        ax.set_title("Outcome by size of the forecast", loc="left")
    return figure


def plot_quantiles(means: pd.DataFrame, spreads: pd.DataFrame) -> Figure:
    """Draw the mean return of each quantile, and what the spread between them adds up to.

    Args:
        means: One row a quantile, lowest first: a column of means a bar (fractions), and one of
            their standard errors.
        spreads: Returns a bar, one column a spread, on days.

    Example:
        >>> means = pd.DataFrame({"mean": [0.0, 0.001], "error": [0.001, 0.001]}, index=[1, 2])
        >>> days = pd.date_range("2024-01-01", periods=2)
        >>> figure = plot_quantiles(means, pd.DataFrame({"spread": [0.01, -0.02]}, days))
        >>> [ax.get_ylabel() for ax in figure.axes]
        ['Mean return a bar', 'Sum of returns']
    """
    with plotting_style():
        figure = NotebookFigure(figsize=(9.0, 3.6), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=[2.0, 3.0])
        mean, error = (means.iloc[:, place].to_numpy(float) for place in (0, 1))
        places = np.arange(len(means))
        left.bar(places, mean, 0.7, color=STRONG_COLORS[1], alpha=0.8)
        left.errorbar(places, mean, yerr=_ERRORS * error, ls="none", color="0.2", capsize=3)
        left.axhline(0.0, color="black", lw=0.8)
        left.grid(visible=False, axis="x")
        left.set_axisbelow(True)
        left.set_xticks(places, [str(name) for name in means.index])
        left.set_xlabel("Quantile of the forecast; whiskers are two errors")
        left.set_ylabel("Mean return a bar")
        left.yaxis.set_major_formatter(PercentTicks())
        summed = on_plain_dates(spreads.fillna(0.0).cumsum())
        for name, color in zip(summed, STRONG_COLORS, strict=False):
            right.plot(
                summed.index, summed[name].to_numpy(), color=color, lw=1.3, label=picture_name(name)
            )
        right.axhline(0.0, color="0.6", lw=0.8)
        right.set_ylabel("Sum of returns")
        right.yaxis.set_major_formatter(PercentTicks())
        draw_legend_below(right)
        label_dates(right, minticks=3, maxticks=8)
        figure.suptitle("What followed the forecasts", x=0.01, ha="left", size=11)
    return figure
