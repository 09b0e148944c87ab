"""The course of a search and what its score depends on, as figures drawn without pyplot."""

from typing import TYPE_CHECKING

import matplotlib.ticker as mticker
import numpy as np
from matplotlib.figure import Figure

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.chart import NotebookFigure, plotting_style

if TYPE_CHECKING:
    from lstm_strategy.evaluation.tuning_result import TuningResult

_BEST, _TRIAL, _PRUNED = "#d1242f", "#4477aa", "#999999"
_MOST_BARS_SHOWN = 20


def tuning_figure(result: "TuningResult", kind: str) -> Figure:
    """A figure of a search: "history" or "importance". Raises `TradingError` for another kind."""
    drawings = {"history": _history, "importance": _importance}
    if kind not in drawings:
        raise TradingError(f"kind must be one of {', '.join(drawings)}, got {kind!r}.")
    with plotting_style():
        return drawings[kind](result)


def _history(result: "TuningResult") -> Figure:
    figure = NotebookFigure(figsize=(9.0, 4.5), layout="constrained")
    axes = figure.subplots()
    trials, name = result.trials, result.objective.name
    complete = trials[trials["state"] == "complete"]
    pruned = trials[(trials["state"] == "pruned") & trials["value"].notna()]
    best_so_far = complete["value"].cummax() if result.objective.is_better_high else (
        complete["value"].cummin()
    )  # fmt: skip
    axes.plot(pruned.index, pruned["value"], "x", color=_PRUNED, label="stopped early")
    axes.plot(complete.index, complete["value"], "o", color=_TRIAL, label="all folds")
    axes.step(best_so_far.index, best_so_far, where="post", color=_BEST, label="best so far")
    kept = result.holdout.scores[name]
    axes.axhline(kept, color="black", linestyle="--", label=f"the best on the holdout: {kept:.3f}")
    axes.set(xlabel="trial", ylabel=f"{name.replace('_', ' ')}, out of sample")
    axes.xaxis.set_major_locator(mticker.MaxNLocator(integer=True))
    axes.set_title(f"{result.n_trials} trials, best number {result.best_number}", loc="left")
    axes.legend(loc="best", fontsize=8)
    return figure


def _importance(result: "TuningResult") -> Figure:
    shares = result.importance.head(_MOST_BARS_SHOWN)[::-1]
    figure = NotebookFigure(figsize=(9.0, 1.6 + 0.3 * max(len(shares), 2)), layout="constrained")
    axes = figure.subplots()
    rows = np.arange(len(shares))
    axes.barh(rows, shares.to_numpy(), color=_TRIAL)
    axes.set_yticks(rows, list(shares.index))
    axes.set(xlim=(0, 1), xlabel="share of the variance of the score (fANOVA)")
    axes.grid(axis="y", visible=False)
    axes.set_title("What the score depends on", loc="left")
    if shares.empty:
        axes.text(0.5, 0.5, "too few trials to tell", ha="center", transform=axes.transAxes)
    return figure
