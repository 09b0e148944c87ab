"""A comparison of forecasts as one HTML page that needs no other file."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure

from lstm_strategy.evaluation.forecasts.wording import loss_label, readable_scores
from lstm_strategy.evaluation.report import (
    escape,
    page_html,
    picture_html,
    table_html,
    terms_html,
)


def forecasts_html(
    table: pd.DataFrame,
    *,
    title: str,
    terms: str,
    sentences: tuple[str, str],
    notes: Sequence[str],
    provenance: Mapping[str, str],
    figures: tuple[Figure, Figure],
    loss: str,
    judged: str,
    reference: str,
    bandwidth_bars: int,
    confidence: float,
) -> str:
    """Return the whole page: verdict, scores, picture, and how to read them.

    Args:
        table: See `ForecastComparison.table`.
        title: The heading of the page.
        terms: One line below it.
        sentences: The verdict, and which models may be the best.
        notes: What was left out and what is doubtful.
        provenance: Where bars, truth and forecasts came from.
        figures: The picture for wide screens, and for narrow ones.
        loss: The loss that decides.
        judged: The model that stands out.
        reference: The model that the others are tested against.
        bandwidth_bars: Of the tests.
        confidence: Of the confidence set.
    """
    label = loss_label(loss)
    verdict = f'<p class="sentence">{escape(sentences[0])}</p><p>{escape(sentences[1])}</p>'
    caption = "Every model on the same bars, out of sample"
    scores = table_html(readable_scores(table, reference), caption, first="Model", strong=judged)
    means = ", ".join(f"{name} {value:.4g}" for name, value in table[loss].items())
    picture = picture_html(
        figures[0],
        f"Forecast and realised volatility, and the lead in {label}. Mean {label}: {means}",
        f"Above: forecast and realised volatility. Below: the {label} that each model has saved "
        f"against {reference} so far. A rising line is better than {reference}.",
        on_phone=figures[1],
    )
    sections = {
        "verdict": ("Verdict", verdict),
        "scores": ("Scores", scores + _explain(label, reference, bandwidth_bars, confidence)),
        "forecasts": ("Forecasts", picture),
        "left-out": ("What was left out", _list_notes(notes)),
        "provenance": ("Where this came from", terms_html(provenance.items(), "provenance")),
    }
    return page_html(title, terms=terms, sections=sections)


def _explain(label: str, reference: str, bandwidth_bars: int, confidence: float) -> str:
    """How to read the columns of the table."""
    lines = [
        "QLIKE is realised / forecast - log(realised / forecast) - 1, of variances; MSE their mean "
        "squared error, of annualised variances. Lower is better. Patton (2011) shows that noise "
        "in the realised variance misleads neither.",
        "Intercept, slope and R²: the regression of realised on forecast variance (Mincer and "
        "Zarnowitz 1969). A forecast that is right on average has intercept 0 and slope 1; a small "
        "p of (0, 1) means that it isn't.",
        f"t and p: Diebold and Mariano's test of equal {label} against {reference}, negative where "
        f"the model is better, with errors of Newey and West over {bandwidth_bars} bars and the "
        "correction of Harvey, Leybourne and Newbold.",
        f"May be the best: the model confidence set of Hansen, Lunde and Nason (2011) at "
        f"{confidence:.0%}. Many models in it mean that these bars can't tell them apart.",
    ]
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"


def _list_notes(notes: Sequence[str]) -> str:
    if not notes:
        return "<p>No bar was left out.</p>"
    return f"<ul>{''.join(f'<li>{escape(note)}</li>' for note in notes)}</ul>"
