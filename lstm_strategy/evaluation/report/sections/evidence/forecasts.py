"""What the forecasts of a model are worth, whatever is traded on them."""

import pandas as pd

from lstm_strategy.evaluation.report.content import ReportContent
from lstm_strategy.evaluation.report.page import escape, picture_html, table_html
from lstm_strategy.support import count_of, number_text


def forecasts_section(content: ReportContent) -> str:
    """Return hit rates and information coefficients by horizon, as a table and as pictures."""
    skill = content.skill
    if skill is None:
        return ""
    hits = skill.hits.table
    columns = {
        "Hit rate": _with_errors(hits, "hit_rate", "{:.1%}"),
        "Always up": _with_errors(hits, "always_up", "{:.1%}"),
        "Lead": _with_errors(hits, "lead", "{:+.1%}"),
    }
    pictures = [
        picture_html(
            skill.hits.plot(),
            "Hit rate by horizon: " + ", ".join(columns["Hit rate"]),
            "How often the sign was right, with two standard errors.",
        )
    ]
    if skill.information is not None:
        information = skill.information.table
        columns["IC"] = _with_errors(information, "ic", "{:+.3f}")
        columns["Rank IC"] = _with_errors(information, "rank_ic", "{:+.3f}")
        pictures.append(
            picture_html(
                skill.information.plot(),
                "Information coefficient by horizon: " + ", ".join(columns["IC"]),
                "How closely forecasts went with returns, with two standard errors.",
            )
        )
    columns["Forecasts"] = [f"{number:,}" for number in hits["n_forecasts"]]
    table = pd.DataFrame(columns, index=[count_of(horizon, "bar") for horizon in hits.index])
    caption = f"The {skill.column} of {content.name} beside the returns that followed"
    return (
        table_html(table, caption, first="Horizon")
        + f"<p>{escape(_how_to_read(content))}</p>"
        + f'<div class="grid">{"".join(pictures)}</div>'
    )


def _how_to_read(content: ReportContent) -> str:
    is_panel = content.skill is not None and (
        content.skill.information is not None and content.skill.information.is_panel
    )
    along = "across the markets of a bar, averaged over the bars" if is_panel else "along the bars"
    return (
        "Hit rate: how often the sign was right, beside always up on the same calls; the lead is "
        f"the difference. IC: the correlation of forecasts and returns {along}, and that of their "
        "ranks. After ± stand standard errors that take all markets of a bar as one observation, "
        "and neighbouring bars as alike where horizons overlap. Returns run from the close of the "
        "forecast, before any costs."
    )


def _with_errors(table: pd.DataFrame, name: str, form: str) -> list[str]:
    without_sign = form.replace("+", "")
    return [
        f"{number_text(value, form)} ± {number_text(error, without_sign)}"
        for value, error in zip(table[name], table[f"{name}_error"], strict=True)
    ]
