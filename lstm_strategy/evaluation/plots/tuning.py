"""The course of a search and what its score depends on, as figures drawn without pyplot."""

from typing import TYPE_CHECKING

import matplotlib.ticker as mticker
import numpy as np
from matplotlib.figure import Figure

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.plots.style import NotebookFigure, plotting_style

if TYPE_CHECKING:
    from lstm_strategy.evaluation.tuning import TuningResult

_BEST, _TRIAL, _PRUNED = "#d1242f", "#4477aa", "#999999"
_MOST_BARS_SHOWN = 20
_SCORES = {
    "sharpe": "Sharpe ratio after costs, out of sample",
    "log_loss": "log-loss, out of sample (a coin: 0.693)",
    "auc": "AUC, out of sample (a coin: 0.5)",
}


def tuning_figure(result: "TuningResult", kind: str) -> Figure:
    """A figure of a search: "history" or "importance". Raises `TradingError` for another kind."""
    drawings = {"history": _history, "importance": _importance}
    if kind not in drawings:
        raise TradingError(f"kind must be one of {', '.join(drawings)}, got {kind!r}.")
    with plotting_style():
        return drawings[kind](result)


def _history(result: "TuningResult") -> Figure:
    figure = NotebookFigure(figsize=(9.0, 4.8), layout="constrained")
    axes = figure.subplots()
    trials, name = result.trials, result.objective.name
    complete = trials.loc[trials["state"] == "complete", "value"]
    pruned = trials.loc[trials["state"] == "pruned", "value"].dropna()
    running = complete.cummax() if result.objective.is_better_high else complete.cummin()
    best_so_far = running.reindex(trials.index).ffill()
    axes.step(best_so_far.index, best_so_far, where="post", color=_BEST, label="best so far")
    axes.plot(complete.index, complete, "o", color=_TRIAL, label="scored on all folds")
    if len(pruned):
        axes.plot(pruned.index, pruned, "x", color=_PRUNED, label="stopped early")
    kept = result.holdout.scores[name]
    axes.axhline(kept, color="black", linestyle="--", label=f"the best on the holdout: {kept:.3f}")
    axes.xaxis.set_major_locator(mticker.MaxNLocator(integer=True))
    axes.set(xlabel="trial", ylabel=_SCORES.get(name, name))
    axes.set_title(f"{result.n_trials} trials, best number {result.best_number}", loc="left")
    figure.legend(loc="outside lower center", ncols=4)
    return figure


def _importance(result: "TuningResult") -> Figure:
    shares = result.importance.head(_MOST_BARS_SHOWN)[::-1]
    figure = NotebookFigure(figsize=(9.0, 1.6 + 0.3 * max(len(shares), 2)), layout="constrained")
    axes = figure.subplots()
    rows = np.arange(len(shares))
    axes.barh(rows, shares.to_numpy(), color=_TRIAL)
    axes.set_yticks(rows, list(shares.index))
    axes.set(xlim=(0, None), xlabel="share of the variance of the score (fANOVA)")
    axes.grid(axis="y", visible=False)
    n_complete = int((result.trials["state"] == "complete").sum())
    axes.set_title(f"What the score depends on, from {n_complete} completed trials", loc="left")
    if shares.empty:
        axes.text(0.5, 0.5, "too few trials to tell", ha="center", transform=axes.transAxes)
    return figure
