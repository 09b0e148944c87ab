"""The results of strategies that ran on the same terms, as a table, curves and a page."""

import html
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.backtests import (
    BacktestResult,
    is_buy_and_hold,
    readable_metrics,
    span_text,
    write_results,
)
from lstm_strategy.trading.cerebro import BrokerSettings

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False, repr=False)
class Board:
    """The results of strategies that ran on the same terms, by name and in the order given.

    `left_out` says by name why a strategy could not run: it needs more bars than there are.
    """

    results: dict[str, BacktestResult]
    broker: BrokerSettings
    left_out: dict[str, str] = field(default_factory=dict)

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row a strategy, one column a metric; fractions, NaN where undefined."""
        table = pd.DataFrame([result.metrics for result in self.results.values()])
        return table.astype({"trades": int})

    @cached_property
    def equity(self) -> pd.DataFrame:
        """One column a strategy, on the dates that all of them share; in units of cash."""
        return pd.DataFrame({result.name: result.equity for result in self.results.values()})

    def plot(
        self,
        *,
        log: bool = True,
        highlight: str | list[str] | None = None,
        ledger: pd.DataFrame | None = None,
    ) -> "Figure":
        """Growth, drawdown, exposure and, with a ledger, who forecast when; see `plot_equity`."""
        from lstm_strategy.evaluation.plots import plot_equity

        return plot_equity(self, log=log, highlight=highlight, ledger=ledger)

    def save(self, folder: str | Path, *, ledger: pd.DataFrame | None = None) -> Path:
        """Write metrics.csv, equity.csv and equity.png into `folder`, each whole or not at all.

        `ledger` is that of a walk forward, drawn as a strip under the curves.
        """
        tables = {
            "metrics.csv": self.table.rename_axis("strategy"),
            "equity.csv": self.equity.rename_axis("datetime"),
        }
        return write_results(folder, tables, self.plot(ledger=ledger))

    def to_html(self, path: str | Path, **settings: Any) -> Path:
        """Write one self-contained page about this board; `settings` are those of `report_html`."""
        from lstm_strategy.evaluation.report import write_report

        return write_report(path, self, **settings)

    def standing(self, name: str) -> str:
        """Where a strategy stands by Sharpe ratio, in a sentence that claims no skill."""
        result = self.results.get(name)
        if name in self.left_out:
            raise TradingError(f"{name} was left out of the comparison: {self.left_out[name]}")
        if result is None:
            raise TradingError(
                f"standing needs the name of a compared strategy, got {name!r}. "
                f"Choose from {', '.join(self.results)}."
            )
        return _standing_text(result, self)

    def __repr__(self) -> str:
        table = readable_metrics(self.table).to_string()
        return "\n".join([f"Board of {self._terms()}", table, *self._left_out_lines()])

    def _repr_html_(self) -> str:
        table = readable_metrics(self.table).to_html()
        left_out = (f"<p>{html.escape(line)}</p>" for line in self._left_out_lines())
        return "".join([f"<p>{self._terms()}</p>{table}", *left_out])

    def _left_out_lines(self) -> list[str]:
        return [f"Left out: {name}. {reason}" for name, reason in self.left_out.items()]

    def _terms(self) -> str:
        return (
            f"{len(self.results)} strategies, {span_text(self.equity)}, commission "
            f"{self.broker.commission_rate:.2%}, slippage {self.broker.slippage_rate:.2%}"
        )


def _standing_text(result: BacktestResult, board: Board) -> str:
    sharpe = board.table["sharpe"]
    own = sharpe[result.name]
    if pd.isna(own):
        return f"{result.name}: its equity never varied, so it has no Sharpe ratio and no rank."
    rank = int((sharpe > own).sum()) + 1
    text = f"{result.name}: Sharpe {own:.2f}, rank {rank} of {len(sharpe)}"
    benchmark = next((name for name in sharpe.index if is_buy_and_hold(name)), None)
    if benchmark is not None and benchmark != result.name and pd.notna(sharpe[benchmark]):
        verb = "leads" if own > sharpe[benchmark] else "trails"
        text += f"; it {verb} buy and hold ({sharpe[benchmark]:.2f})"
    text += (
        f". One standard error of its Sharpe ratio is {_sharpe_error(result):.2f}: differences of "
        "that size are within luck, and a rank alone is no evidence of skill."
    )
    return text + " In-sample, it would be none in any case." * result.in_sample


def _sharpe_error(result: BacktestResult) -> float:
    """Standard error of the annual Sharpe ratio for independent returns (Lo 2002)."""
    years = (len(result.equity) - 1) / result.bars_per_year
    per_bar_squared = result.metrics["sharpe"] ** 2 / result.bars_per_year
    return float(((1.0 + per_bar_squared / 2.0) / years) ** 0.5)
