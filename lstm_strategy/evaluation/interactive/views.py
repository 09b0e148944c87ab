"""What is shown of the markets that a strategy traded: closes, trades and forecasts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lstm_strategy.evaluation.backtests import BacktestResult
from lstm_strategy.evaluation.plots import on_plain_dates
from lstm_strategy.learning.forecaster import Forecaster
from lstm_strategy.learning.serving import forecast_with_cache

_MOST_MARKETS = 8


@dataclass(frozen=True, eq=False)
class MarketViews:
    """The markets of a strategy that can be looked at, the one that moved the result most first.

    Attributes:
        closes: The closes of the span that was traded, by market; one market has the name "".
        trades: The trades of the strategy in these markets. Beside the prices of entry and exit,
            which are averages of all fills, `entry_mark` and `exit_mark` are those of the first and
            of the last fill, which lie at the price of their bar; NaN where a trade is still open.
        forecasts: By market what the model said at these closes, as its `forecast` gives it;
            without those of which it forecast nothing.
    """

    closes: Mapping[str, pd.Series]
    trades: pd.DataFrame
    forecasts: Mapping[str, pd.DataFrame]

    def trades_of(self, market: str) -> pd.DataFrame:
        """The trades of one market."""
        if "symbol" not in self.trades or not market:
            return self.trades
        return self.trades[self.trades["symbol"] == market]


def view_markets(
    result: BacktestResult,
    bars: pd.DataFrame | Mapping[str, pd.DataFrame],
    *,
    model: Forecaster | None = None,
) -> MarketViews:
    """Return closes, trades and forecasts of the markets that a strategy traded.

    Args:
        result: What the strategy did.
        bars: The bars that it ran on. Of many markets the eight that moved the result most are
            shown.
        model: What it trades; None without one.

    Example:
        >>> from lstm_strategy import BASELINES, run_backtest, sample_bars
        >>> bars = sample_bars("sp500")
        >>> views = view_markets(run_backtest(BASELINES["MACD"], bars, start="2016"), bars)
        >>> list(views.closes), len(views.forecasts)
        ([''], 0)
    """
    closes = _closes_of(result, bars)
    trades = _mark_ends(result.trades, result.fills)
    if "symbol" in trades:
        trades = trades[trades["symbol"].isin(list(closes))]
    forecasts = {} if model is None else _forecasts_of(model, bars, closes)
    return MarketViews(closes, trades, forecasts)


def _mark_ends(trades: pd.DataFrame, fills: pd.DataFrame) -> pd.DataFrame:
    """The trades with the prices of their first and last fills."""
    symbols = trades["symbol"] if "symbol" in trades else pd.Series("", trades.index)
    own = fills["symbol"] if "symbol" in fills else pd.Series("", fills.index)
    by_bar = fills["price"].groupby([own.to_numpy(), fills.index])
    marks = {}
    for side, prices in (("entry", by_bar.first()), ("exit", by_bar.last())):
        places = pd.MultiIndex.from_arrays([symbols, trades[side]])
        at_bar = pd.Series(prices.reindex(places).to_numpy(), trades.index)
        # a liquidation or an end that no fill tells of
        marks[f"{side}_mark"] = at_bar.fillna(trades[f"{side}_price"])
    return trades.assign(**marks)


def _closes_of(result: BacktestResult, bars: Any) -> dict[str, pd.Series]:
    """The closes of the span that was traded, of the markets that moved the result most."""
    first, last = result.equity.index[[0, -1]]
    if isinstance(bars, pd.DataFrame):
        return {"": _between(bars["close"], first, last)}
    by_size = result.by_market["contribution"].abs().sort_values(ascending=False, kind="stable")
    chosen = [symbol for symbol in by_size.index if symbol in bars][:_MOST_MARKETS]
    closes = {symbol: _between(bars[symbol]["close"], first, last) for symbol in chosen}
    return {symbol: close for symbol, close in closes.items() if len(close)}


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
        symbol: frames[symbol].reindex(close.index)
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
