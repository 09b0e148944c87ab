"""Models as the other rooms take them: by what they can do, by folder, or forecast once."""

from functools import lru_cache
from pathlib import Path

import pandas as pd

from lstm_strategy.errors import ModelError
from lstm_strategy.learning.forecaster import CARD_FILE, WALK_FORWARD_FILE, Forecaster
from lstm_strategy.learning.serving.forecast_cache import forecast_with_cache
from lstm_strategy.learning.serving.precomputed import PrecomputedForecasts
from lstm_strategy.support import naive_utc_index


def precompute_forecasts(
    model: "Forecaster | str | Path", bars: pd.DataFrame
) -> PrecomputedForecasts:
    """Forecast ``bars`` once, for many runs over the same bars; see ``forecast_with_cache``."""
    forecaster = open_forecaster(model)
    if isinstance(forecaster, PrecomputedForecasts):
        return forecaster
    return PrecomputedForecasts(
        frame=forecast_with_cache(forecaster, bars).set_axis(naive_utc_index(bars.index)),
        warm_up=forecaster.warm_up,
        bars_columns=list(forecaster.bars_columns),
        training_end=forecaster.training_end,
    )


def open_forecaster(model: "Forecaster | str | Path | None", *, engine: str = "auto") -> Forecaster:
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
        from lstm_strategy.learning.walk_forward import WalkForwardForecaster

        return WalkForwardForecaster.load(folder, engine=engine)
    from lstm_strategy.learning.forecaster import LSTMForecaster

    return LSTMForecaster.load(folder, engine=engine)
