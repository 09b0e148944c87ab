"""What is compared: forecasters that are asked, and forecasts that were made elsewhere."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lstm_strategy.errors import ForecastError
from lstm_strategy.evaluation.backtests import training_end
from lstm_strategy.evaluation.skill import align_to_bars, target_name
from lstm_strategy.learning.forecaster import (
    Forecaster,
    ForecasterKind,
    ForeignForecaster,
    TrainableForecaster,
)
from lstm_strategy.learning.serving import forecast_with_cache, open_forecaster
from lstm_strategy.learning.walk_forward import WalkForwardForecaster
from lstm_strategy.support import format_time

ForecastSource = Forecaster | pd.Series | pd.DataFrame | str | Path
"""A forecaster or the folder of a saved one, or annualised volatilities on dates."""


@dataclass(frozen=True, eq=False)
class ModelForecasts:
    """What one model forecast.

    Attributes:
        name: The model.
        volatility: Annualised volatility, a fraction, on the index of the bars; NaN where there is
            no forecast.
        trained_until: The last bar that the model has seen, on the clock of the bars; None where
            that isn't known.
        is_lstm: Whether it is a model to be judged, and not one to be measured against.
        origin: Where the forecasts came from, in words.
    """

    name: str
    volatility: pd.Series
    trained_until: pd.Timestamp | None
    is_lstm: bool
    origin: str


def open_models(models: Mapping[str, ForecastSource]) -> dict[str, Forecaster | pd.Series]:
    """Open saved models, and take the column `forecast` of frames.

    Raises:
        ForecastError: If there are fewer than two models, or one is of no use.
        ModelError: If there is no model in a folder.

    Example:
        >>> dates = pd.date_range("2024-01-01", periods=2)
        >>> frame = pd.DataFrame({"forecast": [0.2, 0.3]}, dates)
        >>> {name: type(m).__name__ for name, m in open_models({"a": frame, "b": frame}).items()}
        {'a': 'Series', 'b': 'Series'}
    """
    if not isinstance(models, Mapping):
        raise ForecastError(
            "models must be a mapping of names to forecasters or forecasts, got "
            f'{type(models).__name__}. Write {{"LSTM": forecaster, "EWMA": ewma}}.'
        )
    if len(models) < 2:
        raise ForecastError(
            f"models must be at least two, got {', '.join(map(str, models)) or 'none'}. Add one "
            "to measure against, such as an EWMA of the realised variance."
        )
    opened = {str(name): _open_one(str(name), model) for name, model in models.items()}
    if len(opened) < len(models):
        raise ForecastError(
            f"models must differ by their names as text, got {', '.join(map(repr, models))}."
        )
    return opened


def choose_horizon(models: Mapping[str, object], horizon: int | None) -> int:
    """Return how many bars ahead the models look.

    Args:
        models: What `open_models` gave.
        horizon: What the user asks for; None for the horizon of the forecasters, or 1.

    Raises:
        ForecastError: If a forecaster looks ahead over another number of bars.

    Example:
        >>> choose_horizon({"EWMA": pd.Series()}, None)
        1
    """
    if horizon is not None and (
        isinstance(horizon, bool) or not isinstance(horizon, int | np.integer) or horizon < 1
    ):
        raise ForecastError(f"horizon must be a whole number of bars, at least 1, got {horizon!r}.")
    own = {name: m.horizon for name, m in models.items() if isinstance(m, Forecaster)}
    wanted = horizon if horizon is not None else next(iter(own.values()), 1)
    for name, bars_ahead in own.items():
        if bars_ahead != wanted:
            raise ForecastError(
                f"all models must look equally far ahead, but {name} looks {bars_ahead} "
                f"bar{'s' if bars_ahead > 1 else ''} and the comparison {wanted}. Compare models "
                "of one horizon at a time."
            )
    return int(wanted)


def ask_model(name: str, model: Forecaster | pd.Series, bars: pd.DataFrame) -> ModelForecasts:
    """Return what a model forecasts at each bar.

    Args:
        name: The model.
        model: What `open_models` gave for it.
        bars: Valid bars, shape (n_bars, n_columns).

    Raises:
        ForecastError: If a forecast is not a volatility, or there is none.
        BarsError: If the bars lack what a forecaster reads.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> bars = sample_bars("sp500")[:3]
        >>> ask_model("mine", pd.Series([0.2], bars.index[1:2]), bars).volatility.tolist()
        [nan, 0.2, nan]
    """
    if isinstance(model, Forecaster):
        volatility = forecast_with_cache(model, bars)["forecast"].astype(float)
        end, is_lstm = training_end(model, bars), model.kind == ForecasterKind.LSTM
        origin = describe_forecaster(model)
    else:
        volatility = align_to_bars(model, bars, f"the forecasts of {name}")
        end, is_lstm, origin = None, False, "made elsewhere, taken as out of sample"
    if volatility.isna().all():
        raise ForecastError(
            f"{name} has no forecast for any of the bars, which run from "
            f"{format_time(bars.index[0])} to {format_time(bars.index[-1])}. Pass forecasts of "
            "these bars, or more bars."
        )
    return ModelForecasts(name, _check_volatility(volatility, name), end, is_lstm, origin)


def _open_one(name: str, model: Any) -> Forecaster | pd.Series:
    if isinstance(model, pd.Series):
        return model
    if isinstance(model, pd.DataFrame):
        if "forecast" not in model:
            raise ForecastError(
                f"the forecasts of {name} must be in a column forecast, got "
                f"{', '.join(map(str, model.columns)) or 'none'}. Rename it, or pass one column."
            )
        return model["forecast"]
    is_folder = isinstance(model, str | Path)
    if not is_folder and not (hasattr(model, "forecast") and hasattr(model, "stream")):
        raise ForecastError(
            f"{name} must be a forecaster, the folder of a saved one, a Series or a frame with a "
            f"column forecast, got {type(model).__name__}."
        )
    forecaster = open_forecaster(model)
    target = target_name(forecaster)
    if target not in (None, "volatility"):
        raise ForecastError(
            f"on one market compare_forecasts compares forecasts of volatility, but {name} "
            f'forecasts {target}. Train it with target="volatility", or measure it by hit_rates '
            "and information_coefficients."
        )
    return forecaster


def describe_forecaster(forecaster: Forecaster) -> str:
    """Return a forecaster in a few words: what it is, how often and until when it was trained."""
    model, parts = forecaster, []
    if isinstance(forecaster, WalkForwardForecaster):
        model = forecaster.refits[0].model
        parts.append(f"{len(forecaster.refits)} folds, the first")
    end = model.training_end
    parts.append("trained" if end is None else f"trained until {end:%Y-%m-%d}")
    if isinstance(model, TrainableForecaster):
        parts.append(f"with {json.dumps(model.describe_settings()['settings'])}")
    named = model.wrapped if isinstance(model, ForeignForecaster) else model
    return f"{type(named).__name__}, {' '.join(parts)}"


def _check_volatility(volatility: pd.Series, name: str) -> pd.Series:
    values = volatility.to_numpy()
    is_wrong = ~np.isnan(values) & ~((values > 0) & np.isfinite(values))
    if is_wrong.any():
        raise ForecastError(
            f"the forecasts of {name} must be volatilities above 0, got {values[is_wrong][0]:g} at "
            f"{format_time(volatility.index[is_wrong][0])} ({is_wrong.sum():,} bars in all). Pass "
            "annualised volatilities, 0.2 for 20%; NaN where there is none."
        )
    return volatility
