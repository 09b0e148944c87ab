"""The files that a comparison leaves in its folder."""

import importlib.util
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pandas as pd

from lstm_strategy.cli.comparison.setup import ComparisonSetup
from lstm_strategy.cli.output import begin_lower, tell
from lstm_strategy.errors import LSTMStrategyError
from lstm_strategy.evaluation.backtests import write_picture
from lstm_strategy.evaluation.chart import plot_chart
from lstm_strategy.evaluation.comparison import Comparison
from lstm_strategy.evaluation.report import write_tearsheet
from lstm_strategy.trading.lstm import LSTMStrategy

CHART_FILE, REPORT_FILE, TEARSHEET_FILE = "chart.png", "report.html", "tearsheet.html"
RESULT_FILES = ("metrics.csv", "equity.csv", "trades.csv", "equity.png", REPORT_FILE)
"""What each comparison writes."""
ALL_FILES = (*RESULT_FILES, TEARSHEET_FILE, CHART_FILE)
"""What shows that a place is taken, whoever wrote it."""


@contextmanager
def start_tearsheet(path: Path, comparison: Comparison) -> Iterator[Future[Path]]:
    """Start to write the tearsheet in a process of its own, and wait for it at the end."""
    path.unlink(missing_ok=True)  # one of earlier results would pass for one of these
    benchmark = comparison.buy_and_hold
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(write_tearsheet, path, comparison.find(), benchmark=benchmark)


def finish_tearsheet(tearsheet: Future[Path]) -> str | None:
    """The name of the tearsheet's file; None if there is none, and a line says why.

    Whoever didn't install quantstats asked for no tearsheet, and reads no line about it.
    """
    try:
        return tearsheet.result().name
    except LSTMStrategyError as error:
        if importlib.util.find_spec("quantstats") is not None:
            tell(f"No {TEARSHEET_FILE}: {begin_lower(str(error))}")
        return None


def draw_chart(setup: ComparisonSetup, comparison: Comparison, path: Path) -> None:
    """Write the picture of the LSTM's trades on the prices."""
    job = comparison.prepared.job(comparison.judged_name)
    chart = plot_chart(
        LSTMStrategy,
        cast(pd.DataFrame, setup.bars),  # the demo's alone
        start=setup.first_traded,
        end=setup.end,
        broker=setup.broker,
        name=comparison.judged_name,
        **job.params,
    )
    write_picture(path, chart)
