"""What every forecaster is and gives: the base classes that other rooms rely on."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import numpy as np
import pandas as pd

from lstm_strategy.errors import ModelError
from lstm_strategy.learning.features import BASE_COLUMNS, FeatureSet
from lstm_strategy.learning.forecaster.answers import complete_forecasts
from lstm_strategy.learning.forecaster.checkpoint import Snapshot, resume_from
from lstm_strategy.learning.forecaster.model_card import ModelCard
from lstm_strategy.support import OnEpoch


class ForecasterKind(StrEnum):
    """What a forecaster counts as in tables and verdicts.

    Attributes:
        LSTM: The model that is judged, which includes one of the user's own.
        LEARNER: A reference model that the judged one should beat.

    Example:
        >>> ForecasterKind.LEARNER == "learner"
        True
    """

    LSTM = "lstm"
    LEARNER = "learner"


@dataclass(frozen=True)
class Forecast:
    """What is known at the close of one bar; all numbers are NaN in warm-up.

    A target that gives more columns than these, such as quantiles, has them in `others` and as
    attributes, so that `vars` of a forecast is a row of `Forecaster.forecast`.

    Attributes:
        signal: The exposure that the forecast asks for, -1…1.
        forecast: What the target says; for the direction how likely a rise is, 0…1, with moves
            weighted by their size, so that rises and falls cancel at 0.5.
        uncertainty: The standard deviation between the members of the ensemble.
        novelty: How strange the state of the network is to it, as a multiple of what is usual:
            above 1 for hardly any bar of a market like that of the training. NaN where the model
            doesn't say.

    Example:
        >>> Forecast(signal=0.4, forecast=0.52, uncertainty=0.01).signal
        0.4
        >>> row = {"signal": 0.4, "forecast": 0.01, "uncertainty": 0.002, "q10": -0.03}
        >>> Forecast.from_row(row).others
        {'q10': -0.03}
    """

    signal: float
    forecast: float
    uncertainty: float
    novelty: float = np.nan

    @classmethod
    def from_row(cls, row: Mapping[str, float]) -> "Forecast":
        """The forecast in a row of columns, the other ones included.

        Args:
            row: Signal, forecast, uncertainty and any others, by name.
        """
        usual = [field.name for field in fields(cls)]
        forecast = cls(**{name: row[name] for name in usual if name in row})
        known = vars(forecast)
        known.clear()  # what the row lacks is that of the class, and all else in its order
        known.update(row)
        return forecast

    @property
    def others(self) -> dict[str, float]:
        """The columns of the target beyond those that all have, by name."""
        usual = {field.name for field in fields(self)}
        return {name: value for name, value in vars(self).items() if name not in usual}


UNKNOWN_FORECAST = Forecast(np.nan, np.nan, np.nan)
"""The forecast of a bar in warm-up."""


class Stream(Protocol):
    """A forecaster that is fed one bar at a time.

    Example:
        >>> class Same:
        ...     def update(self, bar):
        ...         return UNKNOWN_FORECAST
        ...     peek = update
        >>> stream: Stream = Same()
    """

    def update(self, bar: Mapping[str, Any]) -> Forecast:
        """Take a closed bar and return what is known at its close."""
        ...

    def peek(self, bar: Mapping[str, Any]) -> Forecast:
        """Return what `update` would answer if `bar` closed as it is now; nothing is kept."""
        ...


class Forecaster(ABC):
    """Gives a forecast for every bar, all at once or bar by bar.

    A subclass must say what it needs (`warm_up`, `bars_columns`), what it has seen
    (`training_end`) and how it forecasts (`forecast`, `stream`). All else has a default.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> from lstm_strategy.learning.forecaster import FORECAST_COLUMNS, Forecaster
        >>> class HoldForecaster(Forecaster):
        ...     warm_up, bars_columns, training_end = 0, ["close"], None
        ...
        ...     def forecast(self, bars):
        ...         return pd.DataFrame(index=bars.index, columns=FORECAST_COLUMNS, data=1.0)
        ...
        ...     def stream(self, history=None):
        ...         raise NotImplementedError
        >>> HoldForecaster().member_signals(sample_bars()).shape[1]
        1
    """

    @property
    @abstractmethod
    def warm_up(self) -> int:
        """Bars before the first forecast."""

    @property
    @abstractmethod
    def bars_columns(self) -> list[str]:
        """The columns that bars must have."""

    @property
    @abstractmethod
    def training_end(self) -> pd.Timestamp | None:
        """The last bar that the model has seen, up to which results are in-sample; or None."""

    @abstractmethod
    def forecast(self, bars: pd.DataFrame) -> pd.DataFrame:
        """Forecast every bar.

        Args:
            bars: Bars with at least `bars_columns`, shape (n_bars, n_columns).

        Returns:
            The columns signal, forecast, uncertainty and novelty on the index of `bars`, each value
            known at the close of its row and NaN in warm-up. Where a class of the user's own gives
            the signal alone, the others count as NaN.
        """

    @abstractmethod
    def stream(self, history: pd.DataFrame | None = None) -> Stream:
        """Give the same forecasts bar by bar, starting after `history` if there is one."""

    def resume(self, path: str | Path) -> Any:
        """Go on with the stream that wrote a checkpoint, as if it had never ended.

        Args:
            path: What `checkpoint` of a stream of this model wrote.

        Returns:
            The stream, of a panel that of all its markets. Its numbers are those of the one that
            wrote the checkpoint, to the last bit; the next bar that it takes is the one after the
            last that the other took.

        Raises:
            ModelError: If there is no such file, it is damaged, it was written by another version
                or for another model, or this kind of model writes none.
        """
        return resume_from(path, self.restore, fingerprint=self.fingerprint)

    def restore(self, snapshot: Snapshot) -> Any:
        """Make a stream of what its `snapshot` gave; see `resume`.

        Raises:
            ModelError: If this kind of model can't.
        """
        raise ModelError(
            f"A {type(self).__name__} can't go on from a checkpoint. Begin with stream(history)."
        )

    @property
    def kind(self) -> ForecasterKind:
        """What the forecaster counts as in tables and verdicts."""
        return ForecasterKind.LSTM

    @property
    def reads_volume(self) -> bool:
        """Whether a forecast may depend on the volume, so that every bar must have one."""
        return True

    @property
    def horizon(self) -> int:
        """Bars ahead that the target looks."""
        return 1

    @property
    def context_bars(self) -> int:
        """Bars of history after which a forecast hardly depends on where the history began."""
        return self.warm_up

    @property
    def takes_panels(self) -> bool:
        """Whether `forecast` and `stream` take a panel: bars by symbol, of which each may be empty.

        The former gives a frame a market then, the latter takes the bars of a moment by symbol.
        """
        return False

    @property
    def fingerprint(self) -> str | None:
        """A short name for all that decides a forecast but the bars; None: never cached."""
        return None

    @property
    def ledger(self) -> pd.DataFrame | None:
        """Which model forecast each bar; None where one model forecasts them all."""
        return None

    @property
    def card(self) -> ModelCard | None:
        """Where the model came from; None where that isn't recorded."""
        return None

    @property
    def cards(self) -> list[ModelCard]:
        """Where each of its models came from, in the order of time; none where it isn't known."""
        return [] if self.card is None else [self.card]

    def warn_of_other_bars(self, bars: pd.DataFrame) -> None:  # noqa: B027
        """Log where valid bars are unlike those of the training; nothing unless overridden."""

    def member_signals(self, bars: pd.DataFrame) -> pd.DataFrame:
        """Give the signal that each member of the ensemble alone would give.

        Args:
            bars: Bars with at least `bars_columns`.

        Returns:
            Shape (n_bars, n_members), -1…1; NaN where `forecast` is. Without an ensemble there
            is one member.
        """
        return self.forecast(bars)[["signal"]].set_axis([0], axis=1)


