"""Other costs, delays, folds and members, and the permutation test, each as a small figure."""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import matplotlib.ticker as mticker
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.plots.curves import on_plain_dates, thin_series
from lstm_strategy.evaluation.plots.style import (
    STRONG_COLORS,
    STRONG_LOOKS,
    NotebookFigure,
    PercentTicks,
    draw_legend_below,
    label_dates,
    plotting_style,
)
from lstm_strategy.evaluation.thinning import thin_rows
from lstm_strategy.support import count_of, number_text

_OWN, _OTHER = STRONG_COLORS[:2]
_SIZE = (5.6, 3.6)
_TIMES = {0: "none", 1: "as charged", 2: "twice"}
_MEDIAN = "\0median"  # no member is called that


def plot_cost_break_even(
    costs: pd.DataFrame, *, break_even_bps: float, charged_bps: float | None = None
) -> Figure:
    """Draw the Sharpe ratio at each commission, and where it reaches zero.

    Args:
        costs: The table of `try_costs`: index `commission_bps`, column sharpe.
        break_even_bps: Where the Sharpe ratio is zero; NaN where it never was above, inf where it
            never gets there.
        charged_bps: The commission of the result itself, marked by a dotted line.

    Example:
        >>> costs = pd.DataFrame({"sharpe": [1.0, -1.0]}, index=[0.0, 50.0])
        >>> plot_cost_break_even(costs, break_even_bps=25.0).axes[0].get_title(loc="left")
        'The edge is gone at 25 bps per trade'
    """
    if math.isnan(break_even_bps):
        finding = "No profit even without commission"
    elif math.isinf(break_even_bps):
        finding = f"Still above zero at {costs.index.max():g} bps"
    else:
        finding = f"The edge is gone at {break_even_bps:.0f} bps per trade"
    with plotting_style():
        figure, ax = _panel(finding)
        _draw_sharpe(ax, costs["sharpe"])
        if math.isfinite(break_even_bps):
            ax.plot([break_even_bps], [0.0], marker="D", ms=7, color="black", ls="none", zorder=5)
        if charged_bps is not None:
            ax.axvline(charged_bps, color="0.4", ls=":", lw=1.2)
            note, place = f" charged here: {charged_bps:g}", ax.get_xaxis_transform()
            look: dict[str, Any] = {"va": "bottom", "ha": "left", "color": "0.35", "size": 8}
            ax.text(charged_bps, 1.0, note, transform=place, **look)
        ax.set_xlabel("Commission, basis points of each trade's value")
    return figure


def plot_delay_break_even(delays: pd.DataFrame) -> Figure:
    """Draw the Sharpe ratio when every order comes some bars late.

    Args:
        delays: The table of `try_delays`: index `delay_bars`, column sharpe.

    Example:
        >>> delays = pd.DataFrame({"sharpe": [1.0, 0.2]}, index=[0, 1])
        >>> plot_delay_break_even(delays).axes[0].get_title(loc="left")
        'Sharpe ratio 1.00, one bar later 0.20'
    """
    sharpe = delays["sharpe"]
    own, late = (float(sharpe.get(delay, math.nan)) for delay in (0, 1))
    known = math.isfinite(own) and math.isfinite(late)
    finding = (
        f"Sharpe ratio {own:.2f}, one bar later {late:.2f}" if known else "Orders that come late"
    )
    with plotting_style():
        figure, ax = _panel(finding)
        _draw_sharpe(ax, sharpe)
        ax.xaxis.set_major_locator(mticker.MaxNLocator(integer=True))
        ax.set_xlabel("Delay of every order, bars")
    return figure


