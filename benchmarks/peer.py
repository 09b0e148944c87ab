"""What the benchmarks share: one size of network, and what tutorials build of that size.

Nothing here imports Keras or torch before it is needed, so that a cold start can be timed.
"""

from itertools import pairwise
from typing import Any

import numpy as np

from lstm_strategy import FeatureSet, LSTMForecaster
from lstm_strategy.learning.features import PRESETS

# Two layers of 64 cells on 16 features, one member: the size that all ratios are of.
FEATURES = FeatureSet(
    [
        *PRESETS["default"],
        {"kind": "rsi", "length": 14},
        {"kind": "macd", "fast": 12, "slow": 26, "signal": 9},
        {"kind": "roc", "length": 10},
        {"kind": "willr", "length": 14},
        {"kind": "mfi", "length": 14},
        {"kind": "stoch", "k": 14, "d": 3},
        {"kind": "bbands", "length": 20, "col_numbers": [3, 4]},
    ]
)
UNITS = (64, 64)
FORECASTER = LSTMForecaster(FEATURES, units=UNITS, members=1, seed=7)
SETTINGS = FORECASTER.settings


def forecaster(**changes: Any) -> LSTMForecaster:
    """This package's network of that size with these arguments changed, to be trained."""
    return FORECASTER.unfitted_copy(**changes)


def multiply_adds_a_bar(n_features: int = len(FEATURES.names)) -> int:
    """Of one step through the LSTM layers and the last layer."""
    widths = [n_features, *UNITS]
    gates = sum(4 * n * (n_in + n) for n_in, n in pairwise(widths))
    return gates + widths[-1]


def windowed_network(rows: np.ndarray, *, learning_rate: float = 1e-3) -> Any:
    """Scaling, LSTM layers and a probability: (batch, lookback, n_features) → (batch, 1)."""
    from lstm_strategy.learning.network import keras

    scaling = keras.layers.Normalization()
    scaling.adapt(rows)
    *lower, top = UNITS
    network = keras.Sequential(
        [
            keras.Input((SETTINGS.lookback, rows.shape[1])),
            scaling,
            *(keras.layers.LSTM(units, return_sequences=True) for units in lower),
            keras.layers.LSTM(top),
            keras.layers.Dropout(SETTINGS.dropout),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    network.compile(keras.optimizers.AdamW(learning_rate), loss="binary_crossentropy")
    return network


def torch_network(n_features: int) -> Any:
    """The same in torch, on scaled rows: (batch, lookback, n_features) → logits (batch,)."""
    import torch

    class Windowed(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            size, layers = UNITS[0], len(UNITS)
            self.lstm = torch.nn.LSTM(n_features, size, num_layers=layers, batch_first=True)
            self.head = torch.nn.Sequential(
                torch.nn.Dropout(SETTINGS.dropout), torch.nn.Linear(size, 1)
            )

        def forward(self, windows: Any) -> Any:
            return self.head(self.lstm(windows)[0][:, -1])[:, 0]

    return Windowed()


def torch_forecasts(network: Any, windows: np.ndarray, *, batch_size: int) -> np.ndarray:
    """Logits of all windows, `batch_size` of them a call."""
    import torch

    network.eval()
    with torch.inference_mode():
        parts = torch.from_numpy(windows).split(batch_size)
        logits: np.ndarray = torch.cat([network(part) for part in parts]).numpy()
    return logits


def windows_of(rows: np.ndarray) -> np.ndarray:
    """The window that ends with each row: shape (n_rows - lookback + 1, lookback, n_features)."""
    view = np.lib.stride_tricks.sliding_window_view(rows, SETTINGS.lookback, axis=0)
    return np.ascontiguousarray(view.swapaxes(1, 2), np.float32)
