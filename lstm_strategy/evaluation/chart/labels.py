"""Plain labels and colours of ours for what backtrader has drawn."""

import re
from collections.abc import Mapping
from typing import Any

import backtrader as bt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import (
    EngFormatter,
    FixedLocator,
    FuncFormatter,
    ScalarFormatter,
    StrMethodFormatter,
)

from lstm_strategy.evaluation.plots import STRONG_COLORS
from lstm_strategy.support import count_of

_RED, _BLUE = STRONG_COLORS[:2]
_COLORS = {"lime": _BLUE, "red": _RED, "blue": _BLUE}
_NAMES: Mapping[type, str] = {
    bt.observers.Broker: "Account",
    bt.observers.Trades: "Closed trades",
    bt.observers.BuySell: "Orders",
}
_LINES = {"Positive": "profit", "Negative": "loss"}
_PRICE = re.compile(r"^(?P<name>.*?) ?\((?P<bars>\d+) (?P<unit>\w+)\) C:(?P<close>.*)$")
_LAST_VALUE = re.compile(r"-?\d+\.\d\d$")


def choose_colors(scheme: Any) -> None:
    """Give a scheme of backtrader our colours, which stay apart for colour-blind eyes."""
    scheme.color = lambda number: STRONG_COLORS[number % len(STRONG_COLORS)]
    scheme.bardown = _RED
    scheme.volup, scheme.voldown = "#9fb4c8", "#d9b27c"


def clean_labels(figure: Figure, strategy: bt.Strategy) -> None:
    """Write the legends and axes of a drawn chart in words, and give its marks our colours."""
    names = {observer.plotlabel(): _name_of(observer) for observer in strategy.getobservers()}
    for ax in figure.axes:
        _color_marks(ax)
        _format_numbers(ax)
        legend = ax.get_legend()
        if legend is None:
            continue
        _break_the_line_of_cash(ax, names)
        for text in legend.get_texts():
            text.set_text(_clean_label(text.get_text(), names))


def _break_the_line_of_cash(ax: Axes, names: Mapping[str, str]) -> None:
    """Let the value of an account be seen below its cash, as both are one where it is flat."""
    shown = [*ax.get_lines(), *ax.get_legend().get_lines()]  # type: ignore[union-attr]
    for line in shown:
        title, _, name = str(line.get_label()).rpartition("\n")
        if name.startswith("cash") and names.get(title) == _NAMES[bt.observers.Broker]:
            line.set(linestyle=(0, (4, 4)), zorder=line.get_zorder() + 1)


def _name_of(observer: Any) -> str:
    """What an observer is called, without the parameters that only its code knows."""
    name = _NAMES.get(type(observer))
    return name or observer.plotinfo.plotname or type(observer).__name__


def _clean_label(label: str, names: Mapping[str, str]) -> str:
    if price := _PRICE.match(label):
        each = _bar_length(int(price["bars"]), price["unit"])
        return f"{price['name'] or 'Price'} ({each}): {_readable(price['close'])}"
    title, _, line = label.rpartition("\n")
    title, line = (names.get(part, part) for part in (title, line))
    line = _LINES.get(line, _readable(line))
    return f"{title}: {line}" if title else line


def _bar_length(bars: int, unit: str) -> str:
    """How long each bar is; backtrader writes some units with an "s" and others without."""
    unit = unit.lower().removesuffix("s")
    if unit == "minute" and bars % 60 == 0:
        bars, unit = bars // 60, "hour"
    return count_of(bars, unit)


def _readable(text: str) -> str:
    """The text with commas in the number at its end."""
    return _LAST_VALUE.sub(lambda number: f"{float(number[0]):,.2f}", text)


def _color_marks(ax: Axes) -> None:
    legend = ax.get_legend()
    marks = [*ax.get_lines(), *([] if legend is None else legend.legend_handles)]
    for mark in marks:
        color = getattr(mark, "get_color", lambda: None)()
        if isinstance(color, str) and color in _COLORS:
            mark.set_color(_COLORS[color])  # type: ignore[union-attr]


def _format_numbers(ax: Axes) -> None:
    formatter: Any = ax.yaxis.get_major_formatter()
    if type(formatter) is ScalarFormatter:
        ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.10g}"))
    elif type(formatter).__name__ == "MyVolFormatter":  # rounds 1.5 billion to "1G"
        write, most = EngFormatter(sep=""), formatter.volmax * 1.2
        ax.yaxis.set_major_locator(FixedLocator([x for x in ax.get_yticks() if 0.0 <= x <= most]))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda x, _: write(x)))
