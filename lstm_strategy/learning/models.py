"""Models as the other rooms take them: by what they can do, by folder, or forecast once."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from lstm_strategy.errors import ModelError
from lstm_strategy.learning.forecast_cache import cached_forecast
from lstm_strategy.learning.storage import CARD_FILE, WALK_FORWARD_FILE

FORECAST_COLUMNS = ["signal", "forecast", "spread"]


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
        """The columns signal, forecast, spread for every bar; NaN in warm-up."""
        ...

    def stream(self) -> Any:
        """An object with update(bar) and peek(bar), each giving signal, forecast, spread."""
        ...


def _naive_utc(bars: pd.DataFrame) -> pd.DatetimeIndex:
    # backtrader's clock: bars that come back from a feed have lost their time zone
    times = pd.DatetimeIndex(bars.index)
    return times if times.tz is None else times.tz_convert("UTC").tz_localize(None)


@dataclass(frozen=True, eq=False)
class ReadyForecasts:
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
        times = _naive_utc(bars)
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


def ready_forecasts(model: "Forecaster | str | Path", bars: pd.DataFrame) -> ReadyForecasts:
    """Forecast ``bars`` once, for many runs over the same bars; see ``cached_forecast``."""
    forecaster = opened_forecaster(model)
    if isinstance(forecaster, ReadyForecasts):
        return forecaster
    return ReadyForecasts(
        frame=cached_forecast(forecaster, bars).set_axis(_naive_utc(bars)),
        warm_up=forecaster.warm_up,
        bars_columns=list(forecaster.bars_columns),
        training_end=forecaster.training_end,
    )


def ready_frame(forecasts: pd.DataFrame, bars: pd.DataFrame) -> ReadyForecasts:
    """Forecasts that are known for some of the bars as a model; the others have none."""
    frame = forecasts[FORECAST_COLUMNS].reindex(bars.index)
    return ReadyForecasts(frame.set_axis(_naive_utc(bars)), 0, list(bars.columns), None)


def opened_forecaster(
    model: "Forecaster | str | Path | None", *, engine: str = "auto"
) -> Forecaster:
    """The forecaster itself, or the one saved in a folder (loaded once while it stays the same).

    ``engine`` runs a saved one: "auto", "onnx" or "keras", see ``LSTMForecaster.load``.

    Raises:
        ModelError: if there is no such model, or the object isn't one.
    """
    if isinstance(model, (str, Path)):
        card_files = (Path(model) / name for name in (WALK_FORWARD_FILE, CARD_FILE))
        changed = [file.stat().st_mtime_ns for file in card_files if file.is_file()]
        return _loaded(str(model), engine, sum(changed))
    if model is None or not (hasattr(model, "forecast") and hasattr(model, "stream")):
        raise ModelError(
            f"model must be a forecaster or the folder of a saved one, got {model!r}. "
            'Write model="models/sp500".'
        )
    return model


@lru_cache(maxsize=8)
def _loaded(folder: str, engine: str, changed: int) -> Forecaster:
    if (Path(folder) / WALK_FORWARD_FILE).is_file():
        from lstm_strategy.learning.refits import WalkForwardForecaster

        return WalkForwardForecaster.load(folder, engine=engine)
    from lstm_strategy.learning.forecaster import LSTMForecaster

    return LSTMForecaster.load(folder, engine=engine)