class TrainableForecaster(Forecaster):
    """A forecaster that can be trained again, as a walk forward and a search do.

    Attributes:
        features: What the model sees.
        learns_from_panels: Whether `fit` takes a panel, bars by symbol, and what to do `on_bad`
            markets.

    Example:
        >>> from lstm_strategy import LSTMForecaster
        >>> forecaster: TrainableForecaster = LSTMForecaster(units=(16,))
        >>> copy = forecaster.unfitted_copy(horizon=5)
        >>> copy.describe_settings()["settings"]["units"], copy.horizon
        ([16], 5)
    """

    features: FeatureSet
    learns_from_panels: ClassVar[bool] = False

    @property
    @abstractmethod
    def is_fitted(self) -> bool:
        """Whether the forecaster has been trained or loaded."""

    @abstractmethod
    def unfitted_copy(self, **changes: Any) -> Self:
        """Return a forecaster with the same settings, save for `changes`, untrained."""

    @abstractmethod
    def fit(
        self,
        bars: pd.DataFrame,
        *,
        leave_out: np.ndarray | None = None,
        validation: np.ndarray | None = None,
        progress: bool | OnEpoch | None = None,
        callbacks: Sequence[Any] = (),
    ) -> Self:
        """Train on `bars` and return self.

        Args:
            bars: Open, high, low, close, volume and what the features read besides.
            leave_out: True for bars whose label must not be learned from, shape (n_bars,).
            validation: True for the bars that are held out, shape (n_bars,).
            progress: Whether to show a progress bar (None: where somebody looks), or a function
                that is called after each epoch.
            callbacks: Keras callbacks; a model that isn't trained by Keras ignores them.
        """

    def check_enough_bars(self, n_bars: int) -> None:
        """Refuse fewer bars than a training needs; nothing unless overridden.

        Raises:
            TrainingError: With the number that is needed.
        """

    @abstractmethod
    def save(self, folder: str | Path) -> Path:
        """Write the model as a folder, whole or not at all, and return its path."""

    @abstractmethod
    def describe_settings(self) -> dict[str, Any]:
        """Return all settings as plain values that JSON can hold.

        Returns:
            `settings` (argument → value), `features` (as `FeatureSet.describe` gives them) and
            `network` (the name of the user's own network builder, "" without one).
        """


