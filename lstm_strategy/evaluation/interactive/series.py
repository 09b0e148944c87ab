"""What each strategy of a chart looks like, and the numbers that are drawn of it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lstm_strategy.evaluation.backtests import BacktestResult, ResultSet
from lstm_strategy.evaluation.interactive.bounds import most_rows
from lstm_strategy.evaluation.looks import (
    BLACK,
    Look,
    choose_looks,
    choose_market_looks,
)
from lstm_strategy.evaluation.metrics import drawdown
from lstm_strategy.evaluation.plots import on_plain_dates
from lstm_strategy.evaluation.thinning import thin_rows
from lstm_strategy.trading.cerebro import sum_markets

SOLID = "solid"
MARKET_COLOR = "#808081"
"""Stands for black on a light page and for white on a dark one; the page's script puts it right."""

PANELS = ("growth", "drawdown", "exposure")


@dataclass(frozen=True)
class Series:
    """One strategy as it is drawn.

    Attributes:
        key: Its name within the page: "s0", "s1", ….
        label: Its name for the reader.
        color: Of its lines.
        dash: How its lines are broken: "solid", or the lengths of strokes and gaps in pixels.
        is_shown: Whether it is there before the reader has touched anything.
    """

    key: str
    label: str
    color: str
    dash: str
    is_shown: bool


def choose_series(results: ResultSet, name: str) -> list[Series]:
    """Return the strategies in the order of the comparison; few of them are shown at first.

    Shown are the strategy that a page is about, holding the market, and the baseline with the best
    Sharpe ratio.

    Args:
        results: The strategies.
        name: The one that the page is about.
    """
    best = _best_baseline(results, name)
    held = [each for each, result in results.results.items() if result.is_buy_and_hold]
    looks = choose_looks(list(results.results), own=name, held=held)
    return [
        _series(
            f"s{number}", result.label, looks[each], is_shown=each in (name, best) or each in held
        )
        for number, (each, result) in enumerate(results.results.items())
    ]


def choose_lines(earned: pd.DataFrame) -> list[Series]:
    """Return a line for each column of `contribution_by_market`, and one for their sum.

    All are shown at first. Without columns there is no line.
    """
    if earned.empty or not len(earned.columns):
        return []
    looks = choose_market_looks(len(earned.columns))
    lines = [
        _series(f"c{number}", str(name), look, is_shown=True)
        for number, (name, look) in enumerate(zip(earned, looks, strict=True))
    ]
    return [*lines, Series("sum", "All markets", MARKET_COLOR, SOLID, is_shown=True)]


def _series(key: str, label: str, look: Look, *, is_shown: bool) -> Series:
    color = MARKET_COLOR if look.color == BLACK else look.color
    return Series(key, label, color, " ".join(map(str, look.strokes)) or SOLID, is_shown)


def tabulate_series(results: ResultSet) -> pd.DataFrame:
    """Return growth, drawdown and exposure of each strategy, on the dates of all.

    Args:
        results: The strategies.

    Returns:
        Columns "s0_growth", "s0_drawdown", "s0_exposure", "s1_growth" and so on; thinned to what a
        screen can show, peaks and troughs kept.
    """
    columns = {}
    for number, result in enumerate(results.results.values()):
        for panel, values in _panels_of(result).items():
            columns[f"s{number}_{panel}"] = values
    # together at their true moments first: a local hour can come twice
    table = pd.DataFrame(columns)
    return on_plain_dates(thin_rows(table, most_rows(len(table.columns))))


def columns_of(table: pd.DataFrame) -> dict[str, Any]:
    """Return a table as bokeh takes it: its columns in float32, and its dates as "x"."""
    columns = {str(name): values.to_numpy("float32") for name, values in table.items()}
    return {"x": milliseconds(table.index), **columns}


def milliseconds(dates: Any) -> np.ndarray:
    """Return dates as a browser counts them: milliseconds since 1970, float64, NaN for no date."""
    stamps = pd.DatetimeIndex(dates)
    counted = stamps.as_unit("ms").asi8.astype(np.float64)
    return np.where(stamps.isna(), np.nan, counted)


def _panels_of(result: BacktestResult) -> dict[str, pd.Series]:
    equity = result.equity
    return {
        "growth": equity / equity.iloc[0],
        "drawdown": drawdown(equity),
        "exposure": sum_markets(result.exposure),
    }


def _best_baseline(results: ResultSet, name: str) -> str | None:
    """The name of the baseline with the best Sharpe ratio; None where there is none."""
    sharpe = {
        each: result.metrics["sharpe"]
        for each, result in results.results.items()
        if each != name and not (result.is_lstm or result.is_buy_and_hold)
    }
    known = {each: value for each, value in sharpe.items() if not np.isnan(value)}
    return max(known, key=lambda each: known[each], default=None)