def plot_each_cost(each_cost: pd.DataFrame) -> Figure:
    """Draw the Sharpe ratio without each cost, as it is charged, and with twice of it.

    Args:
        each_cost: The table of `try_each_cost`: index `cost` and `times`, column sharpe.

    Example:
        >>> index = pd.MultiIndex.from_tuples([("impact", 0), ("impact", 1), ("impact", 2)])
        >>> plot_each_cost(pd.DataFrame({"sharpe": [0.9, 0.5, 0.2]}, index)).axes[0].get_title(
        ...     loc="left"
        ... )
        'Sharpe ratio 0.50, without impact 0.90'
    """
    by_cost = each_cost["sharpe"].unstack(0)[each_cost.index.unique(0)]
    own, free = float(by_cost.to_numpy()[by_cost.index == 1][0, 0]), by_cost.loc[0]
    finding = "What each cost takes"
    if math.isfinite(own) and free.notna().any():
        dearest = str(free.idxmax())
        finding = f"Sharpe ratio {own:.2f}, without {dearest} {free[dearest]:.2f}"
    with plotting_style():
        figure, ax = _panel(finding)
        for cost, (style, color) in zip(by_cost, itertools.cycle(STRONG_LOOKS), strict=False):
            known = by_cost[cost].dropna()
            look: dict[str, Any] = {"color": color, "ls": style, "lw": 1.8, "marker": "o", "ms": 4}
            ax.plot(known.index, known.to_numpy(), label=str(cost), **look)
        ax.axhline(0.0, color="black", lw=0.8)
        ax.set_xticks(by_cost.index, [_TIMES.get(times, f"{times:g}") for times in by_cost.index])
        ax.margins(x=0.08, y=0.18)
        ax.set_xlabel("How much of the cost is charged")
        ax.set_ylabel("Sharpe ratio")
        draw_legend_below(ax)
    return figure


def plot_members(equity_by_member: pd.DataFrame, *, own: pd.Series | None = None) -> Figure:
    """Draw growth with each member of an ensemble alone: the median, the band from worst to best.

    Args:
        equity_by_member: The equity that `member_equities` gives, one column for each member.
        own: The equity of the ensemble, drawn beside it.

    Raises:
        TradingError: Where there is no member.

    Example:
        >>> days = pd.date_range("2024-01-01", periods=2)
        >>> curves = pd.DataFrame({0: [100.0, 110.0], 1: [100.0, 90.0]}, days)
        >>> plot_members(curves).axes[0].get_title(loc="left")
        '2 members: -10% to 10%, 1 with a loss'
    """
    if equity_by_member.shape[1] == 0:
        raise TradingError("A figure of members needs the equity of at least one member, got none.")
    growth = on_plain_dates(equity_by_member / equity_by_member.iloc[0])
    final = growth.iloc[-1] - 1.0
    with plotting_style():
        low, high = (number_text(value, "{:.0%}") for value in (final.min(), final.max()))
        spread = f"{low} to {high}" if low != high else f"{high} each"
        members = count_of(growth.shape[1], "member")
        figure, ax = _panel(f"{members}: {spread}, {int((final < 0).sum())} with a loss")
        median = growth.median(axis=1)
        growth = thin_rows(growth.assign(**{_MEDIAN: median}))
        median = growth.pop(_MEDIAN)
        dates = growth.index
        worst, best = growth.min(axis=1).to_numpy(), growth.max(axis=1).to_numpy()
        ax.fill_between(dates, worst, best, color=_OTHER, alpha=0.18, lw=0, label="worst to best")
        for member in growth:
            ax.plot(dates, growth[member].to_numpy(), color=_OTHER, lw=0.5, alpha=0.45)
        ax.plot(dates, median.to_numpy(), color=_OTHER, lw=1.6, label="median member")
        if own is not None:
            own = thin_series(on_plain_dates(own / own.iloc[0]))
            ax.plot(own.index, own.to_numpy(), color=_OWN, lw=1.6, label="ensemble")
        ax.axhline(1.0, color="0.6", lw=0.8)
        label_dates(ax, minticks=3, maxticks=8)
        ax.set_ylabel("Growth of 1")
        draw_legend_below(ax)
    return figure


