"""How the variance that came is measured: as the models were trained, if nobody says otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from lstm_strategy.errors import ForecastError
from lstm_strategy.learning.forecaster import Forecaster
from lstm_strategy.learning.variance import DEFAULT_ESTIMATOR, ESTIMATORS
from lstm_strategy.learning.walk_forward import WalkForwardForecaster

REALIZED_COLUMN = "realized_variance"
"""The column of the bars that holds a realised variance of the user's own."""


@dataclass(frozen=True)
class Measure:
    """A way to measure the variance of bars.

    Attributes:
        estimator: A name in `ESTIMATORS`; None where a column says it.
        column: A column of the bars; None where an estimator measures it.

    Example:
        >>> str(Measure("parkinson")), str(Measure(column="realized_variance"))
        ('parkinson', 'the column realized_variance')
    """

    estimator: str | None = None
    column: str | None = None

    def __str__(self) -> str:
        return str(self.estimator) if self.column is None else f"the column {self.column}"


def choose_measure(
    models: Mapping[str, Forecaster | pd.Series], bars: pd.DataFrame, estimator: str | None
) -> Measure:
    """Return how what came is measured.

    Args:
        models: The models; forecasters may say what they were trained to forecast.
        bars: The bars.
        estimator: What the user asks for; None for what all forecasters were trained on, or else
            the column `realized_variance`, or else the default estimator.

    Raises:
        ForecastError: If forecasters were trained on different measures, and nobody chooses.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> str(choose_measure({"EWMA": pd.Series()}, sample_bars("sp500"), None))
        'rogers_satchell_overnight'
    """
    if estimator is not None:
        return Measure(estimator)
    own = find_measures(models)
    (first, measure), *others = own.items() or [("", None)]
    for name, other in others:
        if other != measure:
            raise ForecastError(
                f"{first} forecasts the variance by {measure}, and {name} by {other}. Choose the "
                "truth that both are held against: estimator=, or realized=."
            )
    if measure is not None:
        return measure
    has_column = REALIZED_COLUMN in bars
    return Measure(column=REALIZED_COLUMN) if has_column else Measure(DEFAULT_ESTIMATOR)


def note_other_measures(models: Mapping[str, Forecaster | pd.Series], truth: str) -> list[str]:
    """Return a sentence for each forecaster that was trained to forecast something else.

    Args:
        models: The models.
        truth: What they are held against, in words. A Series may hold the column that a model was
            trained on, so that only estimators are noted then.

    Example:
        >>> note_other_measures({"EWMA": pd.Series()}, "parkinson")
        []
    """
    known = {str(Measure(estimator)) for estimator in ESTIMATORS}
    return [
        f"{name} was trained to forecast the variance by {measure}, not by {truth}."
        for name, measure in find_measures(models).items()
        if str(measure) != truth and (str(measure) in known or truth in known)
    ]


def find_measures(models: Mapping[str, Forecaster | pd.Series]) -> dict[str, Measure]:
    """Return what each forecaster was trained to forecast, if it says so.

    Args:
        models: The models.

    Example:
        >>> find_measures({"EWMA": pd.Series()})
        {}
    """
    found = {name: _measure_of(m) for name, m in models.items() if isinstance(m, Forecaster)}
    return {name: measure for name, measure in found.items() if measure is not None}


def _measure_of(forecaster: Forecaster) -> Measure | None:
    """The measure in the target or in the settings of a forecaster; None without one."""
    if isinstance(forecaster, WalkForwardForecaster):
        return _measure_of(forecaster.refits[0].model)
    for holder in (getattr(forecaster, "target", None), getattr(forecaster, "settings", None)):
        if holder is not None and hasattr(holder, "estimator"):
            column = getattr(holder, "column", None)
            if column is not None:
                return Measure(column=column)
            return Measure(holder.estimator or DEFAULT_ESTIMATOR)
    return None
