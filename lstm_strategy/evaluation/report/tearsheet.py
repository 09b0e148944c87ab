"""A backtest as quantstats shows it: a page of its own, beside the report or without one."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd

from lstm_strategy.bars import bars_per_year
from lstm_strategy.errors import LSTMStrategyError
from lstm_strategy.evaluation.backtests import BacktestResult
from lstm_strategy.evaluation.metrics import earned_returns
from lstm_strategy.support import escape_html, temporary_folder, write_whole

_FEWEST_DAYS = 3


def write_tearsheet(
    path: str | Path, result: BacktestResult, *, benchmark: BacktestResult | None = None
) -> Path:
    """Write the page of quantstats about a result; it needs no network.

    quantstats restyles matplotlib and opens pyplot as soon as it is imported, so it works in a
    process of its own.

    Args:
        path: The file, written whole or not at all.
        result: The backtest, whose returns are taken by day.
        benchmark: Another backtest beside it, such as buy and hold.

    Returns:
        The path.

    Raises:
        LSTMStrategyError: If quantstats isn't installed, there are too few returns, they never
            vary, or quantstats can't digest them.

    Example:
        >>> from lstm_strategy import BASELINES, run_backtest, sample_bars
        >>> held = run_backtest(BASELINES["Buy and hold"], sample_bars("sp500"), start="2016")
        >>> write_tearsheet("tearsheet.html", held)  # doctest: +SKIP
    """
    if importlib.util.find_spec("quantstats") is None:
        raise LSTMStrategyError("A tearsheet needs quantstats. Install it: pip install quantstats.")
    returns = {"own": _daily_returns(result)}
    if benchmark is not None:
        returns["benchmark"] = _daily_returns(benchmark)
    frame = pd.DataFrame(returns).dropna()
    if len(frame) < _FEWEST_DAYS:
        raise LSTMStrategyError(
            f"A tearsheet needs returns of at least {_FEWEST_DAYS} days, got {len(frame)}. Trade a "
            "longer span, or leave the tearsheet out."
        )
    if frame["own"].nunique() < 2:
        raise LSTMStrategyError(
            f"A tearsheet needs returns that vary, and those of {result.label} never do. Leave it "
            "out."
        )
    page = _run_quantstats(frame, [run.label for run in (result, benchmark) if run is not None])
    return write_whole(path, _repair_page(page).encode())


def _run_quantstats(returns: pd.DataFrame, names: list[str]) -> str:
    """The page that quantstats makes of daily returns, the benchmark's beside the strategy's own.

    Raises:
        LSTMStrategyError: With the reason of quantstats.
    """
    year = round(bars_per_year(pd.DatetimeIndex(returns.index)))
    with temporary_folder("tearsheet") as folder:
        source, target = folder / "returns.csv", folder / "tearsheet.html"
        returns.to_csv(source)
        done = subprocess.run(
            [sys.executable, "-c", _TEARSHEET_SCRIPT, str(source), str(target), str(year)]
            + [escape_html(name) for name in names],
            env=os.environ | {"MPLBACKEND": "Agg"},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            reason = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
            raise LSTMStrategyError(
                f"quantstats can't make a tearsheet of {names[0]}: {reason[0]}. "
                "Give it a longer or a less constant equity curve, or leave the tearsheet out."
            )
        return target.read_text(encoding="utf-8")


def _repair_page(page: str) -> str:
    """The page without what a browser complains about, and with pictures that fit a phone."""
    # its favicon would be fetched from the web, and it calls a function that it doesn't have
    page = re.sub(r"<link\b[^>]*https?://[^>]*>", "", page).replace(' onload="save()"', "")
    page = page.replace("CAGR\ufe6a", "CAGR")  # a sign that few fonts have
    page = page.replace("<hr>", f"<p>{_NOTE}</p>\n<hr>", 1)
    # its head has a heading that is none, and a term of a list that isn't there
    page = re.sub(r"<h4>(.*?)</h4>", r'<p class="about">\1</p>', page, count=1, flags=re.DOTALL)
    page = re.sub(r"<dt>(.*?)</dt>", r'<span class="span">\1</span>', page, count=1)
    page = page.replace('<div class="container">', '<div class="container" role="main">', 1)
    # between the title and its parts no level of headings is left out
    page = re.sub(r"<(/?)h3>", r"<\1h2>", page)
    for color, replacement in _COLORS.items():
        page = re.sub(color, replacement, page, flags=re.IGNORECASE)
    return page.replace("</head>", f"{_HEAD}</head>", 1)


def _daily_returns(result: BacktestResult) -> pd.Series:
    """What each calendar day earned; the first day with several bars from its first one."""
    equity = result.equity
    days = pd.DatetimeIndex(equity.index).tz_localize(None).normalize()
    by_day = equity.groupby(days).last()
    if len(days) > 1 and days[0] == days[1]:
        start = pd.Series(equity.iloc[:1].to_numpy(), [days[0] - pd.Timedelta(days=1)])
        by_day = pd.concat([start, by_day])
    return earned_returns(by_day)


_NOTE = (
    "quantstats takes the returns of calendar days and counts years and drawdowns in days; the "
    "report and the tables of lstm-strategy take those of bars. On bars shorter than a day "
    "volatility, Sharpe and Sortino ratio and the depth of drawdowns therefore differ. On daily "
    "bars they agree but for rounding. Its time in market, first day and day of recovery follow "
    "rules of its own."
)

# its pale yellow can hardly be seen on white
_COLORS = {"#fedd78": "#d98c00"}

_HEAD = """<link rel="icon" href="data:,">
<meta name="color-scheme" content="light dark">
<style>
.container { max-width: 80rem; }
.container::after { content: ""; display: block; clear: both; }
hr { clear: both; }
h1 .span { display: inline; margin-left: 10px; font-size: 14px; }
h2 { margin-bottom: 10px; font-size: 1.17em; font-weight: 700; }
.about { margin: 0; color: #59636e; }
.about a { color: #0a56b0; text-decoration: underline; }
svg { display: block; max-width: 100%; height: auto; }
#left { width: 62%; margin: 0; }
#right { width: 34%; }
/* quantstats draws its pictures over each other, which hides their dates where they fit */
#left svg, #monthly_heatmap svg { margin: 0 0 0.5rem; }
#monthly_heatmap { overflow: visible; }
@media screen and (max-width: 60rem) {
  body { margin: 1rem; }
  h1 .span { display: block; margin: 0; }
  #left, #right { float: none; width: auto; margin: 0; }
}
@media screen and (prefers-color-scheme: dark) {
  :root { color-scheme: dark; }
  body { background: #14181c; color: #e4e8ec; }
  .about { color: #9aa5b0; }
  .about a { color: #7db7ff; }
  td, th, hr { border-color: #333b44 !important; }
  table tbody tr:nth-child(odd), thead, thead th { background: #1d2329 !important;
    color: inherit !important; }
  /* its pictures have a ground of their own */
  svg, img { filter: invert(0.91) hue-rotate(180deg); }
}
@media print { #left svg, #left svg:first-of-type { margin: 0; } }
</style>
"""

_TEARSHEET_SCRIPT = """
import logging, sys, warnings
warnings.simplefilter("ignore")
logging.disable()
import pandas as pd, quantstats
pd.plotting.plot_params["x_compat"] = True  # or it writes years below the bars of other years
source, target, year, title, *benchmark = sys.argv[1:]
frame = pd.read_csv(source, index_col=0, parse_dates=True)
quantstats.reports.html(
    frame["own"], frame["benchmark"] if benchmark else None, output=target, title=title,
    strategy_title=title, benchmark_title=(benchmark or [None])[0], periods_per_year=int(year),
    match_dates=False,  # or it would leave out the days before the first trade
)
"""
