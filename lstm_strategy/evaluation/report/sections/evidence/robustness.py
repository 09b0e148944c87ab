"""What other costs, late orders, single members and folds leave of the result."""

import pandas as pd

from lstm_strategy.evaluation.plots import (
    plot_cost_break_even,
    plot_delay_break_even,
    plot_each_cost,
    plot_folds,
    plot_members,
)
from lstm_strategy.evaluation.report.content import ReportContent
from lstm_strategy.evaluation.report.page import PERCENT, escape, picture_html, points_text


def robustness_section(content: ReportContent) -> str:
    """Return the pictures of other costs, late orders, each member alone, and each fold."""
    pictures = _terms_pictures(content) if _has_traded(content) else []
    folds = content.folds
    if folds is not None:
        alt = f"Return by fold: {points_text(folds['total_return'], PERCENT)}"
        pictures.append(picture_html(plot_folds(folds), alt, "The return of each fold."))
    grid = f'<div class="grid">{"".join(pictures)}</div>' if pictures else ""
    return grid if _has_traded(content) else _not_traded(content) + grid


def _has_traded(content: ReportContent) -> bool:
    """Whether any of the tries has a Sharpe ratio; without a robustness there is none to draw."""
    robustness = content.assessment.robustness
    if robustness is None:
        return True
    return bool(robustness.costs["sharpe"].notna().any() or robustness.delays["sharpe"].any())


def _not_traded(content: ReportContent) -> str:
    return (
        f"<p>{escape(content.name)} never traded, so no cost and no delay would change anything: "
        "there is no picture of them.</p>"
    )


def _terms_pictures(content: ReportContent) -> list[str]:
    robustness = content.assessment.robustness
    if robustness is None:
        return []
    costs = plot_cost_break_even(
        robustness.costs,
        break_even_bps=robustness.break_even_bps,
        charged_bps=content.results.broker.mean_commission_on(content.bars) * 1e4,
    )
    by_cost = points_text(robustness.costs["sharpe"])
    by_delay = points_text(robustness.delays["sharpe"])
    pictures = [
        picture_html(
            costs,
            f"Sharpe ratio by commission in basis points: {by_cost}",
            "The Sharpe ratio at other commissions.",
        ),
        picture_html(
            plot_delay_break_even(robustness.delays),
            f"Sharpe ratio by delay in bars: {by_delay}",
            "The Sharpe ratio when every order is late.",
        ),
    ]
    if robustness.each_cost is not None:
        pictures.append(_each_cost_picture(robustness.each_cost))
    members = robustness.equity_by_member
    if members is not None:
        final = members.iloc[-1] / members.iloc[0] - 1.0
        pictures.append(
            picture_html(
                plot_members(members, own=content.result.equity),
                f"Growth of 1 by member. Total returns: {points_text(final, PERCENT)}",
                "The strategy run on each network of the ensemble by itself.",
            )
        )
    return pictures


def _each_cost_picture(each_cost: pd.DataFrame) -> str:
    sharpe = each_cost["sharpe"]
    by_cost = {cost: points_text(sharpe[cost]) for cost in sharpe.index.unique(0)}
    points = "; ".join(f"{cost} {points}" for cost, points in by_cost.items())
    caption = "The Sharpe ratio without each cost beside commission and slippage"
    if 2 in sharpe.index.unique(1):
        caption += ", and with twice as much of it"
    return picture_html(
        plot_each_cost(each_cost),
        f"Sharpe ratio by multiple of each cost: {points}",
        f"{caption}.",
    )
