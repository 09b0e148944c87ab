"""What one model forecasts of each market of a portfolio: asked once for all of them."""

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any, Protocol

import numpy as np
import pandas as pd

from lstm_strategy.errors import TooFewBarsError, TradingError
from lstm_strategy.learning.forecaster import Forecaster, complete_forecasts
from lstm_strategy.learning.serving import (
    PrecomputedPanel,
    forecast_markets,
    open_forecaster,
)
from lstm_strategy.trading.execution import PortfolioStrategy
from lstm_strategy.trading.lstm.feed_bars import FeedBars
from lstm_strategy.trading.lstm.indicator import LSTMIndicator
from lstm_strategy.trading.lstm.live_markets import LiveMarkets

log = logging.getLogger(__name__)

_MOMENTS_OF_SILENCE = 3  # bars of all markets that have a signal and no forecast


class Line(Protocol):
    """What is known at the present bar of a market, as `line[0]`."""

    def __getitem__(self, ago: int) -> float:
        """Return the value at the present bar, for an index of 0."""


def forecast_lines(
    strategy: PortfolioStrategy, model: Any, *columns: str
) -> tuple[dict[str, Line], ...]:
    """Return columns of the forecasts of each market that has bars enough for one, by its name.

    Preloaded bars are forecast all at once, so that a model that looks across markets sees them
    all. Bars that are still arriving are taken by one stream of all markets, or by one a market
    where the model takes no panels.

    Args:
        strategy: The strategy that is being made; it is told to leave out markets that are too
            short for the model, which is logged.
        model: A fitted forecaster, or the folder of a saved one.
        columns: "signal", "forecast" and so on: the result has the lines of each in turn.

    Raises:
        ModelError: If there is no such model, or it was trained on the bars of one market.
        TooFewBarsError: If all markets are too short.
    """
    forecaster = open_forecaster(model)
    is_preloaded = all(data.buflen() for data in strategy.markets.values())
    if not is_preloaded and forecaster.takes_panels:
        return _follow_markets(strategy, forecaster, columns)
    if not is_preloaded:
        return _follow_each_market(strategy, forecaster, columns)
    markets = _leave_out_short_markets(strategy, forecaster.warm_up)
    for name in markets:
        strategy.wait_for_bars(name, forecaster.warm_up + 1)
    frames = _forecast(forecaster, markets)
    for column in columns:
        _refuse_what_is_never_said(frames, column)
    return tuple(
        {
            name: _ReadyLine(frames[name][column].to_numpy(np.float64), data)
            for name, data in markets.items()
        }
        for column in columns
    )


def _follow_markets(
    strategy: PortfolioStrategy, forecaster: Forecaster, columns: Sequence[str]
) -> tuple[dict[str, Line], ...]:
    for name in strategy.markets:
        strategy.wait_for_bars(name, forecaster.warm_up + 1)
    markets = LiveMarkets(forecaster, strategy.markets)
    strategy.follow(markets.look)
    silence = _Silence(len(strategy.markets))

    def newest(name: str) -> Any:
        return markets.forecasts[name]

    return tuple(
        {name: _LiveLine(partial(newest, name), column, silence) for name in strategy.markets}
        for column in columns
    )


def _follow_each_market(
    strategy: PortfolioStrategy, forecaster: Forecaster, columns: Sequence[str]
) -> tuple[dict[str, Line], ...]:
    silence = _Silence(len(strategy.markets))

    def newest(lines: Any) -> Any:
        return SimpleNamespace(**{name: getattr(lines, name)[0] for name in ("signal", *columns)})

    of_markets = {
        name: LSTMIndicator(data, model=forecaster).lines for name, data in strategy.markets.items()
    }
    return tuple(
        {
            name: _LiveLine(partial(newest, lines), column, silence)
            for name, lines in of_markets.items()
        }
        for column in columns
    )


def _leave_out_short_markets(strategy: PortfolioStrategy, warm_up: int) -> dict[str, Any]:
    """The markets with bars enough for a forecast; the first of the others is named."""
    n_bars = {name: data.buflen() for name, data in strategy.markets.items()}
    short = [name for name, number in n_bars.items() if number <= warm_up]
    if len(short) == len(n_bars):
        raise TooFewBarsError(
            f"The model needs {warm_up + 1:,} bars before its first signal, and market {short[0]} "
            f"has {n_bars[short[0]]:,}. Load more history, or train with a shorter lookback or "
            "shorter features."
        )
    for name in short:
        strategy.leave_out(name)
    if short:
        log.warning(
            "market %s is never traded: it has %d bars, and the model needs %d before its first "
            "signal%s. Load more history, or leave it out.",
            short[0],
            n_bars[short[0]],
            warm_up + 1,
            f"; so have {len(short) - 1} others too few" if len(short) > 1 else "",
        )
    return {name: data for name, data in strategy.markets.items() if name not in short}


def _forecast(forecaster: Forecaster, markets: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    bars = {name: FeedBars(data, forecaster).read_all() for name, data in markets.items()}
    if isinstance(forecaster, PrecomputedPanel):
        frames: dict[str, pd.DataFrame] = forecaster.forecast(bars)
        return {
            name: complete_forecasts(frame, bars[name], forecaster)
            for name, frame in frames.items()
        }
    return forecast_markets(forecaster, bars)


def _refuse_what_is_never_said(frames: Mapping[str, pd.DataFrame], column: str) -> None:
    """Refuse to rank markets by a forecast, where a class of the user's own gives only signals."""
    if column != "forecast" or any(frame[column].notna().any() for frame in frames.values()):
        return
    if any(frame["signal"].notna().any() for frame in frames.values()):
        raise TradingError(
            "The markets are ranked by the forecast, and the model gives signals alone. Write "
            'by="signal".'
        )


class _Silence:
    """Says once that a model gives signals and no forecast, which ranks nothing."""

    def __init__(self, n_markets: int) -> None:
        self._n_left = _MOMENTS_OF_SILENCE * n_markets

    def hear(self, forecast: float, signal: float) -> None:
        """Count what is known of one market at one bar; a forecast ends the silence for good."""
        if not math.isnan(forecast):
            self._n_left = 0
        elif not math.isnan(signal) and self._n_left:
            self._n_left -= 1
            if not self._n_left:
                log.warning(
                    "The markets are ranked by the forecast, and the model gives signals alone, so "
                    'nothing is held. Write by="signal".'
                )


class _LiveLine:
    """A column of the newest forecast of a market."""

    def __init__(self, newest: Callable[[], Any], column: str, silence: _Silence) -> None:
        self._newest, self._column, self._silence = newest, column, silence

    def __getitem__(self, ago: int) -> float:
        row = self._newest()
        value = float(getattr(row, self._column, math.nan))  # a signal is enough
        if self._column == "forecast":
            self._silence.hear(value, float(row.signal))
        return value


class _ReadyLine:
    """A column of forecasts that were made for a whole feed, read at its present bar.

    An indicator would do the same, and be moved on by backtrader at every bar of every market.
    """

    def __init__(self, values: np.ndarray, data: Any) -> None:
        self._values: list[float] = values.tolist()
        self._times = data.lines.datetime

    def __getitem__(self, ago: int) -> float:
        n_bars: int = self._times.lencount  # what len() gives, at a third of its price
        return self._values[n_bars - 1 + ago]
