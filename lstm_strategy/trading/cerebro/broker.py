"""What trading costs and how finely it can be done."""

from typing import Annotated

from pydantic import Field

from lstm_strategy.trading.execution import Band, LotSize, Reserve, TradingSettings

_Cash = Annotated[float, Field(gt=0, description="starting money above 0, such as 10_000")]
_CommissionRate = Annotated[float, Field(ge=0, lt=1, description="a fraction such as 0.001")]
_SlippageRate = Annotated[float, Field(ge=0, lt=1, description="a fraction such as 0.0005")]


class BrokerSettings(TradingSettings):
    """What trading costs and how finely it can be done, the same for every strategy compared.

    Attributes:
        cash: Money at the start.
        commission_rate: Fraction of the value of every fill.
        slippage_rate: Fraction of the open by which market fills move against the trader, at most
            to the end of the bar's range and, for a buy, to its collar (see `reserve`).
        lot_size: The smallest tradable number of units; 1 for whole shares.
        reserve: Fraction of the close; a buy pays up to `close * (1 + reserve)`, and cash is kept
            for that.
        band: Fraction of equity; smaller differences between the target and the present exposure
            aren't traded. The default saves costs where a forecast wavers.

    Raises:
        TradingError: If a name is unknown or a value is out of range.

    Example:
        >>> BrokerSettings(commission_rate=0.002).cash
        100000.0
        >>> BrokerSettings(band=-1)
        Traceback (most recent call last):
        ...
        lstm_strategy.errors.TradingError: band must be greater than or equal to 0, got -1. \
Give a fraction of equity such as 0.1.
    """

    cash: _Cash = 100_000.0
    commission_rate: _CommissionRate = 0.001
    slippage_rate: _SlippageRate = 0.0005
    lot_size: LotSize = 1e-6
    reserve: Reserve = 0.01
    band: Band = 0.1

    @property
    def cost_rate(self) -> float:
        """What a trade costs one way, as a share of its value: commission and slippage."""
        return self.commission_rate + self.slippage_rate
