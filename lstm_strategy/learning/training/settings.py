"""The settings of a forecaster, checked before any work begins."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_serializer,
    field_validator,
)
from pydantic_core import PydanticKnownError

from lstm_strategy.errors import TrainingError
from lstm_strategy.learning.targets import Direction, Target, choose_target, describe_target
from lstm_strategy.support import describe_first_offence, spell

_ROUNDING = 1e-6  # of a mean: single precision has no smaller deviations


def _refuse_text(kind: Literal["int_type", "float_type", "bool_type"]) -> BeforeValidator:
    """A check of pydantic's that takes no text for a number, and a number of numpy as a plain one.

    Instruments and `BrokerSettings` refuse text as well; pydantic alone would read "5" as 5, and
    leave a number of numpy as it is.

    Args:
        kind: How pydantic calls the refusal.
    """

    def check(value: Any) -> Any:
        if isinstance(value, str | bytes):
            raise PydanticKnownError(kind)
        return value.item() if isinstance(value, np.generic) else value

    return BeforeValidator(check)


WholeNumber = Annotated[int, _refuse_text("int_type")]
"""A whole number, which may be a float such as 5.0 but no text."""
RealNumber = Annotated[float, _refuse_text("float_type")]
"""A number that is no text."""
Flag = Annotated[bool, _refuse_text("bool_type")]
"""True or False, and no word for it."""
Units = Annotated[WholeNumber, Field(ge=1, le=1024)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class FeatureUnits(BaseModel):
    """How the features of one market are brought to the units of the panel.

    Attributes:
        factor: By what each feature is multiplied, shape (n_features,).
        offset: What is added to it then.

    Example:
        >>> FeatureUnits(factor=(2.0,), offset=(1.0,)).convert(np.array([[3.0], [5.0]])).tolist()
        [[7.0], [11.0]]
    """

    model_config = ConfigDict(frozen=True)

    factor: tuple[Number, ...]
    offset: tuple[Number, ...]

    @classmethod
    def between(cls, own: np.ndarray, panel: np.ndarray) -> Self:
        """The units in which rows of a market have the mean and the deviation of a panel's.

        Args:
            own: Features of the market, shape (n_rows, n_features). One that never changes is only
                shifted.
            panel: Those of all markets.
        """
        means = [rows.mean(axis=0, dtype=np.float64) for rows in (own, panel)]
        deviations = [rows.std(axis=0, dtype=np.float64) for rows in (own, panel)]
        changes = deviations[0] > _ROUNDING * np.abs(means[0])
        factor = np.divide(deviations[1], deviations[0], out=np.ones(len(changes)), where=changes)
        return cls(factor=tuple(factor), offset=tuple(means[1] - factor * means[0]))

    def convert(self, rows: np.ndarray) -> np.ndarray:
        """Bring features to the units of the panel, of shape (..., n_features)."""
        converted: np.ndarray = rows * np.array(self.factor) + np.array(self.offset)
        return converted


@dataclass(frozen=True)
class MarketInputs:
    """What is done with the rows of one market before a network takes them.

    Attributes:
        units: How its features are brought to the units of the panel; None for as they come.
        vector: What follows the features in every row: the vectors that the members learned of
            the market, one behind the other.

    Example:
        >>> MarketInputs(vector=(7.0,)).convert(np.array([[1.0], [2.0]])).tolist()
        [[1.0, 7.0], [2.0, 7.0]]
    """

    units: FeatureUnits | None = None
    vector: tuple[float, ...] = ()

    def convert(self, rows: np.ndarray) -> np.ndarray:
        """The rows that the network takes, of features of shape (..., n_features)."""
        known = rows if self.units is None else self.units.convert(rows)
        if not self.vector:
            return known
        tail = np.broadcast_to(
            np.array(self.vector, known.dtype), (*known.shape[:-1], len(self.vector))
        )
        return np.concatenate([known, tail], axis=-1)


class ForecasterSettings(BaseModel):
    """How a network is built and trained: the arguments of `LSTMForecaster`, checked.

    `dict(settings)` gives them back; `model_dump` and `model_dump_json` describe the target in
    words. `LSTMForecaster` says what each of them means.

    Example:
        >>> ForecasterSettings(units=(16, 8), target="direction").window_rows is None
        True
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    target: Target = Direction()
    horizon: WholeNumber = Field(default=1, ge=1)
    units: tuple[Units, ...] = Field(default=(24,), min_length=1, max_length=3)
    dropout: RealNumber = Field(default=0.5, ge=0, lt=1)
    learning_rate: RealNumber = Field(default=6e-2, gt=0, le=1)
    weight_decay: RealNumber = Field(default=0.05, ge=0)
    lookback: WholeNumber = Field(default=60, ge=2)
    memory: Literal["carry", "window"] = "carry"
    epochs: WholeNumber = Field(default=50, ge=1)
    batch_size: WholeNumber = Field(default=8, ge=1)
    patience: WholeNumber = Field(default=25, ge=1)
    members: WholeNumber = Field(default=5, ge=1, le=100)
    seed: WholeNumber = Field(default=0, ge=0)
    validation: RealNumber = Field(default=0.2, gt=0, lt=0.9)
    mirror: Flag = True
    scaling: Literal["panel", "market"] = "panel"
    market_embedding: WholeNumber = Field(default=0, ge=0, le=64)

    @field_validator("target", mode="plain")
    @classmethod
    def _choose_target(cls, target: Any) -> Target:
        return choose_target(target)

    @field_serializer("target")
    def _describe_target(self, target: Target) -> str | dict[str, Any]:
        return describe_target(target)

    @classmethod
    def from_arguments(cls, **arguments: Any) -> Self:
        """Check arguments of `LSTMForecaster`.

        Args:
            arguments: Any of the fields, by name.

        Returns:
            The settings, with the defaults for what wasn't given.

        Raises:
            TrainingError: Naming the first argument that is off, the rule, what was received and
                the default.
        """
        if "target" in arguments:
            arguments["target"] = choose_target(arguments["target"])
        try:
            return cls(**arguments)
        except ValidationError as error:
            offence = describe_first_offence(error)
            if offence.is_unknown:
                raise TrainingError(
                    f"LSTMForecaster has no argument {offence.name!r}. Known: "
                    f"{', '.join(cls.model_fields)}."
                ) from error
            default = cls.model_fields[offence.field].default
            shown = repr(default) if spell(offence.field) == offence.field else _value_text(default)
            raise TrainingError(f"{offence}. The default is {shown}.") from error

    @property
    def window_rows(self) -> int | None:
        """Rows that each forecast starts afresh from; None where the state is carried."""
        return self.lookback if self.memory == "window" else None


def _value_text(value: object) -> str:
    """A default as both Python and the command line take it: `24` for the one layer of (24,)."""
    return ", ".join(map(repr, value)) if isinstance(value, tuple) and value else repr(value)
