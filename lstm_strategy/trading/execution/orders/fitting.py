"""An order is cut to what cash and limits allow at the moment at which it can fill."""

import math
from collections.abc import Callable
from typing import Any

import backtrader as bt

from lstm_strategy.trading.backtrader_internals import resize_order
from lstm_strategy.trading.execution.orders.market_sizes import MarketSizes


def fit_to_cash(
    market: MarketSizes,
    order: Any,
    spendable: Callable[[], float],
    excess: Callable[[], float] | None = None,
) -> bool:
    """Cut a buy that is paid in full to what the cash pays.

    Args:
        market: Where it fills.
        order: The buy, which can fill on the present bar.
        spendable: What tells the cash that a long may be bought with; covering a short may take
            all of it.
        excess: What tells by how many units the buy breaks a limit; None for no limit.

    Returns:
        Whether anything is left of it.
    """
    size, price = order.executed.remsize, _dearest_now(market, order)
    short = max(-float(market.position.size), 0.0)
    impact = market.money.impact_of(order, price)
    cash = float(market.broker.getcash()) - impact
    is_paid = market.money.cost(size, price) <= (spendable() - impact if size > short else cash)
    if not is_paid:
        fitting = min(_lots_for(market, spendable() - impact, price), size)
        if fitting < short:  # covering one short may take what was kept for others
            fitting = min(size, short)
            if market.money.cost(fitting, price) > cash:
                fitting = min(_lots_for(market, cash, price), fitting)
        if not _cut(market, order, fitting):
            return False
    return excess is None or fit_to_limit(market, order, excess)


def fit_to_margin(
    market: MarketSizes,
    order: Any,
    spendable: Callable[[], float],
    excess: Callable[[], float] | None = None,
) -> bool:
    """Cut what an order opens on margin to what the cash pays.

    Args:
        market: Where it fills.
        order: That can fill on the present bar.
        spendable: What tells the cash that may be spent on it.
        excess: What tells by how many units the order breaks a limit; None for no limit.

    Returns:
        Whether anything is left of it.
    """
    size, prices = order.executed.remsize, _prices_now(market, order)
    if prices and market.money.takes_cash(size):
        cash = spendable() - max(market.money.impact_of(order, price) for price in prices)
        if not all(market.money.cost(size, price) <= cash for price in prices):
            units = market.lots_below(market.money.affordable(size, prices, cash))
            if not _cut(market, order, market.part_of(size, units)):
                return False
    return excess is None or fit_to_limit(market, order, excess)


def fit_to_limit(market: MarketSizes, order: Any, excess: Callable[[], float]) -> bool:
    """Cut what an order opens to what a limit for several markets allows.

    Args:
        market: Where it fills.
        order: That can fill on the present bar.
        excess: What tells by how many units it breaks the limit.

    Returns:
        Whether anything is left of it.
    """
    size, held = order.executed.remsize, float(market.position.size)
    opened = abs(size) if held * size >= 0.0 else max(abs(size) - abs(held), 0.0)
    too_much = min(excess(), opened) if opened else 0.0
    if too_much <= 0.0:
        return True
    lot_size = market.lot_size
    lots = math.ceil(too_much / lot_size * (1.0 - 1e-9))
    fitting = max(abs(size) - min(lots * lot_size, opened), 0.0)
    market.report(
        "cut",
        f"the order for {size:g} was cut to {math.copysign(fitting, size):g}: positions of "
        "markets without a bar to close them still took up max_gross. What is missing is "
        "decided again.",
    )
    return _resize(order, math.copysign(fitting, size) if fitting >= 0.5 * lot_size else 0.0)


def _cut(market: MarketSizes, order: Any, fitting: float) -> bool:
    market.report_cut(order.executed.remsize, fitting)
    return _resize(order, fitting)


def _resize(order: Any, fitting: float) -> bool:
    """Give an order its new size; one without any waits on, to be withdrawn without a word."""
    if fitting == 0.0:
        order.addinfo(is_starved=True)
        return False
    resize_order(order, fitting)
    return True


def _lots_for(market: MarketSizes, cash: float, price: float) -> float:
    return market.lots_below(market.money.affordable(math.inf, (price,), cash))


def _prices_now(market: MarketSizes, order: Any) -> tuple[float, ...]:
    """The prices between which an order would fill on the present bar; none where it won't."""
    money, opened = market.money, float(market.data.open[0])
    rate = money.slippage_at_open()
    if order.isbuy() and order.exectype == bt.Order.Limit:
        collar = float(order.created.price)
        if opened <= collar:
            slipped = money.in_ticks(opened * (1.0 + rate), is_buy=True)
            return (market.dearest_at(min(collar, slipped)),)
        return (market.dearest_at(collar),) if market.data.low[0] <= collar else ()
    if order.isbuy():
        return (_dearest_now(market, order),)
    fixed = 0.0 if rate else float(market.broker.p.slip_fixed)
    return money.in_ticks(opened * (1.0 - rate) - fixed, is_buy=False), opened


def _dearest_now(market: MarketSizes, order: Any) -> float:
    """The highest price of a buy that can fill on the present bar."""
    if order.exectype == bt.Order.Limit:
        return market.dearest_at(order.created.price)
    rate, opened = market.money.slippage_at_open(), float(market.data.open[0])
    slipped = opened * (1.0 + rate) if rate else 0.0
    dearest = max(slipped, opened + (0.0 if slipped else market.broker.p.slip_fixed))
    return market.money.in_ticks(dearest, is_buy=True)
