"""The table of all strategies."""

from lstm_strategy.evaluation.backtests import extrapolation_note, readable_metrics
from lstm_strategy.evaluation.report.content import ReportContent
from lstm_strategy.evaluation.report.page import escape, table_html


def strategies_section(content: ReportContent) -> str:
    """Return the metrics of every strategy, with the p-value of the lead over each."""
    results, verdict = content.results, content.assessment.verdict
    table = readable_metrics(results.table)
    notes = [
        *filter(None, [extrapolation_note(results.equity)]),
        "CAGR is the compound annual growth rate.",
        "Turnover is what was bought and sold in a year, in multiples of the equity.",
        "Costs are a share of the starting equity.",
    ]
    if "Funding paid" in table:
        notes.append("So is funding, which is below 0 where more was received than paid.")
    if verdict is not None and verdict.p_values:
        p_values = [verdict.p_values.get(name) for name in results.results]
        readable = ["" if p is None else f"{p:.3f}" for p in p_values]
        after_sharpe = list(table.columns).index("Sharpe") + 1
        table.insert(after_sharpe, "p\N{NON-BREAKING HYPHEN}value", readable)
        notes.append(
            f"The p-value is the probability that {content.name} would lead the strategy by this "
            "much at equal risk through luck alone."
        )
    caption = "Every strategy on the same bars, costs and sizing"
    notes += [each.ruin_note for each in results.results.values() if each.ruin_note]
    body = table_html(table, caption, first="Strategy", strong=content.result.label)
    return f"{body}<p>{escape(' '.join(notes))}</p>"
