"""What trading costs and how finely it can be done."""

import math
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar

import backtrader as bt
import pandas as pd
from pydantic import Field, SerializeAsAny

from lstm_strategy.bars import points_bars
from lstm_strategy.errors import TradingError
from lstm_strategy.support import count_of, rate_text, spell, suggest_names
from lstm_strategy.trading.execution import (
    Band,
    Bars,
    Execution,
    Latency,
    LotSize,
    Reserve,
    TradingSettings,
    check_execution,
)
from lstm_strategy.trading.instruments import (
    Instrument,
    InstrumentBroker,
    RollingScheme,
    Spot,
)
from lstm_strategy.trading.settings import HIGH_COST

_Cash = Annotated[float, Field(gt=0, description="starting money above 0, such as 10_000")]
_CommissionRate = Annotated[float, Field(ge=0, lt=1, description="a fraction such as 0.001")]
_SlippageRate = Annotated[float, Field(ge=0, lt=1, description="a fraction such as 0.0005")]
_Instrument = Annotated[
    SerializeAsAny[Instrument] | None,
    Field(description="an instrument such as Perpetual(leverage=3), or None"),
]
_Instruments = Annotated[
    dict[str, SerializeAsAny[Instrument]] | None,
    Field(description="instruments by market such as {'BTC': Perpetual(leverage=3)}, or None"),
]
_MOST_INSTRUMENTS = 4  # of more, a title says how many there are
_COSTS = {"commission_rate", "slippage_rate", "instrument", "instruments"}


