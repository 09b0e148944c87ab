"""Forecasts in another unit than the truth, noticed by their size before they are scored."""

import math

import pandas as pd

from lstm_strategy.errors import ForecastError

_DOUBTFUL, _IMPOSSIBLE = 4.0, 20.0
_WILDEST_YEAR = 3.0  # a volatility that no market has in the median
_LIKENESS = 1.4  # how far a ratio may be from that of a unit and still be taken for it


def check_units(forecasts: pd.DataFrame, realized: pd.Series, bars_per_year: float) -> list[str]:
    """Refuse forecasts that are in another unit than the truth, and note what is doubtful.

    Args:
        forecasts: Annualised volatilities as fractions, one column a model.
        realized: What came at the same bars, in the same unit.
        bars_per_year: Bars of a year.

    Returns:
        A sentence for each model whose median is more than 4 times off, but looks like no unit.

    Raises:
        ForecastError: If a median is off by the factor of a known unit, or more than 20 times.

    Example:
        >>> check_units(pd.DataFrame({"a": [0.2, 0.3]}), pd.Series([0.1, 0.3]), 252.0)
        []
    """
    usual = float(realized.median())
    ratios = {str(name): float(forecasts[name].median()) / usual for name in forecasts}
    if usual > _WILDEST_YEAR and max(ratios.values()) < 1.0 / _IMPOSSIBLE:
        times = 1.0 / max(ratios.values())
        raise ForecastError(
            f"realized gives a median volatility of {usual:.3g} a year, {times:.3g} times what any "
            "model forecasts. Pass variances per bar as fractions squared: divide percent squared "
            "by 10,000."
        )
    notes = (_judge(name, ratio, usual, bars_per_year) for name, ratio in ratios.items())
    return [note for note in notes if note]


def _judge(name: str, ratio: float, usual: float, bars_per_year: float) -> str:
    """What is doubtful about a model's forecasts; "" where nothing is."""
    off = max(ratio, 1.0 / ratio)
    if off <= _DOUBTFUL:
        return ""
    said = (
        f"the forecasts of {name} have a median of {ratio * usual:.3g} where the realised "
        f"volatility has {usual:.3g}"
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
        raise ForecastError(f"{said}. Pass annualised volatilities as fractions, 0.2 for 20%.")
    return f"{said[0].upper()}{said[1:]}: are they annualised, and fractions?"
