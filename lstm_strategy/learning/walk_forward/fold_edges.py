"""Where folds begin and windows reach, counted in bars or on the wall clock of the bars."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from lstm_strategy.bars import Panel, as_panel, bars_fingerprint, is_panel, slice_panel


@dataclass(frozen=True)
class Edge:
    """Where a test fold begins.

    Attributes:
        position: Of the first bar of the fold.
        moment: The moment on the wall clock that the bar is at or after. Without dates it is the
            bar's label and isn't used.
    """

    position: int
    moment: Any


def edge_at(index: pd.Index, position: int) -> Edge:
    """Return the edge at a bar."""
    label = index[position]
    return Edge(position, label.tz_localize(None) if isinstance(label, pd.Timestamp) else label)


def edge_after(
    index: pd.Index, edge: Edge, size: int | pd.offsets.BaseOffset, *, times: int = 1
) -> Edge | None:
    """Return the edge `times` sizes later; None after the last bar."""
    if isinstance(size, int):
        position = edge.position + size * times
        return edge_at(index, position) if position < len(index) else None
    try:
        moment = edge.moment + size * times
    except (OverflowError, ValueError):  # after the end of the calendar
        return None
    position = _first_bar_from(index, moment)
    return Edge(position, moment) if position < len(index) else None


def position_before(index: pd.Index, edge: Edge, size: int | pd.offsets.BaseOffset) -> int:
    """Return the first bar of a window of this size that ends at the edge."""
    if isinstance(size, int):
        return max(edge.position - size, 0)
    try:
        moment = edge.moment - size
    except (OverflowError, ValueError):  # before the beginning of the calendar
        return 0
    return _first_bar_from(index, moment)


def _first_bar_from(index: pd.Index, moment: pd.Timestamp) -> int:
    """Return the first bar at or after a moment on the wall clock of the index.

    A time that daylight saving skips becomes the next one; of a time that comes twice, the first
    counts.
    """
    zone = pd.DatetimeIndex(index).tz
    if zone is not None:
        moment = moment.tz_localize(zone, nonexistent="shift_forward", ambiguous=True)
    return int(index.searchsorted(moment))


def find_test_edges(index: pd.Index, first: Edge, test: int | pd.offsets.BaseOffset) -> list[Edge]:
    """Return where each test fold begins, from the first on; one edge a position."""
    if isinstance(test, int):
        return [edge_at(index, position) for position in range(first.position, len(index), test)]
    edges = {}
    edge: Edge | None = first
    times = 0
    while edge is not None:
        # a fold without bars begins where the next one does, which takes its place
        edges[edge.position] = edge
        times += 1
        edge = edge_after(index, first, test, times=times)
    return list(edges.values())


def labels_of(bars: Any) -> pd.Index:
    """The dates of bars, of any market of a panel, or their positions where they have none."""
    if is_panel(bars):
        return as_panel(bars).dates
    if isinstance(bars, pd.DataFrame | pd.Series):
        return bars.index
    if isinstance(bars, pd.Index):
        return bars
    return pd.RangeIndex(bars.shape[0] if hasattr(bars, "shape") else len(bars))


def cut_positions(bars: pd.DataFrame | Panel, span: slice) -> pd.DataFrame | Panel:
    """The bars at some positions; of a panel those of all markets on the dates at them."""
    if not is_panel(bars):
        return bars.iloc[span]
    panel = as_panel(bars)
    dates = panel.dates[span]
    return slice_panel(panel, dates[0], dates[-1])


def fingerprint_of(bars: pd.DataFrame | Panel) -> str:
    """The fingerprint of bars or of a panel."""
    return as_panel(bars).fingerprint if is_panel(bars) else bars_fingerprint(bars)
