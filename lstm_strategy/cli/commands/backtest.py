"""The command `backtest`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lstm_strategy.cli import options as opt
from lstm_strategy.cli.out_folder import check_names, keep_results
from lstm_strategy.cli.reading import MarketsOptions
from lstm_strategy.cli.settings import BrokerOptions, load_config, repeatable_command
from lstm_strategy.errors import SettingsError

if TYPE_CHECKING:
    import pandas as pd

    from lstm_strategy.bars import Panel
    from lstm_strategy.evaluation.backtests import BacktestResult
    from lstm_strategy.trading.cerebro import BrokerSettings

_RESULT_FILES = ("metrics.csv", "equity.csv", "trades.csv", "equity.png")
_REPORT_FILE, _CHART_FILE = "report.html", "chart.png"
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
            metavar="STRATEGY",
            help="Instead of the LSTM: a baseline such as MACD, or a backtrader strategy as "
            "FILE.py:Class:name=value,...",
            show_default="the LSTM of --model",
            autocompletion=opt.complete_strategy,
        ),
    ] = None,
    start: opt.Start = None,
    end: opt.End = None,
    out_dir: opt.Out = None,
    report: opt.Report = False,
    chart: opt.Chart = False,
    force: opt.ForceFiles = False,
    long_only: opt.LongOnly = False,
    config: opt.Config = None,
) -> None:
    """Run one strategy and show its metrics beside those of holding the market.

    A model starts at the first bar after its training, unless --start says otherwise. Several
    markets are traded together, by a strategy that decides for all of them. Other results in the
    folder --out stay, unless --force replaces them.

    Examples:
        lstm-strategy backtest prices.csv --model model --commission 0.0005
        lstm-strategy backtest sample:sp500 --strategy "SMA cross" --start 2009
        lstm-strategy backtest prices.csv --model model --report -o results
    """
    from lstm_strategy.bars import Panel
    from lstm_strategy.cli.inputs import (
        check_model_takes,
        load_markets_for,
        rules_from_options,
        slice_markets,
    )
    from lstm_strategy.cli.model_folders import open_model
    from lstm_strategy.cli.output import print_result, status, tell
    from lstm_strategy.cli.strategy_file import explain_failures, find_strategy, name_strategy
    from lstm_strategy.evaluation.backtests import run_backtest, write_picture
    from lstm_strategy.trading import declared_params
    from lstm_strategy.trading.lstm import LSTMStrategy

    asked = {"--report": _REPORT_FILE if report else "", "--chart": _CHART_FILE if chart else ""}
    more = {option: file for option, file in asked.items() if file}
    if more and out_dir is None:
        raise SettingsError(f"{next(iter(more))} writes to a folder. Add --out DIR.")
    files = (*_RESULT_FILES, *more.values())
    check_names(out_dir, (*_RARE_FILES, *files))
    chosen, params = find_strategy(strategy) if strategy else (LSTMStrategy, {})
    params = {**load_config(config).strategy, **params, **rules_from_options(long_only)}
    if model is not None and "model" not in declared_params(chosen):
        raise SettingsError(f"{strategy} takes no --model. Leave --model or --strategy out.")
    if model is None and strategy is None and "model" not in params:
        raise SettingsError("Nothing to run. Give --model DIR, or --strategy NAME.")
    markets, terms = load_markets_for(chosen, bars, reading), broker.build_broker(config)
    slice_markets(markets, start, end)  # refuses dates that leave no bar
    if chart and isinstance(markets, Panel):
        raise SettingsError("--chart draws one market. Leave it out, or give one file of bars.")
    name = name_strategy(strategy)
    if model is not None:
        forecaster = open_model(model, engine=engine)
        check_model_takes(forecaster, markets)
        params["model"] = forecaster
    with status("Backtesting"), explain_failures(chosen):
        result = run_backtest(
            chosen, markets, start=start, end=end, broker=terms, name=name, **params
        )
        held = _hold_beside(result, chosen, markets, broker=terms)
    print_result(result, held)
    _say_strange_bars(result, markets, params.get("model"))
    if out_dir is not None:
        with keep_results(out_dir, is_forced=force) as folder:
            result.save(folder, benchmark=held)
            if report:
                with status("Writing the report"):
                    _write_report(
                        folder / _REPORT_FILE, result, held, (chosen, params), markets, bars
                    )
            if chart and not isinstance(markets, Panel):  # which was refused above
                from lstm_strategy.evaluation.chart import plot_chart

                with status("Drawing the chart"):
                    picture = plot_chart(
                        chosen, markets, start=start, end=end, broker=terms, name=name, **params
                    )
                    write_picture(folder / _CHART_FILE, picture)
            rare = [name for name in _RARE_FILES if (folder / name).is_file()]
        *others, last = (*rare, *files)
        tell(f"Wrote {', '.join(others)} and {last} to {out_dir}/.")


def _hold_beside(
    result: "BacktestResult",
    strategy: type,
    bars: "pd.DataFrame | Panel",
    *,
    broker: "BrokerSettings",
) -> "BacktestResult | None":
    """What holding the market earned over the same bars; None where it is what was run."""
    from lstm_strategy.cli.output import tell
    from lstm_strategy.errors import LSTMStrategyError
    from lstm_strategy.evaluation.backtests import run_backtest

    name, holding = _choose_holding(bars)
    if strategy is holding:
        return None
    # the strategy may have ended its run before the last bar
    start, end = result.first_tradable, result.equity.index[-1]
    try:
        return run_backtest(holding, bars, start=start, end=end, broker=broker, name=name)
    except LSTMStrategyError as error:
        tell(f"{name} isn't shown beside it: {error}")
        return None


def _say_strange_bars(
    result: "BacktestResult", bars: "pd.DataFrame | Panel", model: object
) -> None:
    """Say it where many of the bars traded are strange to the model; nothing without one."""
    from lstm_strategy.cli.output import say
    from lstm_strategy.evaluation.backtests import is_model

    if not is_model(model):
        return
    from lstm_strategy.learning.serving import (
        describe_strange_bars,
        novelty_of_bars,
        open_forecaster,
        strange_shares,
    )

    start, end = result.equity.index[[0, -1]]
    novelty = novelty_of_bars(open_forecaster(model), bars, start=start, end=end)
    sentence = describe_strange_bars(strange_shares(novelty)["all"])
    if sentence:
        say(sentence)


def _choose_holding(bars: "pd.DataFrame | Panel") -> tuple[str, type]:
    from lstm_strategy.bars import Panel
    from lstm_strategy.trading.baselines import BASELINES, PORTFOLIO_BASELINES

    if isinstance(bars, Panel):
        return "Equal weight", PORTFOLIO_BASELINES["Equal weight"]
    return "Buy and hold", BASELINES["Buy and hold"]


def _write_report(
    path: Path,
    result: "BacktestResult",
    held: "BacktestResult | None",
    entry: tuple[type, dict[str, Any]],
    bars: "pd.DataFrame | Panel",
    source: str,
) -> None:
    """Write a page about the strategy, with the market held beside it."""
    from lstm_strategy.cli.inputs import describe_source
    from lstm_strategy.evaluation.comparison import Comparison, prepare_comparison

    entries = {result.name: entry}
    results = {result.name: result}
    if held is not None:
        entries[held.name] = (_choose_holding(bars)[1], {})
        results[held.name] = held
    prepared = prepare_comparison(
        entries,
        bars,
        start=result.first_tradable,
        end=result.equity.index[-1],
        broker=result.broker,
    )
    comparison = Comparison(results, result.broker, prepared=prepared)
    comparison.to_html(
        path,
        market=describe_source(source),
        provenance={"Bars from": source},
        command=repeatable_command(sys.argv),
    )
