"""Runs a strategy on bars that are over, and takes down what the journal of a live run does."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import backtrader as bt
import pandas as pd

from lstm_strategy.trading.cerebro import BrokerSettings, build_cerebro
from lstm_strategy.trading.live.session import (
    LiveGate,
    OrderGuard,
    OrderNews,
    SessionRecorder,
    TradingLimits,
    describe_end_of_order,
    forecast_of,
)

_NO_FOLDER = Path("/nonexistent")  # where no kill switch lies


@dataclass(frozen=True)
class Constraints:
    """What kept a live run from trading as a backtest does.

    Attributes:
        is_live: Of each bar whether orders could follow from it.
        verdicts: Why orders were refused, by number; "" for one that left.
        withdrawals: The orders that were withdrawn, with the reason, by the bar of the run.
        n_history: How many bars come before the first of the run.
    """

    is_live: Any
    verdicts: Mapping[int, str] = field(default_factory=dict)
    withdrawals: Mapping[int, list[tuple[int, str]]] = field(default_factory=dict)
    n_history: int = 0


def rerun(
    strategy: type[bt.Strategy],
    bars: pd.DataFrame,
    start: pd.Timestamp,
    broker: BrokerSettings,
    params: Mapping[str, Any],
    constraints: Constraints | None = None,
) -> dict[str, pd.DataFrame]:
    """Return what a strategy does on bars: forecasts, orders, fills and accounts, on their dates.

    Args:
        strategy: The class.
        bars: Checked bars, those before `start` included.
        start: The first bar on which the strategy may decide.
        broker: What trading costs.
        params: Parameters of the strategy.
        constraints: What kept the live run from trading; None for a backtest.

    Raises:
        TradingError: If the strategy can't be run.
    """
    return _Rerun(strategy, bars, start, broker, params, constraints).run()


class _Rerun:
    """One run, and the records of it."""

    def __init__(
        self,
        strategy: type[bt.Strategy],
        bars: pd.DataFrame,
        start: pd.Timestamp,
        broker: BrokerSettings,
        params: Mapping[str, Any],
        constraints: Constraints | None,
    ) -> None:
        self._dates = pd.DatetimeIndex(bars.index)
        self._constraints = constraints
        self._records: dict[str, list[dict[str, Any]]] = {}
        self._n_begun = 0
        cerebro = build_cerebro(strategy, bars, start=start, broker=broker, **params)
        self._feed, self._broker = cerebro.datas[0], cerebro.broker
        self._guard = OrderGuard(
            self._broker,
            self._feed,
            limits=TradingLimits(),
            folder=_NO_FOLDER,
            now=lambda: self._dates[len(self._feed) - 1],
            tell=self._hear_of_order,
            day_return=lambda: 0.0,
            verdicts=_Verdicts(constraints.verdicts if constraints else {}),
        )
        if constraints is not None:
            cerebro.addanalyzer(LiveGate, may_decide=self._may_decide)
        cerebro.addanalyzer(
            SessionRecorder,
            begin=lambda strategy: None,
            order=self._hear_of_fill,
            bar=self._end_bar,
        )
        self._cerebro = cerebro

    def run(self) -> dict[str, pd.DataFrame]:
        self._cerebro.run(runonce=False)  # bar by bar, as live
        return {kind: self._table(kind) for kind in ("forecast", "order", "fill", "account")}

    def _may_decide(self) -> bool:
        assert self._constraints is not None
        return bool(self._constraints.is_live[len(self._feed) - 1])

    def _hear_of_order(self, news: OrderNews) -> None:
        self._add("order", **asdict(news))

    def _hear_of_fill(self, strategy: Any, order: Any) -> None:
        number = self._guard.id_of(order)
        for fill in order.executed.iterpending():
            self._add("fill", id=number, size=fill.size, price=fill.price, commission=fill.comm)
        news = describe_end_of_order(order, number)
        if news is not None and not self._guard.is_refused(order):
            self._hear_of_order(news)

    def _end_bar(self, strategy: Any) -> None:
        if self._constraints is not None:
            number = len(self._feed) - self._constraints.n_history
            for each, reason in self._constraints.withdrawals.get(number, ()):
                self._guard.withdraw(each, reason)
        forecast = forecast_of(strategy)
        if forecast:
            self._add("forecast", **forecast)
        self._add(
            "account",
            cash=float(self._broker.getcash()),
            equity=float(self._broker.getvalue()),
            position=float(self._broker.getposition(self._feed).size),
        )

    def _add(self, kind: str, **fields: Any) -> None:
        time = self._dates[len(self._feed) - 1]
        self._records.setdefault(kind, []).append({"datetime": time, **fields})

    def _table(self, kind: str) -> pd.DataFrame:
        rows = self._records.get(kind, [])
        return pd.DataFrame(rows, columns=None if rows else ["datetime"]).set_index("datetime")


class _Verdicts(dict[int, str]):
    """What a journal says of its orders; any other may leave."""

    def __contains__(self, number: object) -> bool:
        return True

    def __missing__(self, number: int) -> str:
        return ""
