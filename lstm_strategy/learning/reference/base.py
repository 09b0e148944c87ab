"""What all models share that a network is measured against."""

from pathlib import Path
from typing import Any, Generic, NoReturn, Protocol, TypeVar

import pandas as pd

from lstm_strategy.errors import ModelError
from lstm_strategy.learning.forecaster import ForecasterKind, TrainableForecaster


class Fit(Protocol):
    """What a fit leaves behind."""

    @property
    def training_end(self) -> pd.Timestamp:
        """The last bar that it has seen."""
        ...


FitT = TypeVar("FitT", bound=Fit)


class ReferenceForecaster(TrainableForecaster, Generic[FitT]):
    """A model that the LSTM should beat. It is fitted in seconds, and isn't kept in folders.

    Attributes:
        settings: All arguments of the class but the features; one of them is the horizon.
    """

    settings: Any
    _fit: FitT | None = None

    @property
    def kind(self) -> ForecasterKind:
        """A learner, which is what the LSTM should beat."""
        return ForecasterKind.LEARNER

    @property
    def is_fitted(self) -> bool:
        """Whether the model has been fitted."""
        return self._fit is not None

    @property
    def horizon(self) -> int:
        """Bars ahead that the model looks."""
        return int(self.settings.horizon)

    @property
    def training_end(self) -> pd.Timestamp | None:
        """The last bar that the model has seen; up to here every result is in-sample."""
        return self._fit.training_end if self._fit else None

    def save(self, folder: str | Path) -> NoReturn:
        """Refuse: a model that is fitted in seconds isn't kept.

        Args:
            folder: Where nothing is written.

        Raises:
            ModelError: Always.
        """
        raise ModelError(
            f"A {type(self).__name__} can't be saved, so nothing was written to {folder}. Fit it "
            "again, or call walk_forward without folder and with n_jobs=1."
        )

    def _last_fit(self) -> FitT:
        if self._fit is None:
            raise ModelError("The forecaster isn't fitted. Call fit(bars) first.")
        return self._fit