class ForeignForecaster(Forecaster):
    """An object that has `forecast` and `stream` and isn't a `Forecaster`.

    What the object lacks gets the default of `Forecaster`; without `warm_up` none is assumed, and
    without `bars_columns` the usual five.

    Args:
        wrapped: The object.

    Example:
        >>> class Mine:
        ...     def forecast(self, bars): ...
        ...     def stream(self): ...
        >>> ForeignForecaster(Mine()).warm_up
        0
    """

    def __init__(self, wrapped: Any) -> None:
        self.wrapped = wrapped

    def __repr__(self) -> str:
        return repr(self.wrapped)

    @property
    def warm_up(self) -> int:
        """Bars before the first forecast."""
        return int(getattr(self.wrapped, "warm_up", 0))

    @property
    def bars_columns(self) -> list[str]:
        """The columns that bars must have."""
        return list(getattr(self.wrapped, "bars_columns", BASE_COLUMNS))

    @property
    def training_end(self) -> pd.Timestamp | None:
        """The last bar that the model has seen; None where the object doesn't say."""
        return getattr(self.wrapped, "training_end", None)

    @property
    def reads_volume(self) -> bool:
        """Whether a forecast may depend on the volume; it may where the object is silent."""
        return bool(getattr(self.wrapped, "reads_volume", super().reads_volume))

    @property
    def horizon(self) -> int:
        """Bars ahead that the target looks."""
        return int(getattr(self.wrapped, "horizon", super().horizon))

    @property
    def context_bars(self) -> int:
        """Bars of history after which a forecast hardly depends on where the history began."""
        return int(getattr(self.wrapped, "context_bars", super().context_bars))

    @property
    def fingerprint(self) -> str | None:
        """A short name for all that decides a forecast but the bars; None: never cached."""
        return getattr(self.wrapped, "fingerprint", None)

    @property
    def ledger(self) -> pd.DataFrame | None:
        """Which model forecast each bar; None where the object doesn't say."""
        return getattr(self.wrapped, "ledger", None)

    def forecast(self, bars: pd.DataFrame) -> pd.DataFrame:
        """Forecast every bar, as the object does; what it doesn't say beside the signal is NaN.

        Raises:
            ModelError: If the object gives no signal, other rows than the bars, or no numbers.
        """
        return complete_forecasts(self.wrapped.forecast(bars), bars, self.wrapped)

    def resume(self, path: str | Path) -> Any:
        """Go on from a checkpoint, as the object does; ModelError where it can't."""
        resume = getattr(self.wrapped, "resume", None)
        return super().resume(path) if resume is None else resume(path)

    def stream(self, history: pd.DataFrame | None = None) -> Stream:
        """Give forecasts bar by bar, as the object does."""
        stream: Stream = self.wrapped.stream() if history is None else self.wrapped.stream(history)
        return stream

    def member_signals(self, bars: pd.DataFrame) -> pd.DataFrame:
        """Give the signal of each member, or the only one that the object gives."""
        if not hasattr(self.wrapped, "member_signals"):
            return super().member_signals(bars)
        signals: pd.DataFrame = self.wrapped.member_signals(bars)
        return signals
