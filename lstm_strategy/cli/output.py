"""What the commands print: tables, sentences, and that something is going on."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    import pandas as pd

    from lstm_strategy.cli.diagnostics import Environment, Estimate, Speed
    from lstm_strategy.evaluation.audit import AuditReport, ClassifiedIndicator, Finding
    from lstm_strategy.evaluation.backtests import BacktestResult
    from lstm_strategy.evaluation.comparison import Board
    from lstm_strategy.evaluation.tuning import TuningResult
    from lstm_strategy.evaluation.verdict import PermutationTest, Verdict
    from lstm_strategy.learning.forecaster import LSTMForecaster

_WIDTH_OF_ALL_METRICS = 140
_TRIALS_SHOWN = 10
_NARROW_METRICS = ["cagr", "sharpe", "max_drawdown", "turnover", "trades", "costs"]


def _pipe_width() -> int | None:
    # a file or a pipe has no edge to keep to; a terminal and COLUMNS say theirs
    return None if sys.stdout.isatty() or "COLUMNS" in os.environ else _WIDTH_OF_ALL_METRICS


# paths and strategy names may hold brackets and colons: print them as they are
_plain_console = partial(Console, markup=False, emoji=False, highlight=False)
out = _plain_console(width=_pipe_width())
err = _plain_console(stderr=True)


def print_training(forecaster: "LSTMForecaster") -> None:
    """How long the networks trained and what validation says."""
    scores, history = forecaster.validation_scores, forecaster.history
    epochs = history.groupby("member").size()
    say(
        f"Trained {len(epochs)} network{'s' if len(epochs) > 1 else ''} for "
        f"{', '.join(map(str, epochs))} epochs. On the last {scores['n_rows']:.0f} bars before the "
        f"training ended (validation): log-loss {scores['log_loss']:.4f} (a coin: 0.6931), "
        f"AUC {scores['auc']:.3f} (a coin: 0.5)."
    )


def print_forecasts(forecasts: "pd.DataFrame", training_end: "pd.Timestamp | None") -> None:
    """A table of forecasts, and up to where they are in-sample."""
    table = _table(["bar", *forecasts.columns])
    for time, row in forecasts.iterrows():
        table.add_row(str(time).removesuffix(" 00:00:00"), *(f"{value:.4f}" for value in row))
    out.print(table)
    if training_end is not None and forecasts.index[0] <= training_end:
        say(f"IN-SAMPLE up to {training_end:%Y-%m-%d}: the model was trained on these bars.")


def print_comparison(board: "Board") -> None:
    """The table of a comparison, and what went wrong in it."""
    from lstm_strategy.evaluation.backtests import readable_metrics, span_text

    readable = readable_metrics(board.table)
    if out.width < _WIDTH_OF_ALL_METRICS:
        readable = readable[_NARROW_METRICS]
    table = _table(["strategy", *readable.columns])
    for name, row in readable.iterrows():
        is_ours = str(name).startswith("LSTM")
        table.add_row(str(name), *row, style="bold" if is_ours else None)
    sample = "IN-SAMPLE" if board.results["LSTM"].in_sample else "Out of sample"
    say(f"{sample}, {span_text(board.equity)}")
    out.print(table)
    for name, reason in board.left_out.items():
        say(f"{name} is left out: {reason}")
    for result in board.results.values():
        _print_order_trouble(result)


def print_judgement(
    board: "Board", verdict: "Verdict", permutation_test: "PermutationTest | None"
) -> None:
    """Where the LSTM stands, whether that is skill, and what speaks against it."""
    say(board.standing("LSTM"))
    say(str(verdict))
    if verdict.n_trials > 1:
        say(f"Judged as the best of {verdict.n_trials:,} settings that were tried.")
    if permutation_test is not None:
        say(str(permutation_test))
    for alarm in verdict.alarms:
        say(f"Alarm, {alarm.name}: {alarm.message} {alarm.remedy}")


def print_environment(found: "Environment") -> None:
    """What is installed, and which kernels compute an LSTM."""
    table = _table(["what", "here"])
    table.add_row("Python", found.python)
    for library, version in found.versions.items():
        table.add_row(library, version)
    table.add_row("Keras backend", found.backend)
    table.add_row("devices", ", ".join(found.devices))
    table.add_row("CPUs", str(found.n_cpus))
    kernels = {"cuDNN's LSTM kernel": found.cudnn, "fused CPU kernel": found.fused_cpu}
    for name, choice in kernels.items():
        table.add_row(name, f"{'used' if choice.is_used else 'not used'}: {choice.reason}")
    table.add_row("ONNX Runtime", "installed" if found.has_onnxruntime else "not installed")
    out.print(table)


def print_speed(speed: "Speed") -> None:
    """What was measured."""
    say(
        f"Measured on {speed.n_bars:,} bars: trains {speed.targets_per_second:,.0f} targets/s "
        f"after {speed.startup_seconds:.1f} s to get going, forecasts "
        f"{speed.forecast_bars_per_second:,.0f} bars/s, features included."
    )


def print_estimate(estimate: "Estimate", what: str, *, n_cpus: int) -> None:
    """How long a walk forward would take."""
    shortest, longest = map(_duration, (estimate.shortest_seconds, estimate.longest_seconds))
    jobs = f"{estimate.n_jobs} process{'es' if estimate.n_jobs > 1 else ''}"
    say(
        f"A walk forward through {what}: {estimate.n_folds} folds in {jobs} take "
        f"{shortest} if every training stops as early as it can, {longest} if none stops early."
    )
    if estimate.n_jobs > n_cpus:
        say(f"With {n_cpus} CPUs for {jobs} expect more.")


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6_000 else f"{seconds / 3_600:.1f} h"


def print_result(result: "BacktestResult") -> None:
    """The metrics of one backtest."""
    from lstm_strategy.evaluation.backtests import readable_metrics, span_text

    table = _table(["metric", "value"])
    for name, value in readable_metrics(result.metrics.to_frame().T).iloc[0].items():
        table.add_row(str(name).replace("_", " "), value)
    say(f"{result.name}, {span_text(result.equity)}")
    out.print(table)
    _print_order_trouble(result)


def print_audit(report: "AuditReport") -> None:
    """What an audit tried, what it measured, and what it found, the verdict last."""
    from lstm_strategy.evaluation.audit import number_text, time_text

    checks = _table(["tried", "comparisons", "findings"])
    for check in report.checks:
        checks.add_row(check.name, f"{check.n_comparisons:,}", str(check.n_leaks or "none"))
    out.print(checks)
    if report.warm_ups:
        warm_ups = _table(["to forget where the bars began", "it needs bars", "to within"])
        for warm_up in report.warm_ups:
            bars = "never" if warm_up.bars is None else f"{warm_up.bars:,}"
            warm_ups.add_row(warm_up.name, bars, f"{warm_up.tolerance:g} {warm_up.unit}")
        out.print(warm_ups)
    if report.findings:
        findings = _table(["finding", "first bar", "known then", "with later bars"])
        for number, finding in enumerate(report.findings, 1):
            values = map(number_text, (finding.known, finding.with_later))
            culprit = f"{number}. {finding.layer}: {finding.culprit}"
            findings.add_row(culprit, time_text(finding.time), *values)
        out.print(findings)
    for number, finding in enumerate(report.findings, 1):
        _print_finding(f"{number}.", finding)
    for note in report.notes:
        _print_finding("Note:", note)
    say(report.verdict, style="bold")


def _print_finding(label: str, finding: "Finding") -> None:
    say(f"{label} {finding.layer}: {finding.culprit} {finding.what}")
    if finding.found_by:
        say(f"   found by: {finding.found_by}")
    for place in finding.source:
        say(f"   look at: {place}")
    if finding.remedy:
        say(f"   remedy: {finding.remedy}")


def print_indicators(tried: "Sequence[ClassifiedIndicator]") -> None:
    """How many indicators are causal, and each that isn't."""
    causal = sum(indicator.verdict == "causal" for indicator in tried)
    table = _table(["kind", "verdict"])
    table.add_column("to know")
    for indicator in tried:
        if indicator.verdict != "causal":
            table.add_row(indicator.kind, indicator.verdict, indicator.note)
    out.print(table)
    say(f"The other {causal} of {len(tried)} are causal and forget where the bars began.")


