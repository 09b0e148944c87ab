"""Growth, drawdown and exposure of one or many strategies as one figure."""

import textwrap
from collections.abc import Sequence
from typing import Any

import matplotlib.dates as mdates
import matplotlib.ticker as mticker
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.metrics import drawdown
from lstm_strategy.evaluation.plots.curves import (
    Curve,
    Drawable,
    build_curves,
    on_plain_dates,
    thin_series,
)
from lstm_strategy.evaluation.plots.style import (
    NotebookFigure,
    PercentTicks,
    label_dates,
    picture_name,
    plotting_style,
)
from lstm_strategy.evaluation.thinning import fold_pieces
from lstm_strategy.support import explain_arguments

_FOLD_SHADES = ("#bcd3ea", "#e4edf6")
_NARROW_INCHES = 8.0
_LETTERS_OF_TWO_COLUMNS = 34
_TITLE_LETTERS_AN_INCH = 12.5
_INCHES_A_LETTER = 0.066  # of the text in the strip of folds


@explain_arguments(TradingError)
def plot_equity(
    source: Drawable,
    *,
    log: bool = True,
    highlight: str | Sequence[str] | None = None,
    ledger: pd.DataFrame | None = None,
    width_inches: float = 11.0,
) -> Figure:
    """Draw growth, drawdown and exposure of one or many strategies on one time axis.

    Holding the market is black. Only highlighted strategies show their exposure. The legend is
    sorted by final value; below a width of 8 inches it stands under the panels.

    Args:
        source: A comparison, a backtest, or a mapping of names to backtests or equity curves.
        log: Whether the growth is drawn on a logarithmic axis.
        highlight: The strategies in strong colours; by default the LSTMs, or else the first.
        ledger: The ledger of a walk forward. It adds a strip below the growth that says which
            fold's model forecast each bar and, where there is room, when its training ended.
        width_inches: The width of the figure.

    Raises:
        TradingError: For a name that isn't there, or nothing to draw.

    Example:
        >>> curve = pd.Series([100.0, 104.0], pd.date_range("2024-01-01", periods=2))
        >>> plot_equity({"Mine": curve}).axes[0].get_ylabel()
        'Growth of 1 (log)'
    """
    curves = build_curves(source, highlight)
    highlighted = [curve for curve in curves if curve.is_highlighted and curve.exposure is not None]
    is_narrow = width_inches < _NARROW_INCHES
    heights = {"growth": 3.2}
    if ledger is not None:
        heights["folds"] = 0.26
    heights["drawdown"] = 1.3
    if highlighted:
        heights["exposure"] = 1.0
    height = 1.36 * sum(heights.values()) + (0.1 * len(curves) if is_narrow else 0.0)
    with plotting_style():
        figure = NotebookFigure(figsize=(width_inches, height), layout="constrained")
        panels = figure.subplots(
            len(heights), 1, sharex=True, height_ratios=list(heights.values()), squeeze=False
        )[:, 0]
        axes = dict(zip(heights, panels, strict=True))
        _draw_growth(axes["growth"], curves, log=log)
        _draw_legend(axes["growth"], curves, is_below=is_narrow)
        _draw_drawdown(axes["drawdown"], curves)
        if highlighted:
            _draw_exposure(axes["exposure"], highlighted)
        _draw_title(axes["growth"], curves, width_inches if is_narrow else None)
        _draw_dates(panels[-1], curves, maxticks=7 if is_narrow else 12)
        if ledger is not None:
            _draw_folds(axes["folds"], on_plain_dates(ledger), width_inches)
        figure.align_ylabels()
    return figure


def _draw_growth(ax: Axes, curves: list[Curve], *, log: bool) -> None:
    for curve in curves:
        growth = thin_series(curve.growth)
        ax.plot(growth.index, growth.to_numpy(), label=picture_name(curve.name), **curve.look)
    ax.axhline(1.0, color="0.7", lw=0.8, zorder=1)
    if log:
        lowest = min(float(c.growth[c.growth > 0].min()) for c in curves)
        highest = max(float(c.growth.max()) for c in curves)
        ax.set_yscale("log", nonpositive="mask")
        if highest / lowest > 10:
            ax.yaxis.set_major_locator(mticker.LogLocator(subs=(1.0, 2.0, 5.0)))
        else:  # within one decade a log axis of powers of ten would show a single tick
            ax.yaxis.set_major_locator(mticker.MaxNLocator(nbins=7, steps=[1, 2, 2.5, 5, 10]))
    ax.yaxis.set_major_formatter(mticker.FormatStrFormatter("%g"))
    ax.yaxis.set_minor_formatter(mticker.NullFormatter())
    ax.set_ylabel("Growth of 1" + (" (log)" if log else ""))


