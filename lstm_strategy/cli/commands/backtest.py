"""The command `backtest`."""

from typing import Annotated

import typer

from lstm_strategy.cli import options as opt
from lstm_strategy.cli.config_file import load_config
from lstm_strategy.cli.option_groups import BrokerOptions
from lstm_strategy.cli.out_folder import check_names, keep_results
from lstm_strategy.cli.reading import MarketsOptions
from lstm_strategy.errors import SettingsError

_RESULT_FILES = ("metrics.csv", "equity.csv", "trades.csv", "equity.png")
_RARE_FILES = ("markets.csv", "funding.csv", "rolls.csv", "liquidations.csv")


def backtest(
    bars: opt.BarsOrMarkets,
    reading: MarketsOptions,
    broker: BrokerOptions,
    model: opt.Model = None,
    engine: opt.Engine = "auto",
    strategy: Annotated[
        str | None,
        typer.Option(
            "--strategy",
            help="Instead of the LSTM: a baseline such as MACD, or a backtrader strategy as "
            "FILE.py:Class:name=value,...",
        ),
    ] = None,
    start: opt.Start = None,
    end: opt.End = None,
    out_dir: opt.Out = None,
    force: opt.ForceFiles = False,
    long_only: opt.LongOnly = False,
    config: opt.Config = None,
) -> None:
    """Run one strategy and show its metrics.

    A model starts at the first bar after its training, unless --start says otherwise. Several
    markets are traded together, by a strategy that decides for all of them. Other results in the
    folder --out stay, unless --force replaces them.

    Example: `lstm-strategy backtest prices.csv --model model --commission 0.0005`
    """
    from lstm_strategy.cli.inputs import (
        check_model_takes,
        load_markets_for,
        rules_from_options,
        slice_markets,
    )
    from lstm_strategy.cli.output import print_result, say, status
    from lstm_strategy.cli.strategy_file import explain_failures, find_strategy
    from lstm_strategy.evaluation.backtests import run_backtest
    from lstm_strategy.learning.serving import open_forecaster
    from lstm_strategy.trading import declared_params
    from lstm_strategy.trading.lstm import LSTMStrategy

    check_names(out_dir, (*_RARE_FILES, *_RESULT_FILES))
    chosen, params = find_strategy(strategy) if strategy else (LSTMStrategy, {})
    params = {**load_config(config).strategy, **params, **rules_from_options(long_only)}
    if model is not None and "model" not in declared_params(chosen):
        raise SettingsError(f"{strategy} takes no --model. Leave --model or --strategy out.")
    if model is None and strategy is None and "model" not in params:
        raise SettingsError("Nothing to run. Give --model DIR, or --strategy NAME.")
    markets, terms = load_markets_for(chosen, bars, reading), broker.build_broker(config)
    slice_markets(markets, start, end)  # refuses dates that leave no bar
    with status("Backtesting"), explain_failures(chosen):
        if model is not None:
            forecaster = open_forecaster(model, engine=engine)
            check_model_takes(forecaster, markets)
            params["model"] = forecaster
        result = run_backtest(chosen, markets, start=start, end=end, broker=terms, **params)
    print_result(result)
    if out_dir is not None:
        with keep_results(out_dir, is_forced=force) as folder:
            result.save(folder)
            rare = [name for name in _RARE_FILES if (folder / name).is_file()]
        *others, last = (*rare, *_RESULT_FILES)
        say(f"Wrote {', '.join(others)} and {last} to {out_dir}/.")
