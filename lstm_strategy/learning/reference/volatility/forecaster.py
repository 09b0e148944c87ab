"""A reference model of volatility, in the place of an LSTM."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lstm_strategy.bars import bars_per_year, proportional_bars, validate_bars
from lstm_strategy.errors import BarsError, TrainingError
from lstm_strategy.learning.features import BASE_COLUMNS
from lstm_strategy.learning.forecaster import (
    FORECAST_COLUMNS,
)
from lstm_strategy.learning.reference.base import ReferenceForecaster
from lstm_strategy.learning.reference.volatility.ewma import EwmaModel, fit_ewma
from lstm_strategy.learning.reference.volatility.garch import fit_garch
from lstm_strategy.learning.reference.volatility.har import HAR_BARS, fit_log_har
from lstm_strategy.learning.reference.volatility.rows import VarianceModel, VarianceRows
from lstm_strategy.learning.reference.volatility.stream import VolatilityStream
from lstm_strategy.learning.training import RealNumber, WholeNumber
from lstm_strategy.learning.variance import check_measure, check_unit
from lstm_strategy.support import OnEpoch, describe_first_offence, explain_arguments

ModelName = Literal["ewma", "log_har", "log_har_leverage", "garch", "gjr_garch_t"]

_FEWEST_LABELS = 100
_WARM_UP = HAR_BARS[-1]  # the same for all models, so that they are measured on the same bars

_FITS: Mapping[str, Callable[[VarianceRows, np.ndarray, int], VarianceModel]] = {
    "ewma": fit_ewma,
    "log_har": partial(fit_log_har, has_leverage=False),
    "log_har_leverage": partial(fit_log_har, has_leverage=True),
    "garch": partial(fit_garch, kind="garch"),
    "gjr_garch_t": partial(fit_garch, kind="gjr_garch_t"),
}


class VolatilitySettings(BaseModel):
    """The arguments of `VolatilityForecaster`, checked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: ModelName
    horizon: WholeNumber = Field(ge=1)
    estimator: str | None
    column: str | None
    decay: RealNumber | None = Field(gt=0, lt=1)
    target_volatility: RealNumber = Field(gt=0, allow_inf_nan=False)
    max_exposure: RealNumber = Field(gt=0, allow_inf_nan=False)


@dataclass(frozen=True, eq=False)
class _Fit:
    """What a training leaves: the model, the bars of a year, the last bar it has seen."""

    model: VarianceModel
    bars_per_year: float
    training_end: pd.Timestamp


