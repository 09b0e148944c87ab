"""What `lstm_strategy.learning.inspection.rows` finds in a network, as figures drawn without pyplot."""

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.plots.style import NotebookFigure, plotting_style

_COLORS = ("#d1242f", "#0550ae", "#228833", "#bc4c00", "#8250df", "#66ccee", "#ccbb44", "#999999")
_STYLES = ("-", "--", ":")
_NORMAL_95 = 1.96


def plot_importance(importance: pd.DataFrame) -> Figure:
    """A bar for each feature of `feature_importance`, with two standard errors to either side.

    Grey where zero lies within them: nothing tells that the forecast needs the feature.
    """
    frame = importance[::-1]
    margins = _NORMAL_95 * frame["standard_error"].to_numpy()
    rises = frame["log_loss_rise"].to_numpy()
    colors = [
        _COLORS[1] if rise > margin else "0.72" for rise, margin in zip(rises, margins, strict=True)
    ]
    with plotting_style():
        figure = NotebookFigure(
            figsize=(8.0, 1.5 + 0.36 * max(len(frame), 2)), layout="constrained"
        )
        ax = figure.subplots()
        places = np.arange(len(frame))
        error = {"ecolor": "0.2", "capsize": 3, "elinewidth": 1.0}
        ax.barh(places, rises, xerr=margins, color=colors, error_kw=error, height=0.62)
        ax.set_yticks(places, list(map(str, frame.index)))
        ax.axvline(0.0, color="black", lw=0.8)
        ax.grid(axis="y", visible=False)
        ax.set_axisbelow(True)
        ax.set_xlabel("Rise of the log-loss when the feature is shuffled (whisker: 95% interval)")
        n_needed = int((rises > margins).sum())
        ax.set_title(f"{n_needed} of {len(frame)} features are needed", loc="left")
    return figure


def plot_saliency(saliency: pd.DataFrame) -> Figure:
    """A line for each feature of `memory_saliency`: how much the bars of the past still matter."""
    by_feature = saliency["saliency"].unstack("feature")
    errors = saliency["standard_error"].unstack("feature")
    order = by_feature.sum().sort_values(ascending=False).index
    with plotting_style():
        figure = NotebookFigure(figsize=(9.0, 4.2), layout="constrained")
        ax = figure.subplots()
        for number, name in enumerate(order):
            color, style = _look(number)
            size, margin = by_feature[name].to_numpy(), _NORMAL_95 * errors[name].to_numpy()
            ax.plot(by_feature.index, size, color=color, ls=style, lw=1.6, label=str(name))
            low = np.maximum(size - margin, size * 0.2)  # a log scale has no zero
            ax.fill_between(by_feature.index, low, size + margin, color=color, alpha=0.14, lw=0)
        if (by_feature > 0).any(axis=None):
            ax.set_yscale("log")
        ax.set_xlim(max(1, by_feature.index.max()), 0)
        ax.set_xlabel("Bars before the forecast")
        ax.set_ylabel("Forecast moves by, per std of the feature")
        ax.set_title("How far the forecast reaches back", loc="left")
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0))
    return figure


def plot_gradients(gradients: pd.DataFrame, close: pd.Series) -> Figure:
    """The bars before one forecast: the close above, and what each feature did below.

    `gradients` are those of `forecast_gradients`; `close` that of the bars.
    """
    with plotting_style():
        n_features = gradients.shape[1]
        figure = NotebookFigure(figsize=(9.0, 2.0 + 0.8 * n_features), layout="constrained")
        panels = figure.subplots(
            n_features + 1, 1, sharex=True, height_ratios=[1.7] + [1.0] * n_features
        )
        places = np.arange(-len(gradients) + 1, 1)
        panels[0].plot(places, close.reindex(gradients.index), color="black", lw=1.1, marker=".")
        panels[0].set_ylabel("Close")
        panels[0].set_title(
            f"What moved the forecast of {gradients.index[-1]:%Y-%m-%d}", loc="left"
        )
        reach = 1.08 * max(float(np.abs(gradients.to_numpy()).max()), 1e-12)
        for ax, name in zip(panels[1:], gradients, strict=True):
            values = gradients[name].to_numpy()
            colors = np.where(values >= 0, _COLORS[1], _COLORS[0])
            ax.bar(places, values, color=colors, width=0.8)
            ax.axhline(0.0, color="black", lw=0.6)
            ax.set_axisbelow(True)
            ax.set_ylim(-reach, reach)
            ax.set_ylabel(str(name), rotation=0, ha="right", va="center")
        panels[-1].set_xlabel("Bars before the forecast (blue: a higher value raises it)")
        figure.align_ylabels()
    return figure


def plot_hidden_states(states: pd.DataFrame, bars: pd.DataFrame, *, state: str) -> Figure:
    """One state of `hidden_states` as a heat map below the close, a row for each unit.

    Units that change fast are at the top, those that hold on at the bottom (by the correlation
    of a value with the one before), each divided by its largest size. Raises `TradingError` for a
    state that isn't there.
    """
    names = list(states.columns.get_level_values("state").unique())
    if state not in names:
        raise TradingError(f"state must be one of {', '.join(names)}, got {state!r}.")
    known = states[state].dropna()
    if known.empty:
        raise TradingError("There is no state after the warm-up to draw. Pass more bars.")
    persistence = known.corrwith(known.shift()).fillna(1.0).sort_values()
    shown = known[persistence.index].to_numpy().T
    largest = np.abs(shown).max(axis=1, keepdims=True)
    shown = shown / np.where(largest > 0, largest, 1.0)
    with plotting_style():
        figure = NotebookFigure(figsize=(11.0, 5.4), layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=[1.0, 1.9])
        dates = mdates.date2num(pd.DatetimeIndex(known.index).tz_localize(None).to_pydatetime())
        above.plot(dates, bars["close"].reindex(known.index), color="black", lw=0.9)
        above.set_ylabel("Close")
        above.set_title(f"{state}: {shown.shape[0]} units from bar to bar", loc="left")
        mesh = below.pcolormesh(
            dates, np.arange(len(shown)), shown, cmap="RdBu", vmin=-1, vmax=1, shading="nearest"
        )
        below.grid(visible=False)
        below.set_yticks([0, len(shown) - 1], ["slowest", "fastest"][::-1])
        below.invert_yaxis()
        figure.colorbar(mesh, ax=below, label="of the unit's largest", pad=0.01)
        _draw_dates(below)
    return figure


def _look(number: int) -> tuple[str, str]:
    return _COLORS[number % len(_COLORS)], _STYLES[number // len(_COLORS) % len(_STYLES)]


def _draw_dates(ax: Axes) -> None:
    locator = mdates.AutoDateLocator(minticks=4, maxticks=10)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))
