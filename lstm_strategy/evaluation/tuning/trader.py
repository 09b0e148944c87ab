"""Forecasts traded by `LSTMStrategy` after costs: what a trial and the holdout are scored by."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lstm_strategy.bars import Panel, is_panel
from lstm_strategy.errors import TrainingError
from lstm_strategy.evaluation.backtests import BacktestResult, run_backtest
from lstm_strategy.evaluation.metrics import earned_returns, ruin_date, sharpe
from lstm_strategy.learning.forecaster import Forecaster
from lstm_strategy.learning.search import OutOfSampleForecasts, dates_of, split_markets
from lstm_strategy.learning.serving import precomputed_frame, precomputed_markets
from lstm_strategy.support import format_time
from lstm_strategy.trading import declared_params
from lstm_strategy.trading.cerebro import BrokerSettings
from lstm_strategy.trading.execution import silence_orders
from lstm_strategy.trading.lstm import LSTMStrategy

PARAMETER_NAMES = tuple(name for name in declared_params(LSTMStrategy) if name != "model")


@dataclass(frozen=True)
class ForecastTrader:
    """Trades what a trial forecast.

    Attributes:
        broker: What trading costs.
        strategy: Parameters of `LSTMStrategy` that all trials share.
    """

    broker: BrokerSettings
    strategy: Mapping[str, Any]

    def result(
        self, bars: pd.DataFrame | Panel, forecasts: pd.DataFrame, strategy: Mapping[str, Any]
    ) -> BacktestResult:
        """Return the backtest on the bars that were forecast; earlier ones only warm it up.

        Args:
            bars: Bars up to the last one that was forecast, or a panel of them.
            forecasts: Signal, forecast and uncertainty; of a panel by symbol and date.
            strategy: Parameters of this trial.
        """
        dates = dates_of(forecasts)
        with silence_orders():
            return run_backtest(
                LSTMStrategy,
                bars,
                start=dates[0],
                end=dates[-1],
                broker=self.broker,
                name="LSTM, tuned",
                **{**self.strategy, **strategy, "model": _answer_with(forecasts, bars)},
            )

    def returns(self, seen: OutOfSampleForecasts) -> pd.Series:
        """Return the bar returns on the bars that were forecast, known at the close of each row.

        They are zero before the first trade and once the account is ruined.
        """
        result = self.result(seen.bars, seen.forecasts, seen.strategy)
        return earned_returns(result.equity).reindex(dates_of(seen.forecasts)).fillna(0.0)

    def sharpe(self, seen: OutOfSampleForecasts) -> float:
        """Return the annual Sharpe ratio after costs; zero where nothing was traded.

        Raises:
            TrainingError: If the account is ruined: no ratio makes up for that.
        """
        result = self.result(seen.bars, seen.forecasts, seen.strategy)
        ruined = ruin_date(result.equity)
        if ruined is not None:
            raise TrainingError(
                f"The account is ruined at {format_time(ruined)}, so the setting has no score. "
                "Hold less, or exit sooner."
            )
        return zero_if_flat(sharpe(result.equity, result.bars_per_year))


def _answer_with(forecasts: pd.DataFrame, bars: pd.DataFrame | Panel) -> Forecaster:
    """A model that answers with these forecasts."""
    if is_panel(bars):
        return precomputed_markets(split_markets(forecasts), bars)
    return precomputed_frame(forecasts, bars)


def zero_if_flat(ratio: float) -> float:
    """Return the ratio, and zero for the NaN of a flat curve: an optimiser needs a number."""
    return 0.0 if ratio != ratio else ratio
