"""What `lstm_strategy.learning.inspection` finds in a network, as figures drawn without pyplot."""

import math

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.plots.curves import on_plain_dates, thin_series
from lstm_strategy.evaluation.plots.style import (
    STRONG_COLORS,
    STRONG_LOOKS,
    NotebookFigure,
    label_dates,
    picture_name,
    plotting_style,
)
from lstm_strategy.support import count_of, refuse_choice

_RED, _BLUE, _GREY = *STRONG_COLORS[:2], "0.72"
_NORMAL_95 = 1.96
_MOST_COLUMNS = 2_000  # of a heat map, which has about as many dots
_RISE = "_rise"  # ends the name of a column that says how much a loss rose


def plot_importance(importance: pd.DataFrame) -> Figure:
    """Draw a bar for each feature with its 95 % interval; grey where that holds zero.

    Args:
        importance: What `feature_importance` returns: by feature, the columns log_loss_rise (for
            another target than the direction the rise of its own loss) and standard_error.

    Example:
        >>> columns = {"log_loss_rise": [0.05, -0.02], "standard_error": [0.01, 0.01]}
        >>> figure = plot_importance(pd.DataFrame(columns, ["rsi", "moon"]))
        >>> figure.axes[0].get_title(loc="left")
        '1 of 2 features are needed'
    """
    frame = importance[::-1]
    margins = _NORMAL_95 * frame["standard_error"].to_numpy()
    rise_name = next(name for name in frame if str(name).endswith(_RISE))
    loss = str(rise_name).removesuffix(_RISE).replace("_", "-")
    rises = frame[rise_name].to_numpy()
    size = (8.0, 1.5 + 0.36 * max(len(frame), 2))
    with plotting_style():
        figure = NotebookFigure(figsize=size, layout="constrained")
        ax = figure.subplots()
        places = np.arange(len(frame))
        colors = np.where(rises > margins, _BLUE, _GREY)
        error = {"ecolor": "0.2", "capsize": 3, "elinewidth": 1.0}
        ax.barh(places, rises, xerr=margins, color=colors, error_kw=error, height=0.62)
        ax.set_yticks(places, list(map(str, frame.index)))
        ax.axvline(0.0, color="black", lw=0.8)
        ax.grid(axis="y", visible=False)
        ax.set_axisbelow(True)
        ax.set_xlabel(f"Rise of the {loss} when the feature is shuffled (whisker: 95% interval)")
        n_needed = int((rises > margins).sum())
        ax.set_title(f"{n_needed} of {len(frame)} features are needed", loc="left")
    return figure


def plot_saliency(saliency: pd.DataFrame) -> Figure:
    """Draw a line for each feature: how much the bars of the past still matter.

    Args:
        saliency: What `memory_saliency` returns: by feature and lag, the columns saliency and
            standard_error, drawn as a band of 95 %.

    Example:
        >>> index = pd.MultiIndex.from_product([["rsi"], range(3)], names=["feature", "lag"])
        >>> columns = {"saliency": [0.5, 0.2, 0.1], "standard_error": 0.01}
        >>> figure = plot_saliency(pd.DataFrame(columns, index))
        >>> figure.axes[0].get_title(loc="left")
        'How far the forecast reaches back'
    """
    by_feature = saliency["saliency"].unstack("feature")
    errors = saliency["standard_error"].unstack("feature")
    order = by_feature.sum().sort_values(ascending=False).index
    with plotting_style():
        figure = NotebookFigure(figsize=(9.0, 4.2), layout="constrained")
        ax = figure.subplots()
        for number, name in enumerate(order):
            style, color = STRONG_LOOKS[number % len(STRONG_LOOKS)]
            size, margin = by_feature[name].to_numpy(), _NORMAL_95 * errors[name].to_numpy()
            ax.plot(by_feature.index, size, color=color, ls=style, lw=1.6, label=picture_name(name))
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
    """Draw the bars before one forecast: the close above, and what each feature did below.

    Args:
        gradients: What `forecast_gradients` returns: one row per bar, one column per feature; the
            forecast is that of the last row.
        close: The closes of those bars and of any others.

    Example:
        >>> bars = pd.date_range("2020-01-01", periods=3)
        >>> gradients = pd.DataFrame({"rsi": [0.1, -0.2, 0.3]}, bars)
        >>> figure = plot_gradients(gradients, pd.Series([10.0, 11.0, 12.0], bars))
        >>> figure.axes[0].get_title(loc="left")
        'What moved the forecast of 2020-01-03'
    """
    n_features = gradients.shape[1]
    places = np.arange(-len(gradients) + 1, 1)
    reach = 1.08 * max(float(np.abs(gradients.to_numpy()).max()), 1e-12)
    with plotting_style():
        figure = NotebookFigure(figsize=(9.0, 2.0 + 0.8 * n_features), layout="constrained")
        heights = [1.7] + [1.0] * n_features
        above, *panels = figure.subplots(n_features + 1, 1, sharex=True, height_ratios=heights)
        above.plot(places, close.reindex(gradients.index), color="black", lw=1.1, marker=".")
        above.set_ylabel("Close")
        above.set_title(f"What moved the forecast of {gradients.index[-1]:%Y-%m-%d}", loc="left")
        for ax, name in zip(panels, gradients, strict=True):
            values = gradients[name].to_numpy()
            ax.bar(places, values, color=np.where(values >= 0, _BLUE, _RED), width=0.8)
            ax.axhline(0.0, color="black", lw=0.6)
            ax.set_axisbelow(True)
            ax.set_ylim(-reach, reach)
            ax.set_ylabel(str(name), rotation=0, ha="right", va="center")
        panels[-1].set_xlabel("Bars before the forecast (blue: a higher value raises it)")
        figure.align_ylabels()
    return figure


