"""backtrader's own chart as a matplotlib figure, on a server and in a notebook alike.

`cerebro.plot()` forces the Tk backend when it is imported, fails without a screen, loses its date
labels and can't draw a NaN volume. The drawing itself is good, so we keep it: backtrader's `Plot`
only calls five functions of pyplot, and here it is handed an object that has these five and draws
on one figure of ours.
"""

import contextlib
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from lstm_strategy.bars import CheckedBars, check_bars, proportional_markets
from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.backtests import first_bar_after, prepare_job
from lstm_strategy.evaluation.chart.headless import (
    build_headless_plotter,
    import_backtrader_plot,
    remove_cursor,
)
from lstm_strategy.evaluation.chart.labels import choose_colors, clean_labels
from lstm_strategy.evaluation.chart.marks import place_order_marks
from lstm_strategy.evaluation.plots import picture_name, plotting_style
from lstm_strategy.trading import exactbars_of, is_optimisation, timeframe_of
from lstm_strategy.trading.baselines import suggest_baseline
from lstm_strategy.trading.cerebro import BrokerSettings, choose_broker, run_for_chart

_WIDTH_INCHES = 14.0
_MOST_BARS = 5_000  # three for each dot of a wide screen
_GAP_PIXELS = 8.0


def plot_chart(
    strategy: Any,
    bars: pd.DataFrame | None = None,
    *,
    start: str | date | None = None,
    end: str | date | None = None,
    broker: BrokerSettings | None = None,
    last_bars: int = 500,
    lines: pd.DataFrame | None = None,
    name: str | None = None,
    **params: Any,
) -> Figure:
    """Draw backtrader's chart of one strategy: price, orders, indicators and cash, bar by bar.

    The tip of each order's mark is at the price of its fill: buying is marked below it, selling
    above.

    Args:
        strategy: A strategy class, which is run on the bars first; or what has run already: a
            Cerebro, or the strategy that `cerebro.run()` returned.
        bars: Bars for a class; nothing else needs them.
        start: First bar to draw; for a class, the first to trade, as in `run_backtest`.
        end: Last bar, inclusive.
        broker: What trading costs a class; `BrokerSettings()` by default.
        last_bars: Draw at most so many bars, the last ones; more would be a smear, and more than
            5,000 are never drawn.
        lines: Prices to draw over those of the strategy's first feed, a column a line, on the times
            of its bars: fair prices and averages with their bands, as `price_lines` gives them.
        name: What the title calls the strategy; by default the name of its class.
        **params: Parameters of a class; `model` may be a forecaster or the folder of a saved one.

    Returns:
        A figure whose title says which bars are drawn, and whether they are in sample.

    Raises:
        TradingError: If backtrader kept too little to draw: after an optimisation, or with
            `exactbars` above zero.

    Example:
        >>> from lstm_strategy import BASELINES, sample_bars
        >>> bars = sample_bars("sp500")[:"1999"]
        >>> plot_chart(BASELINES["SMA cross"], bars, fast=5, slow=10).get_suptitle()
        'SMACross, 1999-01-15 to 1999-12-31'
    """
    in_sample = False
    if isinstance(strategy, type):
        strategy, in_sample = _run_class(strategy, bars, start, end, broker, params)
        start, end = _bar_times(strategy)[strategy.first_decided_bar - 1], None
    elif isinstance(strategy, bt.Cerebro):
        strategy = _only_strategy(strategy)
    _check_can_be_drawn(strategy)
    times = _bar_times(strategy)
    first, stop = _drawn_range(times, start, end, last_bars)
    warm_up = min(first, getattr(strategy, "first_decided_bar", 1) - 1)
    title = _title(name or type(strategy).__name__, times, first, stop, warm_up=warm_up)
    with plotting_style():
        title = f"IN-SAMPLE: {title}" if in_sample else title
        return _draw_chart(strategy, first, stop, title, _at_times(lines, times))


def _run_class(
    strategy: type,
    bars: pd.DataFrame | None,
    start: Any,
    end: Any,
    broker: BrokerSettings | None,
    params: Mapping[str, Any],
) -> tuple[Any, bool]:
    """The strategy after a run on the terms of `run_backtest`, and whether that was in sample."""
    if bars is None:
        raise TradingError(
            f"A chart of the class {strategy.__name__} needs bars to run it on, got none. "
            f"Write plot_chart({strategy.__name__}, bars, ...)."
        )
    keep = choose_broker(broker).counts_points
    checked = CheckedBars(proportional_markets(check_bars(bars).frame, keep=keep))
    job = prepare_job(strategy, checked, name=strategy.__name__, params=params, broker=broker)
    if start is None:
        start = first_bar_after(job.trained_until, checked.frame)
    done = run_for_chart(strategy, checked, start=start, end=end, broker=broker, **job.params)
    first_decision = checked.frame.index[done.first_decided_bar - 1]
    in_sample = job.trained_until is not None and bool(first_decision <= job.trained_until)
    return done, in_sample


