"""The charts of a page, and what the page needs to show them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from bokeh.document import Document

from lstm_strategy.evaluation.backtests import BacktestResult, ResultSet
from lstm_strategy.evaluation.interactive.embedding import data_script, library_script, page_script
from lstm_strategy.evaluation.interactive.markup import equity_html, price_html
from lstm_strategy.evaluation.interactive.panels import Timeline, draw_equity, draw_price
from lstm_strategy.evaluation.interactive.series import (
    choose_series,
    milliseconds,
    tabulate_series,
)
from lstm_strategy.evaluation.interactive.thinning import choose_trades
from lstm_strategy.evaluation.plots import on_plain_dates
from lstm_strategy.learning.forecaster import Forecaster
from lstm_strategy.learning.serving import forecast_with_cache

_MOST_MARKETS = 8
MOST_STRATEGIES = 24
"""The most strategies of one chart; all are in the table."""


@dataclass(frozen=True)
class Charts:
    """The charts of one page.

    Attributes:
        equity: The place of growth, drawdown and exposure, as HTML with its buttons.
        price: The place of price, trades and forecast.
        data: What the charts show, as an element that holds JSON; it stands before the script.
        library: Bokeh, compressed, as an element that runs nothing by itself.
        scripts: The texts that the page's policy must allow: that of ours, and bokeh, which it
            unpacks.

    Example:
        >>> from lstm_strategy import BASELINES, compare, sample_bars
        >>> bars = sample_bars("sp500")
        >>> comparison = compare({"MACD": BASELINES["MACD"]}, bars, start="2016")
        >>> charts = build_charts(comparison, bars)
        >>> charts.equity.count("<button"), len(charts.scripts)
        (6, 2)
    """

    equity: str
    price: str
    data: str
    library: str
    scripts: tuple[str, ...]

    @property
    def tail(self) -> str:
        """What stands at the end of the page: the data, the library, and the script that starts."""
        return f"{self.data}\n{self.library}\n<script>{self.scripts[0]}</script>\n"


def build_charts(
    results: ResultSet,
    bars: pd.DataFrame | Mapping[str, pd.DataFrame],
    *,
    name: str | None = None,
    model: Forecaster | None = None,
) -> Charts:
    """Draw growth, drawdown and exposure of all strategies, and the price and trades of one.

    All panels share their time axis. Of more bars than a screen can show, the extremes of pieces
    are drawn, so that no peak and no trough is lost. Of more than 24 strategies those with the best
    Sharpe ratios are drawn, and of more than 2,000 trades those with the largest profits and
    losses; the page says so.

    Args:
        results: The strategies.
        bars: The bars that they ran on. Of many markets the eight that moved the result most can
            be chosen.
        name: The strategy that the page is about; by default as `ResultSet.judged_name` has it.
        model: What it trades, whose forecasts are drawn; None without one.

    Raises:
        TradingError: For a name that isn't compared.
    """
    result = results.find(name)
    drawn = results.keep_best(MOST_STRATEGIES, result.name)
    table, series = tabulate_series(drawn), choose_series(drawn, result.name)
    ledger = None if model is None else model.ledger
    timeline = Timeline(
        *milliseconds(table.index[[0, -1]]), n_bars=len(table), date_form=_date_form(table.index)
    )
    document = Document()
    document.add_root(draw_equity(timeline, table, series, ledger))
    closes = _closes_of(result, bars)
    forecasts = {} if model is None else _forecasts_of(model, bars, closes)
    trades = _trades_in(closes, result.trades)
    marked = choose_trades(trades)
    document.add_root(draw_price(timeline, closes, marked, forecasts))
    return Charts(
        equity=equity_html(
            series,
            has_folds=ledger is not None,
            n_bars=len(results.equity),
            n_drawn=len(table),
            n_strategies=len(results.results),
        ),
        price=price_html(
            result.label,
            list(closes),
            has_forecast=bool(forecasts),
            n_trades=len(trades),
            n_marked=len(marked),
        ),
        data=data_script(document, ("chart-equity", "chart-price")),
        library=library_script(),
        scripts=page_script(),
    )


def _date_form(dates: Any) -> str:
    """How dates are written: with the time of day where one of them has any."""
    return "%Y-%m-%d" if (dates == dates.normalize()).all() else "%Y-%m-%d %H:%M"


def _closes_of(result: BacktestResult, bars: Any) -> dict[str, pd.Series]:
    """The closes of the span that was traded, of the markets that moved the result most."""
    first, last = result.equity.index[[0, -1]]
    if isinstance(bars, pd.DataFrame):
        return {"": _between(bars["close"], first, last)}
    by_size = result.by_market["contribution"].abs().sort_values(ascending=False, kind="stable")
    chosen = [symbol for symbol in by_size.index if symbol in bars][:_MOST_MARKETS]
    closes = {symbol: _between(bars[symbol]["close"], first, last) for symbol in chosen}
    return {symbol: close for symbol, close in closes.items() if len(close)}


def _trades_in(closes: Mapping[str, pd.Series], trades: pd.DataFrame) -> pd.DataFrame:
    """The trades of the markets that can be chosen."""
    return trades[trades["symbol"].isin(list(closes))] if "symbol" in trades else trades


def _forecasts_of(
    model: Forecaster, bars: Any, closes: Mapping[str, pd.Series]
) -> dict[str, pd.DataFrame]:
    """What the model said at the bars of the closes, by market; none where it forecast nothing."""
    if isinstance(bars, pd.DataFrame):
        frames: Any = {"": forecast_with_cache(model, bars)}
    elif model.takes_panels:
        frames = forecast_with_cache(model, bars)
    else:
        frames = {symbol: forecast_with_cache(model, bars[symbol]) for symbol in closes}
    said = {
        symbol: frames[symbol].reindex(close.index)[["forecast", "uncertainty"]]
        for symbol, close in closes.items()
        if symbol in frames
    }
    return {symbol: frame for symbol, frame in said.items() if frame["forecast"].notna().any()}


def _between(close: pd.Series, first: Any, last: Any) -> pd.Series:
    """The closes from one date to another, whatever the zones of the two."""
    dates = on_plain_dates(close).index
    first, last = (pd.Timestamp(date).tz_localize(None) for date in (first, last))
    between: pd.Series = close[(dates >= first) & (dates <= last)]
    return between
