"""A model of volatility fed one bar at a time."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lstm_strategy.bars import CONTRACT_PRICE
from lstm_strategy.learning.forecaster import BarReader, Forecast


class VolatilityStream:
    """The numbers of `VolatilityForecaster.forecast`, bar by bar, from the bars that still count.

    Args:
        forecast: Gives the frame of forecasts for valid bars.
        columns: What bars must have.
        context_bars: Bars of history that a forecast depends on.
        history: Valid bars that came before, if any.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> from lstm_strategy.learning.reference import VolatilityForecaster
        >>> bars = sample_bars().iloc[:310]
        >>> stream = VolatilityForecaster("ewma").fit(bars.iloc[:300]).stream(bars.iloc[:300])
        >>> forecast = stream.update({"datetime": bars.index[300], **bars.iloc[300]})
        >>> 0.05 < forecast.forecast < 0.5
        True
    """

    def __init__(
        self,
        forecast: Callable[[pd.DataFrame], pd.DataFrame],
        *,
        columns: Sequence[str],
        context_bars: int,
        history: pd.DataFrame | None,
    ) -> None:
        self._forecast = forecast
        self._columns = list(dict.fromkeys((*columns, CONTRACT_PRICE)))
        self._reader = BarReader(columns, reads_volume=False)
        self._context_bars = context_bars
        empty = pd.DataFrame(columns=self._columns, index=pd.DatetimeIndex([]), dtype=float)
        known = empty if history is None else history.reindex(columns=self._columns).astype(float)
        self._bars = known.ffill().iloc[-context_bars:]

    def update(self, bar: Mapping[str, Any]) -> Forecast:
        """Take a closed bar and return what is known at its close.

        Args:
            bar: `datetime`, open, high, low, close, volume and the column of the variance, if
                there is one; a NaN in it means "unchanged". The volume isn't needed.

        Raises:
            BarsError: If a column is missing, `validate_bars` would refuse the bar, or it isn't
                later than the one before. The stream is then as it was.
        """
        bars, forecast = self._step(bar)
        self._bars = bars
        return forecast

    def peek(self, bar: Mapping[str, Any]) -> Forecast:
        """Return what `update` would answer if `bar` closed as it is now; nothing is kept."""
        return self._step(bar)[1]

    def _step(self, bar: Mapping[str, Any]) -> tuple[pd.DataFrame, Forecast]:
        last = self._bars.index[-1] if len(self._bars) else None
        newest_known = self._bars.iloc[-1:].to_numpy(np.float64).ravel().tolist()
        known = dict(zip(self._columns, newest_known, strict=False))
        time, values = self._reader.read(bar, last, known)
        newest = pd.DataFrame([values], pd.DatetimeIndex([time]), self._columns)
        bars = pd.concat([self._bars, newest]) if len(self._bars) else newest
        bars = bars.iloc[-self._context_bars :]
        return bars, Forecast(*map(float, self._forecast(bars).iloc[-1]))
