"""What a report says that it doesn't know."""

import pytest
from made_up import random_walk

from lstm_strategy import BASELINES, compare
from lstm_strategy.evaluation.report import ReportContent, report_html


@pytest.mark.usefixtures("no_pictures")
def test_a_rule_has_no_members_folds_or_training_to_miss():
    bars = random_walk(200)
    names = ("MACD", "Buy and hold")
    comparison = compare({name: BASELINES[name] for name in names}, bars)
    page = report_html(ReportContent(comparison, comparison.assess("MACD"), bars))
    start = page.index("What was left out</h2>")
    section = page[start : page.index("</section>", start)]
    assert "Other costs and late orders weren&#x27;t tried." in section
    for word in ("members", "permutation", "folds"):
        assert word not in section
