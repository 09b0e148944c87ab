"""How many rows a carried memory needs to forget where it began."""

from collections.abc import Callable

import numpy as np

from lstm_strategy.learning.features import bars_to_agree
from lstm_strategy.learning.inference.engines import Engine

SIGNAL_TOLERANCE = 1e-3
"""Of the signal, which runs from -1 to 1."""

N_STARTS = 8
"""The runs that are compared with the run over all rows."""


def network_memory(
    engine: Engine, rows: np.ndarray, find_signals: Callable[[np.ndarray, slice], np.ndarray]
) -> int | None:
    """The rows that a carried state needs to forget where it began.

    Eight runs that begin with an empty state in the first half of the rows go through the network
    as one batch, and are compared with the run over all rows; the slowest of them counts.

    Args:
        engine: What runs the network.
        rows: Features, shape (n_rows, n_features).
        find_signals: Makes signals, shape (n_span_rows,), of the members' answers to a span of
            the rows, shape (n_span_rows, n_answers).

    Returns:
        The number of rows up to the first signal that agrees to `SIGNAL_TOLERANCE`, its own row
        included; None if one of the runs doesn't agree within its rows.

    Example:
        >>> class Halving:  # its state is a sum of all rows whose weights halve with every row
        ...     def initial_state(self, n_sequences):
        ...         return [np.zeros((n_sequences, 1))]
        ...     def scan(self, rows, state):
        ...         levels = [state[0]]
        ...         for step in range(rows.shape[1]):
        ...             levels.append(0.5 * levels[-1] + rows[:, step])
        ...         return np.stack(levels[1:], axis=1), [levels[-1]]
        >>> network_memory(Halving(), np.ones((200, 1)), lambda answers, span: answers[:, 0])
        11
    """
    length = len(rows) // 2
    starts = np.unique(np.linspace(max(1, length // 8), len(rows) - length, N_STARTS).astype(int))
    whole, _ = engine.scan(rows[None], engine.initial_state(1))
    windows = np.stack([rows[start : start + length] for start in starts])
    parts, _ = engine.scan(windows, engine.initial_state(len(starts)))
    signal = find_signals(whole[0], slice(0, len(rows)))
    memories = []
    for start, part in zip(starts, parts, strict=True):
        span = slice(start, start + length)
        later = find_signals(part, span)
        memory = bars_to_agree(signal[span], later, tolerance=SIGNAL_TOLERANCE)
        if memory is None:
            return None
        memories.append(memory)
    return max(memories) + 1
