"""The orders of all markets of a portfolio, sent under one budget."""

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

from lstm_strategy.trading.execution.orders import is_worth_trading
from lstm_strategy.trading.execution.portfolio.budget import fit_to_budget
from lstm_strategy.trading.execution.portfolio.market import Market

# Keeps the last float digit of a whole-cash purchase from asking for more than there is.
_CASH_TOLERANCE = 1e-12
_ROUNDING = 1e-9  # of multiples of the equity


class PortfolioOrders:
    """Sends what moves all positions to their targets: sells first, and what their cash can pay.

    Args:
        strategy: The portfolio, whose parameters count.
        markets: Its markets.
    """

    def __init__(self, strategy: Any, markets: list[Market]) -> None:
        self._strategy, self._markets = strategy, markets
        self._shorts: list[tuple[Any, float]] = []
        self._units: dict[str, float] = {}
        self._time_without_excess = 0.0

    def move_towards(self, targets: Mapping[str, float], *, n_live: int) -> None:
        """Send the orders, if any, that move all positions to their targets.

        Args:
            targets: The exposures asked for, fractions of equity by market; 0 for one that is
                left out, NaN for the present position.
            n_live: How many markets share the equity; the band is counted in equal shares.
        """
        strategy = self._strategy
        equity = strategy.broker.getvalue()
        movable = self._find_movable()
        if self._is_ruined(equity):
            for market in movable:
                market.orders.send(-market.orders.position.size, market.orders.close())
            return
        closes = {market.name: market.orders.close() for market in movable}
        held = {market.name: market.orders.exposure(equity) for market in movable}
        self._units = {
            market.name: market.orders.money.unit_value() / equity
            for market in self._markets
            if market.has_begun
        }
        fixed = {
            market.name: market.committed_exposures(equity)
            for market in self._markets
            if market.has_begun and market.name not in held
        }
        fitted = fit_to_budget(
            {name: _target_or_held(targets.get(name, 0.0), held[name]) for name in held},
            fixed,
            max_gross=strategy.p.max_gross,
            max_net=strategy.p.max_net,
            max_long=strategy.p.max_leverage,
            margins=self._margins(),
        )
        band = strategy.p.band / max(n_live, 1)
        most_long = strategy.p.max_leverage + _ROUNDING
        longs = sum(max(exposure, 0.0) for exposure in held.values())
        longs += sum(max(*exposures, 0.0) for exposures in fixed.values())
        sizes = {}
        for market in movable:
            name = market.name
            # Longs above the equity have spent what the shorts cost to cover: no band keeps them.
            is_on_credit = longs > most_long and held[name] > max(fitted[name], 0.0)
            if is_on_credit or is_worth_trading(fitted[name], held[name], band):
                sizes[name] = market.orders.lots_towards(fitted[name], equity, closes[name])
        self._send([market for market in movable if sizes.get(market.name)], sizes, closes)

    def _margins(self) -> dict[str, float]:
        """What one unit of exposure takes of the equity, of each market on margin."""
        return {
            market.name: market.orders.money.margin_share()
            for market in self._markets
            if market.has_begun and market.orders.money.is_on_margin
        }

    def _find_movable(self) -> list[Market]:
        """The markets that can be traded at this date, their stale orders withdrawn."""
        for market in self._markets:
            if not market.is_live:
                market.orders.withdraw_for_good()
        return [
            market
            for market in self._markets
            if market.is_fresh and market.is_live and market.orders.withdraw_stale_order()
        ]

    def _send(
        self, markets: list[Market], sizes: Mapping[str, float], closes: Mapping[str, float]
    ) -> None:
        """Send sells, then what covers shorts, then the buys that the cash of both can pay."""
        buys = [m for m in markets if m.orders.takes_cash(sizes[m.name], closes[m.name])]
        others = [market for market in markets if market not in buys]
        sells = [market for market in others if sizes[market.name] < 0.0]
        covers = [market for market in others if market not in sells]
        for market in (*sells, *covers):
            self._send_one(market, sizes[market.name], closes[market.name])
        self._shorts = self._price_shorts()
        if not buys:
            return
        cost = sum(m.orders.cost(sizes[m.name], closes[m.name]) for m in buys)
        cash = self._spendable_cash([*sells, *covers], sizes, closes) - self._kept_beside(buys)
        share = max(cash, 0.0) * (1.0 - _CASH_TOLERANCE) / cost
        for market in buys:
            close = closes[market.name]
            self._send_one(market, market.orders.shrink(sizes[market.name], share, close), close)

    def _send_one(self, market: Market, size: float, close: float) -> None:
        spendable = partial(self._cash_beyond_shorts, market.orders.position)
        excess = partial(self._excess_units, market)
        market.orders.send(size, close, spendable=spendable, excess=excess)

    def _excess_units(self, own: Market) -> float:
        """The units by which an order would break the gross limit, since others have no bar.

        At the prices of the last decision: what moves in between is no order's fault.
        """
        time = own.data.datetime[0]
        if time == self._time_without_excess:  # asked by each order of a date
            return 0.0
        begun = [market for market in self._markets if market.name in self._units]
        stays = sum(market.units_that_stay() * self._units[market.name] for market in begun)
        if not stays:
            self._time_without_excess = time
            return 0.0
        then = sum(abs(m.units_held_and_ordered()[1]) * self._units[m.name] for m in begun)
        slack = max(self._strategy.p.max_gross - then, 0.0)
        return float(max(stays - slack, 0.0) / self._units[own.name])

    def _price_shorts(self) -> list[tuple[Any, float]]:
        """What is short, or may be before the next date, and what a unit costs to cover."""
        shorts = []
        for market in self._markets:
            is_covered = market.has_begun and not market.orders.money.is_on_margin
            units = -min(market.units_held_and_ordered()) if is_covered else 0.0
            if units > 0.0:
                cost = market.orders.cost(units, market.data.close[0])
                shorts.append((market.orders.position, cost / units))
        return shorts

    def _cash_beyond_shorts(self, own: Any) -> float:
        """The cash that isn't kept to cover the shorts of the other markets."""
        kept: float = sum(
            -position.size * cost
            for position, cost in self._shorts
            if position.size < 0.0 and position is not own
        )
        return float(self._strategy.broker.getcash()) - kept

    def _spendable_cash(
        self, others: list[Market], sizes: Mapping[str, float], closes: Mapping[str, float]
    ) -> float:
        """The cash once the other orders of this date have filled, those that wait included."""
        cash = float(self._strategy.broker.getcash())
        for market in self._markets:
            if market.orders.is_waiting and market not in others:
                size, close = market.orders.order.executed.remsize, market.data.close[0]
                if size > 0.0 or market.orders.money.is_on_margin:
                    cash -= max(market.orders.cost(size, close), 0.0)
        for market in others:
            size, close = sizes[market.name], closes[market.name]
            brought = market.orders.cash_brought(size, close)
            if market.orders.is_simulated or brought < 0.0:
                cash += brought  # a real broker pays when the sale is done
        return cash

    def _kept_beside(self, buys: list[Market]) -> float:
        """What the shorts cost to cover that are left once the orders of this date have filled."""
        kept = 0.0
        for market in self._markets:
            is_covered = market.has_begun and not market.orders.money.is_on_margin
            if is_covered and market not in buys:
                held, then = market.units_held_and_ordered()
                short = -then if market.orders.is_simulated else -max(held, then)
                if short > 0.0:
                    kept += market.orders.cost(short, market.data.close[0])
        return kept

    def _is_ruined(self, equity: float) -> bool:
        counts = self._strategy.order_counts
        if equity <= 0.0 and not counts["ruined"]:
            held = [m for m in self._markets if m.has_begun and m.orders.position.size]
            worst = min(held, key=lambda market: market.orders.position.size * market.data.close[0])
            worst.orders.report(
                "ruined",
                f"equity fell to {equity:,.2f} with {worst.orders.position.size:g} units held; all "
                "is closed and nothing is traded any more. Ask for smaller short exposures.",
            )
        return bool(counts["ruined"])


def _target_or_held(target: float, held: float) -> float:
    return held if math.isnan(target) else target
