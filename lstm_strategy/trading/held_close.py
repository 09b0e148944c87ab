"""The close of a feed as returns are taken of it, whatever is traded."""

from typing import TYPE_CHECKING, Any, ClassVar

import backtrader as bt

from lstm_strategy.bars import CONTRACT_PRICE, ContractReturns


class HeldClose(bt.Indicator):
    """A continuous series as a price whose returns are those of the contract held.

    Args:
        *datas: One feed with the line `price`.

    Example:
        >>> HeldClose.lines.getlinealiases()
        ('held',)
    """

    lines: Any = ("held",)
    plotinfo: ClassVar = {"plot": False}

    if TYPE_CHECKING:
        # The metaclass takes these before __init__ is called.
        def __init__(self, *datas: Any) -> None: ...

    def __init__(self) -> None:  # type: ignore[no-redef]
        self._returns = ContractReturns()
        self._n_bars = 0
        self._last = (0.0, 0.0, 0.0)

    def prenext(self) -> None:
        """Every bar counts, also before all feeds have one."""
        self.next()

    def next(self) -> None:
        """Let the last value grow by what the contract has earned since."""
        close, price = self.data.close[0], self.data.lines.price[0]
        if len(self.data) != self._n_bars:
            before, price_before, held = self._last
            if self._n_bars:
                held *= 1.0 + self._returns.read((before, close), (price_before, price))
            self._n_bars, self._last = len(self.data), (close, price, held if held else price)
        self.lines.held[0] = self._last[2]


def held_close(data: Any) -> Any:
    """Return the line whose returns are those of holding a feed: its close, as a rule.

    Args:
        data: The feed. Of a continuous series, with the line `price`, it is one that grows by the
            returns of the contracts.
    """
    if CONTRACT_PRICE not in data.getlinealiases():
        return data.close
    return HeldClose(data).lines.held
