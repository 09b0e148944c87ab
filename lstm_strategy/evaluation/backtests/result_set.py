"""The results of strategies that ran on the same terms, as data."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.backtests.result import BacktestResult
from lstm_strategy.evaluation.backtests.wording import span_text
from lstm_strategy.evaluation.metrics import bar_returns
from lstm_strategy.support import count_of, rate_text
from lstm_strategy.trading.cerebro import BrokerSettings

_SAME_SHARPE = 1e-9


@dataclass(frozen=True, eq=False, repr=False)
class ResultSet:
    """The results of strategies that ran on the same terms, by name and in the order given.

    Attributes:
        results: One backtest for each strategy.
        broker: What trading cost all of them.
        left_out: By name why a strategy isn't among the results: the bars are too few or too long
            for it, or it did what another baseline did.

    Example:
        >>> from lstm_strategy import BASELINES, run_backtest, sample_bars
        >>> broker, bars = BrokerSettings(), sample_bars("sp500")
        >>> held = run_backtest(BASELINES["Buy and hold"], bars, broker=broker, name="Index")
        >>> ResultSet({"Index": held}, broker).buy_and_hold.name
        'Index'
    """

    results: dict[str, BacktestResult]
    broker: BrokerSettings
    left_out: dict[str, str] = field(default_factory=dict)

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row for each strategy, one column for each metric; fractions, NaN where undefined."""
        table = pd.DataFrame([result.metrics for result in self.results.values()])
        return table.astype({"trades": int, "liquidations": int})

    @cached_property
    def equity(self) -> pd.DataFrame:
        """One column for each strategy, on the dates that all of them share; in units of cash."""
        return pd.DataFrame({result.label: result.equity for result in self.results.values()})

    @cached_property
    def trades(self) -> pd.DataFrame:
        """One row a round trip of any strategy, whose name is in the first column.

        The other columns are those of `BacktestResult.trades`. The strategies come in the order of
        the results, and the trades of each in the order of its own.
        """
        tables = [result.trades for result in self.results.values()]
        labels = [r.label for r in self.results.values() for _ in range(len(r.trades))]
        traded = [table for table in tables if len(table)] or tables[:1] or [pd.DataFrame()]
        joined = pd.concat(traded, ignore_index=True)
        joined.insert(0, "strategy", pd.Series(labels, dtype=object))
        return joined

    @property
    def judged_name(self) -> str:
        """The strategy that the set is about: the first LSTM, or else the first of all.

        Raises:
            TradingError: If there is no result.
        """
        if not self.results:
            raise TradingError("There is no strategy to judge: the comparison has no result.")
        lstms = (name for name, result in self.results.items() if result.is_lstm)
        return next(lstms, next(iter(self.results)))

    @property
    def buy_and_hold(self) -> BacktestResult | None:
        """The result of holding the market; None where nobody held it."""
        return next((held for held in self.results.values() if held.is_buy_and_hold), None)

    def find(self, name: str | None = None) -> BacktestResult:
        """Return the result of a strategy.

        Args:
            name: The strategy; by default the one that the set is about, see `judged_name`.

        Raises:
            TradingError: If no strategy has that name, or it was left out.
        """
        name = self.judged_name if name is None else name
        if name in self.left_out:
            raise TradingError(f"{name} was left out of the comparison. {self.left_out[name]}")
        if name not in self.results:
            raise TradingError(
                f"The comparison has no strategy {name!r}. Choose from {', '.join(self.results)}."
            )
        return self.results[name]

    def keep_best(self, most: int, name: str | None = None) -> "ResultSet":
        """Return at most so many of the strategies, in their order: what a picture has room for.

        Kept are the strategy that the set is about, holding the market, and those with the best
        Sharpe ratios.

        Args:
            most: How many, at least 2.
            name: The strategy; by default the one that the set is about.

        Returns:
            The set itself where it has no more.

        Raises:
            TradingError: If no strategy has that name, or it was left out.
        """
        own, held = self.find(name), self.buy_and_hold
        if len(self.results) <= most:
            return self
        sharpe = {each: result.metrics["sharpe"] for each, result in self.results.items()}
        best = pd.Series(sharpe).sort_values(ascending=False, kind="stable")
        first = [each for each, result in self.results.items() if result is own or result is held]
        kept = set(list(dict.fromkeys([*first, *best.index]))[:most])
        return ResultSet(
            {each: result for each, result in self.results.items() if each in kept}, self.broker
        )

    def correlations(self, name: str | None = None) -> pd.Series:
        """Return how the returns of a strategy move with those of each other one.

        Args:
            name: The strategy; by default the one that the set is about.

        Returns:
            Correlations of bar returns by the label of the other strategy, NaN where one of the two
            never varied; empty where there is no other.

        Raises:
            TradingError: If no strategy has that name, or it was left out.
        """
        own = self.find(name).label
        returns = self.equity.apply(bar_returns)
        others = returns.drop(columns=own)
        with np.errstate(invalid="ignore", divide="ignore"):
            return others.corrwith(returns[own]).rename("correlation")

    def describe_standing(self, name: str | None = None) -> str:
        """Say where a strategy stands by Sharpe ratio, in words that claim no skill.

        Args:
            name: The strategy; by default the one that the set is about.

        Raises:
            TradingError: If no strategy has that name, or it was left out.
        """
        result, sharpe = self.find(name), self.table["sharpe"]
        own = sharpe[result.label]
        if pd.isna(own):
            n_bars = len(result.equity)
            why = "its equity never varied" if n_bars > 2 else f"{count_of(n_bars, 'bar')} are few"
            return f"{result.label}: {why}, so it has no Sharpe ratio and no rank."
        rank = int((sharpe > own).sum()) + 1
        in_sample = " In sample, it would be none in any case." if result.in_sample else ""
        return (
            f"{result.label}: Sharpe ratio {own:.2f}, rank {rank} of {len(sharpe)}"
            f"{self._describe_lead(result)}. One standard error of its Sharpe ratio is "
            f"{_sharpe_error(result):.2f}: a difference of that size can be luck, and a rank "
            f"alone is no evidence of skill.{in_sample}"
        )

    def _describe_lead(self, result: BacktestResult) -> str:
        """The rest of a sentence about the market; "" where there is nothing to compare with."""
        held = self.buy_and_hold
        if held is None or held is result or pd.isna(held.metrics["sharpe"]):
            return ""
        lead = result.metrics["sharpe"] - held.metrics["sharpe"]
        verb = "equals" if abs(lead) < _SAME_SHARPE else "leads" if lead > 0 else "trails"
        name = "equal weight" if isinstance(held.exposure, pd.DataFrame) else "buy and hold"
        return f"; it {verb} {name} ({held.metrics['sharpe']:.2f})"

    def describe_terms(self) -> str:
        """Say in words how many strategies ran, over which bars and at which costs."""
        strategies = count_of(len(self.results), "strategy", "strategies")
        commission = (
            self.broker.describe_instruments()
            or f"commission {rate_text(self.broker.commission_rate)}"
        )
        return (
            f"{strategies}, {span_text(self.equity)}, {commission}, slippage "
            f"{rate_text(self.broker.slippage_rate)}{self.broker.describe_timing()}"
        )

    @property
    def market_notes(self) -> list[str]:
        """What the instruments say of the bars, each sentence once."""
        return list(dict.fromkeys(n for each in self.results.values() for n in each.market_notes))


def _sharpe_error(result: BacktestResult) -> float:
    """The standard error of the annual Sharpe ratio of independent returns.

    Source:
        Lo (2002), "The statistics of Sharpe ratios", equation 9: √((1 + SR² / 2) / n) for n bars,
        annualised.
    """
    years = (len(result.equity) - 1) / result.bars_per_year
    per_bar_squared = result.metrics["sharpe"] ** 2 / result.bars_per_year
    return float(((1.0 + per_bar_squared / 2.0) / years) ** 0.5)
