"""From what the members forecast to the exposure that is asked for."""

import numpy as np

from lstm_strategy.learning.forecaster.model_card import SignalScale

BREAK_EVEN = 0.5
"""The forecast at which moves up and down, weighted by their size, cancel."""

_NARROWEST_WIDTH = 0.05  # what was learned hardly differs from the threshold: hold little


def signal_scale(forecast: np.ndarray) -> SignalScale:
    """The scale on which nine in ten training forecasts ask for less than all, shape (n_rows,)."""
    width = float(np.quantile(np.abs(forecast - BREAK_EVEN), 0.9))
    return SignalScale(threshold=BREAK_EVEN, width=max(width, _NARROWEST_WIDTH))


def signal_columns(
    members: np.ndarray, scale: SignalScale
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Signal, forecast and uncertainty from the members' forecasts, shape (n_rows, n_members)."""
    members = members.astype(np.float64)
    forecast = members.mean(axis=1)
    signal = np.clip((forecast - scale.threshold) / scale.width, -1.0, 1.0)
    return signal, forecast, members.std(axis=1)
