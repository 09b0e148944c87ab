"""The result beside those on shuffled bars."""

import math

import pandas as pd

from lstm_strategy.evaluation.plots import plot_permutation_test
from lstm_strategy.evaluation.report.content import ReportContent
from lstm_strategy.evaluation.report.page import escape, picture_html, points_text
from lstm_strategy.support import number_text


def permutation_section(content: ReportContent) -> str:
    """Return the result beside those on bars whose order was destroyed; "" without such a test."""
    test = content.assessment.permutation_test
    if test is None:
        return ""
    by_number = points_text(pd.Series(test.null, range(1, len(test.null) + 1)))
    if not any(math.isfinite(value) for value in test.null):
        return (
            f"<p>{escape(test)}</p><p>No run on shuffled bars has a Sharpe ratio, as none of them "
            "traded: there is no picture.</p>"
        )
    picture = picture_html(
        plot_permutation_test(test.real, test.null, p_value=test.p_value),
        f"Sharpe ratio on real bars {number_text(test.real)}; on shuffled ones: {by_number}",
        "The same pipeline, trained and traded again on bars whose order was destroyed.",
    )
    return (
        f"<p>{escape(test)}</p><p>Shuffled bars have the same moves, costs and drift, but no "
        f"order to learn from. Whatever is earned on them is luck.</p>{picture}"
    )
