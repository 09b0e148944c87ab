"""What is audited inside Cerebro: a strategy, an indicator, or a whole Cerebro of the user's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import backtrader as bt
import pandas as pd

from lstm_strategy.trading.cerebro import BrokerSettings, build_cerebro

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
    """

    factory: CerebroFactory
    name: str
    classes: tuple[Any, ...]
    is_brief: bool = False

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
