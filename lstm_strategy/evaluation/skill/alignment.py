"""Forecasts of one market or many beside the returns that came."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lstm_strategy.bars import is_panel, name_market, proportional_bars
from lstm_strategy.errors import ForecastError
from lstm_strategy.support import format_time, naive_utc_index, suggest_names

MarketForecasts = pd.Series | pd.DataFrame
"""Forecasts of one market on the dates at whose close they are known; a frame has columns."""

_ONE_MARKET = "the market"


@dataclass(frozen=True, eq=False)
class Calls:
    """What was forecast, and what came, with a row a time and a column a market.

    Attributes:
        forecasts: NaN where a market has no bar or there is no forecast.
        closes: NaN where a market has no bar.
        is_panel: Whether they were given by symbol.
    """

    forecasts: pd.DataFrame
    closes: pd.DataFrame
    is_panel: bool

    def returns_over(self, horizon: int) -> pd.DataFrame:
        """The return of each market over its next `horizon` bars, a fraction.

        It is that from the close of the row on; NaN at the last bars of a market, and where there
        is no forecast.
        """
        returns = {}
        for symbol, column in self.closes.items():
            close = column.dropna()
            returns[symbol] = close.shift(-horizon) / close - 1.0
        frame = pd.DataFrame(returns, index=self.closes.index)
        return frame.where(self.forecasts.notna())

    def between(self, start: pd.Timestamp, end: pd.Timestamp) -> "Calls":
        """The forecasts from one time to another, both in naive UTC, and the closes until then."""
        forecasts = self.forecasts.loc[:end]
        is_within = forecasts.index.to_series() >= start
        kept = forecasts.where(is_within, axis=0)
        return Calls(kept, self.closes.loc[:end], self.is_panel)

    def known_over(self, horizon: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Forecasts and returns where both are known, NaN elsewhere."""
        returns = self.returns_over(horizon)
        return self.forecasts.where(returns.notna()), returns


def align_calls(
    forecasts: MarketForecasts | Mapping[str, MarketForecasts],
    bars: pd.DataFrame | Mapping[str, pd.DataFrame],
    *,
    column: str = "forecast",
) -> Calls:
    """Put forecasts beside the bars that they are about.

    Args:
        forecasts: Of one market, or by symbol: a Series, or a frame with the column. A frame with
            a column a symbol will do for a panel, too. Dates that the bars lack are left out; NaN
            is no forecast.
        bars: Valid bars of that market, or by symbol. Markets without forecasts are left out.
        column: The column of frames.

    Raises:
        ForecastError: If one is of a panel and the other isn't, a market has forecasts and no
            bars, or forecasts aren't finite numbers on dates.

    Example:
        >>> days = pd.date_range("2024-01-01", periods=3)
        >>> bars = pd.DataFrame({"close": [1.0, 2.0, 3.0]}, days)
        >>> calls = align_calls({"A": pd.Series([0.1, 0.2], days[:2])}, {"A": bars, "B": bars})
        >>> calls.returns_over(1)["A"].tolist()
        [1.0, 0.5, nan]
    """
    if is_panel(bars) and isinstance(forecasts, pd.DataFrame) and column not in forecasts:
        forecasts = {str(symbol): told for symbol, told in forecasts.items()}
    by_symbol = is_panel(forecasts)
    if by_symbol != is_panel(bars):
        one, many = ("bars", "forecasts") if by_symbol else ("forecasts", "bars")
        raise ForecastError(
            f"forecasts and bars must be of the same markets, but the {many} are given by symbol "
            f"and the {one} aren't. Give both by symbol, or those of one market."
        )
    markets: Mapping[str, Any] = forecasts if by_symbol else {_ONE_MARKET: forecasts}  # type: ignore[assignment]
    panel: Mapping[str, Any] = bars if by_symbol else {_ONE_MARKET: bars}  # type: ignore[assignment]
    if not markets:
        raise ForecastError("there are no forecasts. Give those of at least one market.")
    told, closes = {}, {}
    for symbol, given in markets.items():
        if symbol not in panel:
            raise ForecastError(
                f"there are forecasts of {symbol}, and no bars. {suggest_names(symbol, panel)}"
            )
        known = proportional_bars(panel[symbol])
        if by_symbol:
            with name_market(symbol):
                told[symbol] = _read_forecasts(given, known, column)
        else:
            told[symbol] = _read_forecasts(given, known, column)
        closes[symbol] = pd.Series(known["close"].to_numpy(float), told[symbol].index)
    return Calls(pd.DataFrame(told).sort_index(), pd.DataFrame(closes).sort_index(), by_symbol)


