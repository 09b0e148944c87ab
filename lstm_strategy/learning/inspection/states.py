"""What a network carries from bar to bar."""

from pathlib import Path

import numpy as np
import pandas as pd

from lstm_strategy.bars import validate_bars
from lstm_strategy.errors import ModelError
from lstm_strategy.learning.forecaster import LSTMForecaster
from lstm_strategy.learning.inspection.rows import open_trained


def hidden_states(model: LSTMForecaster | str | Path, bars: pd.DataFrame) -> pd.DataFrame:
    """What a network carries from bar to bar.

    Args:
        model: A trained `LSTMForecaster`, or the folder of a saved one.
        bars: Bars with what the features read, shape (n_bars, n_columns).

    Returns:
        One column for each number of the state on the index of `bars`, column levels state and
        unit, known at the close of each row; NaN in warm-up and where a feature isn't known. For
        the package's own LSTM a state is called "member 0, layer 0, hidden" or "..., cell": the
        cell is what it remembers, the hidden part what it hands to the next layer. For a network
        of your own it is "state 0", "state 1" and so on in the order of its layers, two for each
        LSTM.

    Raises:
        ModelError: If there is no trained network, or it has no state.

    Example:
        >>> hidden_states("models/sp500", bars)["member 0, layer 0, cell"]  # doctest: +SKIP
    """
    forecaster = open_trained(model)
    bars = validate_bars(bars)
    features = forecaster.features.frame(bars)
    is_known = features.notna().all(axis=1).to_numpy()
    rows = forecaster.inputs_of(None).convert(features.to_numpy()[is_known])
    states = _scan_states(forecaster, rows)
    if not states:
        raise ModelError("The network has no recurrent layer, so nothing is carried along.")
    columns = [
        (name, unit)
        for name, state in zip(_state_names(forecaster, len(states)), states, strict=True)
        for unit in range(state.shape[1])
    ]
    frame = pd.DataFrame(
        np.nan,
        index=bars.index,
        columns=pd.MultiIndex.from_tuples(columns, names=["state", "unit"]),
    )
    frame.loc[is_known] = np.concatenate(states, axis=1)
    return frame


def _scan_states(forecaster: LSTMForecaster, rows: np.ndarray) -> list[np.ndarray]:
    """Every state after each row, shape (n_rows, n_units) each; NaN before the memory settles."""
    engine, settled = forecaster.engine, forecaster.settled_rows
    state = engine.initial_state(1)
    states = [np.full((len(rows), part.shape[1]), np.nan) for part in state]
    if len(rows) < settled:
        return states
    if forecaster.settings.memory == "window":
        windows = np.lib.stride_tricks.sliding_window_view(rows, settled, axis=0).swapaxes(1, 2)
        _, after = engine.scan(windows, engine.initial_state(len(windows)))
        for kept, part in zip(states, after, strict=True):
            kept[settled - 1 :] = part
        return states
    for number, row in enumerate(rows):
        _, state = engine.scan(row[None, None], state)
        if number >= settled - 1:
            for kept, part in zip(states, state, strict=True):
                kept[number] = part[0]
    return states


def _state_names(forecaster: LSTMForecaster, n_states: int) -> list[str]:
    settings = forecaster.settings
    names = [
        f"member {member}, layer {layer}, {part}"
        for member in range(settings.members)
        for layer in range(len(settings.units))
        for part in ("hidden", "cell")
    ]
    is_user_network = forecaster.card is not None and forecaster.card.network
    if is_user_network or len(names) != n_states:
        return [f"state {number}" for number in range(n_states)]
    return names
