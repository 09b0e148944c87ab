"""Lengths that a rule counts in days or months, in bars of whatever size."""

from typing import Any

from lstm_strategy.errors import LongBarsError

_MONTHS_A_YEAR = 12


def choose_length(
    strategy: Any,
    given: int | None,
    *,
    days: int = 0,
    months: int = 0,
    at_least: int = 1,
    market: str | None = None,
) -> int:
    """Return a length in bars: the one given, or that of so many trading days or months.

    Args:
        strategy: A `TargetStrategy` or `PortfolioStrategy`, whose `bars_per_day` and
            `bars_per_year` say how many bars there are.
        given: A length in bars, which is returned as it is; None to count.
        days: Days on which the market trades.
        months: Months of the calendar.
        at_least: The fewest bars that make sense.
        market: Which market of a portfolio has the bars; None to count in the dates of all.

    Raises:
        LongBarsError: If the span has fewer bars than that.

    Example:
        >>> from types import SimpleNamespace
        >>> weekly = SimpleNamespace(p=SimpleNamespace(bars_per_day=52 / 252, bars_per_year=52))
        >>> choose_length(weekly, None, days=50), choose_length(weekly, None, months=12)
        (10, 52)
    """
    if given is not None:
        return given
    a_day = strategy.p.bars_per_day if market is None else strategy.bars_per_day_of(market)
    a_year = strategy.p.bars_per_year if market is None else strategy.bars_per_year_of(market)
    bars: float = days * a_day + months * a_year / _MONTHS_A_YEAR
    length = round(bars)
    if length < at_least:
        span = f"{days} days" if days else f"{months} month{'s' if months > 1 else ''}"
        where = "here" if market is None else f"of market {market}"
        raise LongBarsError(
            f"{type(strategy).__name__} counts {span}, which are {bars:.2g} bars {where}, and "
            f"needs {at_least} at least. Load shorter bars, or give its lengths in bars."
        )
    return length
