"""What the report says of each market of a portfolio."""

import pytest
from made_up import random_walk

from lstm_strategy import PORTFOLIO_BASELINES, compare
from lstm_strategy.bars import as_panel
from lstm_strategy.evaluation.report import ReportContent
from lstm_strategy.evaluation.report.sections.results.markets import markets_section

LINE = (
    "<p>A position was still open in market B, which ended before the run did. It is valued "
    "at the last close.</p>"
)


def section_of(panel):
    equal = {"Equal weight": PORTFOLIO_BASELINES["Equal weight"]}
    comparison = compare(equal, panel, n_jobs=1)
    return markets_section(ReportContent(comparison, comparison.assess(), as_panel(panel)))


@pytest.mark.usefixtures("no_pictures")
def test_a_position_held_when_its_market_ended_is_told():
    panel = {name: random_walk(80, seed=seed) for seed, name in enumerate("AB")}
    assert "<p>" not in section_of(panel)
    assert LINE in section_of(panel | {"B": panel["B"].iloc[:60]})
