"""What a run shows bar by bar: equity, exposure and fills."""

import math
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd

from lstm_strategy.trading.backtrader_internals import feed_name
from lstm_strategy.trading.execution import order_logger, trades_one_unit
from lstm_strategy.trading.instruments import InstrumentBroker

FILL_COLUMNS = (
    *("size", "price", "commission", "slippage_cost", "value", "insurance"),
    *("spread", "impact"),
)
"""What is known of an execution, explained at `BacktestRun.fills`."""


class Recorder(bt.Analyzer):
    """An analyzer that needn't see bars on which nothing can be traded yet."""

    def skip_bars(self, n_bars: int) -> None:
        """Take it that so many bars have passed, on which nothing was done.

        Args:
            n_bars: The first ones of the run.
        """


class EquityRecorder(Recorder):
    """Equity at the close of every date; with one market its exposure and price as well.

    Args:
        bars: The `RunBars` of the run, kept for whoever reads the recorders.
    """

    params = (("bars", None),)

    def start(self) -> None:
        """Begin with no bar."""
        self.equity: list[float] = []
        self.exposure: list[float] = []
        self.closes: list[float] = []
        if not self.p.bars.is_panel:
            self._multiplier = self.p.bars.multiplier_of("")
            self._prices = getattr(self.data.lines, self.p.bars.value_column_of(""))

    def skip_bars(self, n_bars: int) -> None:
        """Write down bars on which there was nothing but the cash."""
        self.equity += n_bars * [self.strategy.broker.getvalue()]
        if not self.p.bars.is_panel:
            self.closes += self.data.lines.close.array[:n_bars]
            self.exposure += n_bars * [0.0]

    def next(self) -> None:
        """Write down one bar."""
        broker = self.strategy.broker
        if self.p.bars.is_panel:  # the fills tell the rest
            self.equity.append(broker.getvalue())
            return
        equity, close = broker.getvalue(), self.data.close[0]
        held = broker.getposition(self.data).size * (self._prices[0] * self._multiplier)
        self.closes.append(close)
        self.equity.append(equity)
        self.exposure.append(held / equity if equity > 0 else math.nan)


class FillRecorder(Recorder):
    """Every execution, with what slippage took.

    Args:
        bars: The `RunBars` of the run, which say what a point is worth.
    """

    params = (("bars", None),)

    def start(self) -> None:
        """Begin with no fill."""
        self._rows: list[tuple[float, ...]] = []
        self._bars: list[int] = []
        self._symbols: list[str] = []

    def notify_order(self, order: Any) -> None:
        """Write down what of an order was filled on this bar."""
        data, symbol, bars = order.data, feed_name(order.data), self.p.bars
        opened_at, rate = data.open[0], self.strategy.broker.p.slip_perc
        multiplier = bars.multiplier_of(symbol)
        for fill in order.executed.iterpending():
            against = (fill.price - opened_at) * math.copysign(1.0, fill.size)
            # A stop order may fill far from the open for other reasons than slippage.
            slipped = min(max(against, 0.0), rate * opened_at)
            if order.info.is_liquidation:
                slipped = 0.0
            self._bars.append(len(self.strategy) - 1)
            self._symbols.append(symbol)
            lost = abs(fill.size) * slipped * multiplier
            # a back-adjusted price is off by as much as the contract's close is
            price = fill.price + (getattr(data, bars.value_column_of(symbol))[0] - data.close[0])
            value = abs(fill.size) * price * multiplier
            insurance = self._insurance_of(order)
            paid = fill.comm + insurance  # the broker takes it off the commission
            parts = self._parts_of(order, fill)
            self._rows.append((fill.size, fill.price, paid, lost, value, insurance, *parts))

    def _parts_of(self, order: Any, fill: Any) -> tuple[float, float]:
        """What spread and impact took of the commission of a fill, in money."""
        data, broker = order.data, self.strategy.broker
        instrument = getattr(broker.getcommissioninfo(data), "instrument", None)
        if instrument is None or order.info.is_liquidation:
            return 0.0, 0.0
        if not isinstance(broker, InstrumentBroker):
            return instrument.spread_cost_of(fill.size, fill.price), 0.0
        which = (len(data), feed_name(data), fill.price)
        for cost in reversed(broker.fills):
            is_same = (cost.bar, cost.symbol, cost.price) == which
            if is_same and math.isclose(cost.size, fill.size):
                return cost.spread, cost.impact
        return 0.0, 0.0

    def _insurance_of(self, order: Any) -> float:
        """What the insurance fund bore of the loss that an order closed, in money."""
        if not order.info.is_liquidation:
            return 0.0
        symbol = feed_name(order.data)
        records = reversed(self.strategy.broker.liquidations)
        return float(next(record.insurance for record in records if record.symbol == symbol))

    def totals(self, n_bars: int) -> tuple[np.ndarray, np.ndarray]:
        """Money spent and units bought up to each bar, shape (n_bars,) each."""
        size, price, commission, _, _, insurance, _, _ = self._values().T
        paid = size * price * self.p.bars.multiplier_of("") + (commission - insurance)
        spent = np.bincount(self._bars, paid, minlength=n_bars)
        units = np.bincount(self._bars, size, minlength=n_bars)
        return spent.cumsum(), units.cumsum()

    def frame(self, index: pd.DatetimeIndex) -> pd.DataFrame:
        """The fills as `BacktestRun` has them, on the dates of the bars; by symbol in a panel."""
        fills = pd.DataFrame(self._values(), index[self._bars], columns=list(FILL_COLUMNS))
        if feed_name(self.data):
            fills.insert(0, "symbol", pd.Index(self._symbols, dtype="str"))
        return fills

    def _values(self) -> np.ndarray:
        return np.array(self._rows, dtype="float64").reshape(-1, len(FILL_COLUMNS))


class UnsizedOrderRecorder(Recorder):
    """How many orders left their size to backtrader's default sizer, which trades one unit."""

    def __init__(self) -> None:
        self.n_orders = 0
        self._own_getsizing = self.strategy.getsizing
        self.strategy.getsizing = self._count

    def _count(self, *args: Any, **kwargs: Any) -> float:
        size: float = self._own_getsizing(*args, **kwargs)
        if trades_one_unit(self.strategy):
            self.n_orders += 1
            if self.n_orders == 1:
                order_logger.warning(
                    "%s at %s: an order without a size trades one unit, %.2g%% of the equity. Give "
                    "it a size, self.buy(size=...), or in __init__ a sizer: "
                    "self.setsizer(bt.sizers.PercentSizer(percents=95)).",
                    type(self.strategy).__name__,
                    self.data.num2date().isoformat(sep=" "),
                    100 * self.data.close[0] / self.strategy.broker.getvalue(),
                )
        return size
