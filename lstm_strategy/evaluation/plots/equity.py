"""Equity curves and training curves as matplotlib figures, drawn without pyplot.

No figure here needs a screen or leaves a trace in matplotlib's global state, so the same call works
in a script, on a server and in a notebook. Save one with `figure.savefig("equity.png")`.
"""

import itertools
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import matplotlib.dates as mdates
import matplotlib.ticker as mticker
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.metrics import drawdown
from lstm_strategy.evaluation.plots.style import STRONG_COLORS, NotebookFigure, plotting_style

# Six colours that stay apart for most colour-blind readers (Tol 2021, "bright"), then dashed again.
_MUTED_COLORS = ("#4477aa", "#66ccee", "#228833", "#ccbb44", "#aa3377", "#999999")
_FOLD_SHADES = ("#bcd3ea", "#e4edf6")
_NARROW_INCHES = 8.0
_TITLE_LETTERS_AN_INCH = 12.5
_MUTED_LOOKS = tuple(itertools.product(("-", "--", ":"), _MUTED_COLORS))


class DrawableResult(Protocol):
    """What a backtest must tell to be drawn: a `BacktestResult` does."""

    @property
    def label(self) -> str:
        """The name for the legend."""
        ...

    @property
    def equity(self) -> pd.Series:
        """Its curve."""
        ...

    @property
    def exposure(self) -> pd.Series:
        """Position value as a fraction of equity."""
        ...

    @property
    def is_lstm(self) -> bool:
        """Whether the figure is about it."""
        ...

    @property
    def is_buy_and_hold(self) -> bool:
        """Whether it is the market itself."""
        ...

    @property
    def in_sample(self) -> bool:
        """Whether its model was trained on these bars."""
        ...

    @property
    def broker(self) -> Any:
        """What trading cost, with commission_rate and slippage_rate."""
        ...


class DrawableSet(Protocol):
    """Several backtests by name: a `ResultSet` or a `Comparison`."""

    @property
    def results(self) -> Mapping[str, DrawableResult]:
        """One for each strategy."""
        ...


@dataclass(frozen=True)
class _Curve:
    """One strategy as it is drawn: growth of 1, drawdown and exposure come from here."""

    name: str
    equity: pd.Series
    exposure: pd.Series | None
    is_highlighted: bool
    look: dict[str, Any]

    @property
    def growth(self) -> pd.Series:
        growth: pd.Series = self.equity / self.equity.iloc[0]
        return growth

    @property
    def label(self) -> str:
        return f"{self.name}  {self.growth.iloc[-1] - 1:+.1%}"


def plot_equity(
    source: DrawableSet | DrawableResult | Mapping[str, DrawableResult | pd.Series],
    *,
    log: bool = True,
    highlight: str | Sequence[str] | None = None,
    ledger: pd.DataFrame | None = None,
    width_inches: float = 11.0,
) -> Figure:
    """Growth of 1, drawdown and exposure of one or many strategies on one time axis.

    Holding the market is black. Only highlighted strategies show their exposure. The legend is
    sorted by final value; below a width of 8 inches it stands under the panels.

    Args:
        source: a comparison, a backtest, or a mapping of names to backtests or equity curves.
        log: whether the growth is drawn on a logarithmic axis.
        highlight: the strategies in strong colours; by default the LSTMs, or else the first.
        ledger: that of a walk forward. It adds a strip below the growth that says which fold's
            model forecast each bar and, where there is room, when its training ended.
        width_inches: of the figure.

    Raises:
        TradingError: for a name that isn't there, or nothing to draw.

    Example:
        >>> curve = pd.Series([100.0, 104.0], pd.date_range("2024-01-01", periods=2))
        >>> plot_equity({"Mine": curve}).axes[0].get_ylabel()
        'Growth of 1 (log)'
    """
    curves = _curves_of(source, highlight)
    exposed = [c for c in curves if c.is_highlighted and c.exposure is not None]
    heights = {"growth": 3.2, "folds": 0.26, "drawdown": 1.3, "exposure": 1.0}
    if ledger is None:
        del heights["folds"]
    if not exposed:
        del heights["exposure"]
    is_narrow = width_inches < _NARROW_INCHES
    height = 1.36 * sum(heights.values()) + 0.1 * len(curves) * is_narrow
    with plotting_style():
        figure = NotebookFigure(figsize=(width_inches, height), layout="constrained")
        panels = figure.subplots(
            len(heights), 1, sharex=True, height_ratios=list(heights.values()), squeeze=False
        )[:, 0]
        axes = dict(zip(heights, panels, strict=True))
        _draw_growth(axes["growth"], curves, log=log)
        _draw_legend(axes["growth"], curves, is_below=is_narrow)
        _draw_drawdown(axes["drawdown"], curves)
        if exposed:
            _draw_exposure(axes["exposure"], exposed)
        _draw_title(axes["growth"], _title(source, curves), width_inches if is_narrow else None)
        _draw_dates(panels[-1], curves, maxticks=7 if is_narrow else 12)
        if ledger is not None:
            _draw_folds(axes["folds"], _drawable(ledger), width_inches)
        figure.align_ylabels()
    return figure


