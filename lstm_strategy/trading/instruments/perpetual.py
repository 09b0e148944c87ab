"""Perpetual swaps: margin as a share of the value, a mark price, and funding."""

from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

import backtrader as bt
import pandas as pd
from pydantic import Field, PlainSerializer, PlainValidator

from lstm_strategy.bars import describe_missing_settlements, hint_near_column, rate_doubt
from lstm_strategy.errors import TradingError
from lstm_strategy.support import count_of, format_time, rate_text
from lstm_strategy.trading.instruments.funding import PAYMENT_COLUMN, FundedScheme, FundingTerms
from lstm_strategy.trading.instruments.funding_checks import (
    check_marks,
    check_rates,
    count_missing_marks,
)
from lstm_strategy.trading.instruments.instrument import (
    Instrument,
    Rate,
    spell_instrument,
)
from lstm_strategy.trading.instruments.tiers import MaintenanceTiers, read_tiers
from lstm_strategy.trading.settings import HIGH_COST

_Fee = Annotated[float, Field(gt=-0.01, lt=1, description="a fraction such as 0.0002")]
_Leverage = Annotated[float, Field(ge=1, description="a multiple such as 3")]
_Maintenance = Annotated[
    float | tuple[tuple[float, float], ...],
    PlainValidator(read_tiers),
    PlainSerializer(lambda given: given),
    Field(description="a fraction such as 0.005, or tiers such as ((0, 0.004), (50_000, 0.005))"),
]
_Column = Annotated[str | None, Field(min_length=1, description="the name of a column, or None")]
_Mode = Annotated[
    Literal["isolated", "cross"], Field(description='"isolated" or "cross" as margin_mode')
]
_Settles = Annotated[
    Literal["open", "within"],
    Field(description='"open", or "within" for a column of summed rates'),
]

_LONGEST_EMPTY = pd.Timedelta(days=2)  # no exchange settles so seldom


