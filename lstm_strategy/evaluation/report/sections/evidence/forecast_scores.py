"""What a model forecast, how good that was by fold, and whether it means what it says."""

import pandas as pd

from lstm_strategy.bars import Panel
from lstm_strategy.evaluation.plots import plot_course
from lstm_strategy.evaluation.report.content import ReportContent
from lstm_strategy.evaluation.report.page import (
    P_VALUE,
    PERCENT,
    RATIO,
    SMALL_PERCENT,
    WHOLE,
    escape,
    picture_html,
    table_html,
    texts_of,
)
from lstm_strategy.evaluation.robustness import fold_of_bars
from lstm_strategy.evaluation.skill import (
    calibrate,
    score_folds,
    target_name,
)
from lstm_strategy.learning.forecaster import Forecaster, ModelCard, score_words
from lstm_strategy.learning.serving import (
    describe_strange_bars,
    forecast_with_cache,
    strange_shares,
)
from lstm_strategy.support import count_of, number_text

_MOST_COURSES = 4
_WIDE_INCHES, _PHONE_INCHES = 11.0, 5.2
_LABELS = {
    "direction": "Probability of a higher close",
    "return": "Expected return",
    "quantiles": "Median of the return",
    "volatility": "Annual volatility",
    "policy": "Exposure before scaling",
    "triple_barrier": "Profit first less stop first",
}
_COLUMNS = {
    "n_forecasts": ("Forecasts", WHOLE),
    "log_loss": ("Log-loss", P_VALUE),
    "brier": ("Brier score", P_VALUE),
    "qlike": ("QLIKE", P_VALUE),
    "forecast": ("Forecast volatility", PERCENT),
    "realised": ("Realised volatility", PERCENT),
    "correlation": ("Correlation", RATIO),
    "ic": ("IC", P_VALUE),
    "hit_rate": ("Hit rate", PERCENT),
    "always_up": ("Always up", PERCENT),
}
_READ = {
    "probability": (
        "Lower log-loss and Brier scores are better: a forecast that is always one half scores "
        "0.693 and 0.250."
    ),
    "volatility": (
        "Lower QLIKE is better, and 0 is a forecast that is always right. Realised volatility is "
        "measured as the model measures it."
    ),
    "return": "An IC of 0 means no skill.",
}


def course_part(content: ReportContent) -> str:
    """Return a picture of the forecasts in the order of time; of a panel those of four markets."""
    outcomes = content.outcomes
    if outcomes is None or content.model is None:
        return ""
    told = _told_by_market(content, content.model)
    if not told:
        return ""
    target = target_name(content.model)
    label = _LABELS.get(str(target), "Signal" if target is None else "Forecast")
    alt = "; ".join(_describe_course(told[name][outcomes.column], name, label) for name in told)
    caption = (
        f"The forecasts of {content.name}. The band is one standard deviation across its networks."
    )
    if target == "policy":
        caption += (
            " A policy forecasts the exposure before it is scaled to the target volatility: where "
            "that is flat, the exposure held still falls when recent volatility rises."
        )
    if isinstance(content.bars, Panel) and len(told) < len(content.bars):
        which = "this is the one" if len(told) == 1 else f"these are the {len(told)}"
        caption += f" Of all markets {which} that moved the result most."
    wide, phone = (
        plot_course(told, label=label, column=outcomes.column, width_inches=width)
        for width in (_WIDE_INCHES, _PHONE_INCHES)
    )
    return picture_html(wide, alt, caption, on_phone=phone)


def _told_by_market(content: ReportContent, model: Forecaster) -> dict[str, pd.DataFrame]:
    """Forecasts and their uncertainty; one market has the name ""."""
    if isinstance(content.bars, Panel):
        return dict(list(content.views.forecasts.items())[:_MOST_COURSES])
    told = forecast_with_cache(model, content.bars)
    return {"": told.reindex(content.result.equity.index)}


def _describe_course(forecast: pd.Series, market: str, label: str) -> str:
    lowest, highest = (number_text(value, "{:.3g}") for value in (forecast.min(), forecast.max()))
    of = f" of {market}" if market else ""
    return f"{label}{of} at each close, between {lowest} and {highest}"


