"""Price with entries and exits, and the forecast with its uncertainty below."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from bokeh.layouts import column
from bokeh.models import CDSView, ColumnDataSource, IndexFilter

from lstm_strategy.evaluation.interactive.bounds import most_rows
from lstm_strategy.evaluation.interactive.panels.timeline import Timeline, add_hover
from lstm_strategy.evaluation.interactive.series import (
    MARKET_COLOR,
    columns_of,
    milliseconds,
)
from lstm_strategy.evaluation.plots import mark_prices, on_plain_dates, rank_trades
from lstm_strategy.evaluation.thinning import thin_rows
from lstm_strategy.support import digits_text

_GAIN, _LOSS, _OPEN = "#0072b2", "#d55e00", "#7f7f7f"
_FORECAST = "#6f5fc0"
_ENDS = ("entry", "entry_price", "exit", "exit_price")
_MOST_DECIMALS = 20
_TRADE_ROWS = [
    ("Trade", "@trade"),
    ("First in", "@into"),
    ("Last out", "@out"),
    ("Average", "@average"),
    ("Profit", "@profit"),
]


def draw_price(
    timeline: Timeline,
    closes: Mapping[str, pd.Series],
    trades: pd.DataFrame,
    forecasts: Mapping[str, pd.DataFrame],
) -> Any:
    """Return price and forecast of each market as one layout of bokeh; one market is shown.

    Args:
        timeline: The time axis.
        closes: The closes of each market; one market has the key "".
        trades: The trades of the strategy, as a backtest keeps them.
        forecasts: By market what the model said, with the columns forecast and uncertainty; empty
            without a model.
    """
    form = price_form(min((float(close.min()) for close in closes.values()), default=1.0))
    price = timeline.add_panel("Price", height=300, tick_format=form)
    price.xaxis.visible = not forecasts
    price.y_range.renderers = []  # each line adds itself; trades lie beside it
    panels = [price]
    said = None
    if forecasts:
        said = timeline.add_panel("Forecast", height=170, tick_format="0.[0000]", shows_dates=True)
        panels.append(said)
    for number, (symbol, close) in enumerate(closes.items()):
        look = {"name": f"m{number}", "visible": number == 0}
        forecast = forecasts.get(symbol)
        source = _source_of(close, forecast, name=f"m{number}-price", n_markets=len(closes))
        own = trades[trades["symbol"] == symbol] if symbol and "symbol" in trades else trades
        close = on_plain_dates(close)
        drawn = _source_of_trades(own, close, timeline.date_form) if len(own) else None
        if drawn is not None:
            _draw_spans(price, drawn, look)
        _draw_close(timeline, price, source, look, form=form)
        if drawn is not None:
            _draw_ends(price, drawn, look)
        if said is not None and forecast is not None:
            _draw_forecast(timeline, said, source, look)
    return column(*panels, sizing_mode="stretch_width", spacing=0)


def price_form(lowest: float) -> str:
    """Return how prices are written in bokeh's words: with four decimals, or more below 1.

    Args:
        lowest: The lowest of them; those of futures may be below 0.

    Example:
        >>> price_form(95.0), price_form(0.00012)
        ('0,0.[0000]', '0,0.[00000000]')
    """
    n_decimals = 4
    if 0 < lowest < 1:
        n_decimals = min(4 - math.floor(math.log10(lowest)), _MOST_DECIMALS)
    return f"0,0.[{'0' * n_decimals}]"


def _source_of(
    close: pd.Series, forecast: pd.DataFrame | None, *, name: str, n_markets: int
) -> ColumnDataSource:
    """Close and forecast of one market in the same rows, so that both are read at one date."""
    table = close.to_frame("close")
    if forecast is not None:
        table["forecast"] = forecast["forecast"]
        table["low"] = forecast["forecast"] - forecast["uncertainty"]
        table["high"] = forecast["forecast"] + forecast["uncertainty"]
    # dates are twice as long as numbers
    thinned = thin_rows(table, most_rows((len(table.columns) + 2) * n_markets))
    return ColumnDataSource(columns_of(on_plain_dates(thinned)), name=name)


def _draw_close(
    timeline: Timeline, price: Any, source: ColumnDataSource, look: dict[str, Any], *, form: str
) -> None:
    line = price.line("x", "close", source=source, color=MARKET_COLOR, line_width=1.2, **look)
    price.y_range.renderers.append(line)
    rows = [("Close", f"@close{{{form}}}"), ("Date", f"@x{{{timeline.date_form}}}")]
    add_hover(price, line, rows, x="datetime")


def _source_of_trades(trades: pd.DataFrame, close: pd.Series, date_form: str) -> ColumnDataSource:
    """Each trade from its entry to its exit, or to the last close where it is still open."""
    entry, out = (_plain(trades[side]) for side in ("entry", "exit"))
    is_open, profit = out.isna(), trades["pnl"].to_numpy(float)
    return ColumnDataSource(
        {
            "entry": milliseconds(entry),
            "exit": milliseconds(out.fillna(close.index[-1])),
            "entry_price": mark_prices(trades, "entry").to_numpy(float),
            "exit_price": mark_prices(trades, "exit")
            .where(~is_open, close.iloc[-1])
            .to_numpy(float),
            "color": np.where(is_open, _OPEN, np.where(profit >= 0, _GAIN, _LOSS)).tolist(),
            "angle": np.where(trades["size"] > 0, 0.0, np.pi),
            "rank": rank_trades(trades).astype("int32"),
            **_trade_texts(trades, entry, out, date_form),
        }
    )


def _draw_spans(price: Any, source: ColumnDataSource, look: dict[str, Any]) -> None:
    """A line from each entry to its exit."""
    look = {**look, "source": source, "color": "color"}
    price.segment(*_ENDS, line_width=1.5, view=_view_of(source), **look)


def _draw_ends(price: Any, source: ColumnDataSource, look: dict[str, Any]) -> None:
    """A mark at each entry and at each exit."""
    look = {**look, "source": source, "color": "color", "view": _view_of(source)}
    ins = price.scatter(*_ENDS[:2], marker="triangle", angle="angle", size=9, **look)
    outs = price.scatter(*_ENDS[2:], marker="square", size=6, **look)
    for marks in (ins, outs):
        add_hover(price, marks, _TRADE_ROWS)


def _view_of(source: ColumnDataSource) -> CDSView:
    """All trades, until the page's script chooses those that there is room for."""
    return CDSView(filter=IndexFilter(indices=list(range(len(source.data["rank"])))))


