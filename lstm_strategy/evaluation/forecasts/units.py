"""Forecasts in another unit than the truth, noticed by their size before they are scored."""

import math

import numpy as np
import pandas as pd

from lstm_strategy.errors import ForecastError

_DOUBTFUL, _IMPOSSIBLE = 4.0, 20.0
_LIKENESS = 1.4  # how far a ratio may be from that of a unit and still be taken for it
_UNITS = (
    "Pass annualised volatilities as fractions (0.2 for 20%), and realised variances per bar as "
    "fractions squared (0.0001 for a move of 1%)."
)


def check_units(forecasts: pd.DataFrame, realized: pd.Series, bars_per_year: float) -> list[str]:
    """Refuse forecasts that are in another unit than the truth, and note what is doubtful.

    Args:
        forecasts: Annualised volatilities as fractions, one column a model.
        realized: What came at the same bars, in the same unit.
        bars_per_year: Bars of a year.

    Returns:
        A sentence for each model that is more than 4 times off, but looks like no unit.

    Raises:
        ForecastError: If a model is off by the factor of a known unit or more than 20 times, or if
            all of them are 4 times too high or too low.

    Example:
        >>> check_units(pd.DataFrame({"a": [0.2, 0.3]}), pd.Series([0.1, 0.3]), 252.0)
        []
    """
    ratios = {str(name): _ratio(forecasts[name], realized) for name in forecasts}
    if min(ratios.values()) > _DOUBTFUL or max(ratios.values()) < 1.0 / _DOUBTFUL:
        low, high = min(ratios.values()), max(ratios.values())
        raise ForecastError(
            f"every model forecasts {low:.2g} to {high:.2g} times the volatility that realized "
            f"gives, {_usual(realized):.3g} a year: one of the two is in another unit. {_UNITS}"
        )
    notes = (
        _judge(name, ratio, _usual(forecasts[name]), _usual(realized), bars_per_year)
        for name, ratio in ratios.items()
    )
    return [note for note in notes if note]


def _usual(volatility: pd.Series) -> float:
    return float(volatility.median())


def _ratio(forecast: pd.Series, realized: pd.Series) -> float:
    """How many times what came was forecast: the ratio of medians or, if nearer to 1, of means.

    The median of noisy variances lies far below their mean, and one wild forecast raises a mean.
    """
    of_means = math.sqrt(float((forecast**2).mean()) / float((realized**2).mean()))
    return min(_usual(forecast) / _usual(realized), of_means, key=lambda ratio: abs(np.log(ratio)))


def _judge(name: str, ratio: float, forecast: float, usual: float, bars_per_year: float) -> str:
    """What is doubtful about a model's forecasts; "" where nothing is."""
    off = max(ratio, 1.0 / ratio)
    if off <= _DOUBTFUL:
        return ""
    said = (
        f"the forecasts of {name} have a median of {forecast:.3g} where the realised volatility "
        f"has {usual:.3g}"
    )
    root = math.sqrt(bars_per_year)
    units = {
        "percent: divide them by 100": 100.0,
        f"volatilities per bar: multiply them by {root:.3g}": 1.0 / root,
        f"percent per bar: multiply them by {root / 100:.3g}": 100.0 / root,
        "variances: take the square root": usual,
    }
    distance = {unit: abs(math.log(ratio / factor)) for unit, factor in units.items()}
    likely = min(distance, key=lambda unit: distance[unit])
    if distance[likely] <= math.log(_LIKENESS):
        raise ForecastError(f"{said}. They seem to be {likely}.")
    if off > _IMPOSSIBLE:
        raise ForecastError(f"{said}. {_UNITS}")
    return f"{said[0].upper()}{said[1:]}: are they annualised, and fractions?"