class Perpetual(Instrument):
    """A perpetual swap that is quoted and margined in the money of the account.

    A position takes its value over `leverage` as initial margin. At every settlement it pays
    `size * mark * rate`: where the rate is positive, longs pay and shorts are paid. In a Cerebro
    with an `InstrumentBroker` it is liquidated where the mark reaches its liquidation price.

    Attributes:
        taker_rate: The fee of orders that fill at once, as a fraction of the value.
        maker_rate: That of limit orders that had to wait, below 0 for a rebate; only an
            `InstrumentBroker` can tell them apart, and any other charges `taker_rate`.
        half_spread_rate: Half of the bid-ask spread as a fraction of the price; limit orders that
            had to wait don't pay it.
        leverage: The value of a position over its initial margin. It only sets how
            much exposure is allowed; it doesn't raise what a strategy asks for. More than the
            equity is held by a strategy whose `target_exposure` asks for it, up to its parameter
            `max_leverage`.
        maintenance_margin_rate: The fraction of the value below which the margin must not fall;
            or tiers `((value_from, rate), ...)` from the value 0 on.
        margin_mode: "isolated" where each position has only its own margin to lose, "cross" where
            the whole account backs all positions.
        funding: The column of funding rates, NaN on rows without a settlement; None for none.
        mark: The column of the mark price at the close of each row; where it is missing, or the
            bars have no such column, the close is taken. None for the close.
        funding_settles: "open" where the rate of a row settles at the instant at which that bar
            opens; "within" where it is the sum of the settlements in the bar, which are then paid
            at its mark by whoever holds the position after the bar's fills.
        liquidation_fee_rate: What a liquidation costs beside the taker fee, as a fraction of the
            value.
        lot_size: The smallest tradable number of units; None leaves it to the broker's settings.
        tick_size: The step of limit prices; None for any price.
        min_order_value: In money; smaller orders aren't sent.

    Raises:
        TradingError: If a name is unknown, a value is out of range, or the leverage leaves no
            margin above the maintenance margin.

    Example:
        >>> perpetual = Perpetual(leverage=10, maintenance_margin_rate=0.004, taker_rate=0.0005)
        >>> round(perpetual.liquidation_price(1, 20_000), 2)
        18081.37
        >>> Perpetual(leverage=200)
        Traceback (most recent call last):
        ...
        lstm_strategy.errors.TradingError: leverage must be below 200, since the maintenance \
margin is 0.005 of the value, got 200. Lower it.
    """

    cost_settings: ClassVar[dict[str, str]] = {
        "spread": "half_spread_rate",
        "impact": "impact",
        "funding": "funding",
    }
    doubted_from: ClassVar[dict[str, float]] = {
        "taker_rate": HIGH_COST,
        "maker_rate": HIGH_COST,
        "half_spread_rate": HIGH_COST,
        "liquidation_fee_rate": 5 * HIGH_COST,
    }

    taker_rate: Rate = 0.0005
    maker_rate: _Fee = 0.0002
    half_spread_rate: Rate = 0.0
    leverage: _Leverage = 1.0
    maintenance_margin_rate: _Maintenance = 0.005
    margin_mode: _Mode = "isolated"
    funding: _Column = "funding_rate"
    mark: _Column = "mark"
    funding_settles: _Settles = "open"
    liquidation_fee_rate: Rate = 0.0

    def model_post_init(self, context: Any) -> None:
        """Refuse a multiplier, and leverage with which every position is liquidated at once."""
        del context
        if self.multiplier != 1.0:
            raise ValueError(
                f"a Perpetual is counted in units of its coin and has no multiplier, got "
                f"{self.multiplier:g}. Give sizes in units: contracts times their multiplier."
            )
        if self.largest_value <= 0.0:
            rate = self.tiers.rates[0]
            raise ValueError(
                f"leverage must be below {1 / rate:g}, since the maintenance margin is {rate:g} of "
                f"the value, got {self.leverage:g}. Lower it."
            )

    @cached_property
    def tiers(self) -> MaintenanceTiers:
        """The maintenance margin as a function of the value."""
        given = self.maintenance_margin_rate
        pairs = ((0.0, given),) if isinstance(given, float | int) else given
        return MaintenanceTiers(*zip(*pairs, strict=True))

    @cached_property
    def largest_value(self) -> float:
        """The value that a position must stay below for its tier to allow the leverage."""
        return self.tiers.largest_value(self.leverage)

    @property
    def columns(self) -> tuple[str, ...]:
        """The column of funding rates, if funding is paid."""
        return (self.funding,) if self.funding else ()

    def cost_rate_at(self, price: float) -> float:
        """Return taker fee and half of the spread, which are the same at every price."""
        del price
        return self.taker_rate + self.half_spread_rate

    def spread_cost_of(self, size: float, price: float) -> float:
        """Return half of the spread for so many units, in money."""
        return abs(size) * price * self.half_spread_rate

    @property
    def needs_broker(self) -> bool:
        """True: backtrader's own broker liquidates nothing and charges the taker fee always."""
        return True

    def with_cost_rate(self, rate: float, price: float) -> "Perpetual":
        """Return the same with another taker fee, and no maker fee above it."""
        del price
        maker_rate = min(self.maker_rate, rate)
        return self.model_copy(update={"taker_rate": rate, "maker_rate": maker_rate})

    def leverage_at(self, price: float) -> float:
        """Return the leverage, which is the same at every price."""
        del price
        return self.leverage

    def maintenance_margin_of(self, size: float, price: float) -> float:
        """Return the money below which the margin of a position must not fall.

        Args:
            size: Signed units.
            price: The mark price.

        Example:
            >>> tiered = Perpetual(maintenance_margin_rate=((0, 0.004), (50_000, 0.005)))
            >>> tiered.maintenance_margin_of(-3, 20_000)
            250.0
        """
        return self.tiers.margin_of(abs(size) * price)

    def liquidation_price(self, size: float, entry: float, *, margin: float | None = None) -> float:
        """Return the mark price at which a position is liquidated; NaN where there is none.

        Args:
            size: Signed units.
            entry: The mean price at which they were bought or sold.
            margin: The money that backs them; the initial margin by default.

        Source: see `MaintenanceTiers.liquidation_price`.

        Example:
            >>> perpetual = Perpetual(taker_rate=0, leverage=2, maintenance_margin_rate=0.2)
            >>> perpetual.liquidation_price(1, 80), perpetual.liquidation_price(-1, 96)
            (50.0, 120.0)
        """
        backing = self.initial_margin_of(size, entry) if margin is None else margin
        return self.tiers.liquidation_price(size, entry, margin=backing, fee_rate=self.taker_rate)

    def check_bars(self, bars: pd.DataFrame, *, symbol: str = "") -> None:
        """Refuse bars without the funding, with rates or marks that can't be right.

        Args:
            bars: Valid bars.
            symbol: How a message calls the market.

        Raises:
            TradingError: With the column, the date and the remedy.
        """
        if self.mark in bars:
            check_marks(bars[self.mark], bars["close"], symbol=symbol)
        if self.funding is None:
            return
        if self.funding not in bars:
            raise TradingError(
                f"A perpetual pays funding, and the bars{f' of {symbol}' if symbol else ''} have "
                f"no column {self.funding!r}. Add the rates as such a column, or give "
                f"{spell_instrument('Perpetual', funding=None)} to leave funding out."
                f"{hint_near_column(self.funding, bars.columns)}"
            )
        if self._has_no_funding(bars):
            whose = f" of {symbol}" if symbol else ""
            raise TradingError(
                f"A perpetual pays funding, and {self.funding!r}{whose} is missing on every bar "
                f"from {format_time(bars.index[0])} to {format_time(bars.index[-1])}. Add the "
                "rates, such as with lstm_strategy.bars.add_funding, or give "
                "Perpetual(funding=None) to leave funding out."
            )
        is_sum = self.funding_settles == "within"
        check_rates(bars[self.funding], symbol=symbol, is_sum=is_sum)
        if PAYMENT_COLUMN in bars:
            if is_sum:
                raise TradingError(
                    f"the bars have both summed rates in {self.funding!r} and "
                    f"{PAYMENT_COLUMN!r}, which would be paid twice. Leave funding_settles out, or "
                    "drop the column."
                )
            # with the rates at the opens: a few extreme days may be all that settles within bars
            paid = (bars[PAYMENT_COLUMN] / bars["close"]).fillna(0.0)
            all_rates = (bars[self.funding].fillna(0.0) + paid).rename(PAYMENT_COLUMN)
            check_rates(all_rates, symbol=symbol, is_sum=True)

    def _has_no_funding(self, bars: pd.DataFrame) -> bool:
        """Whether nothing settles on bars of two days or more."""
        within = bars[PAYMENT_COLUMN] if PAYMENT_COLUMN in bars else pd.Series(0.0)
        is_empty = bool(bars[self.funding].isna().all()) and not bool(within.fillna(0.0).any())
        return is_empty and bars.index[-1] - bars.index[0] >= _LONGEST_EMPTY

    def notes_on(self, bars: pd.DataFrame) -> list[str]:
        """Return how funding is counted on these bars, and what of it is missing.

        Args:
            bars: Bars that `check_bars` takes.
        """
        notes = []
        if self.mark not in bars:
            hint = hint_near_column("mark", bars.columns) if self.mark == "mark" else ""
            notes.append(
                f"Funding and liquidation go by the close: the bars have no mark price.{hint}"
            )
        if self.funding is None:
            return [*notes, "No funding is paid: funding=None."]
        rates = bars[self.funding]
        if self.funding_settles == "within":
            notes.append(
                f"{self.funding} is the sum of the settlements within each bar, paid at its mark "
                "by the position that is held after its fills."
            )
        elif PAYMENT_COLUMN in bars:
            notes.append(
                f"{self.funding} settles as its bar opens; {PAYMENT_COLUMN} is what the other "
                "settlements within the bar cost a unit, paid by the position after its fills."
            )
        doubt = rate_doubt(rates) if self.funding_settles == "open" else None
        notes += [f"{doubt}."] if doubt else []
        notes += [f"{gap}: nothing is paid there." for gap in describe_missing_settlements(rates)]
        n_marks = count_missing_marks(rates, bars[self.mark]) if self.mark in bars else 0
        if n_marks:
            notes.append(
                f"At {count_of(n_marks, 'settlement')} the mark is missing, and the close before "
                "is taken."
            )
        return notes

    def _terms(self, *, in_full: bool) -> list[str]:
        usual = {name: field.default for name, field in type(self).model_fields.items()}
        tiers, is_tiered = self.tiers.rates, len(self.tiers.rates) > 1
        maintenance = " to ".join(rate_text(rate) for rate in dict.fromkeys((tiers[0], tiers[-1])))
        when = {"open": " as bars open", "within": " within bars"}[self.funding_settles]
        settles = when if in_full else ""
        words = {
            "maker_rate": f"maker fee {rate_text(self.maker_rate)}",
            "half_spread_rate": f"half spread {rate_text(self.half_spread_rate)}",
            "maintenance_margin_rate": f"maintenance margin {maintenance}"
            + " in tiers" * is_tiered,
            "margin_mode": f"{self.margin_mode} margin",
            "funding": f"funding from {self.funding}{settles}" if self.funding else "no funding",
            "liquidation_fee_rate": f"liquidation fee {rate_text(self.liquidation_fee_rate)}",
        }
        given = [
            text for name, text in words.items() if in_full or getattr(self, name) != usual[name]
        ]
        if in_full:
            mark = f"{self.mark} or else the close" if self.mark else "the close"
            given.append(f"mark price from {mark}")
        return [f"leverage {self.leverage:g}", f"taker fee {rate_text(self.taker_rate)}", *given]

    def commission_info(self) -> bt.CommissionInfo:
        """Return a scheme with the taker fee, margin by leverage, and funding."""
        terms = FundingTerms(rate=self.funding, mark=self.mark, settles=self.funding_settles)
        return FundedScheme(
            self, terms, commission=self.taker_rate, leverage=self.leverage, stocklike=True
        )
