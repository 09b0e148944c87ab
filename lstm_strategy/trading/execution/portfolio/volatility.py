"""How much a market moves: the risk that an exposure is measured by."""

import math
from array import array
from typing import TYPE_CHECKING, Any

import backtrader as bt
import numpy as np
import pandas as pd

from lstm_strategy.bars import CONTRACT_PRICE, ContractReturns, proportional_bars
from lstm_strategy.learning.variance import ewm_volatility

_NO_VARIANCE = 1e-16  # nothing moves, and what is left is rounding


class EwmVolatility(bt.Indicator):
    """The exponentially weighted standard deviation of log returns, per bar; `ewm_volatility`.

    The line is known at the close of its bar, and 0 where nothing has moved for long. It is the
    same in every Cerebro mode.

    Args:
        *datas: One feed.
        span: Bars of the weights, as many as the line needs before its first value.

    Example:
        >>> EwmVolatility.lines.getlinealiases()
        ('volatility',)
    """

    lines: Any = ("volatility",)
    params: Any = (("span", 60),)

    if TYPE_CHECKING:
        # The metaclass takes these before __init__ is called.
        def __init__(self, *datas: Any, span: int) -> None: ...

    def __init__(self) -> None:  # type: ignore[no-redef]
        self.addminperiod(self.p.span + 1)
        self._previous = self._previous_price = math.nan
        self._returns = ContractReturns()
        self._weights = self._squared_weights = self._sum = self._squares = 0.0
        self._n_bars = 0

    def preonce(self, start: int, end: int) -> None:
        """Nothing: `once` fills all bars."""

    def oncestart(self, start: int, end: int) -> None:
        """Nothing: the default would call `once` as well."""

    def once(self, start: int, end: int) -> None:
        """Vector mode: all bars in one call."""
        close = self._read_closes()
        values = ewm_volatility(close, span=self.p.span).to_numpy()
        self.lines.volatility.array[: len(values)] = array("d", values.tobytes())

    def _read_closes(self) -> pd.Series:
        """All closes; of a continuous series in proportion to what its contracts have earned."""
        lines, n_bars = self.data.lines, self.data.buflen()
        names = [name for name in ("close", CONTRACT_PRICE) if name in lines.getlinealiases()]
        columns = {name: np.array(getattr(lines, name).array[:n_bars]) for name in names}
        return proportional_bars(pd.DataFrame(columns))["close"]

    def prenext(self) -> None:
        """Bar by bar, before the first value: the sums have to see these bars too."""
        self._add_bar()

    def nextstart(self) -> None:
        """Bar by bar, the first value."""
        self.next()

    def next(self) -> None:
        """Bar by bar: add the last return to the sums."""
        self._add_bar()
        weight, squared = self._weights, self._squared_weights
        mean = self._sum / weight
        variance = self._squares / weight - mean**2
        unbiased = variance * weight**2 / (weight**2 - squared)
        self.lines.volatility[0] = math.sqrt(unbiased) if unbiased > _NO_VARIANCE else 0.0

    def _last_move(self) -> float:
        """The log return of the present bar; NaN for the first."""
        close, before = self.data.close[0], self._previous
        self._previous = close
        if CONTRACT_PRICE not in self.data.getlinealiases():
            return math.log(close / before)
        price, price_before = self.data.lines.price[0], self._previous_price
        self._previous_price = price
        if math.isnan(before):
            return math.nan
        return math.log1p(self._returns.read((before, close), (price_before, price)))

    def _add_bar(self) -> None:
        """Take the present bar into the sums, once: other datas have dates on which it stays."""
        if len(self.data) == self._n_bars:
            return
        self._n_bars = len(self.data)
        move = self._last_move()
        if math.isnan(move):
            return
        keep = 1.0 - 2.0 / (self.p.span + 1.0)
        self._weights = keep * self._weights + 1.0
        self._squared_weights = keep**2 * self._squared_weights + 1.0
        self._sum = keep * self._sum + move
        self._squares = keep * self._squares + move**2