def _only_strategy(cerebro: bt.Cerebro) -> Any:
    """The one strategy that a Cerebro has run."""
    groups = getattr(cerebro, "runstrats", None)
    if not groups:
        raise TradingError(
            "plot_chart draws a Cerebro after its run, got one that hasn't run. "
            "Call cerebro.run() first."
        )
    if is_optimisation(cerebro):
        raise TradingError(
            "plot_chart can't draw an optimisation: its results keep no bars. "
            "Run the chosen parameters with cerebro.addstrategy() and draw that."
        )
    if len(groups[0]) != 1:
        raise TradingError(
            f"plot_chart draws one strategy, this Cerebro has run {len(groups[0])}. "
            "Pass one of those that cerebro.run() returned."
        )
    return groups[0][0]


def _check_can_be_drawn(strategy: Any) -> None:
    if isinstance(strategy, bt.cerebro.OptReturn):
        raise TradingError(
            "plot_chart can't draw an optimisation result: it keeps no bars. "
            "Run its parameters with cerebro.addstrategy() and draw that."
        )
    if not isinstance(strategy, bt.Strategy):
        raise TradingError(
            f"plot_chart draws a strategy class, a Cerebro after its run or a "
            f"strategy that has run, got {type(strategy).__name__}. For the curves "
            f"of a result call its plot().{suggest_baseline(strategy)}"
        )
    exactbars = exactbars_of(strategy.cerebro)
    if exactbars > 0:
        raise TradingError(
            f"A chart needs every bar, but exactbars={exactbars} throws old ones away. "
            "Run with exactbars=False, -1 or -2."
        )
    if not len(strategy):
        raise TradingError("A chart needs bars, but the strategy's feeds had none.")


def _bar_times(strategy: bt.Strategy) -> pd.DatetimeIndex:
    numbers = strategy.lines.datetime.plot()
    # the feed's own clock; backtrader keeps days as floats, good to some microseconds
    return pd.DatetimeIndex([strategy.data.num2date(number) for number in numbers]).round("ms")


def _drawn_range(times: pd.DatetimeIndex, start: Any, end: Any, last_bars: int) -> tuple[int, int]:
    """First position to draw and the one after the last."""
    span = times.slice_indexer(_on_feed_clock(start), _on_feed_clock(end))
    if span.stop <= span.start:
        raise TradingError(
            f"The chart's span must hold a bar, got {start} to {end}, but the run "
            f"covers {times[0]} to {times[-1]}. Widen start and end."
        )
    return max(span.start, span.stop - min(last_bars, _MOST_BARS)), span.stop


def _on_feed_clock(edge: Any) -> Any:
    """The edge of a span as the chart counts time: the feed's wall clock, without a time zone."""
    if isinstance(edge, datetime):
        return edge.replace(tzinfo=None)
    return edge.isoformat() if isinstance(edge, date) else edge  # a date is its whole day


def _at_times(lines: pd.DataFrame | None, times: pd.DatetimeIndex) -> pd.DataFrame:
    """The lines on the bars of a chart, whose clock has no zone."""
    if lines is None:
        return pd.DataFrame(index=times)
    clock = pd.DatetimeIndex(lines.index).tz_localize(None).round("ms")
    on_bars = lines.set_axis(clock).reindex(times)
    if lines.shape[1] and on_bars.isna().all(axis=None):
        raise TradingError(
            f"lines have no value on any bar of the chart, which covers {times[0]} to {times[-1]}. "
            "Compute them from the same bars."
        )
    return on_bars


def _draw_chart(
    strategy: bt.Strategy, first: int, stop: int, title: str, lines: pd.DataFrame
) -> Figure:
    plotter = build_headless_plotter(_build_scheme(strategy, first, stop))
    # iplot=False: backtrader would switch a notebook to the nbagg backend
    with _without_empty_panes(strategy, first, stop):
        plotter.plot(strategy, iplot=False, start=first, end=stop)
    figure: Figure = plotter.mpyplot.drawn
    for cursor in plotter.pinf.cursors:
        remove_cursor(cursor)
    _draw_lines(plotter.pinf.daxis[strategy.data], lines.iloc[first:stop])
    numbers = list(strategy.lines.datetime.plot())[first:stop]
    for data in strategy.datas:
        if data in plotter.pinf.daxis:
            place_order_marks(plotter.pinf.daxis[data], strategy, data, numbers)
    clean_labels(figure, strategy)
    times = _bar_times(strategy)[first:stop]
    _date_the_lowest_panel(
        figure, times, is_intraday=timeframe_of(strategy.data) < bt.TimeFrame.Days
    )
    figure.axes[0].set_xlim(-1, stop - first)  # bars count from zero; the panels share this axis
    figure.set_size_inches(_WIDTH_INCHES, 1.0 + 0.9 * plotter.pinf.nrows)
    figure.subplots_adjust(left=0.04, right=0.79, bottom=0.05, top=0.94, hspace=0.12)
    _make_room_for_texts(figure)
    figure.suptitle(title.replace("$", r"\$"), y=0.98)
    return figure


