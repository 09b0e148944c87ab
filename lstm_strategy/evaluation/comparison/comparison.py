"""A comparison as its user gets it: a table, curves, a verdict and a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

import pandas as pd
from matplotlib.figure import Figure

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.backtests import (
    CheckedMarkets,
    ResultSet,
    dates_frame,
    extrapolation_note,
    market_close,
    markets_frame,
    readable_metrics,
    write_results,
)
from lstm_strategy.evaluation.comparison.prepare import PreparedComparison
from lstm_strategy.evaluation.plots import figure_html, plot_equity
from lstm_strategy.evaluation.report import ReportContent, write_report
from lstm_strategy.evaluation.robustness import Robustness, assess_robustness
from lstm_strategy.evaluation.skill import target_name
from lstm_strategy.evaluation.verdict import Assessment, PermutationTest, assess_result
from lstm_strategy.learning.serving import PrecomputedForecasts
from lstm_strategy.support import card_html, explain_arguments, frame_html, refuse_attribute

if TYPE_CHECKING:
    from lstm_strategy.evaluation.interactive import InteractiveFigure


_ELSEWHERE = {
    "alarms": "assess().alarms",
    "metrics": "table",
    "report": "to_html(path)",
    "verdict": "assess().verdict",
}


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(ResultSet):
    """The results of strategies that ran on the same terms, with pictures, verdict and report.

    Attributes:
        prepared: What the strategies ran with: the bars, their parameters and their models.

    Example:
        >>> from lstm_strategy import BASELINES, compare, sample_bars
        >>> two = {name: BASELINES[name] for name in ("MACD", "Buy and hold")}
        >>> comparison = compare(two, sample_bars("sp500"), start="2016")
        >>> comparison.find().name, comparison.buy_and_hold.name
        ('MACD', 'Buy and hold')
        >>> [alarm.name for alarm in comparison.assess().alarms]
        ['few lucky trades']
    """

    prepared: PreparedComparison = field(kw_only=True)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> None:
            refuse_attribute(self, name, _ELSEWHERE)

    @overload
    def plot(
        self,
        *,
        log: bool = True,
        highlight: str | Sequence[str] | None = None,
        interactive: Literal[False] = False,
    ) -> Figure: ...

    @overload
    def plot(
        self,
        *,
        log: bool = True,
        highlight: str | Sequence[str] | None = None,
        interactive: Literal[True],
    ) -> "InteractiveFigure": ...

    @explain_arguments(TradingError)
    def plot(
        self,
        *,
        log: bool = True,
        highlight: str | Sequence[str] | None = None,
        interactive: bool = False,
    ) -> "Figure | InteractiveFigure":
        """Draw growth, drawdown, exposure and, of a walk forward, which fold forecast when.

        Args:
            log: Whether the growth is drawn on a logarithmic axis, as it always is in charts that
                are interactive.
            highlight: The strategies in strong colours; by default the LSTMs, or else the first. Of
                interactive charts the strategy whose trades they show, one name.
            interactive: Whether the answer is charts to zoom and to point at, with the price and
                the trades of one strategy, for a notebook or a page of their own (`save`).

        Raises:
            TradingError: For a name that isn't compared.
        """
        if interactive:
            return self._plot_interactively(highlight)
        return plot_equity(self, log=log, highlight=highlight, ledger=self._judged_ledger())

    def figure(self) -> Figure:
        """Draw the same as `plot`."""
        return self.plot()

    def _plot_interactively(self, highlight: str | Sequence[str] | None) -> "InteractiveFigure":
        from lstm_strategy.evaluation.interactive import (  # loads bokeh
            InteractiveFigure,
            build_charts,
        )

        names = [highlight] if isinstance(highlight, str) else list(highlight or [])
        name = self.find(names[0] if names else None).name
        bars = markets_frame(self.prepared.bars)
        model = self.prepared.models.get(name)
        charts = build_charts(self, bars, name=name, model=model)
        return InteractiveFigure(charts, name, still=self._still_picture(highlight))

    @explain_arguments(TradingError)
    def save(self, folder: str | Path, *, suffix: str = "") -> Path:
        """Write metrics.csv, equity.csv, trades.csv and equity.png, each whole or not at all.

        `trades.csv` has the round trips of all strategies, each with the name of its strategy.

        Args:
            folder: Where to; it is made where there is none.
            suffix: The end of their names: "-2" writes metrics-2.csv and so on.

        Returns:
            The folder.
        """
        tables = {
            f"metrics{suffix}.csv": self.table.rename_axis("strategy"),
            f"equity{suffix}.csv": self.equity.rename_axis("datetime"),
            f"trades{suffix}.csv": self.trades.set_index("strategy"),
        }
        return write_results(folder, tables, self.plot(), equity_file=f"equity{suffix}.png")

    @explain_arguments(TradingError)
    def try_robustness(self, name: str | None = None) -> Robustness | None:
        """Try other and single costs, late orders, folds and members; see `assess_robustness`.

        Args:
            name: The strategy; by default the one that the comparison is about.

        Returns:
            What is left of the result; None for a strategy without a model.

        Raises:
            TradingError: For a name that isn't compared, or if a run fails.
        """
        result = self.find(name)
        model = self.prepared.models.get(result.name)
        if model is None:
            return None
        job = self.prepared.job(result.name)
        return assess_robustness(job, self.prepared.bars, result=result, model=model)

    @explain_arguments(TradingError)
    def assess(
        self,
        name: str | None = None,
        *,
        robustness: Robustness | None = None,
        permutation_test: PermutationTest | None = None,
        n_trials: int = 1,
    ) -> Assessment:
        """Look for every alarm about a strategy, and judge it against all others.

        Args:
            name: The strategy; by default the one that the comparison is about.
            robustness: What `try_robustness` gave, for the alarms that need it.
            permutation_test: The strategy's pipeline on bars without memory.
            n_trials: Settings and seeds whose results were looked at, this one included.

        Raises:
            TradingError: For a name that isn't compared.
        """
        result = self.find(name)
        model, bars = self.prepared.models.get(result.name), self.prepared.bars
        forecasts = self.prepared.job(result.name).forecasts
        return assess_result(
            self,
            market_close(bars),
            name=result.name,
            forecast=None if forecasts is None else _forecast_column(forecasts, bars),
            signals_kept=() if model is None else [e.signal.confidence for e in model.cards],
            is_policy=model is not None and target_name(model) == "policy",
            ledger=None if model is None else model.ledger,
            robustness=robustness,
            permutation_test=permutation_test,
            n_trials=n_trials,
        )

    @explain_arguments(TradingError)
    def to_html(
        self,
        path: str | Path,
        *,
        name: str | None = None,
        assessment: Assessment | None = None,
        n_trials: int = 1,
        figures: Mapping[str, Figure] | None = None,
        provenance: Mapping[str, object] | None = None,
        tearsheet: str | None = None,
        market: str = "",
        made_on: date | None = None,
        command: str = "",
    ) -> Path:
        """Write one page about a strategy of the comparison that needs no other file.

        Args:
            path: The page. Its folder is made where it is missing, as `save` makes its own.
            name: The strategy; by default the one that the comparison is about. An `assessment`
                says itself whose it is.
            assessment: What `assess` gave; by default it is made here, without robustness.
            n_trials: Settings and seeds whose results were looked at, this one included; not used
                with an `assessment`, which has counted them.
            figures: More pictures to show, by their caption.
            provenance: More rows of "where this came from".
            tearsheet: The address of a page to link, such as "tearsheet.html" beside the report.
            market: What was traded, for the title: a name, or the file of the bars.
            made_on: The date of the report; today by default.
            command: The line of the terminal that made it, for those who want to repeat it.

        Returns:
            The path.

        Raises:
            TradingError: For a name that isn't compared, or a comparison without results.
        """
        if assessment is None:
            assessment = self.assess(name, n_trials=n_trials)
        content = ReportContent(
            results=self,
            assessment=assessment,
            bars=markets_frame(self.prepared.bars),
            model=self.prepared.models.get(assessment.name),
            figures=figures or {},
            provenance=provenance or {},
            tearsheet=tearsheet,
            market=market,
            made_on=made_on or date.today(),
            command=command,
            strategy_params=self.prepared.job(assessment.name).given_params,
        )
        return write_report(path, content)

    def __repr__(self) -> str:
        table = readable_metrics(self.table).to_string()
        return "\n".join([f"Comparison of {self.describe_terms()}", table, *self._notes()])

    def _repr_html_(self) -> str:
        table = frame_html(readable_metrics(self.table), strong=self.find().label)
        parts = [table, self._still_picture()]
        return card_html(
            "Comparison", about=self.describe_terms(), parts=parts, notes=self._notes()
        )

    def _still_picture(self, highlight: str | Sequence[str] | None = None) -> str:
        picture = plot_equity(
            self, highlight=highlight, ledger=self._judged_ledger(), width_inches=7.5
        )
        return figure_html(picture, "Growth, drawdown and exposure of all strategies")

    def _judged_ledger(self) -> pd.DataFrame | None:
        """Which model of a walk forward forecast when; None without one."""
        model = self.prepared.models.get(self.judged_name)
        return None if model is None else model.ledger

    def _notes(self) -> list[str]:
        left_out = [f"{name} is left out. {reason}" for name, reason in self.left_out.items()]
        notes = [result.note for result in self.results.values() if result.note]
        short = extrapolation_note(self.equity)
        return [*filter(None, [short]), *left_out, *notes, *self.market_notes]


def _forecast_column(forecasts: PrecomputedForecasts, bars: CheckedMarkets) -> pd.Series:
    return forecasts.forecast(dates_frame(bars))["forecast"]
