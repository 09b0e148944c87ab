"""What a model forecast and what it is worth, whatever is traded on it."""

import pandas as pd

from lstm_strategy.bars import Panel
from lstm_strategy.evaluation.report.content import ReportContent
from lstm_strategy.evaluation.report.page import (
    CHANGE,
    P_VALUE,
    PERCENT,
    escape,
    picture_html,
    table_html,
)
from lstm_strategy.evaluation.report.sections.evidence.forecast_scores import (
    calibration_part,
    course_part,
    folds_part,
)
from lstm_strategy.evaluation.skill import ModelSkill
from lstm_strategy.support import count_of, number_text


def forecasts_section(content: ReportContent) -> str:
    """Return what was forecast, hit rates and correlations, scores by fold and calibration."""
    return (
        course_part(content)
        + _skill_part(content)
        + folds_part(content)
        + calibration_part(content)
    )


def _skill_part(content: ReportContent) -> str:
    """Hit rates and information coefficients by horizon, as a table and as pictures."""
    skill = content.skill
    if skill is None:
        return ""
    hits = skill.hits.table
    columns = {
        "Hit rate": _with_errors(hits, "hit_rate", PERCENT),
        "Always up": _with_errors(hits, "always_up", PERCENT),
        "Lead": _with_errors(hits, "lead", CHANGE),
    }
    pictures = [
        picture_html(
            skill.hits.plot(),
            "Hit rate by horizon: " + ", ".join(columns["Hit rate"]),
            "Hit rate by horizon, with two standard errors.",
        )
    ]
    if skill.information is not None:
        information = skill.information.table
        columns["IC"] = _with_errors(information, "ic", P_VALUE)
        columns["Rank IC"] = _with_errors(information, "rank_ic", P_VALUE)
        pictures.append(
            picture_html(
                skill.information.plot(),
                "Information coefficient by horizon: " + ", ".join(columns["IC"]),
                "Information coefficient by horizon, with two standard errors.",
            )
        )
    columns["Forecasts"] = [f"{number:,}" for number in hits["n_forecasts"]]
    table = pd.DataFrame(columns, index=[count_of(horizon, "bar") for horizon in hits.index])
    caption = f"The {skill.column} of {content.name} beside the returns that followed"
    return (
        table_html(table, caption, first="Horizon")
        + f"<p>{escape(_how_to_read(skill, is_panel=isinstance(content.bars, Panel)))}</p>"
        + f'<div class="grid">{"".join(pictures)}</div>'
    )


def _how_to_read(skill: ModelSkill, *, is_panel: bool) -> str:
    sentences = [
        "The hit rate is how often the sign was right.",
        "Always up is the hit rate of forecasting a rise on each of the same bars; the lead is the "
        "difference.",
    ]
    if skill.information is not None:
        where = "along the bars"
        if skill.information.is_panel:
            where = "across the markets of each bar, averaged over the bars"
        sentences += [
            f"The IC is the correlation of forecasts and returns {where}; the rank IC is that of "
            "their ranks.",
        ]
    errors = "The number after each \N{PLUS-MINUS SIGN} is a standard error, which "
    if is_panel:
        errors += "treats all markets at a bar as one observation and "
    sentences += [
        f"{errors}allows for overlapping horizons.",
        "Returns start at the close of the forecast's bar and are before costs.",
        *skill.hits.notes,
    ]
    return " ".join(sentences)


def _with_errors(table: pd.DataFrame, name: str, form: str) -> list[str]:
    without_sign = form.replace("+", "")
    return [
        f"{number_text(value, form)} ± {number_text(error, without_sign)}"
        for value, error in zip(table[name], table[f"{name}_error"], strict=True)
    ]
