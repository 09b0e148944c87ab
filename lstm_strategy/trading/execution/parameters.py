"""The settings of orders and their rules, written once for strategies and for brokers."""

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, Field

from lstm_strategy.support import spell
from lstm_strategy.trading.settings import LotSize, TradingSettings


def _to_plain_value(value: Any) -> Any:
    """A number or bool of NumPy as Python's own, which pydantic's strict types ask for."""
    return value.item() if isinstance(value, np.generic) else value


_FromNumpy = BeforeValidator(_to_plain_value)
_ATRs = Annotated[float | None, Field(gt=0, description="a number of ATRs such as 2, or None")]

Flag = Annotated[bool, _FromNumpy, Field(description="True or False")]
Bars = Annotated[int, _FromNumpy, Field(ge=1, description="a whole number such as 14")]
Latency = Annotated[int, _FromNumpy, Field(ge=0, description="a whole number such as 1")]
Execution = Annotated[Literal["twap", "vwap"], Field(description="'twap' or 'vwap'")]
PerYear = Annotated[float, Field(gt=0, description="a number such as 252")]
PerDay = Annotated[float, Field(gt=0, description="a number such as 24")]
Leverage = Annotated[float, Field(gt=0, description="a multiple of equity such as 3")]
Reserve = Annotated[float, Field(ge=0, lt=1, description="a fraction of the price such as 0.01")]
Band = Annotated[float, Field(ge=0, description="a fraction of equity such as 0.1")]


class TargetParameters(TradingSettings):
    """The parameters that every `TargetStrategy` has.

    Attributes:
        long_only: Whether exposures below 0 become 0.
        max_leverage: The largest exposure, long or short, in multiples of equity; above 1 for what
            is held on margin.
        band: Fraction of equity; smaller differences between the target and the present exposure
            aren't traded.
        reserve: Fraction of the close; a buy pays up to `close * (1 + reserve)`, and cash is kept
            for that.
        lot_size: The smallest tradable number of units; 1 for whole shares.
        stop_loss_atr: A close that lies this many ATRs (of the time of entry) beyond the entry
            price closes the position; None for no such stop.
        trailing_stop_atr: The same from the best close since the entry, with the present ATR.
        atr_length: Bars over which the average true range is taken.
        latency_bars: Bars from a decision to the close at which its order leaves.
        execution_bars: Opens over which an order is worked; 1 for the whole at the next.
        execution: How it is worked: "twap" in equal slices, "vwap" in slices that follow the
            volume of the same times of earlier days.
        bars_per_year: For strategies that annualise or count months.
        bars_per_day: For strategies that count days; below 1 for bars longer than a day.

    Raises:
        TradingError: If a value is out of range, or one bar is to be worked by its volume.

    Example:
        >>> TargetParameters(stop_loss_atr=2).band
        0.1
    """

    long_only: Flag = False
    max_leverage: Leverage = 1.0
    band: Band = 0.1
    reserve: Reserve = 0.01
    lot_size: LotSize = 1e-6
    stop_loss_atr: _ATRs = None
    trailing_stop_atr: _ATRs = None
    atr_length: Bars = 14
    latency_bars: Latency = 0
    execution_bars: Bars = 1
    execution: Execution = "twap"
    bars_per_year: PerYear = 252
    bars_per_day: PerDay = 1

    def model_post_init(self, context: Any) -> None:
        """Refuse an execution without the bars for it."""
        del context
        check_execution(self.execution, self.execution_bars)


def check_execution(execution: str, execution_bars: int) -> None:
    """Refuse to work an order by the volume of a single bar, which would change nothing.

    Args:
        execution: How orders are worked.
        execution_bars: Over how many bars.

    Raises:
        ValueError: If it is by volume, and over one bar.
    """
    if execution == "vwap" and execution_bars == 1:
        raise ValueError(
            f"{spell('execution')} 'vwap' works an order over several bars, and "
            f"{spell('execution_bars')} is 1. Give the number of bars, such as 4."
        )


def default_params(settings: type[TradingSettings]) -> tuple[tuple[str, Any], ...]:
    """Return the fields of settings and their defaults in the form of backtrader's `params`.

    Args:
        settings: A class of settings, every field of which has a default.

    Example:
        >>> default_params(TargetParameters)[:2]
        (('long_only', False), ('max_leverage', 1.0))
    """
    return tuple((name, field.default) for name, field in settings.model_fields.items())


def check_params(settings: type[TradingSettings], params: Any) -> None:
    """Refuse parameters of a strategy that break the rules of the settings of the same names.

    Args:
        settings: The class of settings that has the rules.
        params: A strategy's `self.p`; parameters that aren't among the settings are left alone.

    Raises:
        TradingError: With the parameter, its rule, the value and what to give instead.

    Example:
        >>> from types import SimpleNamespace
        >>> check_params(TradingSettings, SimpleNamespace(anything=1))
    """
    settings(**{name: getattr(params, name) for name in settings.model_fields})
