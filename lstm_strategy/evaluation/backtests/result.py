"""One backtest as its user gets it: the run, its metrics, its figure, and whether it was honest.

A backtest is out of sample when it starts after the last bar that its model was trained on. That is
the default here; a backtest that isn't carries IN-SAMPLE in its name, so that every table, legend
and title shows it.
"""

import dataclasses
import html
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from lstm_strategy.evaluation.backtests.files import write_results
from lstm_strategy.evaluation.backtests.wording import readable_metrics, span_text
from lstm_strategy.evaluation.metrics import metrics_of
from lstm_strategy.trading.cerebro import BacktestRun, BrokerSettings

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class BacktestResult(BacktestRun):
    """A `BacktestRun` with the broker it ran on, its metrics and its figure.

    `in_sample` is true when the first bar of the equity curve belongs to the bars that the model
    was trained on; the `name` then ends in "(IN-SAMPLE)".
    """

    broker: BrokerSettings = dataclasses.field(default_factory=BrokerSettings)
    in_sample: bool = False

    @cached_property
    def metrics(self) -> pd.Series:
        """The metrics of `lstm_strategy.evaluation.metrics.equity`, as fractions; NaN where undefined."""
        return metrics_of(self)

    def figure(self) -> "Figure":
        """Equity, drawdown and exposure of this run, one above the other."""
        from lstm_strategy.evaluation.plots import plot_equity

        return plot_equity(self)

    def save(self, folder: str | Path) -> Path:
        """Write metrics.csv, equity.csv, trades.csv and equity.png, each whole or not at all."""
        metrics = self.metrics.to_frame(self.name).T.astype({"trades": int})
        tables = {
            "metrics.csv": metrics.rename_axis("strategy"),
            "equity.csv": self.equity.to_frame("equity").rename_axis("datetime"),
            "trades.csv": self.trades.set_index("entry"),
        }
        return write_results(folder, tables, self.figure())

    def __repr__(self) -> str:
        return (
            f"BacktestResult({self.name!r}, {span_text(self.equity)}: "
            f"total return {self.metrics['total_return']:.1%}, "
            f"Sharpe {self.metrics['sharpe']:.2f}, "
            f"max drawdown {self.metrics['max_drawdown']:.1%})"
        )

    def _repr_html_(self) -> str:
        table = readable_metrics(self.metrics.to_frame().T)
        return f"<p><b>{html.escape(self.name)}</b>, {span_text(self.equity)}</p>{table.to_html()}"


def build_result(
    run: BacktestRun, broker: BrokerSettings, trained_until: pd.Timestamp | None
) -> BacktestResult:
    """The run as a result; it is called in-sample if it starts within the model's training span."""
    fields = {f.name: getattr(run, f.name) for f in dataclasses.fields(BacktestRun)}
    in_sample = trained_until is not None and run.first_tradable <= trained_until
    if in_sample:
        fields["name"] = f"{run.name} (IN-SAMPLE)"
    return BacktestResult(**fields, broker=broker, in_sample=in_sample)