class BrokerSettings(TradingSettings):
    """What trading costs and how finely it can be done, the same for every strategy compared.

    Attributes:
        cash: Money at the start.
        commission_rate: Fraction of the value of every fill, where there is no instrument; with one
            it is that of the instrument, and NaN where that depends on the price.
        slippage_rate: Fraction of the open by which market fills move against the trader, at most
            to the end of the bar's range and, for a buy, to its collar (see `reserve`).
        lot_size: The smallest tradable number of units; 1 for whole shares.
        reserve: Fraction of the close; a buy pays up to `close * (1 + reserve)`, and cash is kept
            for that.
        band: Fraction of equity; smaller differences between the target and the present exposure
            aren't traded. The default saves costs where a forecast wavers.
        latency_bars: Bars from a decision to the close at which its orders leave; they fill at the
            open after that.
        execution_bars: Opens over which the order of a `TargetStrategy` is worked; 1 for the whole
            at the next.
        execution: How it is worked: "twap" in equal slices, "vwap" in slices that follow the
            volume of the same times of earlier days.
        instrument: What is traded: what it costs, pays and needs as margin. None for something
            that is paid in full at `commission_rate`.
        instruments: The same by market of a panel; any other market is `instrument`.

    Raises:
        TradingError: If a name is unknown, a value is out of range, or there are both a
            commission and an instrument.

    Example:
        >>> BrokerSettings(commission_rate=0.002).cash
        100000.0
        >>> BrokerSettings(band=-1)
        Traceback (most recent call last):
        ...
        lstm_strategy.errors.TradingError: band must be at least 0, got -1. \
Give a fraction of equity such as 0.1.
        >>> from lstm_strategy import Perpetual
        >>> round(BrokerSettings(instrument=Perpetual(taker_rate=0.0004)).cost_rate, 6)
        0.0009
    """

    doubted_from: ClassVar[dict[str, float]] = {
        "commission_rate": HIGH_COST,
        "slippage_rate": HIGH_COST,
    }

    cash: _Cash = 100_000.0
    commission_rate: _CommissionRate = 0.001
    slippage_rate: _SlippageRate = 0.0005
    lot_size: LotSize = 1e-6
    reserve: Reserve = 0.01
    band: Band = 0.1
    latency_bars: Latency = 0
    execution_bars: Bars = 1
    execution: Execution = "twap"
    instrument: _Instrument = None
    instruments: _Instruments = None

    def model_post_init(self, context: Any) -> None:
        """Refuse two commissions for one market, and take that of the instrument."""
        del context
        check_execution(self.execution, self.execution_bars)
        if self.instrument is None:
            return
        if "commission_rate" in self.model_fields_set:
            raise ValueError(
                f"{spell('commission_rate')} and {spell('instrument')} both say what a trade "
                f"costs, got {self.commission_rate:g} and {type(self.instrument).__name__}. Leave "
                f"{spell('commission_rate')} out, and give the instrument its own fee."
            )
        self.__dict__["commission_rate"] = _constant_rate(self.instrument)

    @property
    def says_costs(self) -> bool:
        """Whether what trading costs was given, and isn't only what is usual."""
        return bool(self.model_fields_set & _COSTS)

    @property
    def cost_rate(self) -> float:
        """What a trade costs one way, as a share of its value: commission and slippage.

        Raises:
            TradingError: If it isn't the same in every market and at every price.
        """
        rates = {self.commission_rate, *map(_constant_rate, (self.instruments or {}).values())}
        if len(rates) > 1 or any(map(math.isnan, rates)):
            raise TradingError(
                "What a trade costs depends on its market or its price with these instruments. "
                "Ask cost_rate_on(bars)."
            )
        return self.commission_rate + self.slippage_rate

    def cost_rate_on(
        self, bars: pd.DataFrame | Mapping[str, pd.DataFrame]
    ) -> float | dict[str, float]:
        """Return what a trade costs one way on bars, as a share of its value.

        Args:
            bars: Bars of one market, or a panel. What depends on the price is taken at their first
                close, which is known before all others.

        Returns:
            One rate; of a panel whose markets differ, one for each by name.

        Example:
            >>> from lstm_strategy import Future, sample_bars
            >>> emini = Future(multiplier=50, initial_margin=12_000, commission_per_contract=10)
            >>> terms = BrokerSettings(instrument=emini, slippage_rate=0)
            >>> round(terms.cost_rate_on(sample_bars("sp500")) * 1e4, 1)
            1.6
        """
        markets = {"": bars} if isinstance(bars, pd.DataFrame) else bars
        rates = {
            symbol: self._cost_rate_at_first(symbol, frame) + self.slippage_rate
            for symbol, frame in markets.items()
        }
        first = next(iter(rates.values()))
        return first if all(rate == first for rate in rates.values()) else rates

    def _cost_rate_at_first(self, symbol: str, bars: pd.DataFrame) -> float:
        """Commission and half of the spread at the first close."""
        instrument = self.instrument_of(symbol)
        if instrument is None:
            return self.commission_rate
        return instrument.cost_rate_at(float(_unit_prices(instrument, bars).iloc[0]))

    def mean_commission_on(self, bars: pd.DataFrame | Mapping[str, pd.DataFrame]) -> float:
        """Return the commission of one trade as a share of its value, the mean of all markets.

        Args:
            bars: Bars of one market, or a panel.

        Example:
            >>> from lstm_strategy import sample_bars
            >>> spread_too = BrokerSettings(instrument=Spot(half_spread_rate=0.01))
            >>> round(spread_too.mean_commission_on(sample_bars("sp500")), 6)
            0.001
        """
        markets = {"": bars} if isinstance(bars, pd.DataFrame) else bars
        rates = [self._fee_rate(name, each) for name, each in markets.items()]
        return sum(rates) / len(rates)

    def _fee_rate(self, symbol: str, bars: pd.DataFrame) -> float:
        """The commission at the median price, without half of the spread."""
        instrument = self.instrument_of(symbol)
        if instrument is None:
            return self.commission_rate
        price = float(_unit_prices(instrument, bars).median())
        spread = instrument.spread_cost_of(1.0, price) / (price * instrument.multiplier)
        return instrument.cost_rate_at(price) - spread

    def with_commission_rate(
        self, rate: float, bars: pd.DataFrame | Mapping[str, pd.DataFrame]
    ) -> "BrokerSettings":
        """Return the same terms at another commission, whatever is traded.

        Args:
            rate: The commission of one trade, as a fraction of its value.
            bars: Bars of one market, or a panel, whose median price tells what a fraction is worth.
        """
        markets = {"": bars} if isinstance(bars, pd.DataFrame) else bars
        if self.instrument is None and not self.instruments:
            return self.model_copy(update={"commission_rate": rate})
        found = {symbol: self.instrument_of(symbol) for symbol in markets}
        changed = {
            symbol: each.with_cost_rate(rate, float(_unit_prices(each, markets[symbol]).median()))
            for symbol, each in found.items()
            if each is not None
        }
        own: dict[str, Any] = {"instrument": changed.get(""), "instruments": None}
        if "" not in markets:
            own = {"instrument": None, "instruments": changed}
        return self.model_copy(update={**own, "commission_rate": rate})

    @property
    def costs_beside_fee(self) -> tuple[str, ...]:
        """What trading costs beside commission and slippage: costs of instruments, and latency.

        Example:
            >>> BrokerSettings(instrument=Spot(impact=1), latency_bars=1).costs_beside_fee
            ('impact', 'latency')
        """
        names = [name for each in self._given_instruments for name in each.costs_beside_fee]
        return (*dict.fromkeys(names), *(("latency",) if self.latency_bars else ()))

    def with_cost_times(self, cost: str, times: int) -> "BrokerSettings":
        """Return the same terms with a multiple of one cost, in all markets that have it.

        Args:
            cost: One of `costs_beside_fee`.
            times: 0 leaves it out. Funding is paid as it is or not at all.

        Example:
            >>> terms = BrokerSettings(instrument=Spot(impact=1), latency_bars=1)
            >>> terms.with_cost_times("impact", 2).instrument.impact
            2.0
        """
        if cost == "latency":
            return self.model_copy(update={"latency_bars": self.latency_bars * times})
        changed: dict[str, Any] = {}
        if self.instrument is not None:
            changed["instrument"] = self.instrument.with_cost_times(cost, times)
            changed["commission_rate"] = _constant_rate(changed["instrument"])
        if self.instruments is not None:
            changed["instruments"] = {
                symbol: each.with_cost_times(cost, times)
                for symbol, each in self.instruments.items()
            }
        return self.model_copy(update=changed)

    def instrument_of(self, symbol: str = "") -> Instrument | None:
        """Return what a market trades; None for what is paid in full at `commission_rate`.

        Args:
            symbol: The market; "" for the only one.
        """
        return (self.instruments or {}).get(symbol, self.instrument)

    def counts_points(self, symbol: str = "") -> bool:
        """Whether a market trades contracts, whose gains are points of the close.

        Args:
            symbol: The market; "" for the only one.
        """
        instrument = self.instrument_of(symbol)
        return instrument is not None and instrument.counts_points

    @property
    def has_derivatives(self) -> bool:
        """Whether some market is held on margin, or pays funding."""
        return any(not isinstance(each, Spot) for each in self._given_instruments)

    @property
    def _given_instruments(self) -> list[Instrument]:
        given = (self.instrument, *(self.instruments or {}).values())
        return [each for each in given if each is not None]

    def describe_costs(self) -> str:
        """Say what trading costs, in words for a title.

        Example:
            >>> BrokerSettings().describe_costs()
            'commission 0.10% and slippage 0.05% of each trade'
        """
        timing = self.describe_timing()
        if self.instrument is None and not self.instruments:
            return (
                f"commission {rate_text(self.commission_rate)} and slippage "
                f"{rate_text(self.slippage_rate)} of each trade{timing}"
            )
        slippage = f"slippage {rate_text(self.slippage_rate)} of each trade"
        many = "; " if self.instruments else ", "
        return f"{self.describe_instruments(most=_MOST_INSTRUMENTS)}{many}{slippage}{timing}"

    def describe_timing(self) -> str:
        """Say when orders leave and how they are worked, to follow a comma; "" where at once.

        Example:
            >>> BrokerSettings(latency_bars=1, execution_bars=4).describe_timing()
            ', orders 1 bar late, each worked over 4 bars (TWAP)'
        """
        late = f", orders {count_of(self.latency_bars, 'bar')} late" if self.latency_bars else ""
        if self.execution_bars == 1:
            return late
        what = "each" if late else "orders"
        return f"{late}, {what} worked over {self.execution_bars} bars ({self.execution.upper()})"

    def readable_settings(self) -> dict[str, object]:
        """Return the settings by name, instruments in the words in which they were given.

        Example:
            >>> from lstm_strategy import Perpetual
            >>> BrokerSettings(instrument=Perpetual(leverage=3)).readable_settings()["instrument"]
            'Perpetual(leverage=3.0)'
        """
        settings = {name: getattr(self, name) for name in type(self).model_fields}
        instruments = settings.pop("instruments") or {}
        if settings["instrument"] is None:
            settings.pop("instrument")
        else:
            settings["instrument"] = str(self.instrument)
        return settings | {f"instrument of {name}": str(each) for name, each in instruments.items()}

    def describe_instruments(self, *, most: int | None = None, in_full: bool = False) -> str:
        """Say in words what is traded and at which fees; "" where no instrument was given.

        Args:
            most: Of more markets with instruments of their own only the number is said; None for
                no limit.
            in_full: Whether terms that are as usual are said too, as by `Instrument.describe`.

        Example:
            >>> from lstm_strategy import Perpetual, Spot
            >>> BrokerSettings(instrument=Perpetual(leverage=3)).describe_instruments()
            'perpetual, leverage 3, taker fee 0.05%'
            >>> BrokerSettings(instruments={"AAPL": Spot()}).describe_instruments()
            'AAPL: spot, commission 0.10%; others: commission 0.10%'
        """
        own = self.instruments or {}
        parts = [f"{symbol}: {each.describe(in_full=in_full)}" for symbol, each in own.items()]
        if most is not None and len(parts) > most:
            parts = [f"{len(parts):,} markets with instruments of their own"]
        rest = ""
        if self.instrument is not None:
            rest = self.instrument.describe(in_full=in_full)
        if parts:
            parts.append(f"others: {rest or f'commission {rate_text(self.commission_rate)}'}")
        elif rest:
            parts.append(rest)
        return "; ".join(parts)

    def check_markets(self, markets: Mapping[str, pd.DataFrame]) -> None:
        """Refuse instruments of markets that there aren't, and bars that an instrument can't use.

        Args:
            markets: The bars by symbol; those of one market under the name "".

        Raises:
            TradingError: With the first offence.
        """
        for symbol in self.instruments or ():
            if "" in markets:
                raise TradingError(
                    f"{spell('instruments')} names a market {symbol!r}, and these are the bars of "
                    f"one market. Give {spell('instrument')} without a name."
                )
            if symbol not in markets:
                raise TradingError(
                    f"{spell('instruments')} names a market {symbol!r}, which isn't among the "
                    f"bars. {suggest_names(symbol, markets)}"
                )
        for symbol, frame in markets.items():
            instrument = self.instrument_of(symbol)
            if instrument is not None:
                seen = points_bars(frame) if instrument.counts_points else frame  # as in a run
                instrument.check_bars(seen, symbol=symbol)

    def build(self, symbols: Iterable[str]) -> bt.brokers.BackBroker:
        """Return a broker of backtrader's on these terms; of an `InstrumentBroker` for derivatives.

        Args:
            symbols: The markets; "" for the only one.
        """
        instruments = {symbol: self._as_instrument(symbol) for symbol in symbols}
        if self.has_derivatives or any(map(_needs_account, self._given_instruments)):
            # with int2pnl, funding would end up in the commission of what closes a position
            broker = InstrumentBroker(instruments, int2pnl=False)
        else:
            broker = bt.brokers.BackBroker()
            broker.setcommission(commission=self.commission_rate)
            for symbol, instrument in instruments.items():
                if self.instrument_of(symbol) is not None:
                    broker.addcommissioninfo(instrument.commission_info(), name=symbol or None)
        for scheme in broker.comminfo.values():
            if isinstance(scheme, RollingScheme):
                scheme.slippage_rate = self.slippage_rate
        broker.setcash(self.cash)
        broker.set_slippage_perc(
            self.slippage_rate, slip_open=True, slip_limit=True, slip_match=True, slip_out=False
        )
        return broker

    def _as_instrument(self, symbol: str) -> Instrument:
        return self.instrument_of(symbol) or Spot().with_cost_rate(self.commission_rate, math.nan)