def _curves_of(source: Any, highlight: str | Sequence[str] | None) -> list[_Curve]:
    """The curves in the order given, each with its colour and line style."""
    entries = _entries_of(source)
    chosen = _choose_highlighted(entries, highlight)
    strong = iter(itertools.cycle(STRONG_COLORS))
    muted = iter(itertools.cycle(_MUTED_LOOKS))
    curves = []
    for name, entry in entries.items():
        is_highlighted = name in chosen
        if is_highlighted:
            look = {"color": next(strong), "ls": "-", "lw": 1.8, "zorder": 4}
        elif not isinstance(entry, pd.Series) and entry.is_buy_and_hold:
            look = {"color": "black", "ls": "-", "lw": 1.3, "zorder": 3}
        else:
            style, color = next(muted)
            look = {"color": color, "ls": style, "lw": 1.0, "zorder": 2}
        exposure = None if isinstance(entry, pd.Series) else entry.exposure
        equity = entry if isinstance(entry, pd.Series) else entry.equity
        curves.append(_Curve(name, _drawable(equity), _drawable(exposure), is_highlighted, look))
    return curves


def _entries_of(source: Any) -> dict[str, Any]:
    """Label → result or equity curve, whatever of the three kinds `source` is."""
    entries = getattr(source, "results", source)
    if not isinstance(entries, Mapping):
        return {source.label: source}
    if not entries:
        raise TradingError("A plot needs at least one strategy, got none.")
    # A result knows that it is in sample; the key under which it is kept may not.
    return {entry.label if _is_in_sample(entry) else name: entry for name, entry in entries.items()}


def _choose_highlighted(
    entries: Mapping[str, Any], highlight: str | Sequence[str] | None
) -> set[str]:
    names = list(entries)
    if highlight is None:
        lstms = {name for name, entry in entries.items() if getattr(entry, "is_lstm", False)}
        return lstms or {names[0]}
    chosen = [highlight] if isinstance(highlight, str) else list(highlight)
    for name in chosen:
        if name not in entries:
            raise TradingError(
                f"highlight must name a strategy of the plot, got {name!r}. "
                f"Choose from {', '.join(names)}."
            )
    return set(chosen)


def _drawable(series: pd.Series | pd.DataFrame | None) -> Any:
    """The series on dates that matplotlib can draw: a time zone is shown as its local time."""
    if series is None or getattr(series.index, "tz", None) is None:
        return series
    return series.set_axis(pd.DatetimeIndex(series.index).tz_localize(None))


def _draw_growth(ax: Axes, curves: list[_Curve], *, log: bool) -> None:
    for curve in curves:
        ax.plot(curve.growth.index, curve.growth.to_numpy(), label=curve.name, **curve.look)
    ax.axhline(1.0, color="0.7", lw=0.8, zorder=1)
    if log:
        lowest = min(float(c.growth[c.growth > 0].min()) for c in curves)
        highest = max(float(c.growth.max()) for c in curves)
        ax.set_yscale("log", nonpositive="mask")
        # Within one decade a log axis of powers of ten would show a single tick.
        ax.yaxis.set_major_locator(
            mticker.LogLocator(subs=(1.0, 2.0, 5.0))
            if highest / lowest > 10
            else mticker.MaxNLocator(nbins=7, steps=[1, 2, 2.5, 5, 10])
        )
    ax.yaxis.set_major_formatter(mticker.FormatStrFormatter("%g"))
    ax.yaxis.set_minor_formatter(mticker.NullFormatter())
    ax.set_ylabel("Growth of 1" + (" (log)" if log else ""))


def _draw_legend(ax: Axes, curves: list[_Curve], *, is_below: bool) -> None:
    """Names outside the panel, in the order in which the curves arrive at its right edge."""
    line_of = dict(zip((c.name for c in curves), ax.get_lines(), strict=False))
    ranked = sorted(curves, key=lambda c: c.growth.iloc[-1], reverse=True)
    lines, labels = [line_of[c.name] for c in ranked], [c.label for c in ranked]
    if is_below:
        legend = ax.figure.legend(lines, labels, loc="outside lower left", ncols=2)
    else:
        legend = ax.legend(lines, labels, loc="upper left", bbox_to_anchor=(1.005, 1.02))
    for text, curve in zip(legend.get_texts(), ranked, strict=True):
        text.set_fontweight("bold" if curve.is_highlighted else "normal")


