"""The results of strategies that ran on the same terms, as data."""

from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.backtests.result import BacktestResult
from lstm_strategy.evaluation.backtests.wording import span_text
from lstm_strategy.trading.cerebro import BrokerSettings


@dataclass(frozen=True, eq=False, repr=False)
class ResultSet:
    """The results of strategies that ran on the same terms, by name and in the order given.

    Attributes:
        results: one backtest for each strategy.
        broker: what trading cost all of them.
        left_out: by name why a strategy could not run: it needs more bars than there are.
    """

    results: dict[str, BacktestResult]
    broker: BrokerSettings
    left_out: dict[str, str] = field(default_factory=dict)

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row for each strategy, one column for each metric; fractions, NaN where undefined."""
        table = pd.DataFrame([result.metrics for result in self.results.values()])
        return table.astype({"trades": int})

    @cached_property
    def equity(self) -> pd.DataFrame:
        """One column for each strategy, on the dates that all of them share; in units of cash."""
        return pd.DataFrame({result.label: result.equity for result in self.results.values()})

    @property
    def judged_name(self) -> str:
        """The strategy that the set is about: the first LSTM, or else the first of all.

        Raises:
            TradingError: if there is no result.
        """
        if not self.results:
            raise TradingError("There is no strategy to judge: the comparison has no result.")
        lstm = (name for name, result in self.results.items() if result.is_lstm)
        return next(lstm, next(iter(self.results)))

    @property
    def buy_and_hold(self) -> BacktestResult | None:
        """The result of holding the market; None where nobody held it."""
        return next((r for r in self.results.values() if r.is_buy_and_hold), None)

    def find(self, name: str | None = None) -> BacktestResult:
        """The result of a strategy, by default of the one that the set is about.

        Raises:
            TradingError: if no strategy has that name, or it was left out.
        """
        name = self.judged_name if name is None else name
        if name in self.left_out:
            raise TradingError(f"{name} was left out of the comparison: {self.left_out[name]}")
        if name not in self.results:
            raise TradingError(
                f"The comparison has no strategy {name!r}. Choose from {', '.join(self.results)}."
            )
        return self.results[name]

    def describe_standing(self, name: str | None = None) -> str:
        """Where a strategy stands by Sharpe ratio, in words that claim no skill.

        Raises:
            TradingError: as `find`.
        """
        result, sharpe = self.find(name), self.table["sharpe"]
        own = sharpe[result.label]
        if pd.isna(own):
            return f"{result.label}: its equity never varied: no Sharpe ratio and no rank."
        rank = int((sharpe > own).sum()) + 1
        text = f"{result.label}: Sharpe {own:.2f}, rank {rank} of {len(sharpe)}"
        held = self.buy_and_hold
        if held is not None and held is not result and pd.notna(sharpe[held.label]):
            verb = "leads" if own > sharpe[held.label] else "trails"
            text += f"; it {verb} buy and hold ({sharpe[held.label]:.2f})"
        text += (
            f". One standard error of its Sharpe ratio is {_sharpe_error(result):.2f}: differences "
            "of that size are within luck, and a rank alone is no evidence of skill."
        )
        if result.in_sample:
            text += " In sample, it would be none in any case."
        return text

    def describe_terms(self) -> str:
        """How many strategies, over which bars, at which costs, in words."""
        return (
            f"{len(self.results)} strategies, {span_text(self.equity)}, commission "
            f"{self.broker.commission_rate:.2%}, slippage {self.broker.slippage_rate:.2%}"
        )


def _sharpe_error(result: BacktestResult) -> float:
    """Standard error of the annual Sharpe ratio for independent returns (Lo 2002)."""
    years = (len(result.equity) - 1) / result.bars_per_year
    per_bar_squared = result.metrics["sharpe"] ** 2 / result.bars_per_year
    return float(((1.0 + per_bar_squared / 2.0) / years) ** 0.5)
