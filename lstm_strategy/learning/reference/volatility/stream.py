"""A model of volatility fed one bar at a time."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from lstm_strategy.bars import check_bar
from lstm_strategy.errors import BarsError
from lstm_strategy.learning.forecaster import Forecast


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
        self._columns = list(columns)
        self._context_bars = context_bars
        empty = pd.DataFrame(columns=self._columns, index=pd.DatetimeIndex([]), dtype=float)
        known = empty if history is None else history[self._columns].astype(float)
        self._bars = known.ffill().iloc[-context_bars:]

    def update(self, bar: Mapping[str, Any]) -> Forecast:
        """Take a closed bar and return what is known at its close.

        Args:
            bar: `datetime`, open, high, low, close, volume and the column of the variance, if
                there is one; a NaN in it means "unchanged".

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
        missing = [name for name in ("datetime", *self._columns) if name not in bar]
        if missing:
            raise BarsError(
                f"A bar must have datetime, {', '.join(self._columns)}; {missing[0]} is missing."
            )
        time = self._read_time(bar["datetime"])
        values = {name: float(bar[name]) for name in self._columns}
        check_bar(values, time)
        newest = pd.DataFrame([values], index=pd.DatetimeIndex([time]))
        bars = pd.concat([self._bars, newest]).ffill() if len(self._bars) else newest
        bars = bars.iloc[-self._context_bars :]
        return bars, Forecast(*map(float, self._forecast(bars).iloc[-1]))

    def _read_time(self, moment: Any) -> pd.Timestamp:
        """A moment in the timezone of the bars before, after which it must lie."""
        time = pd.Timestamp(moment)
        if not len(self._bars):
            return time
        last = self._bars.index[-1]
        if (time.tz is None) != (last.tz is None):
            raise BarsError(
                f"Bars must share one clock: got {time} after {last}. Give all of them a timezone, "
                "or none."
            )
        if not time > last:
            raise BarsError(
                f"Bars must come in the order of time: got {time} after {last}. "
                "Use peek for a bar that is still forming."
            )
        return time if last.tz is None else time.tz_convert(last.tz)