def _draw_legend(ax: Axes, curves: list[Curve], *, is_below: bool) -> None:
    """Write the names outside the panel, in the order of the curves at its right edge."""
    drawn = zip(curves, ax.get_lines(), strict=False)  # behind the curves comes the line of 1
    order = sorted(drawn, key=lambda pair: pair[0].growth.iloc[-1], reverse=True)
    ranked, lines = [curve for curve, _ in order], [line for _, line in order]
    labels = [curve.label for curve in ranked]
    if is_below:
        has_room = max(map(len, labels)) <= _LETTERS_OF_TWO_COLUMNS
        legend = ax.figure.legend(lines, labels, loc="outside lower left", ncols=1 + has_room)
    else:
        legend = ax.legend(lines, labels, loc="upper left", bbox_to_anchor=(1.005, 1.02))
    for text, curve in zip(legend.get_texts(), ranked, strict=True):
        text.set_fontweight("bold" if curve.is_highlighted else "normal")


def _draw_drawdown(ax: Axes, curves: list[Curve]) -> None:
    for curve in curves:
        depth = thin_series(drawdown(curve.equity))
        # All strategies fall at the same time: the others stay in the background here.
        width = {"lw": 0.6, "alpha": 0.6} if curve.is_muted else {"lw": 1.0}
        ax.plot(
            depth.index, depth.to_numpy(), label=picture_name(curve.name), **{**curve.look, **width}
        )
        if curve.is_highlighted:
            ax.fill_between(depth.index, depth.to_numpy(), color=curve.look["color"], alpha=0.15)
    ax.set_ylabel("Drawdown")
    ax.set_ylim(top=0.0)
    ax.yaxis.set_major_formatter(PercentTicks())


def _draw_exposure(ax: Axes, curves: list[Curve]) -> None:
    for curve in curves:
        if curve.exposure is not None:
            held = thin_series(curve.exposure)
            look = {**curve.look, "lw": 0.9, "drawstyle": "steps-post"}
            ax.plot(held.index, held.to_numpy(), label=picture_name(curve.name), **look)
    ax.axhline(0.0, color="0.7", lw=0.8, zorder=1)
    ax.set_ylabel("Exposure")
    ax.yaxis.set_major_formatter(PercentTicks())


def _draw_folds(ax: Axes, ledger: pd.DataFrame, width_inches: float) -> None:
    """Draw a strip in two shades, a piece for each fold, with the text that it has room for."""
    left, right = ax.get_xlim()
    inches_a_day = 0.7 * width_inches / (right - left)
    for position, piece in enumerate(fold_pieces(ledger)):
        first, last = mdates.date2num([piece.first, piece.last])
        first, last = max(first, left), min(last, right)
        if first >= last:
            continue
        ax.axvspan(first, last, color=_FOLD_SHADES[position % 2], lw=0)
        texts = [piece.label]
        if piece.trained_until is not None:
            texts.insert(0, f"{piece.label}: to {piece.trained_until:%Y-%m}")
        room = (last - first) * inches_a_day
        fitting = [text for text in texts if _INCHES_A_LETTER * len(text) < room]
        if fitting:
            middle, place = (first + last) / 2, ax.get_xaxis_transform()
            look: dict[str, Any] = {"ha": "center", "va": "center", "size": 7, "color": "0.15"}
            ax.text(middle, 0.47, fitting[0], transform=place, **look)
    ax.set_xlim(left, right)
    ax.set_ylabel("Fold", rotation=0, ha="right", va="center")
    ax.set_yticks([])
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    ax.tick_params(axis="x", length=0)


def _draw_dates(ax: Axes, curves: list[Curve], *, maxticks: int) -> None:
    # matplotlib warns where no step gives as many ticks as that: 5 of 7 for four years, say
    label_dates(ax, minticks=min(5, maxticks // 2), maxticks=maxticks)
    first, last = _span_of(curves)
    if first < last:
        ax.set_xlim(*mdates.date2num([first, last]))


def _draw_title(ax: Axes, curves: list[Curve], narrow_inches: float | None) -> None:
    """Write the title; on a narrow figure in small letters, broken where it would be cut off."""
    title = _title_of(curves)
    if narrow_inches is None:
        ax.set_title(title, loc="left")
        return
    letters = round(_TITLE_LETTERS_AN_INCH * narrow_inches)
    lines = [textwrap.fill(line, letters) for line in title.splitlines()]
    ax.set_title("\n".join(lines), loc="left", size=8.5)


def _title_of(curves: list[Curve]) -> str:
    """What is shown, over which span and at which costs; in-sample results are called that."""
    shown = (
        picture_name(curves[0].name)
        if len(curves) == 1
        else f"{len(curves)} strategies on the same bars"
    )
    first, last = _span_of(curves)
    title = f"{shown}, {first:%Y-%m-%d} to {last:%Y-%m-%d}"
    brokers = [curve.broker for curve in curves if curve.broker is not None]
    if brokers and all(broker == brokers[0] for broker in brokers):
        title += f"\nafter costs: {brokers[0].describe_costs()}"
    if any(curve.in_sample for curve in curves):
        title = "IN-SAMPLE: the model was trained on bars of this span\n" + title
    return title


def _span_of(curves: list[Curve]) -> tuple[pd.Timestamp, pd.Timestamp]:
    """The first and the last date of all curves."""
    return (
        min(curve.equity.index[0] for curve in curves),
        max(curve.equity.index[-1] for curve in curves),
    )
