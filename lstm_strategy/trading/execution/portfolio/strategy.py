"""A strategy that asks for exposures in many markets: what it is asked, and when."""

import math
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from lstm_strategy.errors import TradingError
from lstm_strategy.support import suggest_names
from lstm_strategy.trading.backtrader_internals import (
    compute_bar_by_bar,
    exactbars_of,
    feed_name,
    minimum_periods,
    raise_minimum_period,
)
from lstm_strategy.trading.execution.exposure_strategy import ExposureStrategy
from lstm_strategy.trading.execution.order_log import ORDER_KINDS, log
from lstm_strategy.trading.execution.parameters import default_params
from lstm_strategy.trading.execution.portfolio.answers import check_exposures
from lstm_strategy.trading.execution.portfolio.market import Market
from lstm_strategy.trading.execution.portfolio.orders import PortfolioOrders
from lstm_strategy.trading.execution.portfolio.parameters import PortfolioParameters
from lstm_strategy.trading.execution.portfolio.volatility import EwmVolatility

PORTFOLIO_ORDER_KINDS = (*ORDER_KINDS, "stranded")
"""What can become of an order of a portfolio, explained at `PortfolioStrategy`."""

_ONE_BAR = 0.99  # times in floats of days may fall short of 1


class PortfolioStrategy(ExposureStrategy):
    """Hold the fractions of equity that `target_exposures` asks for, in all datas of a Cerebro.

    Override `target_exposures`. It is asked at the close of every date on which some data has a
    bar, and the orders that follow fill at the next open of each data. The datas may begin, end
    and pause at dates of their own: one that has not begun, or whose indicators lack bars, holds
    up none of the others.

    Exposures are fitted to one budget: first `max_exposure` limits each, then `max_gross` and
    `max_net` all together. A market is traded at closes of its own bars only. On the dates in
    between, the budget counts its position, or what its waiting order makes of that, whichever is
    worse; an order is withdrawn once its market is no longer live. Sells are sent before buys, and
    backtrader fills them in that order. A buy is sized for what sales will bring at
    `close * (1 - reserve)`; where they bring less, or where a market that sells has no bar on the
    day, the buy shrinks to what the cash pays when it fills; whatever adds to a position shrinks
    in the same way to what `max_gross` has room for. What all shorts cost to cover at
    `close * (1 + reserve)` stays in cash and buys no longs. A short that costs more than all cash
    is covered as far as that goes, the rest once longs are sold.

    A subclass with an `__init__` of its own calls `super().__init__()` first, and makes its
    indicators by market: `{name: bt.ind.SMA(data, period=50) for name, data in
    self.markets.items()}`. `target_exposures` looks at the markets in `self.live_markets` only:
    backtrader's lines show the last bar of the run for a data that hasn't begun.

    Args:
        long_only: Whether exposures below 0 become 0 (False).
        max_gross: The most that all positions are worth, long and short, in multiples of equity
            (1).
        max_net: The most by which longs exceed shorts, or shorts longs (None, so no limit).
        max_leverage: The most that longs are worth together, in multiples of equity (1), since
            there is no credit. Above 1 some instrument must be held on margin and allow it, such
            as `Perpetual(leverage=3)`; what is held on margin, long or short, is held as far as
            the equity backs it.
        max_exposure: The most that one market is worth: a fraction for all, or a dict by market
            (None, so no limit).
        target_volatility: Fraction per year. An answer of 1 then asks for one equal share of the
            portfolio, 1/n of n live markets, at this volatility: exposure is the answer times
            `target_volatility / volatility / n`. None, the default, takes answers as fractions of
            equity.
        volatility_span: Bars of the exponential weights of that volatility (60).
        rebalance_bars: Dates from one decision to the next (1); the last answer stands in between.
        latency_bars: Dates from a decision to the closes at which its orders leave (0, so the
            same). Orders are sized when they leave.
        band: Differences between target and exposure up to this fraction of an equal share of
            equity (1/n) aren't traded (0.1).
        reserve: A buy pays up to `close * (1 + reserve)`, and cash is kept for that (0.01).
        lot_size: The smallest tradable number of units (1e-6); 1 for whole shares.
        bars_per_year: How many dates a year has (252).
        bars_per_day: How many dates a day has, for strategies that count days (1).
        bars_per_year_by_market: How many bars of its own a market has in a year, by name; they
            annualise its volatility, and count its months. None, the default, takes
            `bars_per_year`, as for every market that is left out.
        bars_per_day_by_market: The same of a day. `run_backtest` takes all four from the bars.

    Attributes:
        markets: All datas by name, `data0` and so on where they have none.
        order_counts: What became of the orders, by kind: those of `TargetStrategy`, where `cut`
            also counts buys that the cash did not pay for in full, and orders that a market without
            a bar left no room for; and `stranded` (a
            position in a market that ended before the run did, and keeps the value of its last
            close). The first of each trouble in a run is also logged as a warning with its remedy.
        order_counts_by_market: The same for each market, by name.

    Raises:
        TradingError: If a parameter is out of range, if an answer isn't a number by market, if
            two datas share a name, if `max_leverage` is more than the instruments allow or than
            `max_gross`, or if a commission scheme has a margin, a multiplier or leverage and isn't
            that of an instrument of ours.

    Example:
        >>> class HoldTheDips(PortfolioStrategy):
        ...     def target_exposures(self):
        ...         live = self.live_markets
        ...         down = [name for name, data in live.items() if data.close[0] < data.open[0]]
        ...         return {name: 1 / len(down) for name in down}
        >>> import backtrader as bt
        >>> from lstm_strategy import BarsFeed, simulate_bars
        >>> cerebro = bt.Cerebro()
        >>> for seed, name in enumerate(["A", "B"]):
        ...     feed = BarsFeed(simulate_bars("noise", 100, seed=seed).bars)
        ...     _ = cerebro.adddata(feed, name=name)
        >>> _ = cerebro.addstrategy(HoldTheDips)
        >>> cerebro.run()[0].order_counts["completed"] > 50
        True
    """

    params: Any = default_params(PortfolioParameters)
    order_kinds: tuple[str, ...] = PORTFOLIO_ORDER_KINDS

    def __init__(self) -> None:
        orders = self._begin(PortfolioParameters, self.datas)
        self.markets = _by_name(self.datas)
        self._check_names_of_markets()
        with_risk = self.p.target_volatility is not None
        self._markets = [
            Market(
                name,
                each,
                EwmVolatility(each.data, span=self.p.volatility_span) if with_risk else None,
            )
            for name, each in zip(self.markets, orders, strict=True)
        ]
        self._portfolio_orders = PortfolioOrders(self, self._markets)
        self._name_of = {id(data): name for name, data in self.markets.items()}
        self.order_counts_by_market = {
            name: dict.fromkeys(self.order_kinds, 0) for name in self.markets
        }
        self._live: dict[str, Any] = {}
        self._targets: dict[str, float] = {}
        # decisions whose orders have yet to leave
        self._on_their_way: deque[dict[str, float]] = deque([{}] * self.p.latency_bars)
        self._dates_until_decision = 0
        self._n_dates_seen = 0
        self._is_new_date = False
        self._followers: list[Callable[[], None]] = []

    def target_exposures(self) -> Mapping[str, float]:
        """Return the desired fraction of equity in each market at the close of this date.

        Returns:
            Numbers by name of the data; below 0 for short. A market that is left out isn't held;
            NaN means no opinion: its present position stays. What is said of a market that isn't
            among `live_markets` doesn't count.
        """
        raise NotImplementedError(f"{type(self).__name__} must define target_exposures()")

    def leave_out(self, name: str) -> None:
        """Never trade a market, and never count it among `live_markets`.

        Args:
            name: The market.
        """
        for market in self._markets:
            market.is_left_out = market.is_left_out or market.name == name

    def wait_for_bars(self, name: str, n_bars: int) -> None:
        """Let a market be live from a number of its bars on, if not later by its indicators.

        Args:
            name: The market.
            n_bars: The number, counted from 1.
        """
        for market in self._markets:
            if market.name == name:
                market.bars_needed = max(market.bars_needed, n_bars)

    def follow(self, look: Callable[[], None]) -> None:
        """Let something look at the markets at every date, also at those of no decision.

        Args:
            look: Called before anything is decided.
        """
        self._followers.append(look)

    def bars_per_year_of(self, name: str) -> float:
        """Return how many bars of its own a market has in a year.

        Args:
            name: The market.
        """
        return float((self.p.bars_per_year_by_market or {}).get(name, self.p.bars_per_year))

    def bars_per_day_of(self, name: str) -> float:
        """Return how many bars of its own a market has on a day.

        Args:
            name: The market.
        """
        return float((self.p.bars_per_day_by_market or {}).get(name, self.p.bars_per_day))

    @property
    def live_markets(self) -> dict[str, Any]:
        """The datas that can be judged at this date, by name.

        Those that have as many bars as their indicators need, and whose last bar isn't long ago:
        no more than ten days, or than three times the spacing before it.
        """
        return self._live

    def start(self) -> None:
        """Refuse what could only go wrong later."""
        super().start()
        if len(self.datas) > 1 and exactbars_of(self.cerebro) > 0:
            raise TradingError(
                f"{type(self).__name__} can't run with exactbars=1, under which backtrader loses "
                "bars of datas that have dates of their own. Leave exactbars out."
            )
        periods = minimum_periods(self)
        for number, (market, needed) in enumerate(zip(self._markets, periods, strict=True)):
            if market.data.replaying:
                raise TradingError(
                    f"{type(self).__name__} decides on complete bars, and the bars of market "
                    f"{market.name} are replayed. Use resampledata instead of replaydata."
                )
            market.bars_needed = max(market.bars_needed, needed)
            raise_minimum_period(self, number, market.bars_needed)
        self._note_short_markets()

    def prenext(self) -> None:
        """Decide as soon as one market has bars enough; backtrader would wait for all."""
        self._look()
        if self._live:
            self.next()

    def next(self) -> None:
        """Decide once a date, however often backtrader calls."""
        self._look()
        if not self._is_new_date:
            return
        self._is_new_date = False
        if self._live_feeds and self._waits_for_live_bars():
            return
        if self._rivals is not None:
            self._rivals.look()
        if not self._dates_until_decision:
            self._targets = self._ask()
            self._dates_until_decision = self.p.rebalance_bars
        self._dates_until_decision -= 1
        targets = self._targets
        if self._on_their_way:
            self._on_their_way.append(targets)
            decided = self._on_their_way.popleft()
            # what wasn't live then hasn't been decided on
            targets = {name: decided.get(name, math.nan) for name in self._live}
        self._portfolio_orders.move_towards(targets, n_live=len(self._live))

    def stop(self) -> None:
        """Count the orders and the positions that the end of the run left."""
        super().stop()
        last = max(market.time for market in self._markets)
        for market in self._markets:
            # markets of other zones close some hours earlier on the last day, and shares rest on a
            # weekend on which a coin goes on
            bars_per_day = self.bars_per_day_of(market.name)
            days = market.missed_days(last) if bars_per_day >= 1.0 else last - market.time
            missed = days * bars_per_day
            if market.has_begun and missed >= _ONE_BAR and market.orders.position.size:
                self._report(
                    market.data,
                    "stranded",
                    f"it ended on that date with {market.orders.position.size:g} units held, which "
                    "keep the value of its last close to the end of the run. Leave the market out, "
                    "or let target_exposures answer 0 for it before it ends.",
                    decided_at=market.time,
                )

    def _note_short_markets(self) -> None:
        """Say which markets can never be traded, and keep them from ending the run."""
        # without preload nobody knows how many bars there will be
        n_bars = {market.name: market.data.buflen() for market in self._markets}
        short = [m for m in self._markets if 0 < n_bars[m.name] < m.bars_needed]
        if not short:
            return
        # a vectorised indicator ends in an IndexError where its data is too short
        compute_bar_by_bar(self.cerebro)
        first, others = short[0], len(short) - 1
        log.warning(
            "market %s is never traded: it has %d bars, and %s needs %d%s. Load more history, or "
            "leave it out.",
            first.name,
            n_bars[first.name],
            type(self).__name__,
            first.bars_needed,
            f"; so have {others} others too few" if others else "",
        )

    def _look(self) -> None:
        """See what the present date brought to each market, once."""
        n_dates = len(self)
        if n_dates == self._n_dates_seen:
            return
        self._n_dates_seen = n_dates
        now = self.lines.datetime[0]
        for market in self._markets:
            market.look(now)
        for look in self._followers:
            look()
        self._live = {market.name: market.data for market in self._markets if market.is_live}
        self._is_new_date = True

    def _ask(self) -> dict[str, float]:
        """The exposures of the live markets that target_exposures asks for, scaled and capped."""
        asked = check_exposures(
            self.target_exposures(), self.markets, name=type(self).__name__, date=self._date()
        )
        return {
            market.name: self._scale(market, asked.get(market.name, 0.0))
            for market in self._markets
            if market.is_live
        }

    def _scale(self, market: Market, asked: float) -> float:
        """The exposure that an answer means: in units of risk, or as it is; within its limits."""
        exposure = max(float(asked), 0.0) if self.p.long_only and asked < 0.0 else float(asked)
        if market.volatility is not None and exposure:
            volatility = market.volatility[0] * math.sqrt(self.bars_per_year_of(market.name))
            # What has not moved for long has no risk that anyone could measure.
            scale = self.p.target_volatility / volatility if volatility > 0.0 else 0.0
            exposure *= scale / len(self._live)
        cap = self._cap_of(market.name)
        return exposure if math.isnan(exposure) else min(max(exposure, -cap), cap)

    def _cap_of(self, name: str) -> float:
        caps = self.p.max_exposure
        cap = caps.get(name) if isinstance(caps, Mapping) else caps
        return math.inf if cap is None else float(cap)

    def _check_names_of_markets(self) -> None:
        for param in ("max_exposure", "bars_per_year_by_market", "bars_per_day_by_market"):
            value = getattr(self.p, param)
            for name in value if isinstance(value, Mapping) else ():
                if name not in self.markets:
                    raise TradingError(
                        f"{param} names a market {name!r}, which isn't among the datas. "
                        f"{suggest_names(name, self.markets)}"
                    )

    def _date(self) -> str:
        return str(self.datas[0].num2date(self.lines.datetime[0]).isoformat(sep=" "))

    def _count(self, data: Any, kind: str) -> None:
        super()._count(data, kind)
        self.order_counts_by_market[self._name_of[id(data)]][kind] += 1

    def _largest_exposure_of(self, name: str) -> float:
        return min(self._cap_of(name), float(self.p.max_gross))

    def _name_market(self, data: Any) -> str:
        return self._name_of[id(data)]


def _by_name(datas: list[Any]) -> dict[str, Any]:
    """The feeds by name, `data0` and so on where they have none."""
    named: dict[str, Any] = {}
    for number, data in enumerate(datas):
        name = feed_name(data) or f"data{number}"
        if name in named:
            raise TradingError(
                f"two datas are both called {name!r}, so exposures by name would be those of "
                "either. Give each its own: cerebro.adddata(feed, name='SPY')."
            )
        named[name] = data
    return named
