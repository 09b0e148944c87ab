"""Everything that a Cerebro run shows, bar by bar: orders, positions, cash and lines."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd

from lstm_strategy.errors import AuditError
from lstm_strategy.evaluation.audit.cerebro.lines import find_lines
from lstm_strategy.evaluation.audit.cerebro.money import (
    CHARGES,
    EQUITY,
    FILLS,
    MoneyCounter,
    find_money_code,
)
from lstm_strategy.evaluation.audit.cerebro.subject import CerebroFactory
from lstm_strategy.trading import minimum_period, strategies_of_last_run
from lstm_strategy.trading.cerebro import OPEN_METHODS
from lstm_strategy.trading.execution import silence_orders
from lstm_strategy.trading.lstm import LSTMIndicator

MODES = ("vector", "next")
"""Ways to compute indicators: on all bars at once, or bar by bar."""


@dataclass(frozen=True)
class SentOrder:
    """One order as it was sent.

    Attributes:
        time: Time of its bar, in backtrader's day numbers.
        size: Units, below zero for a sale.
        kind: backtrader's name of it: "Market".
        price: Its price; NaN for one without.
        limit: Its limit price; NaN for one without.
        at_open: Whether it was sent at the open of its bar.
        filled_at: Times of its fills, in day numbers.
    """

    time: float
    size: float
    kind: str
    price: float
    limit: float
    at_open: bool
    filled_at: tuple[float, ...] = ()

    def __str__(self) -> str:
        side = "buy" if self.size > 0 else "sell"
        return f"{side} {abs(self.size):.6g} ({self.kind.lower()})"


@dataclass(frozen=True, eq=False)
class Recording:
    """What one run did.

    Attributes:
        times: The bars that the strategies saw, as day numbers.
        account: One row for each of `times`: the size of each position, what all fills were worth
            and what was charged so far, cash and equity.
        lines: One row for each of `times`, one column for each line of each indicator and strategy.
        orders: The orders in the order in which they were sent.
        inputs: The lines from which a line is made, by its name.
        homes: The class to which a line belongs, by its name.
        first_decision: Number of the bar on which `next` is first called.
        uses_model: Whether an `LSTMIndicator` is among the indicators.
        money_code: The classes and functions that decide what trading costs and when orders fill,
            backtrader's own apart.
        breach: How a strategy changed the terms of its run, in words; "" where none did, or where
            the Cerebro is the user's own.
        error: What the run raised, if it did: the rows end there.
    """

    times: np.ndarray
    account: pd.DataFrame
    lines: pd.DataFrame
    orders: tuple[SentOrder, ...]
    inputs: dict[str, tuple[str, ...]]
    homes: dict[str, type]
    first_decision: int
    uses_model: bool
    money_code: tuple[Any, ...] = ()
    breach: str = ""
    error: Exception | None = None


def record_run(factory: CerebroFactory, bars: pd.DataFrame, *, mode: str) -> Recording:
    """Run the Cerebro of some bars in one mode and record what it does.

    Python's and NumPy's global random numbers begin alike in every run and are put back
    afterwards. An exception ends the recording and is kept in it.

    Args:
        factory: Makes the Cerebro.
        bars: The bars.
        mode: One of `MODES`.

    Raises:
        AuditError: If the Cerebro has no strategy.
        Exception: What the run raised before its first bar.
    """
    with _repeatable_randomness(), silence_orders():
        cerebro = factory(bars)
        money_code = find_money_code(cerebro.broker)
        cerebro.addanalyzer(RunRecorder, is_by_bar=mode == "next", _name="audit_recorder")
        error = None
        try:
            cerebro.run(runonce=mode == "vector", preload=True, maxcpus=1)
        except Exception as raised:
            error = raised
    strategies = strategies_of_last_run(cerebro)
    recorders = [strategy.analyzers.audit_recorder for strategy in strategies]
    if not recorders or not recorders[0].times:
        raise error or AuditError("The Cerebro has no strategy to audit. Add one to it.")
    return _join_recorders(recorders, money_code, error)


def _join_recorders(
    recorders: list[Any], money_code: tuple[Any, ...], error: Exception | None
) -> Recording:
    first = recorders[0]
    lines = pd.concat([recorder.line_frame() for recorder in recorders], axis=1)
    every_line = [line for recorder in recorders for line in recorder.lines]
    return Recording(
        times=np.array(first.times),
        account=first.account_frame(),
        lines=lines.loc[:, ~lines.columns.duplicated()],
        orders=tuple(first.sent_orders()),
        inputs={name: of for recorder in recorders for name, of in recorder.inputs().items()},
        homes={line.name: line.home for line in every_line},
        first_decision=max(recorder.first_decision for recorder in recorders),
        uses_model=any(issubclass(line.home, LSTMIndicator) for line in every_line),
        money_code=money_code,
        breach=getattr(getattr(first.strategy.analyzers, "terms_watch", None), "breach", ""),
        error=error,
    )


class RunRecorder(bt.Analyzer):
    """Writes down what each bar shows once the strategy has acted on it."""

    params = (("is_by_bar", False),)

    def __init__(self) -> None:
        self.times: list[float] = []
        self.account: list[list[float]] = []
        self._sent: list[tuple[Any, SentOrder]] = []

    def start(self) -> None:
        """Find the lines, and wrap what is called at the open."""
        self._money = MoneyCounter(self.strategy.broker)
        self.first_decision = minimum_period(self.strategy)
        self.lines = list(find_lines(self.strategy, is_stepped=self.p.is_by_bar))
        for name in OPEN_METHODS:
            setattr(self.strategy, name, self._record_orders_of(getattr(self.strategy, name)))

    def notify_order(self, order: Any) -> None:
        """Take down what an order is filled for."""
        self._money.note(order)

    def next(self) -> None:
        """Write down the account, the orders and the lines of a bar."""
        broker = self.strategy.broker
        self.times.append(self.strategy.data.datetime[0])
        sizes = [broker.getposition(data).size for data in self.strategy.datas]
        money = (*self._money.count(), broker.getcash(), broker.getvalue())
        self.account.append([*sizes, *money])
        self._record_orders(at_open=False)
        for line in self.lines:
            if line.is_stepped:
                line.values.append(line.line[0])

    def account_frame(self) -> pd.DataFrame:
        """Return positions and money, one row per bar."""
        n_datas = len(self.strategy.datas)
        names = [f"position in data{i}" for i in range(n_datas)] if n_datas > 1 else ["position"]
        columns = [*names, FILLS, CHARGES, "cash", EQUITY]
        return pd.DataFrame(self.account, columns=columns, dtype=np.float64)

    def line_frame(self) -> pd.DataFrame:
        """Return the lines, one row per bar."""
        n_bars = len(self.times)
        columns = {line.name: line.column() for line in self.lines}
        # a line on a slower clock has no value for each bar
        known = {name: column[:n_bars] for name, column in columns.items() if len(column) >= n_bars}
        return pd.DataFrame(known, index=range(n_bars))

    def inputs(self) -> dict[str, tuple[str, ...]]:
        """Return for each line the lines that it is made from."""
        return {
            line.name: tuple(
                other.name
                for other in self.lines
                if other.ids & line.input_ids and not other.ids & line.ids
            )
            for line in self.lines
        }

    def sent_orders(self) -> Iterator[SentOrder]:
        """Yield the orders, with what became of them since."""
        for order, sent in self._sent:
            fills = tuple(bit.dt for bit in order.executed.exbits if bit is not None)
            yield replace(sent, filled_at=fills)

    def _record_orders(self, *, at_open: bool) -> None:
        """Write down the orders that are new, before a trailing stop moves their prices."""
        orders = getattr(self.strategy.broker, "orders", [])
        self._sent += [
            (order, _to_sent_order(order, at_open)) for order in orders[len(self._sent) :]
        ]

    def _record_orders_of(self, method: Callable[[], None]) -> Callable[[], None]:
        """The method, and after it a record of the orders that it sent."""

        def call_and_record() -> None:
            self._record_orders(at_open=False)
            method()
            self._record_orders(at_open=True)

        return call_and_record


def _to_sent_order(order: Any, at_open: bool) -> SentOrder:
    # what backtrader writes down as the price of such an order is the present close
    is_unpriced = order.exectype in {bt.Order.Market, bt.Order.Close}
    prices = (order.created.price, order.created.pricelimit)
    price, limit = (
        float("nan") if is_unpriced or price is None else float(price) for price in prices
    )
    return SentOrder(
        time=order.created.dt,
        size=order.created.size,
        kind=order.getordername(),
        price=price,
        limit=limit,
        at_open=at_open,
    )


@contextmanager
def _repeatable_randomness() -> Iterator[None]:
    python_state, numpy_state = random.getstate(), np.random.get_state()
    random.seed(0)
    np.random.seed(0)
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)
