"""How many rows a carried memory needs to forget where it began."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from lstm_strategy.learning.features import bars_to_agree

if TYPE_CHECKING:
    from lstm_strategy.learning.inference.engines import Engine


SIGNAL_TOLERANCE = 1e-3
"""Of the signal, which runs from -1 to 1."""


_N_STARTS = 8


def network_memory(
    engine: "Engine", rows: np.ndarray, signal_of: Callable[[np.ndarray], np.ndarray]
) -> int | None:
    """The rows that the carried state needs to forget where they began.

    The row of the first such signal is counted. ``rows`` has shape (n_rows, n_features),
    ``signal_of`` makes signals, shape (n_rows,), of the members' forecasts, shape
    (n_rows, n_members). Eight runs that begin with an empty state in the first half of the rows
    go through the network as one batch; the slowest counts. None if one of them doesn't agree
    with the full run to ``SIGNAL_TOLERANCE`` within its rows.
    """
    length = len(rows) // 2
    starts = np.unique(np.linspace(max(1, length // 8), len(rows) - length, _N_STARTS).astype(int))
    whole, _ = engine.scan(rows[None], engine.initial_state(1))
    windows = np.stack([rows[start : start + length] for start in starts])
    parts, _ = engine.scan(windows, engine.initial_state(len(starts)))
    signal = signal_of(whole[0])
    found = [
        bars_to_agree(signal[start : start + length], signal_of(part), tolerance=SIGNAL_TOLERANCE)
        for start, part in zip(starts, parts, strict=True)
    ]
    known = [memory for memory in found if memory is not None]
    return max(known) + 1 if len(known) == len(found) else None
