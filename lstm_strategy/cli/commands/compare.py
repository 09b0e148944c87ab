"""The command `compare`."""

import sys

from lstm_strategy.cli import options as opt
from lstm_strategy.cli.reading import MarketsOptions
from lstm_strategy.cli.settings import (
    NETWORK_OPTIONS,
    BrokerOptions,
    NetworkOptions,
    PermutationOptions,
    TrackingOptions,
    WindowOptions,
    load_config,
    repeatable_command,
)
from lstm_strategy.errors import SettingsError


def compare(
    bars: opt.BarsOrMarkets,
    reading: MarketsOptions,
    broker: BrokerOptions,
    network: NetworkOptions,
    windows: WindowOptions,
    permutation: PermutationOptions,
    tracking: TrackingOptions,
    model: opt.ModelOrTraining = None,
    engine: opt.ModelOrTasksEngine = "auto",
    start: opt.ComparisonStart = None,
    end: opt.End = None,
    out_dir: opt.Out = None,
    force: opt.ForceResults = False,
    long_only: opt.LongOnly = False,
    strategy: opt.MoreStrategies = None,
    config: opt.Config = None,
    walk_forward: opt.WalkForwardFlag = False,
    jobs: opt.Jobs = None,
    address: opt.Address = None,
    trials: opt.Trials = 1,
) -> None:
    """Compare the LSTM with all baselines, out of sample.

    Without --model a model is trained on the bars before --start (by default on the first 70%)
    and kept in the folder --out. Learners without a memory are trained on the same bars. With
    --walk-forward they are all retrained for each --test-window, on the --train-window before
    it: by default windows that fit the bars. The same command resumes a run that was stopped.
    Several markets train one model, and are traded together as those of the baselines are.

    The folder remembers in trials.json which settings were tried. The result is judged as the
    best of them, or of --trials if that is more. Results of other settings stay beside these:
    the second ones are in report-2.html and so on.

    Examples:
        lstm-strategy compare sample:sp500 --walk-forward --out results
        lstm-strategy compare prices.csv --model model --start 2015 -o results
        lstm-strategy compare prices.csv --model model --strategy mine.py:Mine
        lstm-strategy compare 'data/*.csv' --config settings.toml --out results
    """
    from lstm_strategy.bars import Panel
    from lstm_strategy.cli.comparison import (
        ComparisonSetup,
        dates_frame,
        run_comparison_command,
    )
    from lstm_strategy.cli.inputs import (
        check_model_takes,
        choose_workers,
        load_markets,
        rules_from_options,
        slice_markets,
    )
    from lstm_strategy.cli.model_folders import open_model
    from lstm_strategy.cli.strategy_file import find_strategies
    from lstm_strategy.cli.windows import Windows

    place = choose_workers(engine, address, jobs)
    if model is not None:
        _refuse_training(walk_forward, network, permutation, tracking)
    if windows != WindowOptions() and not walk_forward:
        raise SettingsError("--train-window and --test-window need --walk-forward.")
    if permutation.permutation_block != 1 and not permutation.permutations:
        raise SettingsError("--permutation-block needs --permutations.")
    loaded, terms = load_config(config), broker.build_broker(config)
    markets = load_markets(bars, reading)
    slice_markets(markets, start, end)  # refuses dates that leave no bar
    if isinstance(markets, Panel) and permutation.permutations:
        raise SettingsError(
            "--permutations shuffles the bars of one market, and BARS holds several. Leave it out, "
            f"or choose one: --symbol {markets.symbols[0]}."
        )
    chosen = None
    if walk_forward:
        untrained = network.build_forecaster(config)
        given = (windows.train_window, windows.test_window)
        chosen = Windows.choose(*given, dates_frame(markets).loc[:end], untrained)
    trained = None
    if model is not None:
        trained = open_model(model, engine="auto" if engine == "ray" else engine)
        check_model_takes(trained, markets)
    setup = ComparisonSetup(
        source=bars,
        bars=markets,
        model=trained or network.build_forecaster(config),
        broker=terms,
        is_trained=trained is not None,
        windows=chosen,
        start=start,
        end=end,
        params=loaded.strategy,
        rules=rules_from_options(long_only),
        others=find_strategies(strategy or []),
        out_dir=out_dir,
        is_forced=force,
        n_jobs=None if engine == "ray" else jobs,
        n_trials=trials,
        n_permutations=permutation.permutations,
        permutation_block_bars=permutation.permutation_block,
        command=repeatable_command(sys.argv),
        tensorboard=tracking.tensorboard,
        experiment=tracking.mlflow,
    )
    with place:
        run_comparison_command(setup)


def _refuse_training(
    walk_forward: bool,
    network: NetworkOptions,
    permutation: PermutationOptions,
    tracking: TrackingOptions,
) -> None:
    """Refuse what a model that is trained already would ignore."""
    if walk_forward:
        raise SettingsError("--walk-forward trains its own models. Leave --model out.")
    if tracking.tensorboard is not None:
        raise SettingsError("--tensorboard logs a training. Leave --model or --tensorboard out.")
    if permutation.permutations:
        raise SettingsError(
            "--permutations trains again on shuffled bars. Leave --model out, so that the real "
            "result comes from a model trained here as well."
        )
    for name in network.given:
        option = NETWORK_OPTIONS[name]
        raise SettingsError(f"{option} is for training. Leave --model or {option} out.")