def plot_hidden_states(states: pd.DataFrame, bars: pd.DataFrame, *, state: str) -> Figure:
    """Draw one state of a network as a heat map below the close, a row for each unit.

    Units that change fast are at the top, those that hold on at the bottom (by the correlation of
    a value with the one before), each divided by its largest size. Of more than 2,000 bars
    the means of several are drawn.

    Args:
        states: What `hidden_states` returns: one row per bar, columns by state and unit; NaN in the
            warm-up, which isn't drawn.
        bars: Bars that hold those of the states.
        state: Name of the state, in the first level of the columns.

    Raises:
        TradingError: If there is no such state, or none after the warm-up.

    Example:
        >>> bars = pd.DataFrame({"close": 1.0}, pd.date_range("2020-01-01", periods=3))
        >>> columns = pd.MultiIndex.from_tuples([("cell", 0)], names=["state", "unit"])
        >>> states = pd.DataFrame([0.1, 0.2, 0.3], bars.index, columns)
        >>> plot_hidden_states(states, bars, state="cell").axes[0].get_title(loc="left")
        'cell: 1 unit from bar to bar'
    """
    known = _states_after_warm_up(states, state)
    persistence = known.corrwith(known.shift()).fillna(1.0).sort_values()
    block_bars = math.ceil(len(known) / _MOST_COLUMNS)
    blocks = known[persistence.index].groupby(np.arange(len(known)) // block_bars)
    shown = blocks.mean().to_numpy().T
    largest = np.abs(shown).max(axis=1, keepdims=True)
    shown = shown / np.where(largest > 0, largest, 1.0)
    dates = on_plain_dates(known).index[::block_bars].to_numpy()
    close = thin_series(on_plain_dates(bars["close"].reindex(known.index)))
    units = count_of(len(shown), "unit")
    steps = "bar to bar" if block_bars == 1 else f"one mean of {block_bars:,} bars to the next"
    with plotting_style():
        figure = NotebookFigure(figsize=(11.0, 5.4), layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=[1.0, 1.9])
        above.plot(close.index, close.to_numpy(), color="black", lw=0.9)
        above.set_ylabel("Close")
        above.set_title(f"{state}: {units} from {steps}", loc="left")
        mesh = below.pcolormesh(
            dates, np.arange(len(shown)), shown, cmap="RdBu", vmin=-1, vmax=1, shading="nearest"
        )
        below.grid(visible=False)
        below.set_yticks([0, len(shown) - 1], ["fastest", "slowest"])
        below.invert_yaxis()
        figure.colorbar(mesh, ax=below, label="of the unit's largest", pad=0.01)
        label_dates(below)
    return figure


def _states_after_warm_up(states: pd.DataFrame, state: str) -> pd.DataFrame:
    names = list(states.columns.get_level_values("state").unique())
    if state not in names:
        raise TradingError(refuse_choice("state", state, names))
    known = pd.DataFrame(states[state]).dropna()
    if known.empty:
        raise TradingError("There is no state after the warm-up to draw. Pass more bars.")
    return known
