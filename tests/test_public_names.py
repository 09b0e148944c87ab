"""The names that other people's scripts use, and how little importing them costs."""

import inspect
import json
import subprocess
import sys

import pytest

import lstm_strategy
import strategies
from lstm_strategy import LSTMStrategyError, errors

CONTRACT = {
    "BASELINES",
    "BarsFeed",
    "ClosedBars",
    "BrokerSettings",
    "Direction",
    "FeatureSet",
    "Future",
    "LSTMForecaster",
    "LSTMIndicator",
    "LSTMStrategy",
    "LSTMStrategyError",
    "PORTFOLIO_BASELINES",
    "Perpetual",
    "Policy",
    "PortfolioStrategy",
    "Quantiles",
    "RankStrategy",
    "Return",
    "Spot",
    "TargetStrategy",
    "TripleBarrier",
    "Volatility",
    "WalkForward",
    "__version__",
    "audit",
    "compare",
    "compare_forecasts",
    "load_bars",
    "load_panel",
    "open_source",
    "plot_chart",
    "plot_equity",
    "run_backtest",
    "sample_bars",
    "simulate_bars",
    "tune",
    "validate_bars",
    "verdict",
    "walk_forward",
    "workers",
}
HEAVY = {
    "backtrader",
    "keras",
    "matplotlib",
    "optuna",
    "pandas",
    "pandas_ta",
    "pandas_ta_classic",
    "tensorflow",
}


def test_the_public_names_are_those_of_the_contract():
    assert set(lstm_strategy.__all__) == CONTRACT
    assert len(lstm_strategy.__all__) == len(CONTRACT)
    assert dir(lstm_strategy) == sorted(CONTRACT)


@pytest.mark.parametrize("name", sorted(CONTRACT))
def test_every_public_name_can_be_imported(name):
    assert getattr(lstm_strategy, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'Forecaster'"):
        lstm_strategy.Forecaster  # noqa: B018


CLASSES = (value for _, value in inspect.getmembers(errors, inspect.isclass))
ERRORS = [value for value in CLASSES if value.__module__ == errors.__name__]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_every_error_is_ours_and_a_value_error(error):
    assert issubclass(error, LSTMStrategyError)
    assert issubclass(error, ValueError)


def test_a_clone_offers_the_baselines_in_strategies_too():
    assert strategies.BASELINES is lstm_strategy.BASELINES


LIGHT_STARTS = {
    "import lstm_strategy": "import lstm_strategy",
    "import the command line": "import lstm_strategy.cli",
    "lstm-strategy --help": (
        "sys.argv = ['lstm-strategy', '--help']\n"
        "from lstm_strategy.cli import main\n"
        "try:\n    main()\nexcept SystemExit as stop:\n    assert not stop.code"
    ),
    "lstm-strategy train --help": (
        "sys.argv = ['lstm-strategy', 'train', '--help']\n"
        "from lstm_strategy.cli import main\n"
        "try:\n    main()\nexcept SystemExit as stop:\n    assert not stop.code"
    ),
}


@pytest.mark.parametrize("start", LIGHT_STARTS)
def test_starting_loads_no_heavy_library(start):
    code = f"import json, sys\n{LIGHT_STARTS[start]}\nprint()\nprint(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    loaded = {module.partition(".")[0] for module in json.loads(done.stdout.splitlines()[-1])}
    assert "lstm_strategy" in loaded
    assert loaded & HEAVY == set()
