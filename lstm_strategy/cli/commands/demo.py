"""The command `demo`."""

from pathlib import Path

from lstm_strategy.cli import options as opt


def demo(
    target: opt.Target = None,
    out_dir: opt.FolderOut = Path("demo"),
    force: opt.ForceResults = False,
    seed: opt.Seed = 0,
) -> None:
    """Walk forward through the S&P 500, 1999-2018, and compare with all baselines.

    The model is retrained each year on the ten years before it.

    Example: `lstm-strategy demo --out demo`
    """
    from lstm_strategy import BrokerSettings, sample_bars
    from lstm_strategy.cli.comparison import ComparisonSetup, run_comparison_command
    from lstm_strategy.cli.option_groups import EnsembleOptions
    from lstm_strategy.cli.windows import Windows

    run_comparison_command(
        ComparisonSetup(
            source="S&P 500",
            bars=sample_bars("sp500"),
            model=EnsembleOptions(target=target, seed=seed).build_forecaster(None),
            broker=BrokerSettings(),
            windows=Windows("10 years", "1 year"),
            out_dir=out_dir,
            is_forced=force,
            draws_chart=True,
        )
    )
