"""A Keras LSTM inside backtrader, with an honest evaluation.

The public names are imported on first use, so that ``import lstm_strategy`` loads neither
TensorFlow nor backtrader.
"""

import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

from lstm_strategy.errors import LSTMStrategyError

__version__ = "0.1.0"

_HOME_OF_NAME = {
    "load_bars": "lstm_strategy.bars.load",
    "sample_bars": "lstm_strategy.bars.load",
    "simulate_bars": "lstm_strategy.bars.simulate",
    "validate_bars": "lstm_strategy.bars.validate",
    "BarsFeed": "lstm_strategy.bars.feed",
    "FeatureSet": "lstm_strategy.learning.features",
    "LSTMForecaster": "lstm_strategy.learning.forecaster",
    "WalkForward": "lstm_strategy.learning.splits",
    "walk_forward": "lstm_strategy.learning.walkforward",
    "workers": "lstm_strategy.learning.tasks",
    "tune": "lstm_strategy.evaluation.tuning",
    "LSTMIndicator": "lstm_strategy.trading.indicator",
    "TargetStrategy": "lstm_strategy.trading.execution",
    "LSTMStrategy": "lstm_strategy.trading.strategy",
    "BrokerSettings": "lstm_strategy.trading.backtest",
    "run_backtest": "lstm_strategy.evaluation.result",
    "compare": "lstm_strategy.evaluation.compare",
    "audit": "lstm_strategy.evaluation.audit",
    "plot_equity": "lstm_strategy.evaluation.plots",
    "plot_chart": "lstm_strategy.evaluation.plots",
}

__all__ = [
    "LSTMStrategyError",
    "__version__",
    "load_bars",
    "sample_bars",
    "simulate_bars",
    "validate_bars",
    "BarsFeed",
    "FeatureSet",
    "LSTMForecaster",
    "WalkForward",
    "walk_forward",
    "workers",
    "tune",
    "LSTMIndicator",
    "TargetStrategy",
    "LSTMStrategy",
    "BrokerSettings",
    "run_backtest",
    "compare",
    "audit",
    "plot_equity",
    "plot_chart",
]

if TYPE_CHECKING:
    from lstm_strategy.bars.feed import BarsFeed
    from lstm_strategy.bars.load import load_bars, sample_bars
    from lstm_strategy.bars.simulate import simulate_bars
    from lstm_strategy.bars.validate import validate_bars
    from lstm_strategy.evaluation.audit import audit
    from lstm_strategy.evaluation.compare import compare
    from lstm_strategy.evaluation.plots import plot_chart, plot_equity
    from lstm_strategy.evaluation.result import run_backtest
    from lstm_strategy.evaluation.tuning import tune
    from lstm_strategy.learning.features import FeatureSet
    from lstm_strategy.learning.forecaster import LSTMForecaster
    from lstm_strategy.learning.splits import WalkForward
    from lstm_strategy.learning.tasks import workers
    from lstm_strategy.learning.walkforward import walk_forward
    from lstm_strategy.trading.backtest import BrokerSettings
    from lstm_strategy.trading.execution import TargetStrategy
    from lstm_strategy.trading.indicator import LSTMIndicator
    from lstm_strategy.trading.strategy import LSTMStrategy


def __getattr__(name: str) -> Any:
    """Import a public name from its module the first time somebody asks for it."""
    if name not in _HOME_OF_NAME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with warnings.catch_warnings():
        # Optuna's tqdm, which isn't used, asks every notebook for ipywidgets
        warnings.filterwarnings("ignore", "IProgress not found")
        value = getattr(import_module(_HOME_OF_NAME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
