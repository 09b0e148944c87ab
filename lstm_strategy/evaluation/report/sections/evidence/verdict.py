"""The verdict, what it rests on, and its numbers."""

from lstm_strategy.evaluation.report.content import ReportContent
from lstm_strategy.evaluation.report.page import P_VALUE, PERCENT, capitalise, escape, terms_html
from lstm_strategy.evaluation.verdict import Verdict
from lstm_strategy.support import number_text


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
        "Largest p-value against a baseline": number_text(verdict.p_value, P_VALUE),
        "Confidence after all trials": number_text(verdict.deflated_sharpe, PERCENT),
        "Trials": f"{verdict.n_trials:,}",
        "Bar returns": f"{verdict.n_bars:,}",
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
