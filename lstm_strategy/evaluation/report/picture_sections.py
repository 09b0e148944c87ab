"""The pictures of a report with what they show in words."""

import pandas as pd

from lstm_strategy.evaluation.plots import (
    plot_cost_break_even,
    plot_delay_break_even,
    plot_each_cost,
    plot_equity,
    plot_folds,
    plot_members,
    plot_permutation_test,
)
from lstm_strategy.evaluation.report.content import ReportContent
from lstm_strategy.evaluation.report.page import escape, number_text, picture_html, points_text

_WIDE_INCHES, _PHONE_INCHES = 11.0, 5.2


def equity_section(content: ReportContent) -> str:
    """Return growth, drawdown and exposure, wide and for phones, and the link to the tearsheet."""
    growth = content.results.equity.iloc[-1] / content.results.equity.iloc[0] - 1.0
    alt = "Growth of 1, drawdown and exposure. Total returns: " + ", ".join(
        f"{name} {value:+.1%}" for name, value in growth.items()
    )
    caption = "Growth of 1 after costs, drawdown, and the exposure of the strategy."
    if content.ledger is not None:
        caption += " The strip says which fold forecast each bar, and until when it was trained."
    wide, phone = (
        plot_equity(
            content.results,
            highlight=content.name,
            ledger=content.ledger,
            width_inches=width,
        )
        for width in (_WIDE_INCHES, _PHONE_INCHES)
    )
    link = ""
    if content.tearsheet is not None:
        link = f'<p><a href="{escape(content.tearsheet)}">Tearsheet by quantstats</a></p>'
    return picture_html(wide, alt, caption, on_phone=phone) + link


def robustness_section(content: ReportContent) -> str:
    """Return the pictures of other costs, late orders, each member alone, and each fold."""
    pictures = _terms_pictures(content)
    folds = content.folds
    if folds is not None:
        alt = f"Return by fold: {points_text(folds['total_return'], '{:+.1%}')}"
        pictures.append(picture_html(plot_folds(folds), alt, "The return of each fold."))
    return f'<div class="grid">{"".join(pictures)}</div>' if pictures else ""


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
            "What higher commissions leave.",
        ),
        picture_html(
            plot_delay_break_even(robustness.delays),
            f"Sharpe ratio by delay in bars: {by_delay}",
            "What is left when every order comes late.",
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
                f"Growth of 1 by member. Total returns: {points_text(final, '{:+.1%}')}",
                "The same strategy with each network of the ensemble alone.",
            )
        )
    return pictures


def _each_cost_picture(each_cost: pd.DataFrame) -> str:
    sharpe = each_cost["sharpe"]
    by_cost = {cost: points_text(sharpe[cost]) for cost in sharpe.index.unique(0)}
    points = "; ".join(f"{cost} {points}" for cost, points in by_cost.items())
    return picture_html(
        plot_each_cost(each_cost),
        f"Sharpe ratio by multiple of each cost: {points}",
        "What is left without each cost, and with twice of it.",
    )


def permutation_section(content: ReportContent) -> str:
    """Return the result beside those on bars whose order was destroyed; "" without such a test."""
    test = content.assessment.permutation_test
    if test is None:
        return ""
    by_number = points_text(pd.Series(test.null, range(1, len(test.null) + 1)))
    picture = picture_html(
        plot_permutation_test(test.real, test.null, p_value=test.p_value),
        f"Sharpe ratio on real bars {number_text(test.real)}; on shuffled ones: {by_number}",
        "The same pipeline, trained and traded again on bars whose order was destroyed.",
    )
    return (
        f"<p>{escape(test)}</p><p>Shuffled bars have the same moves, costs and drift, and no "
        f"order to learn. What is earned on them is luck.</p>{picture}"
    )


def pictures_section(content: ReportContent) -> str:
    """Return the figures that were handed over, each above its caption; "" without any."""
    return "".join(picture_html(figure, text, text) for text, figure in content.figures.items())
