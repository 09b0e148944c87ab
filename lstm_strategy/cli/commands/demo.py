"""The command `demo`."""

import sys
from pathlib import Path

from lstm_strategy.cli import options as opt

_TARGETS = ("policy", "volatility", "direction")  # the first is judged
_HORIZONS = {"volatility": 22}  # a month: to hold by what one day will be is to trade every day


def demo(
    target: opt.DemoTarget = None,
    out_dir: opt.FolderOut = Path("demo"),
    force: opt.ForceResults = False,
    seed: opt.Seed = 0,
) -> None:
    """Walk forward through the S&P 500, 1999-2018, and compare with all baselines.

    Each model is retrained every year on the ten years before it. The one that learns the position
    itself is judged; one holds at constant volatility, as forecast over a month, and one forecasts
    the direction.
    --target takes one alone, whatever it is asked.

    Examples:
        lstm-strategy demo --out demo
        lstm-strategy demo --target policy
    """
    from lstm_strategy import BrokerSettings, sample_bars
    from lstm_strategy.cli.comparison import ComparisonSetup, run_comparison_command
    from lstm_strategy.cli.settings import NetworkOptions, repeatable_command
    from lstm_strategy.cli.windows import Windows

    asked = {
        f"LSTM {name}": NetworkOptions(target=name, seed=seed, horizon=_HORIZONS.get(name))
        for name in (_TARGETS if target is None else (target,))
    }
    judged, *others = ((name, each.build_forecaster(None)) for name, each in asked.items())
    run_comparison_command(
        ComparisonSetup(
            source="S&P 500",
            bars=sample_bars("sp500"),
            model=judged[1],
            broker=BrokerSettings(),
            name=judged[0],
            contenders=dict(others),
            windows=Windows("10 years", "1 year"),
            out_dir=out_dir,
            is_forced=force,
            draws_chart=True,
            command=repeatable_command(sys.argv),
        )
    )
