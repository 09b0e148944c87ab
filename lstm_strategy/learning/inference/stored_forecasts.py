"""A few forecasts that are kept with a network, by which it is known again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from lstm_strategy.errors import ModelError, lacks_memory
from lstm_strategy.learning.inference.engines import BlockEngine, Engine, Scan, run_carried

_N_ROWS = 24


@dataclass(frozen=True, eq=False)
class StoredForecasts:
    """Rows of features and what the trained network forecast for them, from an empty state.

    Attributes:
        rows: Shape (n_rows, n_features).
        forecasts: Shape (n_rows, n_answers).
    """

    rows: np.ndarray
    forecasts: np.ndarray

    @classmethod
    def of(cls, engine: Engine, rows: np.ndarray) -> Self:
        """Forecast the last of the rows, shape (n_rows, n_features)."""
        last = np.asarray(rows[-_N_ROWS:], np.float32)
        forecasts, _ = run_carried(engine, last, engine.initial_state(1))
        return cls(last, forecasts)

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Self:
        """What `to_dict` described; raises ValueError where it didn't."""
        try:
            with np.errstate(over="ignore"):  # infinite, and then not what was stored
                rows, forecasts = (
                    np.array(saved[name], np.float32) for name in ("rows", "forecasts")
                )
        except (KeyError, TypeError, OverflowError) as error:
            raise ValueError(str(error)) from None
        if rows.ndim != 2 or forecasts.ndim != 2 or len(rows) != len(forecasts) or len(rows) < 2:
            raise ValueError(f"its shapes are {rows.shape} and {forecasts.shape}")
        return cls(rows, forecasts)

    def to_dict(self) -> dict[str, Any]:
        """The numbers as JSON can hold them."""
        return {"rows": self.rows.tolist(), "forecasts": self.forecasts.tolist()}

    def check(self, engine: BlockEngine) -> None:
        """Make sure that an engine runs the network that made the forecasts.

        It is asked for all rows at once, and for all in two parts with the state handed on, so
        that a network that looks ahead is found too.

        Raises:
            ModelError: If it gives other forecasts, or none.
        """
        halves = np.array_split(self.rows, 2)
        try:
            for scan in engine.ways():
                for parts in ([self.rows], halves):
                    self.compare(_scan_parts(scan, engine, parts), engine)
        except ModelError:
            raise
        except Exception as error:  # whatever a damaged network raises
            if lacks_memory(error):
                raise
            raise ModelError(
                f"The {engine.name} network can't forecast the rows that are stored with the "
                f"model: {str(error)[:200]}. Restore its folder, or train the model again."
            ) from error

    def compare(self, forecasts: np.ndarray, engine: BlockEngine) -> None:
        """Compare an engine's forecasts of all rows, shape (n_rows, n_answers), with the stored.

        Raises:
            ModelError: If they differ by more than the engine's rounding.
        """
        if forecasts.shape != self.forecasts.shape:
            apart = f"of the shape {forecasts.shape} instead of {self.forecasts.shape}"
        else:
            distance = np.abs(forecasts - self.forecasts).max()
            if distance <= engine.tolerance:  # False for NaN, too
                return
            apart = f"up to {distance:.2g} apart"
        raise ModelError(
            f"The {engine.name} network doesn't give the forecasts that are stored with the "
            f"model, but others, {apart}. Restore its folder, or train the model again."
        )


def _scan_parts(scan: Scan, engine: BlockEngine, parts: list[np.ndarray]) -> np.ndarray:
    forecasts, state = [], engine.initial_state(1)
    for rows in parts:
        part, state = scan(rows[None], state)
        forecasts.append(part[0])
    return np.concatenate(forecasts)
