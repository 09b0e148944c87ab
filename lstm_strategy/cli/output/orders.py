"""What the commands print about orders: one line for all strategies, or one for each."""

from collections.abc import Iterable

from lstm_strategy.cli.output.console import say
from lstm_strategy.cli.output.loudness import is_verbose
from lstm_strategy.evaluation.backtests import BacktestResult, describe_orders

# Every other run ends with an order that had no next open, and what a portfolio bought less of
# for want of cash, it buys once there is some.
_USUAL = {"completed", "unfilled_at_end", "cut"}
_NO_ORDERS = {"liquidated": "Liquidated positions", "ruined": "Ruined accounts"}


def say_orders(result: BacktestResult) -> None:
    """Print what became of the orders of one strategy, if some did not fill as asked."""
    words = describe_orders(result.order_counts)
    if words:
        say(f"{result.label}: {words}.")


def say_all_orders(results: Iterable[BacktestResult]) -> None:
    """Print in one line what became of the orders of several; with --verbose in one for each."""
    results = list(results)
    if is_verbose():
        for result in results:
            say_orders(result)
        return
    words = summarize_orders(results)
    if words:
        say(f"{words} --verbose says more.")


def summarize_orders(results: Iterable[BacktestResult]) -> str:
    """Count in one line the orders that did not fill as asked, strategy by strategy.

    Args:
        results: The results.

    Returns:
        Sentences; "" where every order filled. An order on the last bar, which no open follows,
        doesn't count.

    Example:
        >>> from lstm_strategy import BASELINES, run_backtest, sample_bars
        >>> summarize_orders([run_backtest(BASELINES["MACD"], sample_bars("sp500")[:300])])
        ''
    """
    unfilled: dict[str, int] = {}
    others: dict[str, dict[str, int]] = {title: {} for title in _NO_ORDERS.values()}
    idle = []
    for result in results:
        counts = dict(result.order_counts)
        if not any(counts.values()):
            idle.append(result.label)
        for kind, title in _NO_ORDERS.items():
            if counts.pop(kind, 0):
                others[title][result.label] = result.order_counts[kind]
        n_unfilled = sum(count for kind, count in counts.items() if kind not in _USUAL)
        if n_unfilled:
            unfilled[result.label] = n_unfilled
    lists = {"Orders that did not fill as asked": unfilled, **others}
    sentences = [f"{title}: {_count_each(counts)}." for title, counts in lists.items() if counts]
    if idle:
        sentences.append(f"No order was sent by {'; '.join(idle)}.")
    return " ".join(sentences)


def _count_each(counts: dict[str, int]) -> str:
    # names have commas: "Logistic, window"
    return "; ".join(f"{label} {count:,}" for label, count in counts.items())
