"""How the networks were trained: loss or utility by epoch."""

import pandas as pd

from lstm_strategy.evaluation.plots import plot_epochs
from lstm_strategy.evaluation.report.content import ReportContent
from lstm_strategy.evaluation.report.page import escape, picture_html
from lstm_strategy.evaluation.skill import target_name
from lstm_strategy.support import number_text


def training_section(content: ReportContent) -> str:
    """Return loss or, of a policy, utility by epoch, in training and held out; "" if unknown."""
    histories = content.histories
    if not histories or content.model is None:
        return ""
    is_utility = target_name(content.model) == "policy"
    what = "Utility" if is_utility else "Loss"
    sign = -1.0 if is_utility else 1.0
    best = {name: sign * history["val_loss"].min() for name, history in histories.items()}
    ends = ", ".join(f"{name}: {number_text(value)}" for name, value in best.items())
    by_fold = f" by fold: {ends}" if len(best) > 1 else f": {number_text(*best.values())}"
    lines = (
        "a line for each fold, the mean of its networks"
        if len(histories) > 1
        else ("the mean of the networks")
    )
    stopped = (
        " A network that stopped earlier counts with its last value."
        if any(_stops_apart(history) for history in histories.values())
        else ""
    )
    picture = picture_html(
        plot_epochs(histories, is_utility=is_utility),
        f"{what} by epoch. Best on held-out bars{by_fold}",
        f"{what} by epoch in training and on held-out bars, {lines}.{stopped}",
    )
    how = (
        "Where the left panel rises and the right one doesn't, the networks overfit. Utility is "
        "counted after costs; in training, the penalty for leaving the prior is subtracted."
        if is_utility
        else "Where the left panel falls and the right one doesn't, the networks overfit."
    )
    return f"{picture}<p>{escape(how)}</p>"


def _stops_apart(history: pd.DataFrame) -> bool:
    """Whether one network trained longer than another."""
    return "member" in history and history.groupby("member")["epoch"].max().nunique() > 1