def _needs_account(instrument: Instrument) -> bool:
    """Whether backtrader's own broker would leave out what it takes, or not list it."""
    return instrument.needs_broker or _charges_interest(instrument.commission_info())


def _charges_interest(scheme: bt.CommissionInfo) -> bool:
    """Whether a commission scheme takes money from who holds a position."""
    is_own = any(
        getattr(type(scheme), name) is not getattr(bt.CommInfoBase, name)
        for name in ("get_credit_interest", "_get_credit_interest")
    )
    return is_own or bool(scheme.p.interest)


def _unit_prices(instrument: Instrument, bars: pd.DataFrame) -> pd.Series:
    column = instrument.price_column
    return bars[column if column in bars else "close"]


def _constant_rate(instrument: Instrument) -> float:
    """The fee as a fraction of the value; NaN where it depends on the price."""
    low, high = (instrument.cost_rate_at(price) for price in (1.0, 2.0))
    return low if low == high else math.nan


def choose_broker(broker: BrokerSettings | None) -> BrokerSettings:
    """Return the terms that were given, or the default ones.

    Args:
        broker: The caller's; None for `BrokerSettings()`.

    Raises:
        TradingError: For anything else, such as an instrument.

    Example:
        >>> choose_broker(None).cash
        100000.0
    """
    if broker is None:
        return BrokerSettings()
    if not isinstance(broker, BrokerSettings):
        remedy = "Pass BrokerSettings(...)"
        if isinstance(broker, Instrument):
            remedy = f"Write broker=BrokerSettings(instrument={broker!r})"
        raise TradingError(f"broker must be BrokerSettings, got {broker!r:.200}. {remedy}.")
    return broker
