"""The command `audit`. Its exit code is 0 if it found nothing, 1 if it did, 2 for a misuse."""

from pathlib import Path
from typing import Annotated

import typer

from lstm_strategy.cli import options as opt
from lstm_strategy.cli.out_folder import check_names, keep_results
from lstm_strategy.cli.reading import MarketsOptions
from lstm_strategy.cli.settings import BrokerOptions
from lstm_strategy.errors import SettingsError

_FOUND_SOMETHING = 1


def audit(
    reading: MarketsOptions,
    broker: BrokerOptions,
    bars: opt.OptionalMarkets = None,
    model: Annotated[
        Path | None,
        typer.Option(
            "--model",
            metavar="DIR",
            help="The folder of a trained model to audit, or of what compare or demo wrote.",
            show_default="none",
        ),
    ] = None,
    engine: opt.Engine = "auto",
    strategy: Annotated[
        str | None,
        typer.Option(
            "--strategy",
            metavar="STRATEGY",
            help="A baseline such as MACD, or a backtrader strategy or indicator as "
            "FILE.py:Class:name=value,... One that takes a model gets --model.",
            show_default="none",
            autocompletion=opt.complete_strategy,
        ),
    ] = None,
    scheme: Annotated[
        str | None,
        typer.Option(
            "--commission-scheme",
            metavar="SCHEME",
            help="A commission scheme of backtrader's kind as FILE.py:Class:name=value,...",
            show_default="none",
        ),
    ] = None,
    config: opt.Config = None,
    out_dir: opt.Out = None,
    force: opt.ForceFiles = False,
    start: opt.FirstBar = None,
    end: opt.LastBar = None,
    seed: Annotated[
        int,
        typer.Option(
            "--seed", metavar="N", help="A number that makes the choice of bars repeatable."
        ),
    ] = 0,
    indicators: Annotated[
        bool,
        typer.Option(
            "--indicators",
            help="Instead, try every indicator of pandas-ta and show which of them look ahead.",
            show_default="no",
        ),
    ] = False,
) -> None:
    """Look for whatever knows later bars, and measure every warm-up.

    What is known at a bar must not change when the bars after it are removed or altered. This is
    tried for the features, the scaling, the forecasts and the indicator of --model, and for the
    lines, orders and positions of --strategy; of several markets for the forecasts of --model, and
    for the orders, positions and cash of --strategy. What --commission-scheme charges is tried by a
    strategy that only serves to trade, and so is an --instrument that is given alone. The exit code
    is 0 if nothing was found and 1 if something was. Other findings in the folder --out stay,
    unless --force replaces them.

    Examples:
        lstm-strategy audit sample:sp500 --strategy MACD
        lstm-strategy audit prices.csv --model model --out findings
        lstm-strategy audit prices.csv --strategy mine.py:MyStrategy:fast=5,slow=20
        lstm-strategy audit --indicators
    """
    if indicators:
        given = (bars, model, engine, strategy, scheme, config, start, end, seed, reading)
        usual = (None, None, "auto", None, None, None, None, None, 0, MarketsOptions())
        if given != usual or any(vars(broker).values()):
            raise SettingsError(
                "--indicators takes no other options but --out and --force. Leave the others out."
            )
        _classify_indicators(out_dir, is_forced=force)
        return
    if bars is None:
        raise SettingsError("An audit needs BARS: give a file, or sample:sp500.")
    terms = broker.build_broker(config)
    if model is None and strategy is None and scheme is None and terms.instrument is None:
        raise SettingsError(
            "Nothing to audit. Give --model DIR, --strategy NAME, or both, or what trading costs: "
            "--commission-scheme or --instrument."
        )
    from lstm_strategy.cli.inputs import (
        check_model_takes,
        describe_markets,
        load_markets,
        load_markets_for,
        slice_markets,
    )
    from lstm_strategy.cli.model_folders import open_model
    from lstm_strategy.cli.output import print_audit, tell
    from lstm_strategy.cli.strategy_file import find_scheme, find_strategy
    from lstm_strategy.evaluation.audit import AUDIT_FILE
    from lstm_strategy.evaluation.audit import audit as run_audit

    check_names(out_dir, [AUDIT_FILE])
    chosen = None if strategy is None else find_strategy(strategy, or_indicator=True)
    commission = None if scheme is None else find_scheme(scheme)
    if chosen is None:
        markets = load_markets(bars, reading)
    else:
        markets = load_markets_for(chosen[0], bars, reading)
    markets = slice_markets(markets, start, end)
    tell(f"{bars}: {describe_markets(markets)}.")
    forecaster = None if model is None else open_model(model, engine=engine)
    if forecaster is not None:
        check_model_takes(forecaster, markets)
    report = run_audit(
        markets, model=forecaster, strategy=chosen, commission=commission, broker=terms, seed=seed
    )
    print_audit(report)
    if out_dir is not None:
        with keep_results(out_dir, is_forced=force) as folder:
            report.save(folder)
        tell(f"Wrote {out_dir / AUDIT_FILE}.")
    if not report.is_clean:
        raise typer.Exit(_FOUND_SOMETHING)


def _classify_indicators(out_dir: Path | None, *, is_forced: bool) -> None:
    from lstm_strategy.cli.output import print_indicators, tell
    from lstm_strategy.evaluation.audit import (
        INDICATORS_FILE,
        classify_indicators,
        indicators_page,
    )
    from lstm_strategy.support import words_progress, write_whole

    check_names(out_dir, [INDICATORS_FILE])
    with words_progress(None, "Trying indicators") as on_progress:
        classified = classify_indicators(on_progress)
    print_indicators(classified)
    if out_dir is not None:
        with keep_results(out_dir, is_forced=is_forced) as folder:
            write_whole(folder / INDICATORS_FILE, indicators_page(classified))
        tell(f"Wrote {out_dir / INDICATORS_FILE}.")
