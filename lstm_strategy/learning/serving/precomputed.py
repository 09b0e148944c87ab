"""Forecasts that were made before, in place of the model that made them."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from lstm_strategy.errors import ModelError
from lstm_strategy.learning.forecaster import FORECAST_COLUMNS
from lstm_strategy.support import naive_utc_index


@dataclass(frozen=True, eq=False)
class PrecomputedForecasts:
    """Forecasts that were made before, answering in place of the model that made them.

    Small and picklable: worker processes and sweeps get this instead of a network.
    """

    frame: pd.DataFrame
    warm_up: int
    bars_columns: list[str]
    training_end: pd.Timestamp | None

    def forecast(self, bars: pd.DataFrame) -> pd.DataFrame:
        """The rows of the ready frame that belong to ``bars``.

        Raises:
            ModelError: if a bar wasn't among those that were forecast.
        """
        times = naive_utc_index(bars.index)
        unknown = times[~times.isin(self.frame.index)]
        if len(unknown):
            raise ModelError(
                f"No forecast was made for {unknown[0]}. Forecast the same bars that you trade."
            )
        return self.frame.loc[times].set_axis(bars.index)

    def stream(self) -> Any:
        """Ready forecasts serve whole feeds only.

        Raises:
            ModelError: always; a stream needs the model itself.
        """
        raise ModelError("Ready forecasts can't follow a live feed. Pass the model itself.")


def precomputed_frame(forecasts: pd.DataFrame, bars: pd.DataFrame) -> PrecomputedForecasts:
    """Forecasts that are known for some of the bars as a model; the others have none."""
    frame = forecasts[FORECAST_COLUMNS].reindex(bars.index)
    return PrecomputedForecasts(
        frame.set_axis(naive_utc_index(bars.index)), 0, list(bars.columns), None
    )
