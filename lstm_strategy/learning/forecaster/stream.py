"""A trained forecaster fed one bar at a time."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lstm_strategy.errors import BarsError
from lstm_strategy.learning.forecaster.base import Forecast
from lstm_strategy.learning.inference import State, run_carried

if TYPE_CHECKING:
    from lstm_strategy.learning.forecaster.lstm_forecaster import LSTMForecaster


_NOTHING_KNOWN = Forecast(np.nan, np.nan, np.nan)


@dataclass(frozen=True)
class _Step:
    """One network step: its answer, the state after it, and the row of features it took."""

    forecast: Forecast
    state: State
    row: np.ndarray | None


class ForecastStream:
    """The forecasts of ``LSTMForecaster.forecast``, bar by bar, one network step a bar.

    The features are computed from a trailing window that is long enough for them to forget what
    came before (``FeatureSet.memory`` bars), so that a bar costs the same however long the
    history is; the network's state is carried.

    ``update`` takes a closed bar and moves on; ``peek`` answers for a bar that is still forming
    and leaves no trace.
    """

    def __init__(self, forecaster: "LSTMForecaster", history: pd.DataFrame | None = None) -> None:
        self._forecaster = forecaster
        self._engine = forecaster.engine
        self._features = forecaster.features
        self._carries = forecaster.settings.memory == "carry"
        self._lookback = forecaster.settings.lookback
        self._settled_rows = forecaster.settled_rows
        self._columns = self._features.bars_columns
        self._times: deque[pd.Timestamp] = deque(maxlen=self._features.memory)
        self._values: deque[list[float]] = deque(maxlen=self._features.memory)
        self._last_known: dict[str, float] = {}
        self._state: State = self._engine.initial_state(1)
        self._window: deque[np.ndarray] = deque(maxlen=self._lookback)
        self._rows_seen = 0
        self._peeked: tuple[pd.Timestamp, list[float], _Step] | None = None
        if history is not None and len(history):
            self._prime(history)

    def update(self, bar: Mapping[str, Any]) -> Forecast:
        """Take a closed bar; returns what is known at its close.

        ``bar`` maps ``datetime``, open, high, low, close, volume and the extra columns that the
        features read to their values. A NaN in an extra column means "unchanged".

        Raises:
            BarsError: if a column is missing, a price isn't a number, or the bar isn't later
                than the one before. The stream is then as it was.
        """
        time, values = self._checked(bar)
        step = self._step(time, values)
        self._remember(time, values)
        if step.row is not None:
            self._state = step.state
            self._window.append(step.row)
            self._rows_seen += 1
        return step.forecast

    def peek(self, bar: Mapping[str, Any]) -> Forecast:
        """What ``update`` would answer if ``bar`` closed as it is now; nothing is remembered."""
        return self._step(*self._checked(bar)).forecast

    def _checked(self, bar: Mapping[str, Any]) -> tuple[pd.Timestamp, list[float]]:
        missing = [name for name in ("datetime", *self._columns) if name not in bar]
        if missing:
            raise BarsError(
                f"A bar must have {', '.join(('datetime', *self._columns))}; "
                f"{missing[0]} is missing."
            )
        time = pd.Timestamp(bar["datetime"])
        if self._times and time <= self._times[-1]:
            raise BarsError(
                f"Bars must come in the order of time: got {time} after {self._times[-1]}. "
                "Use peek for a bar that is still forming."
            )
        values = []
        for name in self._columns:
            try:
                value = float(bar[name])
            except (TypeError, ValueError):
                raise BarsError(f"{name} must be a number, got {bar[name]!r} at {time}.") from None
            if name in ("open", "high", "low", "close", "volume") and not np.isfinite(value):
                raise BarsError(f"{name} is {value} at {time}. Leave incomplete bars out.")
            values.append(self._last_known.get(name, value) if np.isnan(value) else value)
        return time, values

    def _step(self, time: pd.Timestamp, values: list[float]) -> "_Step":
        # a bar is often peeked at just before it is taken: don't compute it twice
        if self._peeked is None or self._peeked[:2] != (time, values):
            self._peeked = time, values, self._computed_step(time, values)
        return self._peeked[2]

    def _computed_step(self, time: pd.Timestamp, values: list[float]) -> "_Step":
        recent = pd.DataFrame(
            [*self._values, values],
            columns=self._columns,
            index=pd.DatetimeIndex([*self._times, time]),
        ).iloc[-self._features.memory :]
        row = self._features.frame(recent).iloc[-1].to_numpy()
        if not np.isfinite(row).all():
            return _Step(_NOTHING_KNOWN, self._state, None)
        members, state = self._members(row)
        if self._rows_seen + 1 < self._settled_rows:
            return _Step(_NOTHING_KNOWN, state, row)
        forecast = Forecast(*(float(column[0]) for column in self._forecaster.columns_of(members)))
        return _Step(forecast, state, row)

    def _members(self, row: np.ndarray) -> tuple[np.ndarray, State]:
        if self._carries:
            return run_carried(self._engine, row[None], self._state)
        window = np.stack([*self._window, row])[-self._lookback :]
        forecasts, _ = run_carried(self._engine, window, self._engine.initial_state(1))
        return forecasts[-1:], self._state

    def _remember(self, time: pd.Timestamp, values: list[float]) -> None:
        self._times.append(time)
        self._values.append(values)
        self._peeked = None
        self._last_known = dict(zip(self._columns, values, strict=True))

    def _prime(self, history: pd.DataFrame) -> None:
        # one batched pass over the history instead of a step for each of its bars
        filled = history[self._columns].astype(float).ffill()
        rows = self._features.frame(filled).dropna().to_numpy()
        if len(rows) and self._carries:
            _, self._state = run_carried(self._engine, rows, self._state)
        self._window.extend(rows[-self._lookback :])
        self._rows_seen = len(rows)
        for time, values in zip(
            filled.index[-self._features.memory :],
            filled.to_numpy()[-self._features.memory :].tolist(),
            strict=True,
        ):
            self._remember(time, values)