class VolatilityForecaster(ReferenceForecaster[_Fit]):
    """A model of volatility that a network should beat.

    `fit` estimates its parameters on the bars that it is given; forecasts filter other bars with
    these parameters. The forecast is the annualised volatility over the next `horizon` bars, and
    the signal the exposure that makes it the target volatility. It doesn't say which way prices
    will go: the signal is never negative.

    Args:
        model: "ewma" (an exponentially weighted mean of variances), "log_har" (a regression of log
            variances on those of 1, 5 and 22 bars), "log_har_leverage" (on losses besides),
            "garch" (GARCH(1,1), normal) or "gjr_garch_t" (with leverage and Student's t).
        horizon: Bars ahead whose mean variance is forecast.
        estimator: How the variance of a bar is measured, a name in `ESTIMATORS`; None for
            "rogers_satchell_overnight", a whole day's.
        column: A column of the bars that holds the variance of each bar instead, as a fraction
            squared.
        decay: What each bar weighs of the next one in "ewma", 0.94 for that of RiskMetrics; None
            to choose it in training by the QLIKE loss.
        target_volatility: Annualised volatility that the signal aims at, a fraction.
        max_exposure: The largest signal.

    Attributes:
        settings: All arguments.

    Raises:
        TrainingError: Naming the first argument that is off.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> bars = sample_bars().iloc[:400]
        >>> frame = VolatilityForecaster("log_har").fit(bars.iloc[:300]).forecast(bars)
        >>> int(frame["forecast"].isna().sum()), bool(frame["forecast"].median() < 0.3)
        (22, True)
    """

    @explain_arguments(TrainingError)
    def __init__(
        self,
        model: ModelName,
        *,
        horizon: int = 1,
        estimator: str | None = None,
        column: str | None = None,
        decay: float | None = None,
        target_volatility: float = 0.15,
        max_exposure: float = 1.0,
    ) -> None:
        try:
            self.settings = VolatilitySettings(
                model=model,
                horizon=horizon,
                estimator=estimator,
                column=column,
                decay=decay,
                target_volatility=target_volatility,
                max_exposure=max_exposure,
            )
            check_measure(estimator=estimator, column=column)
        except ValidationError as error:
            raise TrainingError(f"{describe_first_offence(error)}.") from error
        except BarsError as error:
            raise TrainingError(str(error)) from error
        if estimator == "yang_zhang":
            raise TrainingError(
                "estimator must measure the variance of one bar, and yang_zhang needs several. "
                "Take rogers_satchell_overnight."
            )

    @property
    def warm_up(self) -> int:
        """Bars before the first forecast, the same for all models."""
        return _WARM_UP

    @property
    def context_bars(self) -> int:
        """Bars of history after which a forecast no longer depends on where it began."""
        return _WARM_UP + (self._fit.model.memory if self._fit else 0) + 1

    @property
    def bars_columns(self) -> list[str]:
        """The columns that bars must have."""
        column = self.settings.column
        return [*BASE_COLUMNS, *([] if column is None else [column])]

    @property
    def reads_volume(self) -> bool:
        """No: prices and, if there is one, the column."""
        return False

    def unfitted_copy(self, **changes: Any) -> Self:
        """Return a forecaster with the same arguments, save for `changes`, without parameters."""
        return type(self)(**{**dict(self.settings), **changes})

    def describe_settings(self) -> dict[str, Any]:
        """Return all arguments as plain values that JSON can hold."""
        return {"settings": self.settings.model_dump(mode="json"), "features": {}, "network": ""}

    def check_enough_bars(self, n_bars: int) -> None:
        """Refuse fewer bars than a fit needs.

        Raises:
            TrainingError: With the number that is needed.
        """
        needed = _WARM_UP + _FEWEST_LABELS + self.horizon
        if n_bars < needed:
            raise TrainingError(
                f"A model of volatility needs {needed} bars, of which {_WARM_UP} warm it up and "
                f"{self.horizon} have no label yet, got {n_bars}. Load more history."
            )

    def fit(
        self,
        bars: pd.DataFrame,
        *,
        leave_out: np.ndarray | None = None,
        validation: np.ndarray | None = None,
        progress: bool | OnEpoch | None = None,
        callbacks: Sequence[Any] = (),
    ) -> Self:
        """Estimate the parameters on `bars` and return self.

        Args:
            bars: Open, high, low, close, volume and the column of the variance, if there is one.
            leave_out: True for bars whose label must not be learned from, shape (n_bars,).
            validation: Taken as by `LSTMForecaster`; these bars are learned from here.
            progress: Taken as by `LSTMForecaster` and unused: there are no epochs to count.
            callbacks: Taken as by `LSTMForecaster` and unused: this isn't Keras.

        Raises:
            BarsError: At the first bad bar, or a column that isn't the variance of a bar.
            TrainingError: If there are too few bars, or nothing moves.
        """
        bars = proportional_bars(validate_bars(bars))
        self.check_enough_bars(len(bars))
        rows = self._rows_of(bars)
        if self.settings.column is not None:
            check_unit(rows.variance, bars["close"], name=self.settings.column)
        learns = self._find_rows_to_learn(rows, leave_out)
        years_bars = bars_per_year(pd.DatetimeIndex(bars.index))
        self._fit = _Fit(self._fit_model(rows, learns), years_bars, bars.index[-1])
        return self

    def forecast(self, bars: pd.DataFrame) -> pd.DataFrame:
        """Forecast the volatility at every bar, each at its close.

        Args:
            bars: What `bars_columns` says, shape (n_bars, n_columns).

        Returns:
            The columns signal (target volatility over forecast volatility, at most
            `max_exposure`), forecast (annualised volatility, a fraction) and uncertainty (0) on
            the index of `bars`; NaN in the first `warm_up` rows.

        Raises:
            BarsError: At the first bad bar, or without the column of the variance.
            ModelError: If the forecaster hasn't been fitted.
        """
        self._last_fit()
        return self._forecast_valid(validate_bars(bars, may_stand_still=True))

    def stream(self, history: pd.DataFrame | None = None) -> VolatilityStream:
        """Give the same forecasts bar by bar, starting after `history` if there is one.

        Raises:
            BarsError: At the first bad bar of the history.
            ModelError: If the forecaster hasn't been fitted.
        """
        self._last_fit()
        return VolatilityStream(
            self._forecast_valid,
            columns=self.bars_columns,
            context_bars=self.context_bars,
            history=None if history is None else validate_bars(history, may_stand_still=True),
        )

    def __repr__(self) -> str:
        state = f"trained to {self.training_end:%Y-%m-%d}" if self.is_fitted else "not fitted"
        return f"VolatilityForecaster({self.settings.model!r}, horizon={self.horizon}, {state})"

    def _rows_of(self, bars: pd.DataFrame) -> VarianceRows:
        return VarianceRows.of_bars(
            bars, estimator=self.settings.estimator, column=self.settings.column
        )

    def _find_rows_to_learn(self, rows: VarianceRows, leave_out: np.ndarray | None) -> np.ndarray:
        """The rows whose inputs and label are known and may be learned from, shape (n_bars,)."""
        is_known = (
            rows.coming_variance(self.horizon).notna()
            & rows.variance.rolling(_WARM_UP).mean().notna()
        )
        learns: np.ndarray = is_known.to_numpy() & (np.arange(len(is_known)) >= _WARM_UP)
        if leave_out is not None:
            learns &= ~leave_out
        if learns.sum() < _FEWEST_LABELS:
            raise TrainingError(
                f"A model of volatility learns from at least {_FEWEST_LABELS} bars whose variance "
                f"is known, got {int(learns.sum())}. Load more history."
            )
        return learns

    def _fit_model(self, rows: VarianceRows, learns: np.ndarray) -> VarianceModel:
        if self.settings.model == "ewma" and self.settings.decay is not None:
            return EwmaModel(self.settings.decay)
        return _FITS[self.settings.model](rows, learns, self.horizon)

    def _forecast_valid(self, bars: pd.DataFrame) -> pd.DataFrame:
        fit = self._last_fit()
        bars = proportional_bars(bars)
        variance = fit.model.forecast(self._rows_of(bars)).to_numpy().copy()
        variance[:_WARM_UP] = np.nan
        volatility = np.sqrt(variance * fit.bars_per_year)
        signal = np.minimum(
            self.settings.target_volatility / volatility, self.settings.max_exposure
        )
        columns = (signal, volatility, volatility * 0)
        return pd.DataFrame(np.column_stack(columns), bars.index, FORECAST_COLUMNS)


