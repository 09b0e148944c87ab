"""What tutorials do: a Keras LSTM of the same size on overlapping windows."""

import numpy as np

from lstm_strategy import LSTMForecaster
from lstm_strategy.learning.network import keras

# The default network, one member of it.
SETTINGS = LSTMForecaster(seeds=1, seed=7).settings


def windowed_network(rows: np.ndarray) -> keras.Model:
    """Scaling, LSTM layers and a probability: (batch, lookback, n_features) → (batch, 1)."""
    scaling = keras.layers.Normalization()
    scaling.adapt(rows)
    *lower, top = SETTINGS.units
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
    network.compile(keras.optimizers.AdamW(SETTINGS.learning_rate), loss="binary_crossentropy")
    return network


def windows_of(rows: np.ndarray) -> np.ndarray:
    """The window that ends with each row: shape (n_rows - lookback + 1, lookback, n_features)."""
    view = np.lib.stride_tricks.sliding_window_view(rows, SETTINGS.lookback, axis=0)
    return np.ascontiguousarray(view.swapaxes(1, 2), np.float32)
