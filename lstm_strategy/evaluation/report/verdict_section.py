"""The verdict and the table of all strategies, as HTML."""

from lstm_strategy.evaluation.backtests import readable_metrics
from lstm_strategy.evaluation.report.content import ReportContent
from lstm_strategy.evaluation.report.page import capitalised, escaped, number_text, table_html

_HEADINGS = {
    "total_return": "Total return",
    "cagr": "Return a year",
    "volatility": "Volatility",
    "sharpe": "Sharpe",
    "sortino": "Sortino",
    "max_drawdown": "Max drawdown",
    "calmar": "Calmar",
    "turnover": "Turnover a year",
    "trades": "Trades",
    "exposure": "Mean exposure",
    "costs": "Costs",
}


def verdict_section(content: ReportContent) -> str:
    """The sentence, what it rests on, and its numbers."""
    verdict = content.assessment.verdict
    warning = ""
    if content.result.in_sample:
        warning = (
            '<p class="warning"><strong>In-sample.</strong> The model was trained on bars of this '
            "span: nothing here says how it does on others.</p>"
        )
    if verdict is None:
        return (
            warning
            + f'<p class="sentence">{escaped(content.results.describe_standing(content.name))}</p>'
        )
    kind = "claimed" if verdict.claims_skill and not verdict.alarms else "doubtful"
    why = "What it rests on" if verdict.claims_skill else "What speaks against a claim"
    low, high = verdict.sharpe_interval
    level = 1.0 - verdict.alpha
    numbers = {
        "Sharpe ratio": number_text(verdict.sharpe),
        f"{level:.0%} interval": f"{number_text(low)} to {number_text(high)}",
        "Largest p-value against a baseline": number_text(verdict.p_value, "{:.3f}"),
        "Confidence after all trials": number_text(verdict.deflated_sharpe, "{:.1%}"),
        "Trials": f"{verdict.n_trials:,}",
        "Bars": f"{verdict.n_bars:,}",
    }
    facts = "".join(
        f"<div><dt>{escaped(term)}</dt><dd>{escaped(value)}</dd></div>"
        for term, value in numbers.items()
    )
    reasons = "".join(f"<li>{escaped(capitalised(reason))}.</li>" for reason in verdict.reasons)
    return (
        f'{warning}<p class="sentence {kind}">{escaped(verdict.sentence)}</p>\n'
        f"<h3>{why}</h3>\n<ul>{reasons}</ul>\n"
        f'<dl class="facts">{facts}</dl>\n'
        f"<p>{escaped(_trials_text(verdict.n_trials))}</p>\n"
    )


def _trials_text(n_trials: int) -> str:
    if n_trials == 1:
        return (
            "One trial is counted: these settings and no others. Whoever tried others before, on "
            "these or overlapping dates, must count them, for the best of many looks good by luck."
        )
    return (
        f"{n_trials:,} trials are counted: settings whose results were looked at, these included. "
        "The confidence after all trials is that in a true Sharpe ratio above the one that the "
        f"luckiest of {n_trials:,} settings without any skill would show."
    )


def strategies_section(content: ReportContent) -> str:
    """The metrics of every strategy, with the p-value of the lead over each."""
    table = readable_metrics(content.results.table).rename(columns=_HEADINGS)
    notes = ["Turnover in multiples of the equity, costs as a share of the equity at the start."]
    if content.assessment.verdict is not None and content.assessment.verdict.p_values:
        names = {result.label: key for key, result in content.results.results.items()}
        p_values = [content.assessment.verdict.p_values.get(names[row]) for row in table.index]
        readable = ["" if p is None else f"{p:.3f}" for p in p_values]
        after_sharpe = list(table.columns).index("Sharpe") + 1
        table.insert(after_sharpe, "p\N{NON-BREAKING HYPHEN}value", readable)
        notes.append(
            f"The p-value says how often luck alone would give {content.name} such a lead over the "
            "strategy, at equal risk."
        )
    caption = "Every strategy on the same bars, costs and sizing"
    return table_html(table, caption, first="Strategy", strong=content.result.label) + (
        f"<p>{escaped(' '.join(notes))}</p>"
    )
