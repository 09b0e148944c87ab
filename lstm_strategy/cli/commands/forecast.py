"""The command `forecast`."""

from typing import TYPE_CHECKING

from lstm_strategy.cli import options as opt
from lstm_strategy.cli.out_folder import check_names, keep_results
from lstm_strategy.cli.reading import MarketsOptions
from lstm_strategy.errors import LSTMStrategyError

if TYPE_CHECKING:
    import pandas as pd

    from lstm_strategy.bars import Panel
    from lstm_strategy.learning.forecaster import Forecaster

_FORECAST_FILE = "forecast.csv"
_SHOWN_ROWS = 10


def forecast(
    bars: opt.BarsOrMarkets,
    reading: MarketsOptions,
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
    Of several markets, whose model must be one of several, the last forecast of each is shown.
    With --out all forecasts go to forecast.csv. One that is there stays, unless the new one has the
    same forecasts and those of later bars, or --force replaces it.

    Examples:
        lstm-strategy forecast prices.csv --model model --out forecasts
        lstm-strategy forecast sample:sp500 --model demo
    """
    from lstm_strategy.bars import Panel
    from lstm_strategy.cli.inputs import load_markets
    from lstm_strategy.cli.model_folders import open_model
    from lstm_strategy.cli.output import status, tell
    from lstm_strategy.support import write_whole

    check_names(out_dir, [_FORECAST_FILE])
    markets = load_markets(bars, reading)
    with status("Forecasting"):
        forecaster = open_model(model, engine=engine)
    if isinstance(markets, Panel):
        table = _forecast_panel(forecaster, markets)
    else:
        table = _forecast_market(forecaster, markets)
    if out_dir is not None:
        with keep_results(out_dir, is_forced=force) as folder:
            write_whole(folder / _FORECAST_FILE, table.to_csv())
        tell(f"Wrote {_FORECAST_FILE} to {out_dir}/.")


def _forecast_market(forecaster: "Forecaster", bars: "pd.DataFrame") -> "pd.DataFrame":
    """Print the last forecasts of one market; returns all of them."""
    from lstm_strategy.cli.output import print_forecasts, status
    from lstm_strategy.evaluation.backtests import training_end

    with status("Forecasting"):
        forecasts = forecaster.forecast(bars)
    if forecasts["signal"].notna().sum() == 0:
        raise _too_few_bars(forecaster, f"got {len(bars):,}")
    print_forecasts(forecasts.tail(_SHOWN_ROWS), training_end(forecaster, bars))
    return forecasts


def _forecast_panel(forecaster: "Forecaster", panel: "Panel") -> "pd.DataFrame":
    """Print the last forecast of each market; returns all of them, in order of their dates."""
    import pandas as pd

    from lstm_strategy.cli.inputs import check_model_takes
    from lstm_strategy.cli.output import print_panel_forecasts, status, tell
    from lstm_strategy.evaluation.backtests import training_end
    from lstm_strategy.learning.serving import forecast_markets

    check_model_takes(forecaster, panel)
    with status("Forecasting"):
        forecasts = forecast_markets(forecaster, panel)
    known = {name: frame for name, frame in forecasts.items() if frame["signal"].notna().any()}
    if not known:
        raise _too_few_bars(
            forecaster, f"and no market has more than {max(map(len, panel.values())):,}"
        )
    short = [name for name in panel if name not in known]
    if short:
        tell(f"No forecast for want of bars: {', '.join(short)} (of {forecaster.warm_up + 1:,}).")
    print_panel_forecasts(known, training_end(forecaster, panel[panel.symbols[0]]))
    zone = panel.dates.tz
    on_one_clock = {
        name: frame if zone is None else frame.tz_convert(zone) for name, frame in forecasts.items()
    }
    table = pd.concat(on_one_clock, names=["symbol", "datetime"]).reset_index("symbol")
    return table.sort_index(kind="stable")


def _too_few_bars(forecaster: "Forecaster", found: str) -> LSTMStrategyError:
    return LSTMStrategyError(
        f"The model needs {forecaster.warm_up + 1:,} bars before its first forecast, {found}. "
        "Load more history."
    )