def _trade_texts(
    trades: pd.DataFrame, entry: pd.Series, out: pd.Series, date_form: str
) -> dict[str, list[str]]:
    """What each trade says under the pointer."""
    at = {f"{side}_at": mark_prices(trades, side) for side in ("entry", "exit")}
    rows = trades.assign(entry=entry, exit=out, **at).itertuples()
    texts: dict[str, list[str]] = {"trade": [], "into": [], "out": [], "average": [], "profit": []}
    for row in rows:
        each: Any = row
        side = "long" if each.size > 0 else "short"
        bought, sold = digits_text(each.entry_price), digits_text(each.exit_price)
        is_open = pd.isna(each.exit)
        texts["trade"].append(f"{side}, {digits_text(each.units)} units")
        texts["into"].append(_fill_text(each.entry, each.entry_at, date_form))
        texts["out"].append(
            "still open" if is_open else _fill_text(each.exit, each.exit_at, date_form)
        )
        texts["average"].append(f"{bought} in" if is_open else f"{bought} in, {sold} out")
        texts["profit"].append(f"{each.pnl:,.2f}" if abs(each.pnl) >= 1 else f"{each.pnl:.4g}")
    shares = trades["return"]
    texts["profit"] = [
        f"{money} ({share:.2%})" for money, share in zip(texts["profit"], shares, strict=True)
    ]
    return texts


def _fill_text(date: pd.Timestamp, price: float, date_form: str) -> str:
    """When and at what price a trade was filled first or last, which is where its mark stands."""
    return f"{date.strftime(date_form)} at {digits_text(price)}"


def _draw_forecast(
    timeline: Timeline, said: Any, source: ColumnDataSource, look: dict[str, Any]
) -> None:
    said.varea("x", "low", "high", source=source, fill_color=_FORECAST, fill_alpha=0.25, **look)
    line = said.line("x", "forecast", source=source, color=_FORECAST, line_width=1.3, **look)
    rows = [
        ("Forecast", "@forecast{0.[0000]}"),
        ("With uncertainty", "@low{0.[0000]} to @high{0.[0000]}"),
        ("Date", f"@x{{{timeline.date_form}}}"),
    ]
    add_hover(said, line, rows, x="datetime")


def _plain(dates: pd.Series) -> pd.Series:
    return pd.Series(pd.DatetimeIndex(dates).tz_localize(None), dates.index)
