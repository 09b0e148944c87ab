"""Contracts with a multiplier and a fixed margin, settled to market at every close."""

import math
from typing import Annotated, Any, ClassVar

import backtrader as bt
import pandas as pd
from pydantic import Field

from lstm_strategy.bars import (
    CONTRACT_PRICE,
    find_adjustment,
    find_rolls,
    has_contract,
    hint_near_column,
)
from lstm_strategy.errors import TradingError
from lstm_strategy.support import count_of, rate_text
from lstm_strategy.trading.instruments.instrument import Instrument, Money, spell_instrument
from lstm_strategy.trading.instruments.rolls import RollingScheme
from lstm_strategy.trading.settings import HIGH_COST

_Multiplier = Annotated[float, Field(gt=0, description="money a point such as 50")]
_Margin = Annotated[float, Field(gt=0, description="money a contract such as 12_000")]
_MaintenanceMargin = Annotated[
    float | None, Field(gt=0, description="money a contract such as 11_000, or None")
]
_Column = Annotated[str | None, Field(min_length=1, description='a column such as "price"')]

_INITIAL_OVER_MAINTENANCE = 1.1


class Future(Instrument):
    """A futures contract: a multiplier, a margin in money a contract, a commission a contract.

    Gains and losses are settled in cash at every close. The account must hold the maintenance
    margins of all its contracts; in a Cerebro with an `InstrumentBroker` it is closed out where it
    doesn't. On a continuous series with the price of the contract beside it, whoever holds the
    position where the contract changes pays two trades, since one contract is sold and the next one
    bought.

    Attributes:
        multiplier: What one point of the price is worth in money, for one contract.
        initial_margin: Money that opening one contract takes.
        maintenance_margin: Money that one contract needs while it is held; by default ten
            elevenths of the initial margin, since exchanges ask speculators for 110% of the
            maintenance margin.
        commission_per_contract: Money for each contract bought or sold.
        half_spread: Half of the bid-ask spread, in points.
        price: The column with the price of the contract held, beside a `close` that is
            back-adjusted; None where `close` is that price. Values and exposures are of this price,
            gains and losses of `close`, which backtests turn into points where it was adjusted by
            ratio.
        lot_size: The smallest tradable number of contracts; None leaves it to the broker's
            settings.
        tick_size: The step of limit prices; None for any price.
        min_order_value: In money; smaller orders aren't sent.

    Raises:
        TradingError: If a name is unknown, a value is out of range, or a margin is larger than
            the initial one.

    Example:
        >>> emini = Future(multiplier=50, initial_margin=12_000, commission_per_contract=2.5)
        >>> emini.leverage_at(4_800)
        20.0
        >>> Future(multiplier=50, initial_margin=10_000, maintenance_margin=12_000)
        Traceback (most recent call last):
        ...
        lstm_strategy.errors.TradingError: maintenance_margin must be at most the initial margin \
of 10000, got 12000. Give the lower one as maintenance_margin.
    """

    cost_settings: ClassVar[dict[str, str]] = {"spread": "half_spread", "impact": "impact"}

    multiplier: _Multiplier
    initial_margin: _Margin
    maintenance_margin: _MaintenanceMargin = None
    commission_per_contract: Money = 0.0
    half_spread: Money = 0.0
    price: _Column = None

    def model_post_init(self, context: Any) -> None:
        """Refuse a maintenance margin above the initial one."""
        del context
        maintenance = self.maintenance_margin
        if maintenance is not None and maintenance > self.initial_margin:
            raise ValueError(
                f"maintenance_margin must be at most the initial margin of {self.initial_margin:g}"
                f", got {maintenance:g}. Give the lower one as maintenance_margin."
            )

    @property
    def price_column(self) -> str:
        """The column with the price of the contract held."""
        return self.price or "close"

    @property
    def counts_points(self) -> bool:
        """True: a point of the close is money, whatever its level."""
        return True

    @property
    def columns(self) -> tuple[str, ...]:
        """The column of the contract's price, where it isn't the close."""
        return (self.price,) if self.price else ()

    def cost_rate_at(self, price: float) -> float:
        """Return commission and half of the spread of a contract as a fraction of its value.

        Args:
            price: The price of the contract held.
        """
        cost = self.commission_per_contract + self.spread_cost_of(1.0, price)
        return cost / (price * self.multiplier)

    def spread_cost_of(self, size: float, price: float) -> float:
        """Return half of the spread for so many contracts, in money."""
        del price
        return abs(size) * self.half_spread * self.multiplier

    @property
    def needs_broker(self) -> bool:
        """True: backtrader's own broker doesn't watch the maintenance margin."""
        return True

    def with_cost_rate(self, rate: float, price: float) -> "Future":
        """Return the same with the commission a contract that is such a fraction of its value.

        Args:
            rate: The fraction.
            price: The price of the contract held.
        """
        return self.model_copy(update={"commission_per_contract": rate * price * self.multiplier})

    def leverage_at(self, price: float) -> float:
        """Return the value of a contract over its initial margin.

        Args:
            price: The price of the contract held.
        """
        return price * self.multiplier / self.initial_margin

    def initial_margin_of(self, size: float, price: float) -> float:
        """Return the initial margin of so many contracts, which is the same at every price."""
        del price
        return abs(size) * self.initial_margin

    def maintenance_margin_of(self, size: float, price: float) -> float:
        """Return the maintenance margin of so many contracts, the same at every price."""
        del price
        return abs(size) * self._maintenance_margin

    def liquidation_price(self, size: float, entry: float, *, margin: float | None = None) -> float:
        """Return the close at which what backs the contracts is down to the maintenance margin.

        Args:
            size: Signed contracts.
            entry: The mean close at which they were opened.
            margin: The money that backs them; the initial margin by default.

        Example:
            >>> future = Future(multiplier=50, initial_margin=12_000, maintenance_margin=10_000)
            >>> future.liquidation_price(1, 4_800), future.liquidation_price(-1, 4_800)
            (4760.0, 4840.0)
        """
        if size == 0.0:
            return math.nan
        backing = self.initial_margin_of(size, entry) if margin is None else margin
        spare = backing - self.maintenance_margin_of(size, entry)
        return entry - spare / (size * self.multiplier)

    def check_bars(self, bars: pd.DataFrame, *, symbol: str = "") -> None:
        """Refuse a continuous series whose contracts would be valued wrongly.

        Args:
            bars: Valid bars.
            symbol: How a message calls the market.

        Raises:
            TradingError: If the bars lack the column of the price, or have one that isn't named
                here, or were adjusted by ratio, so that their points aren't money.
        """
        of_market = f" of {symbol}" if symbol else ""
        if self.price is not None and self.price not in bars:
            raise TradingError(
                f"A contract is valued by the column {self.price!r}, and the bars{of_market} have "
                "none. Add it, or leave price out where the close is the price of the contract."
                f"{hint_near_column(self.price, bars.columns)}"
            )
        if not has_contract(bars):
            return
        if self.price is None:
            raise TradingError(
                f"The bars{of_market} are a continuous series with the price of the contract held "
                f"in the column {CONTRACT_PRICE}. Give "
                f"{spell_instrument('Future', price=CONTRACT_PRICE)}, so that contracts are valued "
                "by it."
            )
        found = find_adjustment(bars)
        if found.method == "ratio" and find_rolls(bars).any():
            raise TradingError(
                f"The bars{of_market} are adjusted by ratio, so that a point of the close isn't "
                "one of the contract. Turn them into points with lstm_strategy.bars.points_bars, "
                "as run_backtest and compare do, or leave the instrument out to trade fractions of "
                "equity."
            )

    def notes_on(self, bars: pd.DataFrame) -> list[str]:
        """Return what rolls cost on these bars, and whether trades cost unusually much.

        Args:
            bars: Bars that `check_bars` takes.
        """
        return [*self._doubtful_costs(bars), self._roll_note(bars)]

    def _doubtful_costs(self, bars: pd.DataFrame) -> list[str]:
        """That commission and spread, which are money, are a large share of a contract's value."""
        price = float(bars[self.price_column].median())
        share = self.cost_rate_at(price)
        if share < HIGH_COST:
            return []
        return [
            f"Each trade takes {rate_text(share)} of a contract's value of "
            f"{price * self.multiplier:,.2f} at the median price, in commission and half of the "
            "spread: check that multiplier and commission_per_contract are those of one contract."
        ]

    def _roll_note(self, bars: pd.DataFrame) -> str:
        if not has_contract(bars):
            return "Rolls cost nothing: the bars don't say where the contract changes."
        rolls = count_of(int(find_rolls(bars).sum()), "change of contract", "changes of contract")
        return (
            f"The bars have {rolls}; whoever holds the position then pays two trades: commission, "
            "half of the spread and slippage of each."
        )

    def _terms(self, *, in_full: bool) -> list[str]:
        terms = [
            f"{self.multiplier:,g} a point",
            f"margin {self.initial_margin:,.10g}",
            f"commission {self.commission_per_contract:,.10g} a contract",
        ]
        if in_full:
            terms.insert(2, f"maintenance margin {self._maintenance_margin:,.10g}")
        if self.half_spread or in_full:
            terms.append(f"half spread {self.half_spread:g} points")
        return terms

    def commission_info(self) -> bt.CommissionInfo:
        """Return a scheme with the multiplier, the initial margin and the commission in money."""
        return RollingScheme(
            self,
            commission=self.commission_per_contract,
            margin=self.initial_margin,
            mult=self.multiplier,
        )

    @property
    def _maintenance_margin(self) -> float:
        return self.maintenance_margin or self.initial_margin / _INITIAL_OVER_MAINTENANCE
