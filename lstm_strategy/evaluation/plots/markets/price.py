"""The price of a market with entries and exits, and the forecast with its uncertainty below."""

import textwrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import StrMethodFormatter

from lstm_strategy.evaluation.plots.curves import on_plain_dates, thin_band, thin_series
from lstm_strategy.evaluation.plots.markets.choice import choose_trades, mark_prices
from lstm_strategy.evaluation.plots.style import (
    NotebookFigure,
    label_dates,
    picture_text,
    plotting_style,
)

# those of the interactive chart, which stay apart for colour-blind eyes
_GAIN, _LOSS, _OPEN, _FORECAST = "#0072b2", "#d55e00", "#7f7f7f", "#6f5fc0"
_NARROW_INCHES = 8.0
_TITLE_LETTERS_AN_INCH = 12.5
_TRADES_AN_INCH = 8.0


def most_marked(width_inches: float) -> int:
    """Return for how many trades a picture of that width has room.

    Example:
        >>> most_marked(11.0)
        88
    """
    return round(_TRADES_AN_INCH * width_inches)


def plot_price(
    close: pd.Series,
    trades: pd.DataFrame,
    *,
    forecast: pd.DataFrame | None = None,
    title: str = "",
    width_inches: float = 11.0,
) -> Figure:
    """Draw closes with the trades of a strategy, and what a model forecast below them.

    Triangles are entries, pointing up for long and down for short, and squares are exits. Where
    there is no room for all trades, those with the largest profits and losses are marked.

    Args:
        close: The closes of one market.
        trades: Its trades, as a backtest keeps them; with `entry_mark` and `exit_mark` the marks
            stand at those prices, without at the average ones.
        forecast: What the model said at these closes, with the columns forecast and uncertainty;
            None leaves the lower panel out.
        title: What is shown, on one line or more.
        width_inches: The width of the figure.

    Example:
        >>> days = pd.date_range("2024-01-01", periods=3)
        >>> trade = {"entry": days[0], "exit": days[2], "entry_price": 10.0, "exit_price": 12.0}
        >>> trades = pd.DataFrame([{**trade, "size": 1.0, "pnl": 2.0}])
        >>> figure = plot_price(pd.Series([10.0, 11.0, 12.0], days), trades)
        >>> [ax.get_ylabel() for ax in figure.axes]
        ['Price']
    """
    close, is_narrow = on_plain_dates(close), width_inches < _NARROW_INCHES
    heights = [3.2, 1.3][: 1 if forecast is None else 2]
    with plotting_style():
        height = 1.25 * sum(heights) + 0.6
        figure = NotebookFigure(figsize=(width_inches, height), layout="constrained")
        panels = figure.subplots(
            len(heights), 1, sharex=True, height_ratios=heights, squeeze=False
        )[:, 0]
        shown = thin_series(close)
        panels[0].plot(shown.index, shown.to_numpy(), color="0.2", lw=0.8, zorder=3)
        _draw_trades(panels[0], choose_trades(trades, most=most_marked(width_inches)), close)
        panels[0].set_ylabel("Price")
        panels[0].yaxis.set_major_formatter(StrMethodFormatter("{x:,.10g}"))
        if forecast is not None:
            _draw_forecast(panels[1], on_plain_dates(forecast))
        if len(close) > 1:
            panels[-1].set_xlim(close.index[0], close.index[-1])
        label_dates(panels[-1], minticks=3, maxticks=7 if is_narrow else 12)
        _draw_title(panels[0], title, width_inches if is_narrow else None)
        figure.align_ylabels()
    return figure


def _draw_trades(ax: Axes, trades: pd.DataFrame, close: pd.Series) -> None:
    """Draw a line from each entry to its exit, or to the last close, and a mark at both ends."""
    if trades.empty:
        return
    entry, out = (pd.DatetimeIndex(trades[side]).tz_localize(None) for side in ("entry", "exit"))
    is_open = np.asarray(out.isna())
    out = pd.DatetimeIndex(out.fillna(close.index[-1]))
    paid = mark_prices(trades, "entry").to_numpy(float)
    got = mark_prices(trades, "exit").to_numpy(float)
    got = np.where(is_open, close.iloc[-1], got)
    gains = trades["pnl"].to_numpy(float) >= 0
    colors = np.where(is_open, _OPEN, np.where(gains, _GAIN, _LOSS))
    is_long = trades["size"].to_numpy(float) > 0
    room = _TRADES_AN_INCH * ax.figure.get_size_inches()[0] / len(trades)  # type: ignore[union-attr]
    area = 18.0 * min(2.5, max(1.0, room))
    look: dict[str, Any] = {"lw": 0, "zorder": 4}
    for first, last, bought, sold, color in zip(entry, out, paid, got, colors, strict=True):
        span: Any = [first, last]
        ax.plot(span, [bought, sold], color=color, lw=1.0, zorder=2)
    for marker, chosen in (("^", is_long), ("v", ~is_long)):
        ax.scatter(entry[chosen], paid[chosen], area, colors[chosen], marker=marker, **look)
    closed = ~is_open
    ax.scatter(out[closed], got[closed], 0.6 * area, colors[closed], marker="s", **look)
    _draw_key(ax, colors, is_long, is_open)


def _draw_key(ax: Axes, colors: np.ndarray, is_long: np.ndarray, is_open: np.ndarray) -> None:
    """Say what colours and marks mean, below the panels where no line runs."""
    kinds = [("profit", _GAIN), ("loss", _LOSS), ("still open", _OPEN)]
    handles = [
        Line2D([], [], color=color, marker="o", ms=4, lw=1.0, label=label)
        for label, color in kinds
        if (colors == color).any()
    ]
    marks = [
        ("entry, long", "^", is_long),
        ("entry, short", "v", ~is_long),
        ("exit", "s", ~is_open),
    ]
    handles += [
        Line2D([], [], color="0.35", marker=marker, ms=4, ls="", label=label)
        for label, marker, is_used in marks
        if is_used.any()
    ]
    ax.figure.legend(handles=handles, loc="outside lower left", ncols=6, fontsize=8)


def _draw_forecast(ax: Axes, forecast: pd.DataFrame) -> None:
    band = thin_band(forecast["forecast"], forecast["uncertainty"])
    ax.fill_between(band.index, band["low"], band["high"], color=_FORECAST, alpha=0.25, lw=0)
    ax.plot(band.index, band["middle"], color=_FORECAST, lw=0.9)
    ax.set_ylabel("Forecast")


def _draw_title(ax: Axes, title: str, narrow_inches: float | None) -> None:
    title = picture_text(title)
    if narrow_inches is None:
        ax.set_title(title, loc="left")
        return
    letters = round(_TITLE_LETTERS_AN_INCH * narrow_inches)
    ax.set_title(textwrap.fill(title, letters), loc="left", size=8.5)
