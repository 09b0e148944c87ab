"""What a Cerebro has run, and how."""

from typing import Any


def strategies_of_last_run(cerebro: Any) -> list[Any]:
    """Return the strategies that a Cerebro built in its last run, even if that run failed.

    Args:
        cerebro: Any Cerebro. When its `run` raises, this is the only way to its strategies.

    Returns:
        The strategies in the order in which they were added; an empty list before the first run.

    Example:
        >>> import backtrader as bt
        >>> strategies_of_last_run(bt.Cerebro())
        []
    """
    return list(getattr(cerebro, "runningstrats", []))


def is_optimisation(cerebro: Any) -> bool:
    """Return whether a Cerebro was given variants to try with `optstrategy`.

    Args:
        cerebro: Any Cerebro.

    Example:
        >>> import backtrader as bt
        >>> is_optimisation(bt.Cerebro())
        False
    """
    return bool(cerebro._dooptimize)


def exactbars_of(cerebro: Any) -> int:
    """Return the `exactbars` of a Cerebro's last run: above 0 if old bars were thrown away.

    Args:
        cerebro: A Cerebro that has run; an argument of `run` goes before its parameter.

    Example:
        >>> import backtrader as bt
        >>> from lstm_strategy import BarsFeed, simulate_bars
        >>> cerebro = bt.Cerebro()
        >>> _ = cerebro.adddata(BarsFeed(simulate_bars("noise", 50).bars))
        >>> _ = cerebro.addstrategy(bt.Strategy)
        >>> _ = cerebro.run(exactbars=-1)
        >>> exactbars_of(cerebro)
        -1
    """
    return int(cerebro._exactbars)


def compute_bar_by_bar(cerebro: Any) -> None:
    """Let the run that begins compute its indicators bar by bar.

    Args:
        cerebro: A Cerebro that has begun to run.
    """
    cerebro._disable_runonce()
