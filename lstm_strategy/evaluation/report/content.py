"""What a report is made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd
from matplotlib.figure import Figure

from lstm_strategy.evaluation.backtests import BacktestResult, ResultSet
from lstm_strategy.evaluation.robustness import fold_table
from lstm_strategy.evaluation.verdict import Assessment
from lstm_strategy.learning.forecaster import Forecaster


@dataclass(frozen=True, eq=False)
class ReportContent:
    """All that the sections of a report are made from; a section that lacks its part is left out.

    Attributes:
        results: the strategy and those it is compared with.
        assessment: what the strategy is worth.
        bars: those that they ran on.
        model: what the strategy trades, for where it came from; None without one.
        figures: more pictures to show, by their caption.
        provenance: more rows of "where this came from".
        tearsheet: address of a page to link, such as "tearsheet.html" beside the report.
    """

    results: ResultSet
    assessment: Assessment
    bars: pd.DataFrame
    model: Forecaster | None = None
    figures: Mapping[str, Figure] = field(default_factory=dict)
    provenance: Mapping[str, object] = field(default_factory=dict)
    tearsheet: str | None = None

    @property
    def name(self) -> str:
        """The strategy that the report is about."""
        return self.assessment.name

    @property
    def result(self) -> BacktestResult:
        """Its backtest."""
        return self.results.find(self.name)

    @property
    def ledger(self) -> pd.DataFrame | None:
        """Which model forecast which bar; None for one that was trained once."""
        return None if self.model is None else self.model.ledger

    @cached_property
    def folds(self) -> pd.DataFrame | None:
        """See `fold_table`."""
        robustness = self.assessment.robustness
        if robustness is not None and robustness.folds is not None:
            return robustness.folds
        if self.ledger is None:
            return None
        return fold_table(self.result, self.ledger, close=self.bars["close"])
