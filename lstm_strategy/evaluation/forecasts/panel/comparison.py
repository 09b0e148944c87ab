"""Forecasts of a panel's returns by several models: a table, a sentence, a figure and a page."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from scipy import stats

from lstm_strategy.bars import span_dates
from lstm_strategy.errors import ForecastError
from lstm_strategy.evaluation.forecasts.wording import p_text
from lstm_strategy.evaluation.plots import plot_by_horizon
from lstm_strategy.evaluation.report import (
    escape,
    page_html,
    picture_html,
    table_html,
    terms_html,
)
from lstm_strategy.evaluation.statistics import clustered_mean
from lstm_strategy.support import (
    card_html,
    explain_arguments,
    frame_html,
    number_text,
    rate_text,
    write_whole,
)

_SIGNIFICANT = 0.05
_HOW_TO_READ = (
    "Information coefficient: the correlation of forecasts and returns across the markets of a "
    "day, averaged over the days; rank IC that of their ranks, and ICIR its mean over its standard "
    "deviation (Grinold and Kahn 2000).",
    "Hit rate: how often the sign was right. Always up: the hit rate of forecasting a rise each "
    "time.",
    "Spread: the mean return per bar of the markets with the highest forecasts minus that of the "
    "lowest, filled at the close of the forecast's bar; after costs, minus the cost of its trades.",
    "The standard errors after ± treat all markets on a day as one observation (Petersen 2009), "
    "and allow for overlapping horizons (Newey and West 1987).",
)


@dataclass(frozen=True, eq=False, repr=False)
class SkillComparison:
    """Forecasts of the returns of many markets, held against what came, out of sample.

    Attributes:
        table: One row a model, in the order given: ic, rank_ic, hit_rate, always_up, spread and
            spread_after_costs (returns a bar), each with `_error` (clustered by day); icir and
            rank_icir (of the days, not annualised).
        decay: The rank IC by horizon, one column a model.
        decay_errors: Its standard errors.
        rank_ics: The rank IC of each day, one column a model.
        judged: The model that the verdict is about.
        reference: The model that it is held against.
        is_reference_given: Whether `against` named it; else it is the best of the others.
        horizon: Bars ahead.
        cost_rate: What a trade costs one way, a fraction of its value.
        n_quantiles: Of the spread.
        n_markets: Markets with forecasts.
        n_forecasts: Forecasts of each model.
        notes: What was left out and what is doubtful, in sentences.
        provenance: Where bars and forecasts came from, by what is meant.
    """

    table: pd.DataFrame
    decay: pd.DataFrame
    decay_errors: pd.DataFrame
    rank_ics: pd.DataFrame
    judged: str
    reference: str
    is_reference_given: bool
    horizon: int
    cost_rate: float
    n_quantiles: int
    n_markets: int
    n_forecasts: int
    notes: tuple[str, ...] = ()
    provenance: Mapping[str, str] = field(default_factory=dict)

    @property
    def best(self) -> str:
        """The model of the highest rank IC."""
        return str(self.table["rank_ic"].idxmax())

    @property
    def verdict(self) -> str:
        """Whether the judged model ranks markets better than its rival, in one sentence."""
        lead = clustered_mean(
            self.rank_ics[self.judged] - self.rank_ics[self.reference], horizon=self.horizon
        )
        n_others = len(self.table) - 1
        is_chosen = not self.is_reference_given and n_others > 1
        chosen = f", the best of the {n_others} others" if is_chosen else ""
        if lead.mean == 0 or not lead.error > 0:
            return f"{self.judged} ranks the markets the same as {self.reference}{chosen}."
        p_value, choice = 2.0 * float(stats.t.sf(abs(lead.t), max(lead.n_days - 1, 1))), ""
        if is_chosen and lead.mean < 0:  # the best of many is ahead by luck more often than one is
            p_value = min(1.0, n_others * p_value)
            choice = f", the choice among {n_others} allowed for"
        own = float(self.table["rank_ic"][self.judged])
        side = "above" if lead.mean > 0 else "below"
        size = f"{abs(lead.mean):.3f} {side} {self.reference}'s"
        luck = f"luck explains such a difference with {p_text(p_value)}{choice}"
        if p_value <= _SIGNIFICANT:
            return f"{self.judged}'s rank IC of {own:.3f} is {size}{chosen}; {luck}."
        return (
            f"No evidence that {self.judged} ranks markets better than {self.reference}{chosen}: "
            f"its rank IC of {own:.3f} is {size}, and {luck}."
        )

    def describe_terms(self) -> str:
        """Say in a sentence what is compared, on which markets and days."""
        first, last = span_dates(self.rank_ics.index)
        ahead = "the next bar" if self.horizon == 1 else f"the next {self.horizon} bars"
        return (
            f"{len(self.table)} forecasts of the returns of {ahead} of {self.n_markets} markets, "
            f"{self.n_forecasts:,} from each model, {first} to {last}; spreads between "
            f"{self.n_quantiles} quantiles at costs of {rate_text(self.cost_rate)} a trade."
        )

    @explain_arguments(ForecastError)
    def plot(self, *, width_inches: float = 5.6) -> Figure:
        """Draw the rank IC of each model by horizon, with two standard errors.

        Args:
            width_inches: The width of the figure.
        """
        return plot_by_horizon(
            self.decay,
            self.decay_errors,
            title="How the rank IC decays",
            label="Rank IC",
            level=0.0,
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
        means = ", ".join(f"{name} {value:.3f}" for name, value in self.table["rank_ic"].items())
        notes = self.notes or ("No forecast was left out.",)
        scores = table_html(
            self._readable(), "Every model on the same forecasts", first="Model", strong=self.judged
        )
        sections = {
            "verdict": ("Verdict", f'<p class="sentence">{escape(self.verdict)}</p>'),
            "scores": ("Scores", scores + _list(_HOW_TO_READ)),
            "decay": (
                "Decay",
                picture_html(
                    self.plot(width_inches=11.0),
                    f"Rank IC by horizon. {means}",
                    "How much of the rank IC remains at longer horizons. Whiskers are two "
                    "standard errors.",
                    on_phone=self.plot(width_inches=5.2),
                ),
            ),
            "left-out": ("What was left out", _list(notes)),
            "provenance": (
                "Where this came from",
                terms_html(self.provenance.items(), "provenance"),
            ),
        }
        title = f"{self.judged}: forecasts of returns"
        page = page_html(title, terms=self.describe_terms(), sections=sections)
        return write_whole(path, page.encode())

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict, the terms and the table as JSON can hold them; NaN is None."""
        first, last = span_dates(self.rank_ics.index)
        return {
            "verdict": self.verdict,
            "judged": self.judged,
            "reference": self.reference,
            "horizon": self.horizon,
            "cost_rate": self.cost_rate,
            "n_quantiles": self.n_quantiles,
            "n_markets": self.n_markets,
            "n_forecasts": self.n_forecasts,
            "first_bar": first,
            "last_bar": last,
            "notes": list(self.notes),
            "provenance": dict(self.provenance),
            "table": {
                str(model): {
                    str(key): float(value) if math.isfinite(value) else None
                    for key, value in row.items()
                }
                for model, row in self.table.to_dict("index").items()
            },
        }

    def __repr__(self) -> str:
        table = self._readable().to_string()
        return "\n".join([self.describe_terms(), table, self.verdict, *self.notes])

    def _repr_html_(self) -> str:
        about = f"{self.describe_terms()} {self.verdict}"
        table = frame_html(self._readable(), strong=self.judged)
        return card_html("Comparison of forecasts", about=about, parts=[table], notes=self.notes)

    def _readable(self) -> pd.DataFrame:
        """The table as text for a reader."""
        columns = {
            "IC": ("ic", "{:.3f}"),
            "Rank IC": ("rank_ic", "{:.3f}"),
            "Hit rate": ("hit_rate", "{:.1%}"),
            "Always up": ("always_up", "{:.1%}"),
            "Spread": ("spread", "{:.3%}"),
            "Spread after costs": ("spread_after_costs", "{:.3%}"),
        }
        readable = {
            title: [
                _with_error(value, error, form)
                for value, error in zip(self.table[name], self.table[f"{name}_error"], strict=True)
            ]
            for title, (name, form) in columns.items()
        }
        readable["Rank ICIR"] = [number_text(value) for value in self.table["rank_icir"]]
        return pd.DataFrame(readable, index=self.table.index)


def _with_error(value: float, error: float, form: str) -> str:
    if math.isnan(value):
        return "n/a"
    shown = number_text(value, form)
    return shown if math.isnan(error) else f"{shown} ± {number_text(error, form)}"


def _list(lines: tuple[str, ...]) -> str:
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"
