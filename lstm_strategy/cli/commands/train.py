"""The command `train`."""

from pathlib import Path

from lstm_strategy.cli import options as opt
from lstm_strategy.cli.reading import MarketsOptions
from lstm_strategy.cli.settings import CostOptions, NetworkOptions, TrackingOptions

_PICTURE_FILE = "training.png"


def train(
    bars: opt.BarsOrMarkets,
    reading: MarketsOptions,
    network: NetworkOptions,
    costs: CostOptions,
    tracking: TrackingOptions,
    out_dir: opt.ModelOut = Path("model"),
    force: opt.ForceModel = False,
    start: opt.TrainStart = None,
    end: opt.TrainEnd = None,
    config: opt.Config = None,
) -> None:
    """Train a model and save it as a folder.

    The model sees every bar up to --end. Keep later bars to test it on. Several markets train one
    model. An earlier model with the same settings is replaced, one with other settings only with
    --force. A target that asks what trading costs, such as policy, learns with --commission,
    --slippage and --instrument.

    Examples:
        lstm-strategy train sample:sp500 --end 2012 --out model
        lstm-strategy train prices.csv --target policy --commission 0.0005
        lstm-strategy train 'data/*.csv' --units 32 --units 16 --market-embedding 4
    """
    import pandas as pd

    from lstm_strategy.cli.inputs import (
        check_apart,
        describe_markets,
        load_markets,
        slice_markets,
        tensorboard_callbacks,
    )
    from lstm_strategy.cli.model_folders import (
        check_earlier_model,
        check_model_folder,
        save_with_picture,
    )
    from lstm_strategy.cli.output import print_training, tell
    from lstm_strategy.evaluation.plots import plot_history

    check_model_folder(out_dir, _PICTURE_FILE)
    check_apart(tracking.tensorboard, out_dir)
    forecaster, terms = network.build_forecaster(config), costs.build_broker(config)
    known = slice_markets(load_markets(bars, reading), start, end)
    if terms.says_costs:
        terms.check_markets({"": known} if isinstance(known, pd.DataFrame) else known)
        forecaster = forecaster.with_costs(terms.cost_rate_on(known))
    if not force:
        check_earlier_model(out_dir, forecaster)
    tell(f"{bars}: training on {describe_markets(known)}.")
    forecaster.fit(
        known,
        on_bad="drop" if reading.on_bad == "drop" else "raise",
        callbacks=tensorboard_callbacks(tracking.tensorboard),
    )
    print_training(forecaster)
    figure = plot_history(forecaster.history)
    save_with_picture(forecaster, out_dir, name=_PICTURE_FILE, figure=figure)
    tell(f"Wrote the model and {_PICTURE_FILE} to {out_dir}/.")
    if tracking.mlflow is not None:
        from lstm_strategy.tracking import log_forecaster

        run = log_forecaster(forecaster, tracking.mlflow)
        tell(f"Logged as run {run} of experiment {tracking.mlflow}.")
