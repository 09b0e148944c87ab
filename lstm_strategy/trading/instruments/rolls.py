"""What it costs to hold a future beyond the contract: it is sold, and the next one bought."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from lstm_strategy.bars import CONTRACT_MONTH, CONTRACT_PRICE, is_roll_between
from lstm_strategy.trading.backtrader_internals import keeps_bars
from lstm_strategy.trading.instruments.instrument import Instrument, InstrumentScheme

_SIDES = 2  # one contract is left, and another one taken


class RollingScheme(InstrumentScheme):
    """The commission scheme of a future, which charges who holds it where the contract changes.

    Backtrader asks `get_credit_interest` for what a position pays before the orders of the bar
    fill, so whoever held it into the bar pays. The contract changes where the close and the price
    of the contract move apart, or the month in `contract` is another one.

    Args:
        instrument: The future.
        **params: Those of backtrader's `CommissionInfo`.

    Attributes:
        slippage_rate: What a trade loses beside commission and spread, as a fraction of its value.
        record: Called with the feed, the time, the size, the price, the rate and the amount of
            each roll.
    """

    def __init__(self, instrument: Instrument, **params: Any) -> None:
        super().__init__(instrument, **params)
        self.slippage_rate = 0.0
        self.record: Callable[[Any, datetime, float, float, float, float], None] | None = None
        self._before: dict[Any, tuple[int, float, float, float]] = {}

    def get_credit_interest(self, data: Any, pos: Any, dt: Any) -> float:
        """Return what a position pays where the contract has changed since the bar before.

        Args:
            data: The feed.
            pos: The position held into the bar.
            dt: The time of the bar, as `data.datetime.datetime()` shows it.
        """
        if dt == pos.datetime:
            return 0.0  # another feed woke the broker: this bar is paid, or opened the position
        names = data.getlinealiases()
        if CONTRACT_PRICE not in names:
            return 0.0
        month = getattr(data.lines, CONTRACT_MONTH)[0] if CONTRACT_MONTH in names else 0.0
        now = (len(data), data.close[0], getattr(data.lines, CONTRACT_PRICE)[0], month)
        before = self._bar_before(data, names)
        self._before[data] = now
        if before is None or not _has_rolled(before, now):
            return 0.0
        price = before[2]
        value = abs(pos.size) * price * self.p.mult
        spread = self.instrument.spread_cost_of(pos.size, price)
        trade = abs(pos.size) * self.fee + spread + self.slippage_rate * value
        amount = float(_SIDES * trade)
        if amount and self.record is not None:
            self.record(data, dt, pos.size, price, amount / value, amount)
        return amount

    def _bar_before(self, data: Any, names: Any) -> tuple[int, float, float, float] | None:
        """The bar before; of a feed that forgets it what was kept of it, if anything."""
        lines = [data.close, getattr(data.lines, CONTRACT_PRICE)]
        lines += [getattr(data.lines, CONTRACT_MONTH)] if CONTRACT_MONTH in names else []
        if all(keeps_bars(line, 2) for line in lines):
            close, price, *month = (line[-1] for line in lines)
            return len(data) - 1, close, price, month[0] if month else 0.0
        kept = self._before.get(data)
        return kept if kept is not None and kept[0] == len(data) - 1 else None


def _has_rolled(
    before: tuple[int, float, float, float], now: tuple[int, float, float, float]
) -> bool:
    _, close, price, month = before
    is_other = month == month and now[3] == now[3] and month != now[3]  # NaN isn't itself
    return bool(is_other or is_roll_between((close, now[1]), (price, now[2])))
