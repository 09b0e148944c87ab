"""Settings of what is traded and how, which check themselves."""

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lstm_strategy.errors import TradingError
from lstm_strategy.support import describe_first_offence, suggest_names

LotSize = Annotated[float, Field(gt=0, description="units above 0; 1 trades whole shares")]


class TradingSettings(BaseModel):
    """Settings that check themselves: a refusal names the setting, its rule and the value.

    The `description` of a field says what to give instead and ends the message.

    Example:
        >>> class Fees(TradingSettings):
        ...     fee: Annotated[float, Field(ge=0, description="money such as 1.5")] = 0.0
        >>> Fees(fee=-1)
        Traceback (most recent call last):
        ...
        lstm_strategy.errors.TradingError: fee must be at least 0, got -1. \
Give money such as 1.5.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)

    if not TYPE_CHECKING:  # type checkers see the fields as arguments

        def __init__(self, **settings: Any) -> None:
            try:
                super().__init__(**settings)
            except ValidationError as error:
                raise TradingError(_refusal(type(self), error)) from error


def _refusal(settings: type[TradingSettings], error: ValidationError) -> str:
    offence = describe_first_offence(error)
    if not offence.field:  # a rule about several settings, which says its remedy itself
        return offence.rule
    if offence.is_unknown:
        known = suggest_names(offence.name, settings.model_fields)
        return f"{settings.__name__} has no setting {offence.name!r}. {known}"
    return f"{offence}. Give {settings.model_fields[offence.field].description}."
