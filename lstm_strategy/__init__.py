"""A Keras LSTM inside backtrader, with an honest evaluation.

The public names are imported on first use, so that ``import lstm_strategy`` loads neither
TensorFlow nor backtrader.
"""

from typing import TYPE_CHECKING

from lstm_strategy.errors import LSTMStrategyError
from lstm_strategy.support.lazy import import_on_first_use

if TYPE_CHECKING:
    from lstm_strategy.bars import (
        load_bars,
        load_panel,
        open_source,
        sample_bars,
        simulate_bars,
        validate_bars,
    )
    from lstm_strategy.evaluation.audit import audit
    from lstm_strategy.evaluation.backtests import run_backtest
    from lstm_strategy.evaluation.chart import plot_chart
    from lstm_strategy.evaluation.comparison import compare
    from lstm_strategy.evaluation.forecasts import compare_forecasts
    from lstm_strategy.evaluation.plots import plot_equity
    from lstm_strategy.evaluation.tuning import tune
    from lstm_strategy.evaluation.verdict import verdict
    from lstm_strategy.learning.features import FeatureSet
    from lstm_strategy.learning.forecaster import LSTMForecaster
    from lstm_strategy.learning.targets import (
        Direction,
        Policy,
        Quantiles,
        Return,
        TripleBarrier,
        Volatility,
    )
    from lstm_strategy.learning.walk_forward import WalkForward, walk_forward
    from lstm_strategy.support import workers
    from lstm_strategy.trading import BarsFeed
    from lstm_strategy.trading.baselines import BASELINES, PORTFOLIO_BASELINES
    from lstm_strategy.trading.cerebro import BrokerSettings
    from lstm_strategy.trading.execution import PortfolioStrategy, TargetStrategy
    from lstm_strategy.trading.instruments import Future, Perpetual, Spot
    from lstm_strategy.trading.live import ClosedBars
    from lstm_strategy.trading.lstm import LSTMIndicator, LSTMStrategy, RankStrategy

__version__ = "0.1.0"

_HOME_OF_NAME = {
    "load_bars": ".bars",
    "load_panel": ".bars",
    "open_source": ".bars",
    "sample_bars": ".bars",
    "simulate_bars": ".bars",
    "validate_bars": ".bars",
    "FeatureSet": ".learning.features",
    "LSTMForecaster": ".learning.forecaster",
    "Direction": ".learning.targets",
    "Quantiles": ".learning.targets",
    "Return": ".learning.targets",
    "TripleBarrier": ".learning.targets",
    "Policy": ".learning.targets",
    "Volatility": ".learning.targets",
    "WalkForward": ".learning.walk_forward",
    "walk_forward": ".learning.walk_forward",
    "workers": ".support",
    "BarsFeed": ".trading",
    "ClosedBars": ".trading.live",
    "LSTMIndicator": ".trading.lstm",
    "LSTMStrategy": ".trading.lstm",
    "RankStrategy": ".trading.lstm",
    "TargetStrategy": ".trading.execution",
    "PortfolioStrategy": ".trading.execution",
    "Spot": ".trading.instruments",
    "Future": ".trading.instruments",
    "Perpetual": ".trading.instruments",
    "BrokerSettings": ".trading.cerebro",
    "BASELINES": ".trading.baselines",
    "PORTFOLIO_BASELINES": ".trading.baselines",
    "run_backtest": ".evaluation.backtests",
    "compare": ".evaluation.comparison",
    "compare_forecasts": ".evaluation.forecasts",
    "verdict": ".evaluation.verdict",
    "tune": ".evaluation.tuning",
    "audit": ".evaluation.audit",
    "plot_equity": ".evaluation.plots",
    "plot_chart": ".evaluation.chart",
}

__all__ = [
    "LSTMStrategyError",
    "__version__",
    "load_bars",
    "load_panel",
    "open_source",
    "sample_bars",
    "simulate_bars",
    "validate_bars",
    "FeatureSet",
    "LSTMForecaster",
    "Direction",
    "Policy",
    "Quantiles",
    "Return",
    "TripleBarrier",
    "Volatility",
    "WalkForward",
    "walk_forward",
    "workers",
    "BarsFeed",
    "ClosedBars",
    "LSTMIndicator",
    "LSTMStrategy",
    "RankStrategy",
    "TargetStrategy",
    "PortfolioStrategy",
    "Spot",
    "Future",
    "Perpetual",
    "BrokerSettings",
    "BASELINES",
    "PORTFOLIO_BASELINES",
    "run_backtest",
    "compare",
    "compare_forecasts",
    "verdict",
    "tune",
    "audit",
    "plot_equity",
    "plot_chart",
]

__getattr__ = import_on_first_use(__name__, _HOME_OF_NAME)


def __dir__() -> list[str]:
    return sorted(__all__)
