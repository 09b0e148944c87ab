"""The charts of a page, and what the page needs to show them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from bokeh.document import Document

from lstm_strategy.evaluation.backtests import ResultSet
from lstm_strategy.evaluation.interactive.bounds import MOST_TRADES
from lstm_strategy.evaluation.interactive.embedding import data_script, library_script, page_script
from lstm_strategy.evaluation.interactive.markup import equity_html, markets_html, price_html
from lstm_strategy.evaluation.interactive.panels import (
    Timeline,
    draw_contributions,
    draw_equity,
    draw_price,
)
from lstm_strategy.evaluation.interactive.series import (
    choose_lines,
    choose_series,
    milliseconds,
    tabulate_series,
)
from lstm_strategy.evaluation.interactive.views import MarketViews, view_markets
from lstm_strategy.evaluation.metrics import contribution_by_market
from lstm_strategy.evaluation.plots import choose_trades
from lstm_strategy.learning.forecaster import Forecaster

MOST_STRATEGIES = 24
"""The most strategies of one chart; all are in the table."""


@dataclass(frozen=True)
class Charts:
    """The charts of one page.

    Attributes:
        equity: The place of growth, drawdown and exposure, as HTML with its buttons.
        price: The place of price, trades and forecast.
        markets: The place of what each market of a portfolio earned; "" for one market.
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
    markets: str
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
    views: MarketViews | None = None,
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
        views: What `view_markets` gave for all this; by default it is asked here.

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
    views = views or view_markets(result, bars, model=model)
    drawn_trades = choose_trades(views.trades, most=MOST_TRADES)
    document.add_root(draw_price(timeline, views.closes, drawn_trades, views.forecasts))
    places, lines = ["chart-equity", "chart-price"], choose_lines(contribution_by_market(result))
    if lines:
        document.add_root(draw_contributions(timeline, contribution_by_market(result), lines))
        places.append("chart-markets")
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
            list(views.closes),
            has_forecast=bool(views.forecasts),
            n_trades=len(views.trades),
            n_marked=len(drawn_trades),
        ),
        markets=markets_html(result.label, lines) if lines else "",
        data=data_script(document, tuple(places)),
        library=library_script(),
        scripts=page_script(),
    )


def _date_form(dates: Any) -> str:
    """How dates are written: with the time of day where one of them has any."""
    return "%Y-%m-%d" if (dates == dates.normalize()).all() else "%Y-%m-%d %H:%M"
