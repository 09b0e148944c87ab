"""How good the forecasts of one model are, on the bars that it is judged by."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lstm_strategy.errors import ForecastError
from lstm_strategy.evaluation.skill.alignment import align_calls
from lstm_strategy.evaluation.skill.hits import HitRates, count_hits
from lstm_strategy.evaluation.skill.information import InformationCoefficients, correlate_calls
from lstm_strategy.learning.forecaster import FeatureForecaster, Forecaster
from lstm_strategy.learning.serving import forecast_with_cache
from lstm_strategy.learning.targets import Target
from lstm_strategy.learning.walk_forward import WalkForwardForecaster
from lstm_strategy.support import naive_utc

_LONGER_HORIZONS = (5, 21)


@dataclass(frozen=True, eq=False)
class ModelSkill:
    """What the forecasts of a model are worth.

    Attributes:
        hits: How often they had the right sign.
        information: How closely they went with returns; None where they never differ.
        column: The column of forecasts that was measured: "forecast", or "signal" where it isn't
            known what the model is asked.
    """

    hits: HitRates
    information: InformationCoefficients | None
    column: str


def measure_model(
    model: Forecaster,
    bars: pd.DataFrame | Mapping[str, pd.DataFrame],
    *,
    start: pd.Timestamp,
    end: pd.Timestamp,
) -> ModelSkill | None:
    """Measure the forecasts of a model over its own horizon, 5 bars and 21.

    Args:
        model: Any forecaster.
        bars: Valid bars of one market, or by symbol.
        start: The first bar at whose close is forecast.
        end: The last one; what came later isn't used either.

    Returns:
        The measures; None for a model of volatility, and one that never says up or down.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> from lstm_strategy.learning.reference import LearnerForecaster
        >>> bars = sample_bars("sp500")[:"2003"]
        >>> model = LearnerForecaster("logistic", features=[{"kind": "roc", "length": 5}])
        >>> skill = measure_model(
        ...     model.fit(bars[:"2001"]), bars, start=pd.Timestamp("2002"), end=bars.index[-1]
        ... )
        >>> skill.hits.table.index.tolist(), skill.column
        ([1, 5, 21], 'forecast')
    """
    target = target_name(model)
    if target == "volatility":
        return None
    column = "signal" if target is None else "forecast"
    neutral = 0.5 if target == "direction" else 0.0
    told: Any = forecast_with_cache(model, bars)
    calls = align_calls(told, bars, column=column).between(naive_utc(start), naive_utc(end))
    horizons = sorted({model.horizon, *(h for h in _LONGER_HORIZONS if h > model.horizon)})
    try:
        hits = count_hits(calls, horizons, neutral=neutral)
    except ForecastError:  # no call, or too few bars follow
        return None
    try:
        return ModelSkill(hits, correlate_calls(calls, horizons), column)
    except ForecastError:  # all forecasts are the same
        return ModelSkill(hits, None, column)


def target_name(forecaster: Forecaster) -> str | None:
    """Return what a forecaster is asked; None where it doesn't say.

    Example:
        >>> from lstm_strategy import LSTMForecaster
        >>> target_name(LSTMForecaster(target="return"))
        'return'
    """
    target = find_target(forecaster)
    return None if target is None else target.name


def find_target(forecaster: Forecaster) -> Target | None:
    """Return what a forecaster is asked, with its settings; None where it doesn't say.

    Example:
        >>> from lstm_strategy import LSTMForecaster, Volatility
        >>> find_target(LSTMForecaster(target=Volatility(slow=100))).slow
        100
    """
    if isinstance(forecaster, WalkForwardForecaster):
        return find_target(forecaster.refits[0].model)
    if isinstance(forecaster, FeatureForecaster):
        return forecaster.target
    return None if forecaster.card is None else forecaster.card.settings.target