def _draw_drawdown(ax: Axes, curves: list[_Curve]) -> None:
    for curve in curves:
        depth = drawdown(curve.equity)
        # Everybody falls at the same time: the others stay in the background here.
        is_muted = curve.look["zorder"] == 2
        look = curve.look | ({"lw": 0.6, "alpha": 0.6} if is_muted else {"lw": 1.0})
        ax.plot(depth.index, depth.to_numpy(), label=curve.name, **look)
        if curve.is_highlighted:
            ax.fill_between(depth.index, depth.to_numpy(), color=curve.look["color"], alpha=0.15)
    ax.set_ylabel("Drawdown")
    ax.set_ylim(top=0.0)
    ax.yaxis.set_major_formatter(mticker.PercentFormatter(1.0, decimals=0))


def _draw_exposure(ax: Axes, curves: list[_Curve]) -> None:
    for curve in curves:
        assert curve.exposure is not None
        held = curve.exposure
        ax.plot(
            held.index,
            held.to_numpy(),
            drawstyle="steps-post",
            label=curve.name,
            **curve.look | {"lw": 0.9},
        )
    ax.axhline(0.0, color="0.7", lw=0.8, zorder=1)
    ax.set_ylabel("Exposure")
    ax.yaxis.set_major_formatter(mticker.PercentFormatter(1.0, decimals=0))


def _draw_folds(ax: Axes, ledger: pd.DataFrame, width_inches: float) -> None:
    """A strip in two shades, a piece for each fold; as much text in a piece as it has room for."""
    left, right = ax.get_xlim()
    inches_a_day = 0.7 * width_inches / (right - left)
    for position, (number, rows) in enumerate(ledger.groupby("fold", sort=False)):
        first, last = mdates.date2num([rows.index[0], rows.index[-1]])
        first, last = max(first, left), min(last, right)
        if first >= last:
            continue
        shade = _FOLD_SHADES[position % 2]
        ax.axvspan(first, last, color=shade, lw=0)
        room = (last - first) * inches_a_day
        trained = pd.Timestamp(rows["train_end"].iloc[0]) if "train_end" in rows else None
        texts = [str(number)]
        if trained is not None:
            texts = [f"{number}: to {trained:%Y-%m}", *texts]
        fitting = (text for text in texts if 0.066 * len(text) < room)
        words = next(fitting, "")
        look: dict[str, Any] = {"ha": "center", "va": "center", "size": 7, "color": "0.15"}
        ax.text((first + last) / 2, 0.47, words, transform=ax.get_xaxis_transform(), **look)
    ax.set_xlim(left, right)
    ax.set_ylabel("Fold", rotation=0, ha="right", va="center")
    ax.set_yticks([])
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    ax.tick_params(axis="x", length=0)


def _draw_dates(ax: Axes, curves: list[_Curve], *, maxticks: int = 12) -> None:
    # matplotlib warns where no step gives as many ticks as that: 5 of 7 for four years, say
    locator = mdates.AutoDateLocator(minticks=min(5, maxticks // 2), maxticks=maxticks)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))
    first = min(c.equity.index[0] for c in curves)
    last = max(c.equity.index[-1] for c in curves)
    if first < last:
        ax.set_xlim(first, last)


def _draw_title(ax: Axes, title: str, narrow_inches: float | None) -> None:
    """The title, on a narrow figure in small letters and broken where it would be cut off."""
    if narrow_inches is None:
        ax.set_title(title, loc="left")
        return
    width = round(_TITLE_LETTERS_AN_INCH * narrow_inches)
    title = "\n".join(textwrap.fill(line, width) for line in title.splitlines())
    ax.set_title(title, loc="left", size=8.5)


def _title(source: Any, curves: list[_Curve]) -> str:
    """What is shown, over which span and at which costs; in-sample results are called that."""
    entries = list(_entries_of(source).values())
    shown = curves[0].name if len(curves) == 1 else f"{len(curves)} strategies on the same bars"
    first = min(c.equity.index[0] for c in curves)
    last = max(c.equity.index[-1] for c in curves)
    title = f"{shown}, {first:%Y-%m-%d} to {last:%Y-%m-%d}"
    brokers = [e.broker for e in entries if getattr(e, "broker", None) is not None]
    if brokers and all(broker == brokers[0] for broker in brokers):
        title += (
            f"\nafter costs: commission {brokers[0].commission_rate:.2%} "
            f"and slippage {brokers[0].slippage_rate:.2%} of each trade"
        )
    if any(_is_in_sample(entry) for entry in entries):
        title = "IN-SAMPLE: the model was trained on bars of this span\n" + title
    return title


def _is_in_sample(entry: Any) -> bool:
    return bool(getattr(entry, "in_sample", False))
