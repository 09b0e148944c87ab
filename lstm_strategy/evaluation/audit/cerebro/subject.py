"""What is audited inside Cerebro: a strategy, an indicator, costs, or a Cerebro of the user's."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import backtrader as bt
import pandas as pd

from lstm_strategy.bars import CheckedBars
from lstm_strategy.errors import AuditError
from lstm_strategy.evaluation.audit.cerebro.trader import RestlessTrader
from lstm_strategy.trading import BarsFeed
from lstm_strategy.trading.cerebro import BrokerSettings, build_cerebro, choose_broker

CerebroFactory = Callable[[pd.DataFrame], bt.Cerebro]
"""Makes a Cerebro that is ready to run from a frame of bars."""


@dataclass(frozen=True)
class AuditSubject:
    """What is audited inside Cerebro.

    Attributes:
        factory: Makes a Cerebro that is ready to run from a frame of bars.
        name: What reports call it.
        classes: Classes whose source may give hints, and whose attributes are put back after each
            run.
        is_brief: Whether fewer cuts are enough and it may be trusted to repeat itself.
        is_costs: Whether what trading costs is audited, and the strategy only serves to trade.
    """

    factory: CerebroFactory
    name: str
    classes: tuple[Any, ...]
    is_brief: bool = False
    is_costs: bool = False

    @classmethod
    def from_class(
        cls,
        strategy: type,
        params: Mapping[str, Any],
        broker: BrokerSettings | None,
        *,
        is_brief: bool = False,
    ) -> "AuditSubject":
        """Make a subject of a strategy, or of an indicator with nothing around it."""

        def factory(bars: pd.DataFrame) -> bt.Cerebro:
            if issubclass(strategy, bt.Indicator):
                cerebro = build_cerebro(bt.Strategy, bars, broker=broker)
                cerebro.addindicator(strategy, **params)
                return cerebro
            return build_cerebro(strategy, bars, broker=broker, **params)

        return cls(factory, strategy.__name__, (strategy,), is_brief)

    @classmethod
    def from_factory(cls, factory: CerebroFactory, bars: pd.DataFrame) -> "AuditSubject":
        """Make a subject of a user's own Cerebro, with the strategies that were added to it."""
        classes = tuple(added[0][0] for added in factory(bars).strats if added)
        return cls(factory, "cerebro", classes)

    @classmethod
    def from_costs(cls, commission: Any, broker: BrokerSettings | None) -> "AuditSubject":
        """Make a subject of what trading costs, with a strategy that only serves to trade.

        Args:
            commission: A commission scheme, its class, or a function that makes one of a frame of
                bars; None for what `broker` says.
            broker: The cash, and where there is no scheme, the instrument or the commission.
        """
        broker = choose_broker(broker)
        pristine = copy.deepcopy(commission)

        def factory(bars: pd.DataFrame) -> bt.Cerebro:
            if commission is None:
                return build_cerebro(RestlessTrader, bars, broker=broker)
            cerebro = bt.Cerebro(stdstats=False)
            cerebro.adddata(BarsFeed(CheckedBars(bars)))
            cerebro.addstrategy(RestlessTrader)
            cerebro.broker.setcash(broker.cash)
            cerebro.broker.addcommissioninfo(_make_scheme(pristine, bars))
            return cerebro

        owner = commission if isinstance(commission, type) else type(commission)
        return cls(factory, "costs", (owner,), is_costs=True)


def _make_scheme(commission: Any, bars: pd.DataFrame) -> bt.CommInfoBase:
    """A scheme that no run has used before."""
    if isinstance(commission, bt.CommInfoBase):
        return copy.deepcopy(commission)
    is_class = isinstance(commission, type) and issubclass(commission, bt.CommInfoBase)
    made = commission() if is_class else commission(bars) if callable(commission) else commission
    if not isinstance(made, bt.CommInfoBase):
        raise AuditError(
            "commission must be a commission scheme derived from backtrader.CommInfoBase, its "
            f"class, or a function that makes one of a frame of bars, got {made!r}."
        )
    return made
