"""What the commands print about backtests and comparisons."""

from lstm_strategy.cli.output.console import WIDTH_OF_ALL_METRICS, build_table, out, say
from lstm_strategy.evaluation.backtests import (
    BacktestResult,
    ResultSet,
    describe_orders,
    readable_metrics,
    span_text,
)
from lstm_strategy.evaluation.verdict import Assessment

_NARROW_METRICS = ["cagr", "sharpe", "max_drawdown", "turnover", "trades", "costs"]


def print_result(result: BacktestResult) -> None:
    """Print the metrics of one backtest, and which orders did not fill as asked."""
    table = build_table(["metric", "value"])
    for name, value in readable_metrics(result.metrics.to_frame().T).iloc[0].items():
        table.add_row(str(name).replace("_", " "), value)
    say(f"{result.label}, {span_text(result.equity)}")
    out.print(table)
    _print_orders(result)


def print_comparison(comparison: ResultSet) -> None:
    """Print the table of a comparison, and what went wrong in it."""
    readable = readable_metrics(comparison.table)
    if out.width < WIDTH_OF_ALL_METRICS:
        readable = readable[_NARROW_METRICS]
    table = build_table(["strategy", *readable.columns])
    for result, row in zip(comparison.results.values(), readable.itertuples(), strict=True):
        table.add_row(*row, style="bold" if result.is_lstm else None)
    sample = "IN-SAMPLE" if comparison.find().in_sample else "Out of sample"
    say(f"{sample}, {span_text(comparison.equity)}")
    out.print(table)
    for name, reason in comparison.left_out.items():
        say(f"{name} is left out: {reason}")
    for result in comparison.results.values():
        _print_orders(result)


def print_assessment(comparison: ResultSet, assessment: Assessment) -> None:
    """Print where the strategy stands, whether that is skill, and what speaks against it."""
    say(comparison.describe_standing(assessment.name))
    verdict = assessment.verdict
    if verdict is not None:
        say(verdict.sentence)
        if verdict.n_trials > 1:
            say(f"Judged as the best of {verdict.n_trials:,} settings that were tried.")
    if assessment.permutation_test is not None:
        say(str(assessment.permutation_test))
    for alarm in assessment.alarms:
        say(f"Alarm, {alarm.name}: {alarm.message} {alarm.remedy}")


def _print_orders(result: BacktestResult) -> None:
    words = describe_orders(result.order_counts)
    if words:
        say(f"{result.label}: {words}.")
