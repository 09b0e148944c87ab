"""The verdict and the table of all strategies, as HTML."""

from lstm_strategy.evaluation.backtests import readable_metrics
from lstm_strategy.evaluation.report.content import ReportContent
from lstm_strategy.evaluation.report.page import (
    capitalise,
    escape,
    number_text,
    table_html,
    terms_html,
)
from lstm_strategy.evaluation.verdict import Verdict

_HEADINGS = {
    "total_return": "Total return",
    "cagr": "Return per year",
    "volatility": "Volatility",
    "sharpe": "Sharpe",
    "sortino": "Sortino",
    "max_drawdown": "Max drawdown",
    "calmar": "Calmar",
    "turnover": "Turnover per year",
    "trades": "Trades",
    "exposure": "Mean exposure",
    "costs": "Costs",
    "funding": "Funding paid",
    "liquidations": "Liquidations",
    "gross_return": "Before costs and funding",
}


def verdict_section(content: ReportContent) -> str:
    """Return the sentence, what it rests on, and its numbers."""
    warning = ""
    if content.result.in_sample:
        warning = (
            '<p class="warning"><strong>In-sample.</strong> The model was trained on bars of this '
            "span: nothing here says how it does on others.</p>"
        )
    verdict = content.assessment.verdict
    if verdict is None:
        standing = content.results.describe_standing(content.name)
        return f'{warning}<p class="sentence">{escape(standing)}</p>'
    kind = "claimed" if verdict.claims_skill and not verdict.alarms else "doubtful"
    why = "What it rests on" if verdict.claims_skill else "What speaks against a claim"
    reasons = "".join(f"<li>{escape(capitalise(reason))}.</li>" for reason in verdict.reasons)
    return (
        f'{warning}<p class="sentence {kind}">{escape(verdict.sentence)}</p>\n'
        f"<h3>{why}</h3>\n<ul>{reasons}</ul>\n"
        f"{terms_html(_verdict_numbers(verdict).items(), 'facts')}\n"
        f"<p>{escape(_trials_text(verdict.n_trials))}</p>\n"
    )


def _verdict_numbers(verdict: Verdict) -> dict[str, str]:
    low, high = verdict.sharpe_interval
    return {
        "Sharpe ratio": number_text(verdict.sharpe),
        f"{1.0 - verdict.alpha:.0%} interval": f"{number_text(low)} to {number_text(high)}",
        "Largest p-value against a baseline": number_text(verdict.p_value, "{:.3f}"),
        "Confidence after all trials": number_text(verdict.deflated_sharpe, "{:.1%}"),
        "Trials": f"{verdict.n_trials:,}",
        "Bars": f"{verdict.n_bars:,}",
    }


def _trials_text(n_trials: int) -> str:
    if n_trials == 1:
        return (
            "One trial is counted: these settings and no others. If you tried others before, on "
            "these or overlapping dates, count them: the best of many looks good by luck."
        )
    return (
        f"{n_trials:,} trials are counted: settings whose results were looked at, these included. "
        "The confidence after all trials is that in a true Sharpe ratio above the one that the "
        f"luckiest of {n_trials:,} settings without any skill would show."
    )


def strategies_section(content: ReportContent) -> str:
    """Return the metrics of every strategy, with the p-value of the lead over each."""
    results, verdict = content.results, content.assessment.verdict
    table = readable_metrics(results.table).rename(columns=_HEADINGS)
    notes = ["Turnover in multiples of the equity, costs as a share of the equity at the start."]
    if "Funding" in table:
        notes.append("Funding is a share of it as well, below 0 where more was received than paid.")
    if verdict is not None and verdict.p_values:
        p_values = [verdict.p_values.get(name) for name in results.results]
        readable = ["" if p is None else f"{p:.3f}" for p in p_values]
        after_sharpe = list(table.columns).index("Sharpe") + 1
        table.insert(after_sharpe, "p\N{NON-BREAKING HYPHEN}value", readable)
        notes.append(
            f"The p-value says how often luck alone would give {content.name} such a lead over the "
            "strategy, at equal risk."
        )
    caption = "Every strategy on the same bars, costs and sizing"
    body = table_html(table, caption, first="Strategy", strong=content.result.label)
    return f"{body}<p>{escape(' '.join(notes))}</p>"