def volatility_baselines(
    *,
    horizon: int = 1,
    estimator: str | None = None,
    column: str | None = None,
    target_volatility: float = 0.15,
    max_exposure: float = 1.0,
) -> dict[str, VolatilityForecaster]:
    """Build the models of volatility that a network should beat.

    Args:
        horizon: Bars ahead whose mean variance is forecast.
        estimator: How the variance of a bar is measured; see `VolatilityForecaster`.
        column: A column of the bars that holds it instead.
        target_volatility: Annualised volatility that signals aim at, a fraction.
        max_exposure: The largest signal.

    Returns:
        Forecasters without parameters by the name for tables.

    Raises:
        TrainingError: Naming the first argument that is off.

    Example:
        >>> list(volatility_baselines())
        ['EWMA', 'log-HAR', 'log-HAR with leverage', 'GARCH', 'GJR-GARCH-t']
    """
    models: dict[str, ModelName] = {
        "EWMA": "ewma",
        "log-HAR": "log_har",
        "log-HAR with leverage": "log_har_leverage",
        "GARCH": "garch",
        "GJR-GARCH-t": "gjr_garch_t",
    }
    return {
        name: VolatilityForecaster(
            model,
            horizon=horizon,
            estimator=estimator,
            column=column,
            target_volatility=target_volatility,
            max_exposure=max_exposure,
        )
        for name, model in models.items()
    }
