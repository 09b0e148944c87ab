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
from lstm_strategy.learning.targets import Direction, Target, choose_target

Units = Annotated[int, Field(ge=1, le=1024)]


class ForecasterSettings(BaseModel):
    """How the network is built and trained; one field for each argument of LSTMForecaster."""

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
    def _describe_target(self, target: Target) -> str:
        return target.describe()

    @classmethod
    def checked(cls, **arguments: Any) -> Self:
        """The settings, or one clear error that names the first argument that is off.

        Raises:
            TrainingError: the rule, what was received, and the remedy.
        """
        try:
            return cls(**arguments)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(map(str, first["loc"]))
            if first["type"] == "extra_forbidden":
                known = ", ".join(cls.model_fields)
                raise TrainingError(
                    f"LSTMForecaster has no argument {name!r}. Known: {known}."
                ) from error
            if name == "target":
                raise first["ctx"]["error"] from error
            raise TrainingError(
                f"{name}: {first['msg'][0].lower()}{first['msg'][1:]}, got {first['input']!r}. "
                f"The default is {cls.model_fields[str(first['loc'][0])].default!r}."
            ) from error
