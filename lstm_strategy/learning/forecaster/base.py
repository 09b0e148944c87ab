"""What every forecaster is and gives."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    pass

from typing import Protocol

FORECAST_COLUMNS = ["signal", "forecast", "uncertainty"]


class Forecaster(Protocol):
    """What the trading room needs of a model, trained by us or not."""

    @property
    def warm_up(self) -> int:
        """Bars before the first forecast."""
        ...

    @property
    def bars_columns(self) -> list[str]:
        """The columns that bars must have."""
        ...

    @property
    def training_end(self) -> pd.Timestamp | None:
        """The last bar that the model has seen; None where there is none."""
        ...

    def forecast(self, bars: pd.DataFrame) -> pd.DataFrame:
        """The columns signal, forecast, uncertainty for every bar; NaN in warm-up."""
        ...

    def stream(self) -> Any:
        """An object with update(bar) and peek(bar), each giving signal, forecast, uncertainty."""
        ...


@dataclass(frozen=True)
class Forecast:
    """What is known at the close of one bar; NaN in warm-up.

    ``signal`` is the exposure asked for (-1…1), ``forecast`` how likely a rise is (0…1,
    moves weighted by their size, so that rises and falls cancel at 0.5), ``uncertainty`` the standard
    deviation between the members of the ensemble.
    """

    signal: float
    forecast: float
    spread: float
