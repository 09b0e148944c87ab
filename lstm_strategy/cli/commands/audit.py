"""The command `audit`: parse, call, print; 0 clean, 1 found something, 2 misuse."""

from pathlib import Path
from typing import Annotated, Any

import typer

from lstm_strategy.cli import config_file as settings
from lstm_strategy.cli.inputs import bars_span, load_source, slice_bars
from lstm_strategy.cli.options import Adjusted, Out
from lstm_strategy.cli.output import print_audit, print_indicators, say
from lstm_strategy.errors import SettingsError

_FOUND_SOMETHING = 1


def audit(
    bars: Annotated[
        str | None,
        typer.Argument(
            metavar="BARS", help="A .csv or .parquet file, sample:sp500 or sample:nasdaq."
        ),
    ] = None,
    model: Annotated[
        Path | None, typer.Option("--model", help="Folder of a trained model to audit.")
    ] = None,
    strategy: Annotated[
        str | None,
        typer.Option(
            "--strategy",
            help="A baseline such as MACD, or FILE.py:Class:name=value,... with a backtrader "
            "strategy or indicator in it. One that takes a model is given --model.",
        ),
    ] = None,
    out_dir: Out = None,
    start: Annotated[str | None, typer.Option("--start", help="First bar to use.")] = None,
    end: Annotated[str | None, typer.Option("--end", help="Last bar to use.")] = None,
    adjusted: Adjusted = False,
    seed: Annotated[int, typer.Option("--seed", help="Chooses the bars to try at random.")] = 0,
    indicators: Annotated[
        bool,
        typer.Option(
            "--indicators",
            help="Instead: try every indicator of pandas-ta and tell which look ahead.",
        ),
    ] = False,
) -> None:
    """Look for everything that knows later bars; measure every warm-up.

    What is known at a bar must not change when the bars after it are removed or altered. TrialOutcome for
    the features, the scaling, the forecasts and the indicator of --model, and for the lines,
    orders and positions of --strategy. Ends with 0 if clean, 1 if something was found.
    """
    if indicators:
        _audit_indicators(bars, model, strategy, out_dir)
        return
    if bars is None:
        raise SettingsError("Say on which BARS to audit: a file, or sample:sp500.")
    if model is None and strategy is None:
        raise SettingsError("Say what to audit: --model DIR, --strategy NAME, or both.")
    chosen, params = _chosen(strategy)
    frame = slice_bars(load_source(bars, adjusted), start, end)
    from lstm_strategy import audit as audited

    say(f"{bars}: {bars_span(frame)}.")
    report = audited(
        frame,
        model=None if model is None else str(model),
        strategy=None if chosen is None else (chosen, params),
        seed=seed,
    )
    print_audit(report)
    if out_dir is not None:
        say(f"Wrote {report.save(out_dir)}.")
    if not report.is_clean:
        raise typer.Exit(_FOUND_SOMETHING)


def _chosen(strategy: str | None) -> tuple[Any, dict[str, Any]]:
    return (None, {}) if strategy is None else settings.find_strategy(strategy, or_indicator=True)


def _audit_indicators(
    bars: str | None, model: Path | None, strategy: str | None, out_dir: Path | None
) -> None:
    from lstm_strategy.evaluation.audit import (
        INDICATORS_FILE,
        classify_indicators,
        indicators_page,
    )
    from lstm_strategy.support import words_progress, write_whole

    if (bars, model, strategy) != (None, None, None):
        raise SettingsError("--indicators stands alone: leave BARS, --model and --strategy out.")
    with words_progress(None, "Trying indicators") as tell:
        tried = classify_indicators(tell)
    print_indicators(tried)
    if out_dir is not None:
        path = write_whole(out_dir / INDICATORS_FILE, indicators_page(tried).encode())
        say(f"Wrote {path}.")