def print_tuning(result: "TuningResult") -> None:
    """The best trials of a search, what the score depends on, and how much of it may be luck."""
    ranked = result.ranked.head(_TRIALS_SHOWN)
    table = _table(["trial", result.objective.name, "state", "folds", "seconds"])
    table.add_column("setting")
    known = ["state", "value", "folds", "seconds", "error"]
    for number, row in ranked.iterrows():
        params = row.drop(known).dropna()
        words = row["error"] or ", ".join(
            _in_words(k, v) for k, v in params.items() if v is not False
        )
        score = "n/a" if row["value"] != row["value"] else f"{row['value']:.4f}"
        seconds = f"{row['seconds']:.1f}"
        style = "bold" if number == result.best_number else None
        table.add_row(str(number), score, row["state"], str(row["folds"]), seconds, words,
                      style=style)  # fmt: skip
    out.print(table)
    if len(result.importance):
        shares = [f"{name} {share:.0%}" for name, share in result.importance.head(5).items()]
        say(f"What the score depends on most: {', '.join(shares)}.")
    say(str(result))


def _in_words(name: object, value: object) -> str:
    """A parameter of a trial: "lookback 40", or "with RSI_2" for a feature that was added."""
    if value is True:
        return str(name)
    return f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}"


def _print_order_trouble(result: "BacktestResult") -> None:
    from lstm_strategy.evaluation.backtests import order_troubles

    troubles = order_troubles(result.order_counts)
    if troubles:
        say(f"{result.name}: orders that did not fill as asked: {troubles}.")


def _table(columns: list[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column(columns[0], no_wrap=True)
    for column in columns[1:]:
        table.add_column(column.replace("_", " "), justify="right", min_width=8)
    return table


def say(text: str, *, style: str | None = None) -> None:
    """One line, whole in a pipe, wrapped by a terminal."""
    # soft: the terminal wraps the line, and a pipe gets it whole
    out.print(text, soft_wrap=True, style=style)


@contextmanager
def status(what: str) -> Iterator[None]:
    """Show that something is going on."""
    with err.status(f"{what} …"):
        yield