def folds_part(content: ReportContent) -> str:
    """Return how good the forecasts of each fold were, beside its scores on held-out bars."""
    outcomes = content.outcomes
    if outcomes is None:
        return ""
    folds = None
    if content.ledger is not None:
        folds = fold_of_bars(content.ledger, outcomes.calls.forecasts.index)
    scores = score_folds(outcomes, folds)
    columns = {
        heading: texts_of(scores[name], form)
        for name, (heading, form) in _COLUMNS.items()
        if name in scores
    }
    names = [str(fold) for fold in scores.index[:-1]] + ["All"]
    strange, about_strange = _strange_bars(content, names)
    table = pd.DataFrame(columns | strange | _held_out_columns(content, names), index=names)
    over = f"over {count_of(outcomes.horizon, 'bar')}"
    by_fold = "" if folds is None else ", by fold"
    caption = f"How good the {outcomes.column}s of {content.name} were {over}{by_fold}"
    is_known = "ic" not in scores or bool(scores["ic"].notna().any())
    read = _READ[outcomes.kind] if is_known else ""
    held_out = (
        "Held-out scores come from bars that were set aside in training to decide when to stop. "
        "Each half of these bars is scored with the network of the epoch that was best on the "
        "other half, so the scores can be worse than those of the best epoch. The others come "
        "from the bars of the backtest."
    )
    return table_html(table, caption, first="Bars" if folds is None else "Fold") + (
        f"<p>{escape(' '.join(filter(None, (read, held_out, about_strange))))}</p>"
    )


def _strange_bars(content: ReportContent, names: list[str]) -> tuple[dict[str, list[str]], str]:
    """A column with the share of strange bars and what it means; nothing where none is known."""
    novelty = content.novelty
    if novelty is None or novelty.isna().to_numpy().all():
        return {}, ""
    folds = None if content.ledger is None else fold_of_bars(content.ledger, novelty.index)
    shares = strange_shares(novelty, folds)
    by_name = {str(fold): share for fold, share in shares.items()} | {"All": shares["all"]}
    column = [number_text(by_name[name], PERCENT) if name in by_name else "" for name in names]
    meaning = (
        "Strange bars are those with a novelty above 1, which hardly any bar like those of the "
        "training has."
    )
    sentence = describe_strange_bars(shares["all"])
    return {"Strange bars": column}, f"{meaning} {sentence}".rstrip()


def _held_out_columns(content: ReportContent, names: list[str]) -> dict[str, list[str]]:
    """The scores of each fold in its training; nothing for "All" of several."""
    cards = [] if content.model is None else content.model.cards
    if not cards:
        return {}
    by_fold = {"All": cards[0]} if content.ledger is None else _cards_by_fold(content)
    known = [name for name in cards[0].validation_scores if name != "n_rows"]
    return {
        f"Held-out {score_words(score)}": [
            number_text(by_fold[name].validation_scores[score], P_VALUE) if name in by_fold else ""
            for name in names
        ]
        for score in known
    }


def _cards_by_fold(content: ReportContent) -> dict[str, ModelCard]:
    """The card of each fold by its number, where each fold has one."""
    if content.ledger is None or content.model is None:
        return {}
    numbers = sorted(content.ledger["fold"].unique())
    cards = content.model.cards
    if len(numbers) != len(cards):
        return {}
    return {str(number): card for number, card in zip(numbers, cards, strict=True)}


def calibration_part(content: ReportContent) -> str:
    """Return what came by the size of the forecast, as a table and a picture."""
    found = None if content.outcomes is None else calibrate(content.outcomes)
    if found is None or content.outcomes is None:
        return ""
    table, is_return = found.table, found.kind == "return"
    outcome_form = SMALL_PERCENT if is_return else PERCENT
    came = {
        "probability": "Share of higher closes",
        "volatility": "Realised volatility",
        "return": "Mean return",
    }[found.kind]
    outcomes = texts_of(table["outcome"], outcome_form)
    if table["outcome_error"].notna().any():
        errors = texts_of(table["outcome_error"], outcome_form)
        outcomes = [f"{one} ± {error}" for one, error in zip(outcomes, errors, strict=True)]
    readable = pd.DataFrame(
        {
            "Mean forecast": texts_of(table["forecast"], "{:.4f}" if is_return else PERCENT),
            came: outcomes,
            "Forecasts": texts_of(table["n_forecasts"], WHOLE),
        },
        index=table.index,
    )
    caption = "Are the forecasts calibrated? From the lowest to the highest"
    errors_shown = "" if found.kind == "volatility" else ", with two standard errors"
    picture = picture_html(
        found.plot(),
        f"{came} by mean forecast: " + ", ".join(outcomes),
        f"Outcomes against forecasts{errors_shown}.",
    )
    return table_html(readable, caption, first="Group") + picture
