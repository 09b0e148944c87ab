"""Whether a real account holds what the journal of its run says."""

import math
from collections.abc import Sequence
from typing import Any

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
) -> None:
    """Refuse to trade an account that holds something else than the journal says.

    The journal's last account counts, and what was filled after it. A run that is begun expects an
    account without a position in the market. Cash may be off by a thousandth of the equity, for
    interest and fees that no fill tells of.

    Args:
        found: What the broker says.
        records: What the journal holds.
        multiplier: What a point of the price is worth.
        is_paid_in_full: Whether units take their value of the cash; else cash isn't compared
            where something was filled since.

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
