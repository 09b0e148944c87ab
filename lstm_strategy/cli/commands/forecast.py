"""The command `forecast`."""

from lstm_strategy.cli import options as opt
from lstm_strategy.cli.out_folder import check_names, keep_results
from lstm_strategy.cli.reading import ReadingOptions
from lstm_strategy.errors import LSTMStrategyError

_FORECAST_FILE = "forecast.csv"
_SHOWN_ROWS = 10


def forecast(
    bars: opt.Bars,
    reading: ReadingOptions,
    model: opt.RequiredModel,
    engine: opt.Engine = "auto",
    out_dir: opt.Out = None,
    force: opt.ForceFiles = False,
) -> None:
    """Forecast every bar and show the last ten forecasts.

    Each row is known at the close of its bar. The signal is the exposure to hold from the next
    open on (-1 is all short, 1 is all long). The forecast answers what the model was trained on
    (--target of train; by default the probability that the close rises), and the uncertainty is
    its standard deviation across the networks.
    With --out all forecasts go to forecast.csv. One that is there stays, unless the new one has the
    same forecasts and those of later bars, or --force replaces it.

    Example: `lstm-strategy forecast prices.csv --model model --out forecasts`
    """
    from lstm_strategy.cli.inputs import load_bars
    from lstm_strategy.cli.output import print_forecasts, say, status
    from lstm_strategy.evaluation.backtests import training_end
    from lstm_strategy.learning.serving import open_forecaster
    from lstm_strategy.support import write_whole

    check_names(out_dir, [_FORECAST_FILE])
    frame = load_bars(bars, reading)
    with status("Forecasting"):
        forecaster = open_forecaster(model, engine=engine)
        forecasts = forecaster.forecast(frame)
    if forecasts["signal"].notna().sum() == 0:
        raise LSTMStrategyError(
            f"The model needs {forecaster.warm_up + 1:,} bars before its first forecast, got "
            f"{len(frame):,}. Load more history."
        )
    print_forecasts(forecasts.tail(_SHOWN_ROWS), training_end(forecaster, frame))
    if out_dir is not None:
        with keep_results(out_dir, is_forced=force) as folder:
            write_whole(folder / _FORECAST_FILE, forecasts.to_csv())
        say(f"Wrote {_FORECAST_FILE} to {out_dir}/.")
