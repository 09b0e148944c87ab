"""The verdict, what it rests on, and its numbers."""

import math

from lstm_strategy.evaluation.report.content import ReportContent
from lstm_strategy.evaluation.report.page import P_VALUE, PERCENT, capitalise, escape, terms_html
from lstm_strategy.evaluation.verdict import Verdict, name_bar_of_luck
from lstm_strategy.support import number_text


def verdict_section(content: ReportContent) -> str:
    """Return the sentence, what it rests on, and its numbers."""
    warning = ""
    if content.result.in_sample:
        warning = (
            '<p class="warning"><strong>In-sample.</strong> The model was trained on some of these '
            "bars, so nothing here says how it does on new ones.</p>"
        )
    verdict = content.assessment.verdict
    if verdict is None:
        standing = content.results.describe_standing(content.name)
        return f'{warning}<p class="sentence">{escape(standing)}</p>'
    kind = "claimed" if verdict.claims_skill and not verdict.alarms else "doubtful"
    why = "Why this counts as skill" if verdict.claims_skill else "Why this isn't evidence of skill"
    reasons = "".join(f"<li>{escape(capitalise(reason))}.</li>" for reason in verdict.reasons)
    return (
        f'{warning}<p class="sentence {kind}">{escape(verdict.sentence)}</p>\n'
        f"<h3>{why}</h3>\n<ul>{reasons}</ul>\n"
        f"{terms_html(_verdict_numbers(verdict).items(), 'facts')}\n"
        f"<p>{escape(_QUESTIONS)} {escape(_trials_text(verdict.n_trials))}</p>\n"
    )


_QUESTIONS = (
    "Two questions are asked, and skill must pass both. The p-value asks about the lead: how "
    "likely is it that luck alone puts the strategy this far ahead of the baseline that is hardest "
    "to beat, at equal risk? The hardest to beat is the one over which the lead is least certain. "
    "It needn't have the highest Sharpe ratio. Where two strategies move together, even a small "
    "lead can be certain; where they don't, even a large one can be luck. The confidence "
    "asks about the strategy alone, and whoever holds a market that rises may pass that too: it "
    "says nothing about a lead."
)


def _verdict_numbers(verdict: Verdict) -> dict[str, str]:
    low, high = verdict.sharpe_interval
    if math.isnan(verdict.sharpe):  # too few bars, or an equity that never varied
        return {"Trials": f"{verdict.n_trials:,}", "Bars judged": f"{verdict.n_bars:,}"}
    return {
        "Sharpe ratio": number_text(verdict.sharpe),
        f"{1.0 - verdict.alpha:.0%} interval": f"{number_text(low)} to {number_text(high)}",
        "Largest p-value against a baseline": number_text(verdict.p_value, P_VALUE),
        f"Confidence that it is {name_bar_of_luck(verdict.n_trials)}": number_text(
            verdict.deflated_sharpe, PERCENT
        ),
        "Trials": f"{verdict.n_trials:,}",
        "Bars judged": f"{verdict.n_bars:,}",
    }


def _trials_text(n_trials: int) -> str:
    if n_trials == 1:
        return (
            "Only one trial is counted: these settings. If you tried others on these or "
            "overlapping dates, count them too: the best of many looks good by luck alone."
        )
    return (
        f"{n_trials:,} trials are counted: all settings whose results were seen, including these. "
        "The confidence, known as the deflated Sharpe ratio, is that the true Sharpe ratio is "
        f"above what the luckiest of {n_trials:,} settings without any skill would show."
    )
