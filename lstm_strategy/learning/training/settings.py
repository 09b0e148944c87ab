"""The settings of a forecaster, checked before any work begins."""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_serializer,
    field_validator,
)

from lstm_strategy.errors import TrainingError
from lstm_strategy.learning.targets import Direction, Target, choose_target, describe_target
from lstm_strategy.support import describe_first_offence

Units = Annotated[int, Field(ge=1, le=1024)]


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
    horizon: int = Field(default=1, ge=1)
    units: tuple[Units, ...] = Field(default=(24,), min_length=1, max_length=3)
    dropout: float = Field(default=0.5, ge=0, lt=1)
    learning_rate: float = Field(default=6e-2, gt=0, le=1)
    weight_decay: float = Field(default=0.05, ge=0)
    lookback: int = Field(default=60, ge=2)
    memory: Literal["carry", "window"] = "carry"
    epochs: int = Field(default=50, ge=1)
    batch_size: int = Field(default=8, ge=1)
    patience: int = Field(default=25, ge=1)
    members: int = Field(default=5, ge=1, le=100)
    seed: int = Field(default=0, ge=0)
    validation: float = Field(default=0.2, gt=0, lt=0.9)
    mirror: bool = True

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
            raise TrainingError(f"{offence}. The default is {default!r}.") from error

    @property
    def window_rows(self) -> int | None:
        """Rows that each forecast starts afresh from; None where the state is carried."""
        return self.lookback if self.memory == "window" else None
