"""A trained model fed one bar at a time."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
import pandas as pd

from lstm_strategy.bars import CONTRACT_PRICE
from lstm_strategy.errors import ModelError
from lstm_strategy.learning.features import FeatureSet, TrailingFeatures, describe_wrong_input
from lstm_strategy.learning.forecaster.base import Forecast
from lstm_strategy.learning.forecaster.checkpoint import (
    Snapshot,
    check_shape,
    write_checkpoint,
)
from lstm_strategy.learning.forecaster.streams.bar_reader import BarReader
from lstm_strategy.learning.forecaster.streams.bar_watch import BarWatch
from lstm_strategy.learning.inference import Engine, State, run_carried
from lstm_strategy.learning.training import MarketInputs


@dataclass(frozen=True, eq=False)
class StreamedModel:
    """What a stream needs of a trained model.

    Attributes:
        inputs: All columns that a forecast needs.
        n_features: How many of them, the first ones, the network sees.
        columns: The columns of a forecast, in their order, of some models the novelty last.
        engine: What computes the members' answers.
        stepper: What computes those to one more row, and behind them the novelty where it is known.
        n_answers: Outputs of all members.
        build_columns: Signal, forecast, uncertainty and further columns from the members'
            answers, shape (n_rows, n_answers), and the inputs, shape (n_rows, n_inputs).
        settled_rows: Complete rows that the first forecast needs, its own included.
        window_rows: Rows that each forecast starts afresh from; None where the state is carried
            from row to row.
        warn_of_other_bars: Logs where bars are unlike those of the training.
        market: What is done with the features before the network takes them.
        symbol: Which market of a panel it is; None for one without a name.
        fingerprint: Gives that of the model, which a checkpoint is bound to; None without one.
    """

    inputs: FeatureSet
    n_features: int
    columns: tuple[str, ...]
    engine: Engine
    stepper: Engine
    n_answers: int
    build_columns: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, ...]]
    settled_rows: int
    window_rows: int | None
    warn_of_other_bars: Callable[[pd.DataFrame], None]
    market: MarketInputs
    symbol: str | None
    fingerprint: Callable[[], str | None]

    def rows_of(self, inputs: np.ndarray) -> np.ndarray:
        """What the network sees of all columns, of shape (..., n_inputs)."""
        return self.market.convert(inputs[..., : self.n_features])


class RowSource(Protocol):
    """Where the rows of features of a stream come from; see `TrailingFeatures`."""

    @property
    def last_time(self) -> pd.Timestamp | None:
        """The time of the newest bar; None before the first."""

    def row_after(self, time: pd.Timestamp, values: list[float]) -> np.ndarray:
        """Compute the features of one more bar, which isn't kept."""

    def append(self, time: pd.Timestamp, values: list[float]) -> None:
        """Keep one more bar."""

    def snapshot(self) -> Snapshot:
        """What is kept."""


@dataclass(frozen=True)
class _Step:
    """One step of the model: its forecast, the state after it, and the row of features it took."""

    forecast: Forecast
    state: State
    row: np.ndarray | None


