"""A model and a portfolio on a panel, set beside runs that knew fewer bars of it, or others."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from lstm_strategy.bars import Panel, as_panel
from lstm_strategy.errors import AuditError
from lstm_strategy.evaluation.audit.findings import Check, Finding, FindingKind, PartialAudit
from lstm_strategy.evaluation.audit.panel.recording import PortfolioRecording, record_portfolio
from lstm_strategy.evaluation.backtests import market_close
from lstm_strategy.learning.features import ALTERATIONS, alter_bars, cut_points, pick_evenly
from lstm_strategy.learning.forecaster import Forecaster
from lstm_strategy.learning.serving import forecast_markets
from lstm_strategy.support import OnWords, format_time
from lstm_strategy.trading.cerebro import BrokerSettings

_N_CUTS = {"vector": 5, "next": 2}
_N_ORDER_CUTS = 3
_N_MODEL_CUTS = 3
_REMOVED = "removed"
_ROUNDING = 1e-6
_ROUNDING_OF_A_NETWORK = 1e-5
_REMEDY = (
    "Look at live_markets only, and compute what is known at a close from bars up to that close: "
    "a data that hasn't begun shows its last bar."
)


def audit_panel(
    panel: Panel,
    *,
    model: Forecaster | None,
    strategies: Mapping[str, tuple[type, Mapping[str, Any]]],
    broker: BrokerSettings | None,
    seed: int,
    on_progress: OnWords,
) -> Iterator[PartialAudit]:
    """Look for what knows later bars of any market of a panel.

    Args:
        panel: Valid bars by symbol.
        model: The model, whose forecasts of all markets are compared; None without one.
        strategies: Class and parameters of each strategy to run, by name; their orders, positions
            and cash are compared, in vector mode and bar by bar.
        broker: The terms on which they run.
        seed: Chooses the random dates.
        on_progress: Called with what is being done.

    Yields:
        What the model gave, and each strategy.

    Raises:
        AuditError: If a strategy never sends an order without a model that may have kept nothing
            of its signal, so that nothing could be compared.
        BarsError: If too few dates are common to all markets.
    """
    first = _first_cut(panel, 0 if model is None else model.warm_up)
    market = market_close(panel).to_frame("close")
    if model is not None:
        on_progress("the forecasts of all markets")
        cuts = pick_evenly(cut_points(market, first=first, seed=seed), _N_MODEL_CUTS)
        yield _audit_forecasts(model, panel, cuts)
    for name, (strategy, params) in strategies.items():

        def choose_cuts(full: PortfolioRecording, name: str = name) -> list[int]:
            # where an order was sent, knowing the next bar would have mattered most
            sent = (np.flatnonzero(full.orders.to_numpy().any(axis=1)) + 1).tolist()
            edges = pick_evenly([n for n in sent if n >= first], _N_ORDER_CUTS)
            if not sent and model is None:
                raise AuditError(
                    f"{name} sends no order on these bars, so there is nothing to compare. Load "
                    "more of them."
                )
            return cut_points(market, first=max([first, *sent[:1]]), edges=edges, seed=seed)

        yield _audit_strategy(name, strategy, params, panel, choose_cuts, broker, on_progress)


def _first_cut(panel: Panel, warm_up: int) -> int:
    """How many dates it takes until every market has bars enough for a forecast."""
    ready = max(frame.index[min(warm_up + 2, len(frame) - 1)] for frame in panel.values())
    return int(panel.dates.searchsorted(ready, side="right"))


def _change(panel: Panel, n_known: int, how: str) -> Panel:
    """The panel with the bars after a number of dates removed or altered, in every market."""
    last = panel.dates[n_known - 1]
    changed = {}
    for symbol, bars in panel.items():
        n_bars = int(bars.index.searchsorted(last, side="right"))
        is_over = n_bars == len(bars)
        removed = bars.iloc[:n_bars] if how == _REMOVED else bars
        changed[symbol] = (
            removed if how == _REMOVED or is_over else alter_bars(bars, n_bars, how=how)
        )
    return as_panel(changed)


def _audit_forecasts(model: Forecaster, panel: Panel, cuts: list[int]) -> PartialAudit:
    full = forecast_markets(model, panel)
    findings: dict[str, Finding] = {}
    for n_known in cuts:
        last = panel.dates[n_known - 1]
        for how in (_REMOVED, ALTERATIONS[0]):
            other = forecast_markets(model, _change(panel, n_known, how))
            for symbol, frame in full.items():
                found = _first_difference(
                    other[symbol][:last], frame[:last], _ROUNDING_OF_A_NETWORK
                )
                if found and symbol not in findings:
                    findings[symbol] = _finding("forecaster", f"market {symbol}", found, how, last)
    check = Check("the forecasts of all markets", 2 * len(cuts), len(findings))
    return PartialAudit(tuple(findings.values()), checks=(check,))


def _audit_strategy(
    name: str,
    strategy: type,
    params: Mapping[str, Any],
    panel: Panel,
    choose_cuts: Callable[[PortfolioRecording], list[int]],
    broker: BrokerSettings | None,
    on_progress: OnWords,
) -> PartialAudit:
    findings: dict[str, Finding] = {}
    n_comparisons = 0
    for runonce in (True, False):
        mode = "vector" if runonce else "next"

        def record(bars: Panel, runonce: bool = runonce) -> PortfolioRecording:
            return record_portfolio(
                strategy, bars, bars.dates, runonce=runonce, broker=broker, **params
            )

        on_progress(f"{name}: the full run, {mode} mode")
        full = record(panel)
        cuts = pick_evenly(choose_cuts(full), _N_CUTS[mode])
        n_comparisons += 2 * len(cuts)
        for number, n_known in enumerate(cuts, 1):
            on_progress(f"{name}: {mode} mode, cut {number} of {len(cuts)}")
            for how in (_REMOVED, ALTERATIONS[0]):
                _compare(full, record, panel, n_known, how, findings)
    check = Check(name, n_comparisons, len(findings))
    return PartialAudit(tuple(findings.values()), checks=(check,))


def _compare(
    full: PortfolioRecording,
    record: Callable[[Panel], PortfolioRecording],
    panel: Panel,
    n_known: int,
    how: str,
    findings: dict[str, Finding],
) -> None:
    other, last = record(_change(panel, n_known, how)), panel.dates[n_known - 1]
    for what, mine, theirs in (
        ("the order for", full.orders, other.orders),
        ("the position in", full.account, other.account),
    ):
        found = _first_difference(theirs[:last], mine[:last], _ROUNDING)
        if found:
            market = found[1]
            culprit = market if market == "cash" else f"{what} market {market}"
            findings.setdefault(market, _finding("strategy", culprit, found, how, last))
            return


def _first_difference(
    known: pd.DataFrame, later: pd.DataFrame, rounding: float
) -> tuple[pd.Timestamp, str, float, float] | None:
    """The first date and column at which two tables differ, with both values."""
    known, later = known.align(later, join="right")
    one, other = known.to_numpy(dtype=float), later.to_numpy(dtype=float)
    is_same = np.isclose(one, other, rtol=rounding, atol=rounding, equal_nan=True)
    if is_same.all():
        return None
    row = int((~is_same).any(axis=1).argmax())
    column = int((~is_same[row]).argmax())
    return later.index[row], str(later.columns[column]), one[row, column], other[row, column]


def _finding(
    layer: str,
    culprit: str,
    found: tuple[pd.Timestamp, str, float, float],
    how: str,
    last: pd.Timestamp,
) -> Finding:
    time, _, known, with_later = found
    verb = "removing" if how == _REMOVED else "altering"
    return Finding(
        layer=layer,
        culprit=culprit,
        kind=FindingKind.LATER_BARS,
        what="changes when later bars of the panel do.",
        time=time,
        known=known,
        with_later=with_later,
        found_by=f"{verb} the bars of all markets after {format_time(last)}",
        remedy=_REMEDY,
    )
