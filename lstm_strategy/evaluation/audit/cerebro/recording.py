"""Everything that a Cerebro run shows, bar by bar: orders, positions, cash and lines."""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd

from lstm_strategy.errors import AuditError
from lstm_strategy.trading.cerebro import BrokerSettings, build_cerebro
from lstm_strategy.trading.execution import silence_orders
from lstm_strategy.trading.lstm import LSTMIndicator

MODES = ("vector", "next")
Build = Callable[[pd.DataFrame], bt.Cerebro]
"""Makes a Cerebro that is ready to run from a frame of bars."""

_OPEN_METHODS = ("next_open", "nextstart_open", "prenext_open")


@dataclass(frozen=True)
class SentOrder:
    """One order as it was sent; ``time`` is that of its bar, in backtrader's day numbers."""

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

    ``times`` are the bars that the strategies saw, as day numbers. ``account`` has the columns
    cash and the size of each position, ``lines`` a column for each line of each indicator and
    strategy; both have one row for each of ``times``. ``inputs`` maps a line to the lines that
    it is made from. ``error`` is what the run raised, if it did: the rows end there.
    """

    times: np.ndarray
    account: pd.DataFrame
    lines: pd.DataFrame
    orders: tuple[SentOrder, ...]
    inputs: dict[str, tuple[str, ...]]
    homes: dict[str, type]
    first_decision: int
    uses_model: bool
    error: Exception | None = None


def cerebro_of(
    strategy: type, bars: pd.DataFrame, params: dict[str, Any], broker: BrokerSettings | None = None
) -> bt.Cerebro:
    """The Cerebro in which an audit runs one strategy, or an indicator with nothing around it."""
    if issubclass(strategy, bt.Indicator):
        cerebro = build_cerebro(bt.Strategy, bars, broker=broker)
        cerebro.addindicator(strategy, **params)
        return cerebro
    cerebro = build_cerebro(strategy, bars, broker=broker, **params)
    if _acts_at_the_open(strategy):
        cerebro.p.cheat_on_open = True
    return cerebro


def _acts_at_the_open(strategy: Any) -> bool:
    return any(getattr(strategy, name) is not getattr(bt.Strategy, name) for name in _OPEN_METHODS)


def record_run(build: Build, bars: pd.DataFrame, *, mode: str) -> Recording:
    """Run the Cerebro of ``build(bars)`` in one mode and record it.

    "vector" computes indicators on all bars at once, "next" bar by bar. Python's and NumPy's
    global random numbers begin alike in every run and are put back afterwards. An exception ends
    the recording and is kept in it.
    """
    with _repeatable_randomness(), silence_orders():
        cerebro = build(bars)
        cerebro.addanalyzer(_Recorder, is_by_bar=mode == "next", _name="audit_recorder")
        error = None
        try:
            cerebro.run(runonce=mode == "vector", preload=True, maxcpus=1)
        except Exception as raised:
            error = raised
    strategies = getattr(cerebro, "runningstrats", [])
    recorders = [strategy.analyzers.audit_recorder for strategy in strategies]
    if not recorders or not recorders[0].times:
        raise error or AuditError("The Cerebro has no strategy to audit. Add one to it.")
    return _recording(recorders, error)


def _recording(recorders: list[Any], error: Exception | None) -> Recording:
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
        error=error,
    )


@dataclass
class _Line:
    """One line of one object, under the name that a reader of the strategy would use."""

    name: str
    line: Any
    home: type
    is_stepped: bool
    ids: frozenset[int]
    input_ids: frozenset[int] = frozenset()
    values: list[float] = field(default_factory=list)

    def column(self) -> np.ndarray:
        """One value a bar."""
        return np.array(self.values if self.is_stepped else self.line.array, np.float64)


class _Recorder(bt.Analyzer):
    """Writes down what each bar shows once the strategy has acted on it."""

    params = (("is_by_bar", False),)

    def start(self) -> None:
        self.times: list[float] = []
        self.account: list[list[float]] = []
        self._sent: list[tuple[Any, SentOrder]] = []
        self.first_decision = max([1, *getattr(self.strategy, "_minperiods", [1])])
        self.lines = list(_found_lines(self.strategy, is_stepped=self.p.is_by_bar))
        for name in _OPEN_METHODS:
            setattr(self.strategy, name, self._noting_orders(getattr(self.strategy, name)))

    def next(self) -> None:
        broker = self.strategy.broker
        self.times.append(self.strategy.data.datetime[0])
        sizes = [broker.getposition(data).size for data in self.strategy.datas]
        self.account.append([broker.getcash(), *sizes])
        self._note_orders(at_open=False)
        for line in self.lines:
            if line.is_stepped:
                line.values.append(line.line[0])

    def account_frame(self) -> pd.DataFrame:
        n_datas = len(self.strategy.datas)
        names = [f"position in data{i}" for i in range(n_datas)] if n_datas > 1 else ["position"]
        return pd.DataFrame(self.account, columns=["cash", *names], dtype=np.float64)

    def line_frame(self) -> pd.DataFrame:
        n_bars = len(self.times)
        columns = {line.name: line.column() for line in self.lines}
        # a line on a slower clock has no value for each bar
        known = {name: column[:n_bars] for name, column in columns.items() if len(column) >= n_bars}
        return pd.DataFrame(known, index=range(n_bars))

    def inputs(self) -> dict[str, tuple[str, ...]]:
        return {
            line.name: tuple(
                other.name
                for other in self.lines
                if other.ids & line.input_ids and not other.ids & line.ids
            )
            for line in self.lines
        }

    def sent_orders(self) -> Iterator[SentOrder]:
        for order, sent in self._sent:
            fills = tuple(bit.dt for bit in order.executed.exbits if bit is not None)
            yield replace(sent, filled_at=fills)

    def _note_orders(self, *, at_open: bool) -> None:
        """Write down the orders that are new, before a trailing stop moves their prices."""
        orders = getattr(self.strategy.broker, "orders", [])
        self._sent += [(order, _sent(order, at_open)) for order in orders[len(self._sent) :]]

    def _noting_orders(self, method: Callable[[], None]) -> Callable[[], None]:
        """The method, after which is known which orders it sent."""

        def noting() -> None:
            self._note_orders(at_open=False)
            method()
            self._note_orders(at_open=True)

        return noting


def _sent(order: Any, at_open: bool) -> SentOrder:
    # what backtrader writes down as the price of such an order is the present close
    is_unpriced = order.exectype in {bt.Order.Market, bt.Order.Close}
    prices = (order.created.price, order.created.pricelimit)
    price, limit = (float("nan") if is_unpriced else _number(price) for price in prices)
    return SentOrder(
        time=order.created.dt,
        size=order.created.size,
        kind=order.getordername(),
        price=price,
        limit=limit,
        at_open=at_open,
    )


def _found_lines(strategy: bt.Strategy, *, is_stepped: bool) -> Iterator[_Line]:
    """The lines of a strategy and of every indicator in it, each under a name of its own."""
    taken: Counter[str] = Counter()
    for line, alias in zip(*_lines_of(strategy), strict=True):
        if alias != "datetime":
            name = f"{type(strategy).__name__}.lines.{alias}"
            yield _Line(name, line, type(strategy), True, frozenset({id(line)}))
    for place, thing, children in _indicators(strategy, "", taken):
        lines, aliases = _lines_of(thing)
        ids = frozenset({id(thing), *map(id, lines)})
        inputs = frozenset(_input_ids(thing)) | {id(child) for child in children}
        for line, alias in zip(lines, aliases, strict=True):
            name = f"{place}.{alias}" if alias else place
            yield _Line(name, line, type(thing), is_stepped, ids, inputs)


def _indicators(
    owner: Any, path: str, taken: Counter[str]
) -> Iterator[tuple[str, Any, Sequence[Any]]]:
    names = dict(_attributes(owner))
    for thing in _children(owner):
        place = path + names.get(id(thing), type(thing).__name__)
        taken[place] += 1
        place += f"#{taken[place]}" if taken[place] > 1 else ""
        yield place, thing, _children(thing)
        if not type(thing).__module__.startswith("backtrader."):  # their insides are known
            yield from _indicators(thing, f"{place}/", taken)


def _children(owner: Any) -> Sequence[Any]:
    return getattr(owner, "_lineiterators", {}).get(bt.LineIterator.IndType, [])


def _input_ids(thing: Any) -> Iterator[int]:
    own = (value for name, value in vars(thing).items() if name in {"a", "b"})
    for given in (*getattr(thing, "datas", []), *getattr(thing, "_datas", []), *own):
        yield id(given)
        if hasattr(given, "lines"):
            yield from map(id, getattr(given.lines, "lines", given.lines))


def _lines_of(thing: Any) -> tuple[list[Any], list[str]]:
    """The line buffers of an indicator or strategy and their names."""
    if isinstance(thing, bt.linebuffer.LineBuffer):  # an operation is a line itself
        return [thing], [""]
    aliases = list(thing.lines.getlinealiases())
    return list(thing.lines.lines)[: len(aliases)], aliases


def _attributes(thing: Any) -> Iterator[tuple[int, str]]:
    prefix = "self." if isinstance(thing, bt.Strategy) else ""
    for name, value in getattr(thing, "__dict__", {}).items():
        if name.startswith(("_", "data")) or name in {"lines", "l"}:
            continue
        if isinstance(value, list | tuple):
            yield from ((id(item), f"{prefix}{name}[{i}]") for i, item in enumerate(value))
        elif isinstance(value, dict):
            yield from ((id(item), f"{prefix}{name}[{key!r}]") for key, item in value.items())
        else:
            yield id(value), f"{prefix}{name}"


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)


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
