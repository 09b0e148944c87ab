"""A comparison of forecasts as its user gets it: a table, a sentence, a figure and a page."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from lstm_strategy.bars import describe_span, span_dates
from lstm_strategy.errors import ForecastError
from lstm_strategy.evaluation.forecasts.page import forecasts_html
from lstm_strategy.evaluation.forecasts.wording import (
    describe_lead,
    loss_label,
    readable_scores,
)
from lstm_strategy.evaluation.plots import plot_forecasts
from lstm_strategy.support import card_html, explain_arguments, frame_html, write_whole


@dataclass(frozen=True, eq=False, repr=False)
class ForecastComparison:
    """Forecasts of volatility that were scored on the same bars, out of sample.

    Plain frames and values: it can be pickled, and `to_dict` is JSON.

    Attributes:
        table: One row a model, in the order given: qlike and mse (means; variances are annualised,
            fractions squared); mz_intercept, mz_slope, mz_r2 and mz_p (what came as a line through
            the forecasts, and the p-value of intercept 0 and slope 1); dm_t and dm_p
            (Diebold-Mariano against the reference, negative where the model is better; NaN for the
            reference); mcs_p and in_confidence_set (whether it may be the best of all).
        forecasts: Annualised volatility as a fraction, one column a model, on the bars at whose
            close it is known.
        realized: The annualised volatility that came over the next `horizon` bars, on the same
            bars.
        losses: The loss of each model at each bar, by `loss`.
        judged: The model that the verdict is about.
        reference: The model that the others are tested against.
        loss: The name of the loss that decides.
        horizon: Bars ahead.
        bandwidth_bars: Bars between which losses may resemble each other, in all tests.
        confidence: Of the confidence set.
        truth: Where the realised variance came from.
        is_reference_given: Whether `against` named the reference; else it is the best of those
            beside the judged one.
        notes: What was left out and what is doubtful, in sentences.
        provenance: Where bars, truth and forecasts came from, by what is meant.

    Example:
        >>> import numpy as np
        >>> from lstm_strategy import compare_forecasts, sample_bars
        >>> bars = sample_bars("sp500")
        >>> squared = np.log(bars["close"]).diff() ** 2
        >>> month, year = (np.sqrt(252 * squared.rolling(n).mean()) for n in (22, 250))
        >>> comparison = compare_forecasts({"month": month, "year": year}, bars)
        >>> print(comparison.verdict)
        month's QLIKE is 22.4% below year's; luck explains such a difference with p < 0.001.
        >>> comparison.plot().axes[1].get_ylabel()
        'QLIKE saved on year'
    """

    table: pd.DataFrame
    forecasts: pd.DataFrame
    realized: pd.Series
    losses: pd.DataFrame
    judged: str
    reference: str
    loss: str
    horizon: int
    bandwidth_bars: int
    confidence: float
    truth: str
    is_reference_given: bool
    notes: tuple[str, ...] = ()
    provenance: Mapping[str, str] = field(default_factory=dict)

    @property
    def best(self) -> str:
        """The model of the lowest mean loss."""
        return str(self.table[self.loss].idxmin())

    @property
    def verdict(self) -> str:
        """Whether the judged model forecasts better than its rival, in one sentence."""
        return describe_lead(
            self.losses,
            self.judged,
            self.reference,
            label=loss_label(self.loss),
            horizon=self.horizon,
            is_best=not self.is_reference_given,
        )

    def describe_set(self) -> str:
        """Say in a sentence which models may be the best."""
        kept = [str(name) for name in self.table.index[self.table["in_confidence_set"]]]
        names = kept[0] if len(kept) == 1 else f"{', '.join(kept[:-1])} and {kept[-1]}"
        one_of = "" if len(kept) == 1 else "one of "
        return f"With {self.confidence:.0%} confidence, {one_of}{names} is the best."

    def describe_terms(self) -> str:
        """Say in a sentence what is compared, on which bars and against what."""
        ahead = "the next bar" if self.horizon == 1 else f"the next {self.horizon} bars"
        return (
            f"{len(self.table)} forecasts of the volatility of {ahead}, "
            f"{describe_span(self.losses)}; truth: {self.truth}."
        )

    @explain_arguments(ForecastError)
    def plot(self, *, width_inches: float = 11.0) -> Figure:
        """Draw what was forecast and what came, and who gains on the reference when.

        Args:
            width_inches: The width of the figure.
        """
        return plot_forecasts(
            self.forecasts,
            self.realized,
            self.losses,
            reference=self.reference,
            highlight=self.judged,
            loss_label=loss_label(self.loss),
            title=self.describe_terms(),
            width_inches=width_inches,
        )

    @explain_arguments(ForecastError)
    def to_html(self, path: str | Path) -> Path:
        """Write one page that needs no other file, whole or not at all.

        Args:
            path: The page.

        Returns:
            The path.
        """
        page = forecasts_html(
            self.table,
            title=f"{self.judged}: forecasts of volatility",
            terms=self.describe_terms(),
            sentences=(self.verdict, self.describe_set()),
            notes=self.notes,
            provenance=self.provenance,
            figures=(self.plot(), self.plot(width_inches=5.2)),
            loss=self.loss,
            judged=self.judged,
            reference=self.reference,
            bandwidth_bars=self.bandwidth_bars,
            confidence=self.confidence,
        )
        return write_whole(path, page.encode())

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict, the terms and the table as JSON can hold them; NaN is None."""
        first, last = span_dates(self.losses.index)
        return {
            "verdict": self.verdict,
            "confidence_set": self.describe_set(),
            "judged": self.judged,
            "reference": self.reference,
            "loss": self.loss,
            "horizon": self.horizon,
            "bandwidth_bars": self.bandwidth_bars,
            "confidence": self.confidence,
            "truth": self.truth,
            "n_bars": len(self.losses),
            "first_bar": first,
            "last_bar": last,
            "notes": list(self.notes),
            "provenance": dict(self.provenance),
            "table": {
                str(model): {str(key): _plain(value) for key, value in row.items()}
                for model, row in self.table.to_dict("index").items()
            },
        }

    def __repr__(self) -> str:
        table = readable_scores(self.table, self.reference).to_string()
        lines = [self.describe_terms(), table, self.verdict, self.describe_set(), *self.notes]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        table = frame_html(readable_scores(self.table, self.reference), strong=self.judged)
        notes = (self.describe_set(), *self.notes)
        about = f"{self.describe_terms()} {self.verdict}"
        return card_html("Comparison of forecasts", about=about, parts=[table], notes=notes)


def _plain(value: Any) -> bool | float | None:
    """A cell of the table as JSON can hold it."""
    if isinstance(value, bool):
        return value
    number = float(value)
    return number if math.isfinite(number) else None
