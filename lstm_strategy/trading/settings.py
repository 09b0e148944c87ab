"""Settings of what is traded and how, which check themselves."""

import logging
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lstm_strategy.errors import TradingError
from lstm_strategy.support import describe_first_offence, rate_text, spell, suggest_names

log = logging.getLogger(__name__)

HIGH_COST = 0.01
"""Of the value of a trade, one way: from here on a cost is most often a percentage by mistake."""

LotSize = Annotated[float, Field(gt=0, description="units above 0; 1 trades whole shares")]


class TradingSettings(BaseModel):
    """Settings that check themselves: a refusal names the setting, its rule and the value.

    The `description` of a field says what to give instead and ends the message. A rate that was
    given and is as high as a percentage written by mistake is taken, and a warning is logged.

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

    doubted_from: ClassVar[dict[str, float]] = {}
    """From which value on a rate is most often a percentage by mistake, by setting."""

    if not TYPE_CHECKING:  # type checkers see the fields as arguments

        def __init__(self, **settings: Any) -> None:
            try:
                super().__init__(**settings)
            except ValidationError as error:
                raise TradingError(_refusal(type(self), error)) from error
            for name, doubted in self.doubted_from.items():
                if name in settings and settings[name] >= doubted:
                    self._doubt(name, settings[name])

    @classmethod
    def spell_setting(cls, name: str, value: float) -> str:
        """Return a setting as its user gives it: in Python, or as an option."""
        return spell(name, value)

    def _doubt(self, name: str, rate: float) -> None:
        log.warning(
            "%s takes %s of the value of what is traded. If %s is meant, give %s.",
            self.spell_setting(name, rate),
            rate_text(rate),
            rate_text(rate / 100),
            self.spell_setting(name, float(f"{rate / 100:.6g}")),
        )


def _refusal(settings: type[TradingSettings], error: ValidationError) -> str:
    offence = describe_first_offence(error)
    if not offence.field:  # a rule about several settings, which says its remedy itself
        return offence.rule
    if offence.is_unknown:
        known = suggest_names(offence.name, settings.model_fields)
        return f"{settings.__name__} has no setting {offence.name!r}. {known}"
    return f"{offence}. Give {settings.model_fields[offence.field].description}."
