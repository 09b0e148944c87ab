"""What the commands print about backtests and comparisons."""

from lstm_strategy.cli.output.console import WIDTH_OF_ALL_METRICS, build_table, out, say
from lstm_strategy.evaluation.backtests import (
    BacktestResult,
    ResultSet,
    describe_orders,
    describe_rolls,
    readable_metrics,
    span_text,
)
from lstm_strategy.evaluation.verdict import Assessment
from lstm_strategy.support import count_of

_MOST_MARKETS = 20
_NARROW_METRICS = ["cagr", "sharpe", "max_drawdown", "turnover", "trades", "costs"]


def print_result(result: BacktestResult) -> None:
    """Print the metrics of one backtest, its orders that did not fill as asked, and its notes."""
    table = build_table(["metric", "value"])
    for name, value in readable_metrics(result.metrics.to_frame().T).iloc[0].items():
        table.add_row(str(name).replace("_", " "), value)
    say(f"{result.label}, {span_text(result.equity)}")
    out.print(table)
    if result.contribution is not None:
        _print_markets(result)
    for note in result.market_notes:
        say(note)
    _print_orders(result)
    rolls = describe_rolls(result.rolls, result.equity.iloc[0])
    if rolls:
        say(rolls)


def _print_markets(result: BacktestResult) -> None:
    """Print what each market of a panel did, those that moved the result most above the others."""
    by_market = result.by_market
    largest = by_market["contribution"].abs().sort_values(ascending=False).index[:_MOST_MARKETS]
    readable = readable_metrics(by_market.loc[largest])
    table = build_table(["market", *readable.columns])
    for row in readable.itertuples():
        table.add_row(*map(str, row))
    out.print(table)
    if len(by_market) > _MOST_MARKETS:
        say(f"And {count_of(len(by_market) - _MOST_MARKETS, 'market')} that contributed less.")


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
    for note in comparison.market_notes:
        say(note)
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