def check_horizons(horizons: Any) -> tuple[int, ...]:
    """Return horizons in rising order.

    Args:
        horizons: One number of bars, or several.

    Raises:
        ForecastError: If one isn't a whole number of bars.

    Example:
        >>> check_horizons([5, 1, 5])
        (1, 5)
    """
    several = [horizons] if isinstance(horizons, int | np.integer) else list(horizons)
    for horizon in several:
        is_whole = isinstance(horizon, int | np.integer) and not isinstance(horizon, bool)
        if not is_whole or horizon < 1:
            raise ForecastError(
                f"a horizon must be a whole number of bars, at least 1, got {horizon!r}."
            )
    if not several:
        raise ForecastError("horizons must be at least one number of bars, got none.")
    return tuple(sorted({int(horizon) for horizon in several}))


def _read_forecasts(given: Any, bars: pd.DataFrame, column: str) -> pd.Series:
    """Forecasts on the times of the bars, in UTC."""
    if isinstance(given, pd.DataFrame):
        if column not in given:
            raise ForecastError(
                f"the forecasts must have a column {column}, got "
                f"{', '.join(map(str, given.columns)) or 'none'}. Name it with column=."
            )
        given = given[column]
    if not isinstance(given, pd.Series):
        raise ForecastError(
            f"forecasts must be a Series or a frame of them, got {type(given).__name__}."
        )
    aligned = align_to_bars(given, bars, "the forecasts")
    is_wrong = np.isinf(aligned.to_numpy())
    if is_wrong.any():
        raise ForecastError(
            f"forecasts must be finite, got {aligned[is_wrong].iloc[0]:g} at "
            f"{format_time(aligned.index[is_wrong][0])}. Make it NaN where there is none."
        )
    return aligned.set_axis(naive_utc_index(bars.index))


def align_to_bars(values: pd.Series, bars: pd.DataFrame, name: str) -> pd.Series:
    """Return values on the bars' index, NaN at the bars that they lack.

    Args:
        values: On dates, those without a timezone counting as UTC; others than the bars' are
            left out.
        bars: The bars.
        name: What the values are, for messages.

    Raises:
        ForecastError: If they have no dates, a date comes twice, or they aren't numbers.

    Example:
        >>> bars = pd.DataFrame(index=pd.date_range("2024-01-01", periods=2, tz="Asia/Tokyo"))
        >>> align_to_bars(pd.Series([0.2], [pd.Timestamp("2024-01-01 15:00")]), bars, "x").tolist()
        [nan, 0.2]
    """
    if not isinstance(values.index, pd.DatetimeIndex):
        raise ForecastError(
            f"{name} must have dates as its index, got {type(values.index).__name__}. "
            "Call set_index with the column of dates."
        )
    dates = naive_utc_index(values.index)
    if dates.has_duplicates:
        twice = values.index[dates.duplicated()][0]
        raise ForecastError(
            f"{name} must have each date once, but {format_time(twice)} comes twice. Drop one."
        )
    try:
        numbers = values.to_numpy(dtype=float)
    except (TypeError, ValueError):
        raise ForecastError(
            f"{name} must hold numbers, got a column of {values.dtype}. Convert it."
        ) from None
    known = pd.Series(numbers, dates).reindex(naive_utc_index(bars.index))
    return known.set_axis(bars.index)