@contextlib.contextmanager
def _without_empty_panes(strategy: bt.Strategy, first: int, stop: int) -> Iterator[None]:
    """Leave the pane of closed trades out for as long, where none was closed in the span."""
    empty = [
        observer
        for observer in strategy.getobservers()
        if isinstance(observer, bt.observers.Trades)
        and all(np.isnan(line.plotrange(first, stop)).all() for line in observer.lines)
    ]
    shown = [observer.plotinfo.plot for observer in empty]
    for observer in empty:
        observer.plotinfo.plot = False
    try:
        yield
    finally:
        for observer, was_shown in zip(empty, shown, strict=True):
            observer.plotinfo.plot = was_shown


def _draw_lines(axis: Any, lines: pd.DataFrame) -> None:
    """Lines over the prices, with their names in the legend."""
    for name in lines:
        axis.plot(
            np.arange(len(lines)), lines[name].to_numpy(), label=picture_name(name), linewidth=1.0
        )
    if len(lines.columns):
        axis.legend(loc="upper left")


def _build_scheme(strategy: bt.Strategy, first: int, stop: int) -> Any:
    """Plot settings of our own: backtrader shares one object between all plots of a session."""
    scheme = import_backtrader_plot().PlotScheme()
    volumes = [data.volume.plotrange(first, stop) for data in strategy.datas]
    # backtrader takes max() of the volumes for the axis limit, so one NaN ends the plot
    scheme.volume = not any(np.isnan(volume).any() for volume in volumes)
    # The legends show the last values already; as tags they would hide the axis labels.
    scheme.valuetags = False
    choose_colors(scheme)
    return scheme


def _date_the_lowest_panel(figure: Figure, times: pd.DatetimeIndex, *, is_intraday: bool) -> None:
    """Dates below the lowest panel only; backtrader's own labels vanish or cover each other."""
    text = "%Y-%m-%d %H:%M" if is_intraday else "%Y-%m-%d"
    labels = dict(enumerate(times.strftime(text)))  # the x axis counts bars
    lowest = min(ax.get_position().y0 for ax in figure.axes)
    for ax in figure.axes:
        ax.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: labels.get(round(x), "")))
        is_lowest = ax.get_position().y0 <= lowest + 1e-6
        ax.tick_params(axis="x", labelbottom=is_lowest)
        ax.spines[:].set_visible(True)
        for label in ax.get_xticklabels():
            label.set(visible=is_lowest, rotation=0)


def _make_room_for_texts(figure: Figure) -> None:
    """Put the legends to the right of all axis labels, and leave each text the room it takes."""
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    legends = [(ax, legend) for ax in figure.axes if (legend := ax.get_legend()) is not None]
    width, _ = figure.canvas.get_width_height()
    left_of, right_of, names = [0.0], [0.0], [0.0]
    for ax in figure.axes:
        panel = ax.get_window_extent(renderer)
        for axis in (ax.xaxis, ax.yaxis):
            box = axis.get_tightbbox(renderer)
            if box is not None:
                left_of.append(panel.x0 - box.x0)
                right_of.append(box.x1 - panel.x1)
    names += [legend.get_window_extent(renderer).width for _, legend in legends]
    labels = max(right_of) + _GAP_PIXELS
    figure.subplots_adjust(
        left=(max(left_of) + _GAP_PIXELS) / width,
        right=1.0 - (labels + max(names) + _GAP_PIXELS) / width,
    )
    for ax, legend in legends:
        panel = ax.get_window_extent(renderer)
        legend.set_loc("upper left")
        legend.set_bbox_to_anchor((1.0 + labels / panel.width, 1.05))


def _title(name: str, times: pd.DatetimeIndex, first: int, stop: int, *, warm_up: int) -> str:
    """Which strategy and which part of its run is drawn; bars of the warm-up don't count."""
    title = f"{name}, {times[first]:%Y-%m-%d} to {times[stop - 1]:%Y-%m-%d}"
    n_bars = len(times) - warm_up
    if stop - first < n_bars:
        title += f" ({stop - first:,} of the run's {n_bars:,} bars)"
    return title