class ForecastStream:
    """The numbers of `forecast`, bar by bar, one step of the network a bar.

    The features are computed from the bars that they still depend on (see `TrailingFeatures`), so
    that a bar costs the same however long the history is; the network's state is carried. Get one
    from `stream` of a forecaster.

    Args:
        model: The trained model.
        history: Valid bars that came before, if any.
        rows: The features of the history; None to compute them.
        trailing: Where later rows come from; None for the bars of this market alone.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> from lstm_strategy.learning.reference import LearnerForecaster
        >>> bars = sample_bars().iloc[:310]
        >>> model = LearnerForecaster("logistic", features=[{"kind": "rsi", "length": 5}])
        >>> stream = model.fit(bars.iloc[:300]).stream(bars.iloc[:300])
        >>> forecast = stream.update({"datetime": bars.index[300], **bars.iloc[300]})
        >>> 0 < forecast.forecast < 1
        True
    """

    def __init__(
        self,
        model: StreamedModel,
        history: pd.DataFrame | None = None,
        *,
        rows: pd.DataFrame | None = None,
        trailing: RowSource | None = None,
    ) -> None:
        self._model = model
        self._unknown = Forecast.from_row(dict.fromkeys(model.columns, np.nan))
        self._columns = model.inputs.read_columns
        self._held_columns = model.inputs.held_columns
        self._reader = BarReader(
            model.inputs.bars_columns,
            reads_volume=model.inputs.reads_volume,
            check_value=partial(describe_wrong_input, model.inputs),
        )
        self._last_known: dict[str, float] = {}
        self._state: State = model.engine.initial_state(1)
        self._window: deque[np.ndarray] = deque(maxlen=model.window_rows or 0)
        self._n_rows_seen = 0
        self._peeked: tuple[pd.Timestamp, list[float], _Step] | None = None
        known = pd.DataFrame(columns=self._columns, dtype=float, index=pd.DatetimeIndex([]))
        if history is not None and len(history):
            known = model.inputs.hold_values(history)
            self._last_known = {name: float(known[name].iloc[-1]) for name in self._held_columns}
        rows = model.inputs.frame(known) if rows is None else rows
        self._take_rows(model.rows_of(rows.dropna().to_numpy()))
        self._watch = BarWatch(known, model.warn_of_other_bars)
        self._trailing: RowSource = (
            TrailingFeatures(model.inputs, known, rows=rows) if trailing is None else trailing
        )

    @classmethod
    def from_snapshot(
        cls,
        model: StreamedModel,
        snapshot: Snapshot,
        *,
        trailing: RowSource | None = None,
        bars: pd.DataFrame | None = None,
    ) -> Self:
        """Go on from what `snapshot` returned, to the last bit.

        Args:
            model: The trained model that it is of.
            snapshot: The state.
            trailing: Where later rows come from; None for the bars of this market alone.
            bars: The last ones, by which odd ones are known; None for those of this market alone.
        """
        if trailing is None:
            own = TrailingFeatures.from_snapshot(model.inputs, snapshot["trailing"])
            trailing, bars = own, own.bars
        rows = pd.DataFrame(columns=model.inputs.names, dtype=float)
        stream = cls(model, bars, rows=rows, trailing=trailing)
        stream._restore(snapshot)
        return stream

    def _restore(self, snapshot: Snapshot) -> None:
        last = check_shape(snapshot["last_known"], (len(self._held_columns),))
        self._last_known = dict(zip(self._held_columns, last.tolist(), strict=True))
        self._state = [
            check_shape(part, empty.shape).astype(empty.dtype, copy=False)
            for part, empty in zip(snapshot["state"], self._state, strict=True)
        ]
        n_columns = self._model.rows_of(np.zeros((0, len(self._model.inputs.names)))).shape[1]
        self._window.extend(check_shape(snapshot["window"], (None, n_columns)))
        self._n_rows_seen = int(snapshot["n_rows_seen"])

    def snapshot(self) -> dict[str, Any]:
        """The state: what `from_snapshot` needs to go on with the same numbers."""
        known = [self._last_known.get(name, np.nan) for name in self._held_columns]
        rows = self._model.rows_of(np.zeros((0, len(self._model.inputs.names))))
        return {
            "symbol": self._model.symbol,
            "last_known": np.array(known),
            "state": list(self._state),
            "window": np.stack(self._window) if self._window else rows,
            "n_rows_seen": self._n_rows_seen,
            "trailing": self._trailing.snapshot(),
        }

    def checkpoint(self, path: str | Path) -> Path:
        """Write the state as one file, whole or not at all; `resume` of the model goes on from it.

        A stream that is resumed gives the numbers, to the last bit, of one that never ended. The
        file holds the last bars that features depend on and the network's memory, no code, and is
        bound to the model and to this version of the package.

        Args:
            path: The file; an earlier one is replaced.

        Returns:
            The path.

        Raises:
            ModelError: If the model has no fingerprint, such as one of a class of your own, or
                features look across the markets: the stream of all markets has a checkpoint then.
            OSError: If the file can't be written; an earlier one is left as it was.
        """
        if not isinstance(self._trailing, TrailingFeatures):
            raise ModelError(
                "Features look across the markets, so that no market can go on alone. Write the "
                "checkpoint of the stream of all markets."
            )
        return write_checkpoint(path, self.snapshot(), fingerprint=self._model.fingerprint())

    def update(self, bar: Mapping[str, Any]) -> Forecast:
        """Take a closed bar and return what is known at its close.

        Args:
            bar: `datetime`, open, high, low, close, volume and the extra columns that the features
                read, by name; of a continuous series the price of the contract as well. A NaN in
                an extra column means "unchanged", and in a rate of funding that none was settled.
                A volume that isn't known, missing, NaN or below 0 (brokers send -1), is 0 where no
                feature reads it.

        Returns:
            Signal, forecast, uncertainty, novelty and what the target gives besides; NaN in
            warm-up.

        Raises:
            BarsError: If a column is missing, `validate_bars` would refuse the bar, or it isn't
                later than the one before, or has a timezone and that one has none, or the other
                way round. The stream is then as it was.
        """
        time, values = self.read(bar)
        # a bar is often peeked at just before it is taken: don't compute it twice
        if self._peeked is None or self._peeked[:2] != (time, values):
            return self.take(time, values)
        return self._keep(time, values, self._peeked[2])

    def take(self, time: pd.Timestamp, values: list[float]) -> Forecast:
        """Take a bar that `read` has checked; see `update`."""
        return self._keep(time, values, self._compute_step(time, values))

    def _keep(self, time: pd.Timestamp, values: list[float], step: _Step) -> Forecast:
        self._trailing.append(time, values)
        self._watch.look(time, *(values[self._columns.index(n)] for n in ("close", CONTRACT_PRICE)))
        self._peeked = None
        last = dict(zip(self._columns, values, strict=True))
        self._last_known = {name: last[name] for name in self._held_columns}
        if step.row is not None:
            self._state = step.state
            self._window.append(step.row)
            self._n_rows_seen += 1
        return step.forecast

    def peek(self, bar: Mapping[str, Any]) -> Forecast:
        """Return what `update` would answer if `bar` closed as it is now; nothing is kept.

        Args:
            bar: As for `update`.

        Returns:
            As `update`.

        Raises:
            BarsError: As `update` does.
        """
        time, values = self.read(bar)
        if self._peeked is None or self._peeked[:2] != (time, values):
            self._peeked = time, values, self._compute_step(time, values)
        return self._peeked[2].forecast

    def look(self, time: pd.Timestamp, values: list[float]) -> Forecast:
        """Look at a bar that `read` has checked; see `peek`."""
        return self._compute_step(time, values).forecast

    def read(self, bar: Mapping[str, Any]) -> tuple[pd.Timestamp, list[float]]:
        """Return the time of a bar and its values in the order of the columns, checked.

        Args:
            bar: As for `update`.

        Raises:
            BarsError: As `update` does.
        """
        return self._reader.read(bar, self._trailing.last_time, self._last_known)

    def _compute_step(self, time: pd.Timestamp, values: list[float]) -> _Step:
        inputs = self._trailing.row_after(time, values)
        if not np.isfinite(inputs).all():
            return _Step(self._unknown, self._state, None)
        row = self._model.rows_of(inputs)
        answers, state = self._answer_row(row)
        if self._n_rows_seen + 1 < self._model.settled_rows:
            return _Step(self._unknown, state, row)
        of_members, novelty = np.split(answers[0], [self._model.n_answers])
        values_of = self._model.build_columns(of_members[None], inputs[None])
        values = [float(of[0]) for of in values_of]
        if len(values) < len(self._model.columns):
            values.append(float(novelty[0]) if len(novelty) else np.nan)
        known = dict(zip(self._model.columns, values, strict=True))
        return _Step(Forecast.from_row(known), state, row)

    def _answer_row(self, row: np.ndarray) -> tuple[np.ndarray, State]:
        """What the stepper answers to one more row, shape (1, n_numbers), and the state then."""
        engine, window_rows = self._model.stepper, self._model.window_rows
        if window_rows is None:
            return run_carried(engine, row[None], self._state)
        window = np.stack([*self._window, row])[-window_rows:]
        forecasts, _ = run_carried(engine, window, engine.initial_state(1))
        return forecasts[-1:], self._state

    def _take_rows(self, rows: np.ndarray) -> None:
        # one batched pass over the history instead of a step for each of its bars
        if self._model.window_rows is not None:
            self._window.extend(rows[-self._model.window_rows :])
        elif len(rows):
            _, self._state = run_carried(self._model.engine, rows, self._state)
        self._n_rows_seen = len(rows)
