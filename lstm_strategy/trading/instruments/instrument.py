"""What every instrument answers, whatever it is, and the commission scheme that carries it."""

import math
from abc import abstractmethod
from typing import Annotated, Any, ClassVar, Self

import backtrader as bt
import pandas as pd
from pydantic import Field

from lstm_strategy.support import rate_text, spell
from lstm_strategy.trading.settings import TradingSettings

Rate = Annotated[float, Field(ge=0, lt=1, description="a fraction such as 0.0005")]
Money = Annotated[float, Field(ge=0, description="money such as 2.5")]
_Lot = Annotated[float | None, Field(gt=0, description="units such as 0.001, or None")]
_Tick = Annotated[float | None, Field(gt=0, description="a price step such as 0.1, or None")]
_Multiplier = Annotated[float, Field(gt=0, description="money a point such as 50")]

_Impact = Annotated[float, Field(ge=0, description="a number of standard deviations such as 1")]
_Share = Annotated[
    float | None, Field(gt=0, le=1, description="a share of the volume such as 0.1, or None")
]

_ROUNDING = 1e-9  # of a tick or a lot: what floating point makes of a whole number of them


def spell_instrument(kind: str, **settings: Any) -> str:
    """Return an instrument as its user gives it: in Python, or as an option of the command line.

    Args:
        kind: The name of its class.
        **settings: Of the instrument.

    Example:
        >>> from lstm_strategy.support import name_options
        >>> spell_instrument("Future", price="price")
        'Future(price="price")'
        >>> with name_options({"instrument": "--instrument"}):
        ...     spell_instrument("Perpetual", leverage=3, funding=None)
        '--instrument perpetual:leverage=3,funding=none'
    """
    option = spell("instrument")
    texts = {k: f"{v:g}" if isinstance(v, float) else str(v) for k, v in settings.items()}
    if option != "instrument":
        given = ",".join(f"{name}={text}" for name, text in texts.items())
        return f"{option} {kind.lower()}:{given}".replace("=None", "=none").rstrip(":")
    quoted = {k: f'"{text}"' if isinstance(settings[k], str) else text for k, text in texts.items()}
    return f"{kind}({', '.join(f'{name}={text}' for name, text in quoted.items())})"


