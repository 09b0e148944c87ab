"""What trading costs and how finely it can be done."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lstm_strategy.errors import TradingError
from lstm_strategy.support import suggest_names


class BrokerSettings(BaseModel):
    """What trading costs and how finely it can be done; rates are fractions.

    ``commission_rate`` is charged on the value of every fill; ``slippage_rate`` moves market
    fills from the open against the trader, at most to the end of the bar's range and, for a buy,
    to its collar. ``lot_size``, ``reserve`` and ``band`` are explained at `TargetStrategy`.

    Raises `TradingError` for an unknown name or a value out of range.

    >>> BrokerSettings(commission_rate=0.002).cash
    100000.0
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    cash: float = Field(100_000.0, gt=0, description="starting money above 0, such as 10_000")
    commission_rate: float = Field(0.001, ge=0, lt=1, description="a fraction such as 0.001")
    slippage_rate: float = Field(0.0005, ge=0, lt=1, description="a fraction such as 0.0005")
    lot_size: float = Field(1e-6, gt=0, description="units above 0; 1 trades whole shares")
    reserve: float = Field(0.01, ge=0, lt=1, description="a fraction of the price such as 0.01")
    band: float = Field(0.1, ge=0, description="a fraction of equity such as 0.1")

    def __init__(self, **settings: Any) -> None:
        try:
            super().__init__(**settings)
        except ValidationError as error:
            raise TradingError(_first_offence(error)) from error


def _first_offence(error: ValidationError) -> str:
    offence = error.errors()[0]
    name = str(offence["loc"][0])
    if name not in BrokerSettings.model_fields:
        known = suggest_names(name, BrokerSettings.model_fields)
        return f"BrokerSettings has no setting {name!r}. {known}"
    remedy = BrokerSettings.model_fields[name].description
    return f"{name}: {offence['msg']}, got {offence['input']!r}. Give {remedy}."