def plot_folds(folds: pd.DataFrame) -> Figure:
    """Draw the return of each fold as a bar, with that of the market beside it.

    A return that rounds to 0.0% counts as no profit.

    Args:
        folds: The table of `fold_table`.

    Example:
        >>> first = pd.to_datetime(["2011", "2012"])
        >>> folds = pd.DataFrame({"total_return": [0.1, -0.2], "first": first}, index=[1, 2])
        >>> plot_folds(folds).axes[0].get_title(loc="left")
        '1 of 2 folds with a profit'
    """
    profits = int((folds["total_return"].round(3) > 0).sum())
    with plotting_style():
        figure, ax = _panel(f"{profits} of {count_of(len(folds), 'fold')} with a profit")
        places = np.arange(len(folds))
        has_market = "market_return" in folds
        width = 0.4 if has_market else 0.7
        shift = width / 2 if has_market else 0.0
        ax.bar(places - shift, folds["total_return"], width, color=_OWN, label="strategy")
        if has_market:
            ax.bar(places + shift, folds["market_return"], width, color="0.6", label="market")
            draw_legend_below(ax)
        ax.axhline(0.0, color="black", lw=0.8)
        ax.grid(visible=False, axis="x")
        ax.set_axisbelow(True)
        step = math.ceil(len(folds) / 7)  # more dates would run into each other
        shown = places[::step]
        ax.set_xticks(shown, [f"{folds.index[i]}\n{folds['first'].iloc[i]:%Y-%m}" for i in shown])
        ax.tick_params(axis="x", labelsize=7)
        ax.set_xlabel("Fold, and its first month")
        ax.set_ylabel("Return")
        ax.yaxis.set_major_formatter(PercentTicks())
    return figure


def plot_permutation_test(real: float, null: Sequence[float], *, p_value: float) -> Figure:
    """Draw the result on the real bars among those on permuted ones.

    Args:
        real: The statistic on the real bars.
        null: The statistics on permuted bars; one that isn't finite counts as one that did as well,
            and isn't drawn.
        p_value: The p-value of the test.

    Example:
        >>> plot_permutation_test(1.0, [0.2, 1.4], p_value=0.667).axes[0].get_title(loc="left")
        '1 of 2 shuffles did as well, p = 0.667'
    """
    n_as_good = sum(not statistic < real for statistic in null)
    finite = np.array([statistic for statistic in null if math.isfinite(statistic)])
    with plotting_style():
        figure, ax = _panel(f"{n_as_good} of {len(null)} shuffles did as well, p = {p_value:.3f}")
        bins = "auto" if len(finite) >= 10 else 5
        ax.hist(finite, bins=bins, color="0.75", label="shuffled bars")
        ticks: dict[str, Any] = {"ls": "none", "marker": "|", "ms": 16, "color": "0.25"}
        ax.plot(finite, np.zeros(len(finite)), clip_on=False, **ticks)
        ax.set_axisbelow(True)
        ax.axvline(real, color=_OWN, lw=2.0, label=f"real bars: {real:.2f}")
        ax.yaxis.set_major_locator(mticker.MaxNLocator(integer=True))
        ax.margins(x=0.08)
        ax.set_ylabel("Shuffles")
        ax.set_xlabel("Sharpe ratio")
        draw_legend_below(ax)
    return figure


def _panel(title: str) -> tuple[Figure, Axes]:
    figure = NotebookFigure(figsize=_SIZE, layout="constrained")
    ax = figure.subplots()
    # above the line of notes that a panel may have on its upper edge
    ax.set_title(title, loc="left", pad=16)
    return figure, ax


def _draw_sharpe(ax: Axes, sharpe: pd.Series) -> None:
    known = sharpe.dropna()
    ax.plot(known.index, known.to_numpy(), color=_OWN, lw=1.8, marker="o", ms=4)
    for x, y in known.items():
        # an edge that fades falls to the right: above and right of its points there is room
        place, align = ((4, 5), "left") if y >= 0 else ((0, -13), "center")
        ax.annotate(f"{y:.2f}", (x, y), xytext=place, textcoords="offset points", ha=align, size=8)
    ax.axhline(0.0, color="black", lw=0.8)
    ax.margins(x=0.08, y=0.18)
    ax.set_ylabel("Sharpe ratio")
