"""A strategy that is ready to run: its model opened and asked, its role and its terms known."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from os import PathLike
from typing import Any

import pandas as pd

from lstm_strategy.evaluation.backtests.markets import (
    CheckedMarkets,
    dates_frame,
    markets_frame,
)
from lstm_strategy.evaluation.backtests.result import BacktestResult, Role
from lstm_strategy.evaluation.backtests.training_span import training_end
from lstm_strategy.learning.forecaster import Forecaster, ForecasterKind
from lstm_strategy.learning.serving import (
    PrecomputedForecasts,
    PrecomputedPanel,
    precompute_forecasts,
)
from lstm_strategy.trading.baselines import BuyAndHold, EqualWeight
from lstm_strategy.trading.cerebro import (
    BacktestRun,
    BrokerSettings,
    acts_at_the_open,
    choose_broker,
    run_cerebro,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class BacktestJob:
    """One strategy that is ready to run; everything in it travels to a worker process.

    Attributes:
        name: How tables and legends call it.
        strategy: A backtrader strategy class.
        params: Its parameters; a model among them is there as its forecasts.
        role: What the strategy is among others.
        trained_until: The last bar that its model learned from, on the clock of the bars; None
            without a model, or where the model doesn't say.
        start: The first bar to trade, or whatever slices the bars; None for all that are warm.
        end: The last bar, inclusive; None for all.
        broker: What trading costs.

    Example:
        >>> from lstm_strategy import BASELINES, sample_bars
        >>> from lstm_strategy.bars import check_bars
        >>> bars = check_bars(sample_bars("sp500"))
        >>> job = prepare_job(BASELINES["MACD"], bars, name="MACD", params={})
        >>> late = job.from_bar("2018")
        >>> late.to_result(late.run(bars)).first_tradable.date().isoformat()
        '2018-01-02'
    """

    name: str
    strategy: type
    params: dict[str, Any]
    role: Role
    trained_until: pd.Timestamp | None
    start: str | date | None
    end: str | date | None
    broker: BrokerSettings

    @property
    def given_params(self) -> dict[str, Any]:
        """The parameters without the model of ours, if there is one."""
        has_model = self.forecasts is not None or self.panel_forecasts is not None
        return {k: v for k, v in self.params.items() if k != "model" or not has_model}

    @property
    def forecasts(self) -> PrecomputedForecasts | None:
        """The forecasts that the strategy trades in one market; None without a model."""
        model = self.params.get("model")
        return model if isinstance(model, PrecomputedForecasts) else None

    @property
    def panel_forecasts(self) -> PrecomputedPanel | None:
        """The forecasts that the strategy trades in the markets of a panel; None without them."""
        model = self.params.get("model")
        return model if isinstance(model, PrecomputedPanel) else None

    def from_bar(self, start: str | date | None) -> "BacktestJob":
        """Return the same job, traded from this bar on."""
        return replace(self, start=start)

    def with_forecasts(self, forecasts: PrecomputedForecasts | PrecomputedPanel) -> "BacktestJob":
        """Return the same job, trading these forecasts."""
        return replace(self, params={**self.params, "model": forecasts})

    def run(self, bars: CheckedMarkets) -> BacktestRun:
        """Run the strategy; what it raises is raised here."""
        return run_cerebro(
            self.strategy,
            bars,
            start=self.start,
            end=self.end,
            broker=self.broker,
            name=self.name,
            **self.params,
        )

    def to_result(self, run: BacktestRun) -> BacktestResult:
        """Return a run of this job as a result."""
        return BacktestResult.from_run(
            run, broker=self.broker, role=self.role, trained_until=self.trained_until
        )


def prepare_job(
    strategy: type,
    bars: CheckedMarkets,
    *,
    name: str,
    params: Mapping[str, Any],
    start: str | date | None = None,
    end: str | date | None = None,
    broker: BrokerSettings | None = None,
) -> BacktestJob:
    """Make a strategy ready to run: its model is opened and asked once.

    Args:
        strategy: A backtrader strategy class.
        bars: The bars that it will run on, of one market or of a panel.
        name: How tables and legends call it.
        params: Its parameters. `model` may be a forecaster or the folder of a saved one; anything
            else under that name is left to the strategy.
        start: The first bar to trade; by default the first on which the strategy is warm.
        end: The last bar, inclusive; all by default.
        broker: What trading costs; `BrokerSettings()` by default.

    Raises:
        ModelError: If there is no such model.
        BarsError, FeatureError: If the model can't forecast these bars.

    Example:
        >>> from lstm_strategy import BASELINES, sample_bars
        >>> from lstm_strategy.bars import check_bars
        >>> bars = check_bars(sample_bars("sp500"))
        >>> job = prepare_job(BASELINES["Buy and hold"], bars, name="The market", params={})
        >>> job.role.value
        'buy and hold'
    """
    if isinstance(strategy, type) and acts_at_the_open(strategy):
        log.warning(
            "%s defines next_open, so it runs with cheat_on_open: its orders fill at the open of "
            "the bar on which they are sent, and it can see the close of that bar. "
            "audit(bars, strategy=%s) finds out whether it uses it.",
            name,
            strategy.__name__,
        )
    ready = dict(params)
    if is_model(ready.get("model")):
        ready["model"] = precompute_forecasts(ready["model"], markets_frame(bars))
    return BacktestJob(
        name=name,
        strategy=strategy,
        params=ready,
        role=_find_role(strategy, ready.get("model")),
        trained_until=training_end(ready.get("model"), dates_frame(bars)),
        start=start,
        end=end,
        broker=choose_broker(broker),
    )


def is_model(value: object) -> bool:
    """Whether a parameter `model` is one of ours: a strategy of the user's own may mean another.

    Example:
        >>> is_model("models/sp500"), is_model(3), is_model(None)
        (True, False, False)
    """
    is_forecaster = hasattr(value, "forecast") and hasattr(value, "stream")
    return is_forecaster or isinstance(value, str | PathLike)


def _find_role(strategy: type, model: object) -> Role:
    """What a strategy is among others, by its class and by the model that it trades."""
    if issubclass(strategy, BuyAndHold | EqualWeight):
        return Role.BUY_AND_HOLD
    if not isinstance(model, Forecaster):
        return Role.RULE
    return Role.LEARNER if model.kind is ForecasterKind.LEARNER else Role.LSTM
