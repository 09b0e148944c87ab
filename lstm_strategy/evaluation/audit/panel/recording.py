"""What a portfolio did at each date: its orders, its positions and its cash."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import backtrader as bt
import pandas as pd

from lstm_strategy.trading import feed_name
from lstm_strategy.trading.cerebro import build_cerebro
from lstm_strategy.trading.execution import silence_orders

Orders = dict[str, float]
"""The units sent to each market at one date, below 0 for a sale."""


@dataclass(frozen=True, eq=False)
class PortfolioRecording:
    """What one run did, one row a date.

    Attributes:
        orders: The units sent at the close of each date, one column a market; 0 for none.
        account: Cash and the position in each market.
    """

    orders: pd.DataFrame
    account: pd.DataFrame


def record_portfolio(
    strategy: type[bt.Strategy],
    panel: Mapping[str, pd.DataFrame],
    dates: pd.DatetimeIndex,
    **settings: Any,
) -> PortfolioRecording:
    """Run a strategy on a panel and write down what it does.

    Args:
        strategy: The class.
        panel: Bars by symbol.
        dates: Every date of the panel.
        **settings: Its parameters, the broker, and `runonce`.
    """
    runonce = settings.pop("runonce")
    cerebro = build_cerebro(strategy, panel, **settings)
    cerebro.addanalyzer(_Recorder, _name="audit_recorder")
    with silence_orders():
        (done,) = cerebro.run(runonce=runonce)
    recorder = done.analyzers.audit_recorder
    index = dates[: len(recorder.account)]
    symbols = list(panel)
    orders = pd.DataFrame(recorder.orders, index, symbols, dtype=float).fillna(0.0)
    account = pd.DataFrame(recorder.account, index, ["cash", *symbols], dtype=float)
    return PortfolioRecording(orders, account.fillna(0.0))


class _Recorder(bt.Analyzer):
    """Writes down each date once the strategy has acted on it."""

    def __init__(self) -> None:
        self.orders: list[Orders] = []
        self.account: list[dict[str, float]] = []
        self._sent: Orders = {}
        for side in ("buy", "sell"):
            setattr(self.strategy, side, self._note(getattr(self.strategy, side)))

    def next(self) -> None:
        """Write down a date."""
        broker = self.strategy.broker
        begun = {feed_name(data): data for data in self.strategy.datas if len(data)}
        sizes = {name: broker.getposition(data).size for name, data in begun.items()}
        self.account.append({"cash": broker.getcash(), **sizes})
        self.orders.append(self._sent)
        self._sent = {}

    def _note(self, send: Callable[..., Any]) -> Callable[..., Any]:
        def send_and_note(*args: Any, **kwargs: Any) -> Any:
            order = send(*args, **kwargs)
            if order is not None:
                name = feed_name(order.data)
                self._sent[name] = self._sent.get(name, 0.0) + order.created.size
            return order

        return send_and_note
