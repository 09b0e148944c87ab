"""One backtest as its user gets it: the run, its metrics, its figure, and whether it was honest."""

import dataclasses
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.backtests.files import write_results
from lstm_strategy.evaluation.backtests.wording import (
    METRIC_TITLES,
    describe_liquidations,
    describe_rolls,
    extrapolation_note,
    readable_metrics,
    span_text,
)
from lstm_strategy.evaluation.metrics import (
    metrics_by_market,
    metrics_of,
    ruin_date,
    trade_statistics,
)
from lstm_strategy.support import (
    card_html,
    explain_arguments,
    format_time,
    frame_html,
    in_sample_label,
    number_text,
    refuse_attribute,
)
from lstm_strategy.trading.cerebro import BacktestRun, BrokerSettings

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Role(StrEnum):
    """What a strategy is among others, by its class and its model and never by its name.

    Attributes:
        LSTM: Trades the model that is judged, which includes one of the user's own.
        LEARNER: Trades a reference model that the judged one should beat.
        BUY_AND_HOLD: Holds the market.
        RULE: Trades without a model.
    """

    LSTM = "LSTM"
    LEARNER = "learner"
    BUY_AND_HOLD = "buy and hold"
    RULE = "rule"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class BacktestResult(BacktestRun):
    """A `BacktestRun` with the terms it ran on, its metrics and its figure.

    Attributes:
        broker: What trading cost.
        role: What the strategy is among others.
        in_sample: Whether the first bar of the equity curve belongs to the bars that the model was
            trained on. Every table, legend and title then says so.

    Example:
        >>> from lstm_strategy import BASELINES, run_backtest, sample_bars
        >>> run_backtest(BASELINES["Buy and hold"], sample_bars("sp500"), start="2018")
        BacktestResult('BuyAndHold', 2018-01-02 to 2018-12-31, 251 bars: total return -7.2%, Sharpe
        ratio -0.36, max drawdown -19.6%)
    """

    broker: BrokerSettings = dataclasses.field(default_factory=BrokerSettings)
    role: Role = Role.RULE
    in_sample: bool = False

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> None:
            is_metric = not name.startswith("_") and name in METRIC_TITLES
            refuse_attribute(self, name, {name: f"metrics[{name!r}]"} if is_metric else {})

    @classmethod
    def from_run(
        cls,
        run: BacktestRun,
        *,
        broker: BrokerSettings,
        role: Role,
        trained_until: pd.Timestamp | None,
    ) -> "BacktestResult":
        """Return the result of a run, in sample where it began within the training of its model.

        Args:
            run: What the strategy did.
            broker: The terms it ran on.
            role: What the strategy is among others.
            trained_until: The last bar that its model learned from, on the clock of the bars; None
                without a model.
        """
        fields = {field.name: getattr(run, field.name) for field in dataclasses.fields(BacktestRun)}
        in_sample = trained_until is not None and bool(run.first_tradable <= trained_until)
        return cls(**fields, broker=broker, role=role, in_sample=in_sample)

    @property
    def label(self) -> str:
        """The name for tables and legends, which says where a result is in sample."""
        return in_sample_label(self.name) if self.in_sample else self.name

    @property
    def is_lstm(self) -> bool:
        """Whether the strategy trades the model that a comparison is about."""
        return self.role is Role.LSTM

    @property
    def is_buy_and_hold(self) -> bool:
        """Whether the strategy holds the market."""
        return self.role is Role.BUY_AND_HOLD

    @cached_property
    def metrics(self) -> pd.Series:
        """All metrics by name, see `metrics_of`: fractions, NaN where undefined."""
        return metrics_of(self).rename(self.label)

    @cached_property
    def trade_statistics(self) -> pd.Series:
        """What traders ask of its trades: win rate, profit factor, SQN and their like.

        See `lstm_strategy.evaluation.metrics.trade_statistics` for each of them.

        Example:
            >>> from lstm_strategy import BASELINES, run_backtest, sample_bars
            >>> result = run_backtest(BASELINES["MACD"], sample_bars("sp500"), start="2013")
            >>> result.trade_statistics[["win_rate", "profit_factor"]].round(2).to_list()
            [0.41, 1.01]
        """
        return trade_statistics(self).rename(self.label)

    @cached_property
    def by_market(self) -> pd.DataFrame:
        """What each market of a panel did, one row a market; empty for one market.

        `exposure` (the mean of its absolute exposure), `contribution`, `costs` and `funding` (as
        fractions of the equity at the start), `turnover` (its value bought and sold per year, in
        multiples of the average equity) and `trades` (round trips).
        """
        return metrics_by_market(self)

    @property
    def note(self) -> str:
        """What a reader must know of the run, in words; "" where there is nothing.

        That the strategy ended it before the last bar, that positions were liquidated, and that
        the account was ruined.
        """
        return " ".join(filter(None, [self.early_end, self.liquidation_note, self.ruin_note]))

    @property
    def early_end(self) -> str:
        """That the strategy ended the run before the last bar; "" where it didn't."""
        if not self.n_bars_left:
            return ""
        return (
            f"{self.label} ended its run {self.n_bars_left:,} bars before the last: all its "
            f"numbers cover only {span_text(self.equity)}."
        )

    @property
    def liquidation_note(self) -> str:
        """How many positions were liquidated, and when; "" where none was."""
        if self.liquidations.empty:
            return ""
        return f"{self.label}: {describe_liquidations(self.liquidations)}"

    @property
    def ruin_note(self) -> str:
        """When the account was ruined; "" where it never was."""
        date = ruin_date(self.equity)
        if date is None:
            return ""
        return (
            f"{self.label} was ruined on {format_time(date)}: its equity fell to zero or below. It "
            "counts as earning nothing after that."
        )

    @property
    def notes(self) -> list[str]:
        """That it is short, the `note`, what rolls took, and what is to say of the bars."""
        short = extrapolation_note(self.equity)
        rolls = describe_rolls(self.rolls, self.equity.iloc[0])
        return [*filter(None, [short, self.note, rolls]), *self.market_notes]

    @explain_arguments(TradingError)
    def plot(self, *, log: bool = True, benchmark: "BacktestResult | None" = None) -> "Figure":
        """Draw growth, drawdown and exposure of this run, one above the other.

        Args:
            log: Whether the growth is drawn on a logarithmic axis.
            benchmark: Another backtest beside it, such as buy and hold.
        """
        from lstm_strategy.evaluation.plots import plot_equity  # loads matplotlib

        if benchmark is None or benchmark.name == self.name:
            return plot_equity(self, log=log)
        both = {self.name: self, benchmark.name: benchmark}
        return plot_equity(both, log=log, highlight=self.name)

    def figure(self) -> "Figure":
        """Draw the same as `plot`."""
        return self.plot()

    @explain_arguments(TradingError)
    def save(self, folder: str | Path, *, benchmark: "BacktestResult | None" = None) -> Path:
        """Write metrics.csv, equity.csv, trades.csv and equity.png, each whole or not at all.

        Of a panel there is markets.csv as well, with what each market did; where funding was paid
        funding.csv, where contracts changed rolls.csv, and where positions were liquidated
        liquidations.csv.

        Args:
            folder: Where to; it is made where there is none.
            benchmark: Another backtest that is drawn beside it, such as buy and hold.

        Returns:
            The folder.
        """
        metrics = self.metrics.to_frame(self.label).T.astype({"trades": int, "liquidations": int})
        tables = {
            "metrics.csv": metrics.rename_axis("strategy"),
            "equity.csv": self.equity.to_frame("equity").rename_axis("datetime"),
            "trades.csv": self.trades.set_index("entry"),
        }
        if self.contribution is not None:
            tables["markets.csv"] = self.by_market
        charges = {
            "funding.csv": self.funding,
            "rolls.csv": self.rolls,
            "liquidations.csv": self.liquidations,
        }
        for name, table in charges.items():
            if len(table):
                tables[name] = table.rename_axis("datetime")
        return write_results(folder, tables, self.plot(benchmark=benchmark))

    def __repr__(self) -> str:
        return (
            f"BacktestResult({self.label!r}, {span_text(self.equity)}: "
            f"total return {self.metrics['total_return']:.1%}, "
            f"Sharpe ratio {number_text(self.metrics['sharpe'])}, "
            f"max drawdown {self.metrics['max_drawdown']:.1%})"
            f"{self.note and ' ' + self.note}"
        )

    def _repr_html_(self) -> str:
        from lstm_strategy.evaluation.plots import figure_html, plot_equity  # loads matplotlib

        table = frame_html(readable_metrics(self.metrics.to_frame().T))
        costs = f"{span_text(self.equity)}; after costs: {self.broker.describe_costs()}"
        picture = plot_equity(self, width_inches=7.5)
        parts = [table, figure_html(picture, f"Growth, drawdown and exposure of {self.label}")]
        return card_html(self.label, about=costs, parts=parts, notes=self.notes)