class Instrument(TradingSettings):
    """What is traded: its costs, what a position pays and what margin it needs.

    An instrument is a value: two with the same settings are equal. `commission_info` makes it a
    commission scheme of backtrader, which works in anybody's Cerebro.

    Attributes:
        lot_size: The smallest tradable number of units; None leaves it to the broker's settings.
        tick_size: The step of limit prices; None for any price.
        min_order_value: In money; smaller orders aren't sent.
        impact: What an order as large as the volume of its bar moves the price, in standard
            deviations of a bar's price change; smaller ones move it by the square root of their
            share. About 1 in the literature. Charged by an `InstrumentBroker` only.
        participation: The largest share of a bar's volume that orders can have; the rest fills on
            later bars. None for no limit. Kept by an `InstrumentBroker` only.
        multiplier: What one point of the price is worth in money, for one unit.
    """

    cost_settings: ClassVar[dict[str, str]] = {"impact": "impact"}
    """The setting of each cost beside the fee, by the name of the cost."""

    lot_size: _Lot = None
    tick_size: _Tick = None
    min_order_value: Money = 0.0
    impact: _Impact = 0.0
    participation: _Share = None
    multiplier: _Multiplier = 1.0

    @classmethod
    def spell_setting(cls, name: str, value: float) -> str:
        """Return the instrument with one setting as its user gives it, in Python or as an option.

        Args:
            name: The setting.
            value: Its value.
        """
        return spell_instrument(cls.__name__, **{name: value})

    @property
    def price_column(self) -> str:
        """The column whose price times the multiplier is the value of one unit."""
        return "close"

    @property
    def counts_points(self) -> bool:
        """Whether gains are points of the close, so that a continuous series is traded as it is."""
        return False

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the bars must have beside the prices."""
        return ()

    def value_price(self, data: Any) -> float:
        """Return the price whose product with the multiplier is the value of one unit now.

        Args:
            data: The feed, at its present bar.
        """
        return float(getattr(data.lines, self.price_column)[0])

    @property
    def needs_broker(self) -> bool:
        """Whether backtrader's own broker would leave out what an `InstrumentBroker` does."""
        return bool(self.impact or self.participation)

    @property
    def costs_beside_fee(self) -> tuple[str, ...]:
        """The costs that are charged beside the fee, by name.

        Example:
            >>> from lstm_strategy import Perpetual
            >>> Perpetual(impact=1).costs_beside_fee
            ('impact', 'funding')
        """
        return tuple(name for name, field in self.cost_settings.items() if getattr(self, field))

    def with_cost_times(self, cost: str, times: float) -> Self:
        """Return the same instrument with a multiple of one cost.

        Args:
            cost: One of `costs_beside_fee`; any other changes nothing.
            times: 0 leaves it out. Funding, which the bars say, is paid as it is or not at all.
        """
        if cost not in self.costs_beside_fee:
            return self
        field = self.cost_settings[cost]
        value = getattr(self, field)
        if isinstance(value, str):
            return self if times else self.model_copy(update={field: None})
        return self.model_copy(update={field: value * times})

    def spread_cost_of(self, size: float, price: float) -> float:
        """Return what crossing half of the spread takes, in money.

        Args:
            size: Units that fill at once.
            price: At which they do.
        """
        del size, price
        return 0.0

    @abstractmethod
    def cost_rate_at(self, price: float) -> float:
        """Return what one trade takes as a fraction of its value, fee and half of the spread.

        Args:
            price: What one unit costs, before the multiplier.
        """

    @abstractmethod
    def with_cost_rate(self, rate: float, price: float) -> "Instrument":
        """Return the same instrument with another fee.

        Args:
            rate: The fee of one trade as a fraction of its value.
            price: What one unit costs, before the multiplier.
        """

    def leverage_at(self, price: float) -> float:
        """Return the largest value of a position, as a multiple of the money that backs it.

        Args:
            price: What one unit costs, before the multiplier.
        """
        del price
        return 1.0

    def initial_margin_of(self, size: float, price: float) -> float:
        """Return the money that opening a position takes, fees aside.

        Args:
            size: Signed units.
            price: The price of each.
        """
        return abs(size) * price * self.multiplier / self.leverage_at(price)

    def maintenance_margin_of(self, size: float, price: float) -> float:
        """Return the money below which a position is liquidated; 0 for what is paid in full.

        Args:
            size: Signed units.
            price: The mark price of each.
        """
        del size, price
        return 0.0

    def liquidation_price(self, size: float, entry: float, *, margin: float | None = None) -> float:
        """Return the mark price at which a position is liquidated; NaN where there is none.

        Args:
            size: Signed units.
            entry: The mean price at which they were bought or sold.
            margin: The money that backs them; the initial margin by default.
        """
        del size, entry, margin
        return math.nan

    def round_price(self, price: float, *, is_buy: bool) -> float:
        """Return a limit price as a whole number of ticks, no worse than what was asked.

        Args:
            price: The limit.
            is_buy: Whether it is one of a buy, which is rounded down; one of a sale is rounded up.

        Example:
            >>> from lstm_strategy import Perpetual
            >>> Perpetual(tick_size=0.5).round_price(100.7, is_buy=True)
            100.5
        """
        if self.tick_size is None:
            return price
        ticks = price / self.tick_size
        whole = math.floor(ticks + _ROUNDING) if is_buy else math.ceil(ticks - _ROUNDING)
        return whole * self.tick_size

    def check_bars(self, bars: pd.DataFrame, *, symbol: str = "") -> None:
        """Refuse bars with which the instrument would pay or value wrongly.

        Args:
            bars: Valid bars; times name the first offence.
            symbol: How a message calls the market.

        Raises:
            TradingError: With the column, the date and the remedy.
        """

    def notes_on(self, bars: pd.DataFrame) -> list[str]:
        """Return what a reader of results should know of these bars, one sentence each.

        Args:
            bars: Bars that `check_bars` takes.
        """
        del bars
        return []

    def describe(self, *, in_full: bool = False) -> str:
        """Say what is traded and at which fee, in words for the middle of a sentence.

        Args:
            in_full: Whether fees, margins and funding are said that are as usual, too. Otherwise
                they are left out, but for the fee.

        Example:
            >>> from lstm_strategy import Perpetual, Spot
            >>> Perpetual(leverage=2).describe()
            'perpetual, leverage 2, taker fee 0.05%'
            >>> Spot().describe(in_full=True)
            'spot, commission 0.10%, half spread 0.00%, borrow fee 0.00% a year'
        """
        terms = [*self._terms(in_full=in_full), *self._common_terms()]
        return ", ".join([type(self).__name__.lower(), *terms])

    def _terms(self, *, in_full: bool) -> list[str]:
        """The terms of this kind of instrument in words, its fee among them."""
        del in_full
        return []

    def _common_terms(self) -> list[str]:
        """What is unusual among the settings that every instrument has."""
        terms = {
            f"impact {self.impact:g}": self.impact,
            f"at most {rate_text(self.participation or 0.0)} of a bar's volume": self.participation,
            f"lots of {self.lot_size} units": self.lot_size,
            f"a price step of {self.tick_size}": self.tick_size,
            f"orders from {self.min_order_value:,g}": self.min_order_value,
        }
        return [words for words, is_given in terms.items() if is_given]

    def __str__(self) -> str:
        """The instrument as it may be written, without what is usual."""
        given = [
            f"{name}={getattr(self, name)!r}"
            for name, field in type(self).model_fields.items()
            if field.is_required() or getattr(self, name) != field.default
        ]
        return f"{type(self).__name__}({', '.join(given)})"

    @abstractmethod
    def commission_info(self) -> bt.CommissionInfo:
        """Return a new commission scheme; `broker.addcommissioninfo` takes it.

        The scheme has the instrument as its attribute `instrument`.
        """


class InstrumentScheme(bt.CommissionInfo):
    """A commission scheme that knows which instrument it stands for.

    What a fill takes is the fee, half of the spread, and what a broker adds to it.

    Args:
        instrument: The instrument.
        **params: Those of backtrader's `CommissionInfo`.

    Attributes:
        instrument: The instrument.
        fee: In the unit of backtrader's parameter `commission`.
        crosses_spread: Whether fills pay half of the spread.
        impact_cost: What each unit takes beyond that, in money.
        covered: Money that an insurance fund takes off the next fee.
    """

    def __init__(self, instrument: Instrument, **params: Any) -> None:
        super().__init__(**params)  # none are left: backtrader's metaclass takes them before
        self.instrument = instrument
        self.fee = float(self.p.commission)
        self.crosses_spread = True
        self.impact_cost = 0.0
        self.covered = 0.0

    def _getcommission(self, size: float, price: float, pseudoexec: bool) -> float:
        del pseudoexec
        units = abs(size)
        cost = units * self.fee * price if self._commtype == self.COMM_PERC else units * self.fee
        if self.crosses_spread:
            cost += self.instrument.spread_cost_of(units, price)
        return float(cost + units * self.impact_cost - self.covered)
