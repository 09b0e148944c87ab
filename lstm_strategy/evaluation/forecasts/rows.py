"""The bars that all models are scored on: out of sample, and known to each of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from lstm_strategy.bars import slice_bars
from lstm_strategy.errors import ForecastError
from lstm_strategy.evaluation.forecasts.models import ModelForecasts
from lstm_strategy.evaluation.forecasts.truth import Truth
from lstm_strategy.support import format_time


@dataclass(frozen=True, eq=False)
class CommonRows:
    """Forecasts and truth at the bars where all are known.

    Attributes:
        forecasts: Annualised volatilities, one column a model.
        variance: The variance that came, annualised.
        notes: What was left out, in sentences.
    """

    forecasts: pd.DataFrame
    variance: pd.Series
    notes: tuple[str, ...]


def find_common_rows(
    models: Sequence[ModelForecasts],
    truth: Truth,
    *,
    start: str | date | None = None,
    end: str | date | None = None,
) -> CommonRows:
    """Cut to the bars after every training that all models forecast and whose truth is known.

    Args:
        models: What each model forecast, on the index of the truth.
        truth: What came.
        start: The first bar; by default the first after the latest training.
        end: The last bar at whose close is forecast, inclusive.

    Raises:
        ForecastError: If `start` lies in a training, or no bar is left.
        TradingError: If `start` or `end` is no date, or no bar lies in between.
    """
    forecasts = pd.DataFrame({model.name: model.volatility for model in models})
    together = forecasts.assign(**{_TRUTH: truth.variance})
    within = slice_bars(together.iloc[: -truth.horizon], start=start, end=end)
    within, notes = _cut_training(within, models, is_start_given=start is not None)
    known = within[within[_TRUTH] > 0].dropna()
    notes += _describe_gaps(within, known, models, truth)
    if known.empty:
        raise ForecastError(
            "there is no bar that all models forecast and whose realised variance is known: "
            f"{' '.join(notes)} Pass forecasts of the same bars."
        )
    return CommonRows(known.drop(columns=_TRUTH), known[_TRUTH], tuple(notes))


_TRUTH = "\0truth"  # no model is called that


def _cut_training(
    rows: pd.DataFrame, models: Sequence[ModelForecasts], *, is_start_given: bool
) -> tuple[pd.DataFrame, list[str]]:
    """The rows after the latest training, and a sentence where there was one."""
    ends = {m.name: m.trained_until for m in models if m.trained_until is not None}
    if not ends:
        return rows, []
    last = max(ends, key=lambda name: ends[name])
    later = rows[rows.index > ends[last]]
    if later.empty:
        raise ForecastError(
            f"forecasts are compared out of sample, but {last} was trained until "
            f"{ends[last]:%Y-%m-%d} and the bars end at {format_time(rows.index[-1])}. "
            "Fit it on fewer bars, or load later ones."
        )
    first = format_time(later.index[0])
    if is_start_given and len(later) < len(rows):
        raise ForecastError(
            f"forecasts are compared out of sample, but start gives {format_time(rows.index[0])} "
            f"and those of {last} begin at {first}, after its training. Choose a later start, "
            "or leave it out."
        )
    note = f"Bars before {first} are left out, since {last} was trained on such."
    return later, [note] if len(later) < len(rows) else []


def _describe_gaps(
    rows: pd.DataFrame, known: pd.DataFrame, models: Sequence[ModelForecasts], truth: Truth
) -> list[str]:
    """Say how many bars are missing, and for want of what."""
    if len(known) == len(rows):
        return []
    missing, n_still = rows.isna().sum(), int((rows[_TRUTH] == 0).sum())
    parts = [f"{missing[m.name]:,} have no forecast by {m.name}" for m in models if missing[m.name]]
    ahead = "the next bar" if truth.horizon == 1 else f"the next {truth.horizon} bars"
    if missing[_TRUTH]:
        parts.append(f"the realised variance of {ahead} isn't known at {missing[_TRUTH]:,}")
    if n_still:
        parts.append(f"nothing moved over {ahead} at {n_still:,}, where QLIKE has no value")
    return [
        f"{len(known):,} of {len(rows):,} bars are compared, on which all is known: "
        f"{'; '.join(parts)}."
    ]
