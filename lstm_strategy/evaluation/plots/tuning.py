"""The course of a search and what its score depends on, drawn from the table of its trials."""

import matplotlib.ticker as mticker
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lstm_strategy.evaluation.plots.style import STRONG_COLORS, NotebookFigure, plotting_style
from lstm_strategy.support import count_of

_BEST, _TRIAL, _PRUNED = STRONG_COLORS[0], STRONG_COLORS[1], "#999999"
_MOST_BARS_SHOWN = 20
_SCORES = {
    "sharpe": "Sharpe ratio after costs, out of sample",
    "log_loss": "log-loss, out of sample (coin flip: 0.693)",
    "auc": "AUC, out of sample (coin flip: 0.5)",
}


def plot_trials(
    trials: pd.DataFrame, *, objective: str, is_better_high: bool, holdout_score: float
) -> Figure:
    """Draw the score of each trial of a search, and the best so far.

    Args:
        trials: One row per trial, by number, with the columns state ("complete" or "pruned") and
            value. At least one is complete.
        objective: Name of the score: "sharpe", "log_loss", "auc" or one's own.
        is_better_high: Whether the best score is the highest.
        holdout_score: The score of the best trial on the bars kept back, drawn as a line.

    Example:
        >>> trials = pd.DataFrame({"state": ["complete"] * 3, "value": [0.2, 0.5, 0.1]})
        >>> figure = plot_trials(
        ...     trials, objective="sharpe", is_better_high=True, holdout_score=0.3
        ... )
        >>> figure.axes[0].get_title(loc="left")
        '3 trials, best number 1'
    """
    complete = trials.loc[trials["state"] == "complete", "value"]
    pruned = trials.loc[trials["state"] == "pruned", "value"].dropna()
    running = complete.cummax() if is_better_high else complete.cummin()
    best_number = complete.idxmax() if is_better_high else complete.idxmin()
    best_so_far = running.reindex(trials.index).ffill()
    with plotting_style():
        figure = NotebookFigure(figsize=(9.0, 4.8), layout="constrained")
        axes = figure.subplots()
        axes.step(best_so_far.index, best_so_far, where="post", color=_BEST, label="best so far")
        axes.plot(complete.index, complete, "o", color=_TRIAL, label="scored on all folds")
        if len(pruned):
            axes.plot(pruned.index, pruned, "x", color=_PRUNED, label="stopped early")
        label = f"the best on the holdout: {holdout_score:.3f}"
        axes.axhline(holdout_score, color="black", linestyle="--", label=label)
        axes.xaxis.set_major_locator(mticker.MaxNLocator(integer=True))
        axes.set(xlabel="trial", ylabel=_SCORES.get(objective, objective))
        n_trials = count_of(len(trials), "trial")
        axes.set_title(f"{n_trials}, best number {best_number}", loc="left")
        figure.legend(loc="outside lower center", ncols=4)
    return figure


def plot_search_importance(importance: pd.Series, *, n_trials: int) -> Figure:
    """Draw what the score of a search depends on, as a bar for each parameter.

    Args:
        importance: Share of the score's variance by name, a fraction, largest first. The first 20
            are drawn; an empty one gives a figure that says so.
        n_trials: Completed trials that the shares come from, for the title.

    Example:
        >>> figure = plot_search_importance(pd.Series({"units": 0.7, "epochs": 0.3}), n_trials=12)
        >>> [float(bar.get_width()) for bar in figure.axes[0].patches]
        [0.3, 0.7]
    """
    shares = importance.head(_MOST_BARS_SHOWN)[::-1]
    size = (9.0, 1.6 + 0.3 * max(len(shares), 2))
    with plotting_style():
        figure = NotebookFigure(figsize=size, layout="constrained")
        axes = figure.subplots()
        rows = np.arange(len(shares))
        axes.barh(rows, shares.to_numpy(), color=_TRIAL)
        axes.set_yticks(rows, list(shares.index))
        axes.set(xlim=(0, None), xlabel="share of the variance of the score (fANOVA)")
        axes.grid(axis="y", visible=False)
        axes.set_title(f"What the score depends on, from {n_trials} completed trials", loc="left")
        if shares.empty:
            text = "There are too few trials to say."
            axes.text(0.5, 0.5, text, ha="center", transform=axes.transAxes)
    return figure
