"""What to audit, as the caller handed it over, checked before any work."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import backtrader as bt
import pandas as pd

from lstm_strategy.errors import AuditError
from lstm_strategy.evaluation.audit.scaler import needs_folds
from lstm_strategy.evaluation.audit.source_hints import is_from_user
from lstm_strategy.trading.baselines import suggest_baseline


@dataclass(frozen=True, eq=False)
class AuditRequest:
    """What to audit; each may be None, but not all of them. See `audit` for their forms."""

    model: Any
    strategy: Any
    features: Any
    splitter: Any
    scaler: Any
    cerebro: Any
    commission: Any
    instrument: Any

    def __post_init__(self) -> None:
        if all(thing is None for thing in vars(self).values()):
            names = ", ".join(f"{name}=" for name in vars(self) if name != "instrument")
            raise AuditError(
                f"There is nothing to audit. Hand over at least one of {names}, or "
                "broker=BrokerSettings(instrument=...)."
            )
        if self.strategy is not None and self.cerebro is not None:
            raise AuditError("cerebro already holds its strategy: leave strategy= out.")
        if self.strategy is not None:
            self.strategy_and_params()
        is_frame = isinstance(self.features, pd.DataFrame)
        computes = getattr(self.features, "frame", self.features)
        if self.features is not None and not is_frame and not callable(computes):
            raise AuditError(
                "features must be a FeatureSet, a function of the bars or a frame of columns, got "
                f"{type(self.features).__name__}. Specs become one by FeatureSet(specs)."
            )
        if self.scaler is not None and self.splitter is None and needs_folds(self.scaler):
            raise AuditError(
                "This scaler is judged by the training rows of folds: hand over splitter= as well."
            )

    @property
    def audits_instrument(self) -> bool:
        """Whether the instrument is tried by itself; ours only where nothing else is given."""
        others = [thing for name, thing in vars(self).items() if name != "instrument"]
        is_alone = all(thing is None for thing in others)
        return self.instrument is not None and (is_alone or is_from_user(type(self.instrument)))

    def strategy_and_params(self) -> tuple[Any, dict[str, Any]]:
        """Return the class and its parameters, or raise `AuditError` for something else."""
        is_pair = isinstance(self.strategy, tuple) and len(self.strategy) == 2
        strategy, params = self.strategy if is_pair else (self.strategy, {})
        is_class = isinstance(strategy, type) and issubclass(strategy, bt.Strategy | bt.Indicator)
        if not is_class or not isinstance(params, Mapping):
            raise AuditError(
                "strategy must be a class derived from backtrader.Strategy or "
                "backtrader.Indicator, or a pair of class and parameters, got "
                f"{self.strategy!r}.{suggest_baseline(strategy)}"
            )
        return strategy, dict(params)

    def __str__(self) -> str:
        given = {name: thing for name, thing in vars(self).items() if thing is not None}
        return ", ".join(f"{name} {_name_of(thing)}" for name, thing in given.items())


def _name_of(thing: Any) -> str:
    if isinstance(thing, tuple) and thing:
        thing = thing[0]
    if isinstance(thing, str | Path):
        return str(thing)
    return getattr(thing, "__name__", type(thing).__name__)
