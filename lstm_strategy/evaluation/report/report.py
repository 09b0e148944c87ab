"""What the evaluation found, section by section, as one HTML page that needs no other file.

The page says the verdict first and its reasons right after; then the numbers, the pictures, what
speaks against the result, what wasn't looked at, and where everything came from. The same input
gives the same page, byte for byte.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.comparison import Board
from lstm_strategy.evaluation.report.sections import Findings, findings_page
from lstm_strategy.evaluation.robustness import Robustness
from lstm_strategy.evaluation.verdict import Alarm, PermutationTest, Verdict, result_named
from lstm_strategy.evaluation.verdict import alarms as raised_alarms
from lstm_strategy.evaluation.verdict import verdict as judged
from lstm_strategy.learning.forecaster import Forecaster
from lstm_strategy.learning.serving import open_forecaster, precompute_forecasts
from lstm_strategy.support import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def report_html(
    board: Board,
    *,
    name: str | None = None,
    verdict: Verdict | None = None,
    alarms: Sequence[Alarm] | None = None,
    bars: pd.DataFrame | None = None,
    model: Forecaster | str | Path | None = None,
    ledger: pd.DataFrame | None = None,
    robustness: Robustness | None = None,
    permutation_test: PermutationTest | None = None,
    figures: Mapping[str, "Figure"] | None = None,
    provenance: Mapping[str, object] | None = None,
    tearsheet: str | None = None,
    n_trials: int = 1,
) -> str:
    """The page about one strategy of a board, as text; everything but the board may be left out.

    Args:
        name: the strategy; by default the first whose name starts with LSTM, else the first.
        verdict: by default that of `verdict(board, name, n_trials=n_trials)`, where the board
            has another strategy.
        alarms: by default those that `alarms` raises on all that is given here; needs `bars`.
        bars: those that the board ran on.
        model: the forecaster or its folder: for where it came from, its ledger and its alarms.
        ledger: that of a walk-forward forecaster; by default the model's.
        robustness: costs, delays, folds and seeds, from the function of that name.
        permutation_test: what is left on permuted bars, from the function of that name.
        figures: more pictures to show, by their caption.
        provenance: more rows of "where this came from".
        tearsheet: address of a page to link, such as "tearsheet.html" beside the report.
        n_trials: settings and seeds whose result was looked at, this one included.

    Raises `TradingError` for a name that isn't on the board, or a board of nothing.
    """
    name = _first_name(board) if name is None else name
    result = result_named(board, name)
    opened: Any = None if model is None else open_forecaster(model)
    ledger = getattr(opened, "ledger", None) if ledger is None else ledger
    if alarms is None and bars is not None:
        alarms = find_known_alarms(
            board, bars, name=name, model=opened, ledger=ledger, robustness=robustness
        )
    if verdict is None and len(board.results) > 1:
        verdict = judged(board, name, n_trials=n_trials, alarms=alarms or ())
    return findings_page(
        Findings(
            board=board,
            name=name,
            result=result,
            verdict=verdict,
            alarms=alarms,
            bars=bars,
            model=opened,
            ledger=ledger,
            robustness=robustness,
            permutation_test=permutation_test,
            figures=figures or {},
            provenance=provenance or {},
            tearsheet=tearsheet,
        )
    )


def write_report(path: str | Path, board: Board, **settings: Any) -> Path:
    """Write the page of `report_html`, whole or not at all, and return its path."""
    return write_whole(path, report_html(board, **settings).encode())


def _first_name(board: Board) -> str:
    if not board.results:
        raise TradingError("A report needs a strategy, and the board has none.")
    named = (name for name in board.results if name.lower().startswith("lstm"))
    return next(named, next(iter(board.results)))


def find_known_alarms(
    board: Board,
    bars: pd.DataFrame,
    *,
    name: str = "LSTM",
    model: Any = None,
    ledger: pd.DataFrame | None = None,
    robustness: Robustness | None = None,
) -> list[Alarm]:
    """The alarms of `alarms` with all that the model, its ledger and other runs make possible."""
    known: dict[str, Any] = {}
    ledger = getattr(model, "ledger", None) if ledger is None else ledger
    if model is not None:
        traded = board.results[name].equity.index
        forecasts = precompute_forecasts(model, bars).forecast(bars)
        known["forecast"] = forecasts["forecast"].reindex(traded)
    if ledger is not None:
        known["folds"] = ledger["fold"]
    if robustness is not None:
        known["equity_by_member"] = robustness.equity_by_member
        known["delayed_sharpe"] = robustness.delayed_sharpe
    return raised_alarms(board, bars, name=name, **known)
