"""What a report is made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.figure import Figure

from lstm_strategy.bars import Panel
from lstm_strategy.evaluation.backtests import BacktestResult, ResultSet, market_close
from lstm_strategy.evaluation.robustness import fold_table
from lstm_strategy.evaluation.skill import (
    ForecastOutcomes,
    ModelSkill,
    forecast_outcomes,
    measure_model,
)
from lstm_strategy.evaluation.verdict import Assessment
from lstm_strategy.learning.forecaster import Forecaster
from lstm_strategy.learning.serving import novelty_of_bars
from lstm_strategy.learning.walk_forward import WalkForwardForecaster

if TYPE_CHECKING:
    from lstm_strategy.evaluation.interactive import Charts, MarketViews


@dataclass(frozen=True, eq=False)
class ReportContent:
    """All that the sections of a report are made from; a section that lacks its part is left out.

    Attributes:
        results: The strategy and those it is compared with.
        assessment: What the strategy is worth.
        bars: The bars that all of them ran on, of one market or of a panel.
        model: What the strategy trades, for where it came from; None without one.
        figures: More pictures to show, by their caption.
        provenance: More rows of "where this came from".
        tearsheet: The address of a page to link, such as "tearsheet.html" beside the report.
        market: What was traded, in words or as the user named the file; "" where it isn't known.
        made_on: The date of the report; None leaves it out, so that the page never changes.
        command: The line of the terminal that made it; "" for none.
        strategy_params: The parameters that the strategy was given, without its model.

    Example:
        >>> from lstm_strategy import BASELINES, compare, sample_bars
        >>> bars = sample_bars("sp500")
        >>> comparison = compare({"MACD": BASELINES["MACD"]}, bars, start="2016")
        >>> content = ReportContent(comparison, comparison.assess(), bars)
        >>> content.name, content.folds is None
        ('MACD', True)
    """

    results: ResultSet
    assessment: Assessment
    bars: pd.DataFrame | Panel
    model: Forecaster | None = None
    figures: Mapping[str, Figure] = field(default_factory=dict)
    provenance: Mapping[str, object] = field(default_factory=dict)
    tearsheet: str | None = None
    market: str = ""
    made_on: date | None = None
    command: str = ""
    strategy_params: Mapping[str, object] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The strategy that the report is about."""
        return self.assessment.name

    @property
    def result(self) -> BacktestResult:
        """The backtest of that strategy."""
        return self.results.find(self.name)

    @property
    def ledger(self) -> pd.DataFrame | None:
        """Which model forecast which bar; None for a model that was trained once."""
        return None if self.model is None else self.model.ledger

    @cached_property
    def folds(self) -> pd.DataFrame | None:
        """What the model of each fold earned, see `fold_table`; None without folds."""
        robustness = self.assessment.robustness
        if robustness is not None and robustness.folds is not None:
            return robustness.folds
        if self.ledger is None:
            return None
        return fold_table(self.result, self.ledger, close=market_close(self.bars))

    @cached_property
    def outcomes(self) -> ForecastOutcomes | None:
        """What the model forecast in the backtest beside what came, if it forecast anything."""
        if self.model is None:
            return None
        first, last = self.result.equity.index[[0, -1]]
        return forecast_outcomes(self.model, self.bars, start=first, end=last)

    @cached_property
    def novelty(self) -> pd.DataFrame | None:
        """How strange each bar of the backtest is to the model, if there is one."""
        if self.model is None:
            return None
        first, last = self.result.equity.index[[0, -1]]
        return novelty_of_bars(self.model, self.bars, start=first, end=last)

    @property
    def histories(self) -> dict[str, pd.DataFrame]:
        """The course of the training by fold, in the order of time; of one training by ""."""
        if isinstance(self.model, WalkForwardForecaster):
            refits = enumerate(self.model.refits, 1)
            models: dict[str, object] = {str(number): refit.model for number, refit in refits}
        else:
            models = {"": self.model}
        found = {name: getattr(model, "history", None) for name, model in models.items()}
        return {
            name: each
            for name, each in found.items()
            if isinstance(each, pd.DataFrame) and len(each)
        }

    @cached_property
    def skill(self) -> ModelSkill | None:
        """What the forecasts of the model are worth at the bars of the backtest, if it has any."""
        if self.model is None:
            return None
        first, last = self.result.equity.index[[0, -1]]
        return measure_model(self.model, self.bars, start=first, end=last)

    @cached_property
    def charts(self) -> "Charts":
        """The charts that answer to a pointer."""
        from lstm_strategy.evaluation.interactive import build_charts  # loads bokeh

        return build_charts(
            self.results, self.bars, name=self.name, model=self.model, views=self.views
        )

    @cached_property
    def views(self) -> "MarketViews":
        """Closes, trades and forecasts of the markets that moved the result most."""
        from lstm_strategy.evaluation.interactive import view_markets

        return view_markets(self.result, self.bars, model=self.model)
