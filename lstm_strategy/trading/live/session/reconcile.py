"""Whether a real account holds what the journal of its run says."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import backtrader as bt

from lstm_strategy.errors import TradingError
from lstm_strategy.trading.live.session.state import Account

CASH_TOLERANCE = 0.001
_UNITS = 1e-9


def reconcile_account(
    found: Account,
    records: Sequence[dict[str, Any]],
    *,
    multiplier: float = 1.0,
    is_paid_in_full: bool = True,
    open_orders: Sequence[str] = (),
) -> None:
    """Refuse to trade an account that holds something else than the journal says.

    The journal's last account counts, and what was filled after it. A run that is begun expects an
    account without a position in the market. Cash may be off by a thousandth of the equity, for
    interest and fees that no fill tells of. Nothing is waiting to be filled: an order of an earlier
    session is one that this session knows nothing of.

    Args:
        found: What the broker says.
        records: What the journal holds.
        multiplier: What a point of the price is worth.
        is_paid_in_full: Whether units take their value of the cash; else cash isn't compared
            where something was filled since.
        open_orders: The orders that wait at the broker, as `list_open_orders` describes them.

    Raises:
        TradingError: Naming what differs.

    Example:
        >>> reconcile_account(Account(cash=100.0, equity=100.0, position=0.0), [])
    """
    cash, equity, position = math.nan, found.equity, 0.0
    for record in records:
        if record["kind"] == "account":
            cash, equity, position = (record[name] for name in ("cash", "equity", "position"))
        elif record["kind"] == "fill":
            position += record["size"]
            cash -= record["size"] * record["price"] * multiplier + record["commission"]
            cash = cash if is_paid_in_full else math.nan
    if not math.isclose(found.position, position, rel_tol=_UNITS, abs_tol=_UNITS):
        raise TradingError(
            f"The broker holds {found.position:g} units of the market, and the journal says "
            f"{position:g}. Bring the account to {position:g} units; or start with "
            "adopt_account=True to go on from what the broker holds."
        )
    if abs(found.cash - cash) > CASH_TOLERANCE * max(abs(equity), 1.0):
        raise TradingError(
            f"The broker has cash of {found.cash:,.2f}, and the journal says {cash:,.2f}. Find out "
            "why; then start with adopt_account=True to go on from what the broker has."
        )
    if open_orders:
        more = f" It is one of {len(open_orders)}." if len(open_orders) > 1 else ""
        raise TradingError(
            f"The broker has an open order of this market, {open_orders[0]}, which may be filled "
            f"beside those of the strategy.{more} Cancel it at the broker; or start with "
            "adopt_account=True to trade beside it."
        )


def tells_open_orders(broker: Any) -> bool:
    """Whether a broker can say which orders wait there: backtrader asks it of none.

    Args:
        broker: The broker of a store.

    Example:
        >>> tells_open_orders(bt.brokers.BackBroker()), tells_open_orders(bt.BrokerBase())
        (True, False)
    """
    return callable(getattr(broker, "get_orders_open", None))


def list_open_orders(broker: Any, market: Any) -> list[str]:
    """Describe the orders of a market that wait at a broker; none where it can't say.

    Args:
        broker: The broker of a store. Its `get_orders_open` gives orders of backtrader or, as
            stores on ccxt do, mappings with `side`, `amount`, `remaining`, `price` and `symbol`.
        market: What the store calls the market. An order counts as one of it unless it names
            another one.

    Returns:
        Such as "+5 units at 101".

    Example:
        >>> class Broker:
        ...     def get_orders_open(self):
        ...         asked = {"side": "sell", "amount": 2.0, "price": 101.0}
        ...         return [asked | {"symbol": symbol} for symbol in ("BTC/USDT", "ETH/USDT")]
        >>> list_open_orders(Broker(), "ETH/USDT")
        ['-2 units at 101']
    """
    orders = broker.get_orders_open() if tells_open_orders(broker) else ()
    of_market = [order for order in orders if _is_of_market(order, market)]
    return [_describe_order(order) for order in of_market]


def _is_of_market(order: Any, market: Any) -> bool:
    if isinstance(order, Mapping):
        name = order.get("symbol")
    else:
        name = getattr(getattr(getattr(order, "data", None), "p", None), "dataname", None)
    if not (isinstance(name, str) and isinstance(market, str)):
        return True
    one, other = _letters_of(name), _letters_of(market)
    return one.startswith(other) or other.startswith(one)  # BTC/USDT:USDT is BTCUSDT elsewhere


def _letters_of(name: str) -> str:
    return "".join(filter(str.isalnum, name)).upper()


def _describe_order(order: Any) -> str:
    if isinstance(order, Mapping):
        size = order.get("remaining") or order.get("amount")
        sign = -1.0 if order.get("side") == "sell" else 1.0
        price = order.get("price")
    elif isinstance(order, bt.OrderBase):
        size, sign, price = order.executed.remsize, 1.0, order.created.price
        price = None if order.exectype == bt.Order.Market else price
    else:
        return str(order)
    where = "" if price is None else f" at {float(price):g}"
    return str(dict(order)) if size is None else f"{sign * float(size):+g} units{where}"
