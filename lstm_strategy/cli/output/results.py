"""What the commands print about backtests and comparisons."""

from typing import TYPE_CHECKING

import pandas as pd

from lstm_strategy.cli.output.console import WIDTH_OF_ALL_METRICS, out, say
from lstm_strategy.cli.output.orders import say_all_orders, say_orders
from lstm_strategy.cli.output.tables import ResultTable, fits_in_one_block, print_table
from lstm_strategy.evaluation.backtests import (
    METRIC_TITLES,
    BacktestResult,
    ResultSet,
    describe_rolls,
    extrapolation_note,
    readable_metrics,
    span_text,
)
from lstm_strategy.support import count_of

if TYPE_CHECKING:
    from lstm_strategy.evaluation.verdict import Assessment

_MOST_MARKETS = 20
_NARROW_METRICS = ["cagr", "sharpe", "max_drawdown", "turnover", "trades", "costs"]
_BY_IMPORTANCE = ["sharpe", "cagr", "max_drawdown", "costs", "trades", "turnover"]
_JUDGED, _OTHER_LSTM, _OTHERS = "bold cyan", "bold", None
_SKILL, _NO_SKILL, _ALARM = "bold green", "bold yellow", "yellow"


def print_result(result: BacktestResult, held: BacktestResult | None = None) -> None:
    """Print the metrics of one backtest, its orders that did not fill as asked, and its notes.

    Args:
        result: What is asked about.
        held: The result of holding the market over the same bars, to be shown beside it.
    """
    results = [result] if held is None else [result, held]
    readable = readable_metrics(pd.DataFrame([each.metrics for each in results]))
    table = ResultTable(["Metric", *(each.label for each in results)], strong=result.label)
    for name, *values in readable.T.itertuples():
        table.add_row(str(name), *values)
    say(f"{result.label}, {span_text(result.equity)}")
    print_table(table)
    if result.contribution is not None:
        _print_markets(result)
    short = extrapolation_note(result.equity)
    for note in [*filter(None, [short, result.early_end]), *result.market_notes]:
        say(note)
    say_orders(result)
    rolls = describe_rolls(result.rolls, result.equity.iloc[0])
    if rolls:
        say(rolls)


def _print_markets(result: BacktestResult) -> None:
    """Print what each market of a panel did, those that moved the result most above the others."""
    by_market = result.by_market
    largest = by_market["contribution"].abs().sort_values(ascending=False).index[:_MOST_MARKETS]
    readable = readable_metrics(by_market.loc[largest])
    table = ResultTable(["Market", *map(str, readable)])
    for row in readable.itertuples():
        table.add_row(*map(str, row))
    print_table(table)
    if len(by_market) > _MOST_MARKETS:
        say(f"And {count_of(len(by_market) - _MOST_MARKETS, 'market')} that contributed less.")


def print_comparison(comparison: ResultSet) -> None:
    """Print the table of a comparison, and what went wrong in it."""
    sample = "IN-SAMPLE" if comparison.find().in_sample else "Out of sample"
    say(f"{sample}, {span_text(comparison.equity)}")
    print_table(_choose_table(comparison))
    early_ends = (each.early_end for each in comparison.results.values())
    short = extrapolation_note(comparison.equity)
    for note in [*filter(None, [short, *early_ends]), *comparison.market_notes]:
        say(note)
    for name, reason in comparison.left_out.items():
        say(f"{name} is left out. {reason}")
    say_all_orders(comparison.results.values())


def _choose_table(comparison: ResultSet) -> ResultTable:
    """As many metrics as the terminal has room for."""
    readable = readable_metrics(comparison.table)
    if out.width >= WIDTH_OF_ALL_METRICS:
        return _comparison_table(comparison, readable)
    shown = [METRIC_TITLES[name] for name in _NARROW_METRICS]
    for least_important in reversed(_BY_IMPORTANCE[1:]):
        table = _comparison_table(comparison, readable[shown])
        if fits_in_one_block(table):
            return table
        shown.remove(METRIC_TITLES[least_important])
    return _comparison_table(comparison, readable[shown])


def _comparison_table(comparison: ResultSet, readable: pd.DataFrame) -> ResultTable:
    """One row for each strategy, that of the one which is judged behind a mark."""
    table = ResultTable(["  Strategy", *map(str, readable)])
    for (name, result), row in zip(comparison.results.items(), readable.itertuples(), strict=True):
        is_judged = name == comparison.judged_name
        label, *values = map(str, row)
        style = _JUDGED if is_judged else _OTHER_LSTM if result.is_lstm else _OTHERS
        table.add_row(f"{'>' if is_judged else ' '} {label}", *values, style=style)
    return table


def print_assessment(comparison: ResultSet, assessment: "Assessment") -> None:
    """Print where the strategy stands, whether that is skill, and what speaks against it."""
    say(comparison.describe_standing(assessment.name))
    verdict = assessment.verdict
    if verdict is not None:
        say("")
        say(f"VERDICT: {verdict.sentence}", style=_SKILL if verdict.claims_skill else _NO_SKILL)
        say("")
        if verdict.n_trials > 1:
            say(f"Judged as the best of {verdict.n_trials:,} settings that were tried.")
    if assessment.permutation_test is not None:
        say(str(assessment.permutation_test))
    for alarm in assessment.alarms:
        say(f"Alarm, {alarm.name}: {alarm.message} {alarm.remedy}", style=_ALARM)
