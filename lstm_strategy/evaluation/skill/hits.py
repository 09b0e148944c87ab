"""How often do forecasts have the right sign, next to one who always says up?"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lstm_strategy.errors import ForecastError
from lstm_strategy.evaluation.plots import plot_by_horizon
from lstm_strategy.evaluation.skill.alignment import (
    Calls,
    MarketForecasts,
    align_calls,
    check_horizons,
)
from lstm_strategy.evaluation.statistics import clustered_mean
from lstm_strategy.support import count_of


@dataclass(frozen=True, eq=False)
class HitRates:
    """Shares of calls that were right, by horizon, beside those of always up.

    Attributes:
        table: One row a horizon (in bars): hit_rate, always_up and lead (the difference), each
            with `_error`, a standard error that is clustered by day; lead_t; n_days and
            n_forecasts.
        neutral: Forecasts above it say up, those below it down.
        notes: What was left out and what is doubtful, in sentences.
    """

    table: pd.DataFrame
    neutral: float
    notes: tuple[str, ...] = ()

    def plot(self) -> Figure:
        """Draw the shares by horizon, with two standard errors."""
        lines = {"Forecasts": "hit_rate", "Always up": "always_up"}
        return plot_by_horizon(
            self.table[list(lines.values())].set_axis(list(lines), axis=1),
            self.table[[f"{name}_error" for name in lines.values()]].set_axis(list(lines), axis=1),
            title="How often the sign was right",
            label="Share that was right",
            level=0.5,
        )


def hit_rates(
    forecasts: MarketForecasts | Mapping[str, MarketForecasts],
    bars: pd.DataFrame | Mapping[str, pd.DataFrame],
    *,
    horizons: int | Iterable[int] = (1, 5, 21),
    neutral: float = 0.0,
    column: str = "forecast",
) -> HitRates:
    """Count how often forecasts had the right sign, and how often always up would have.

    Args:
        forecasts: By symbol, or of one market: a Series, or a frame with the column, on the dates
            at whose close they are known. A frame with a column a symbol will do, too. NaN is
            no forecast, and `neutral` is no call: both are left out.
        bars: By symbol, or of one market. A move runs from the close of the forecast's bar over
            so many of the market's own bars; where the close is the same, nobody is right, and it
            is left out.
        horizons: Bars ahead, one or several.
        neutral: 0 for expected returns and exposures, 0.5 for probabilities.
        column: The column of frames.

    Returns:
        The shares on the same calls. The errors take all calls of a day as one observation.

    Raises:
        ForecastError: If forecasts and bars don't go together, or leave no call.

    Source:
        Errors of Petersen (2009), "Estimating standard errors in finance panel data sets", by day.

    Example:
        >>> days = pd.date_range("2024-01-01", periods=4)
        >>> bars = pd.DataFrame({"close": [1.0, 2.0, 1.0, 2.0]}, days)
        >>> rates = hit_rates(pd.Series([0.6, 0.4, 0.3, 0.9], days), bars, horizons=1, neutral=0.5)
        >>> rates.table[["hit_rate", "always_up"]].round(3).loc[1].tolist()
        [0.667, 0.667]
    """
    if not np.isfinite(neutral):
        raise ForecastError(f"neutral must be a finite number, got {neutral!r}.")
    calls = align_calls(forecasts, bars, column=column)
    rates = count_hits(calls, check_horizons(horizons), neutral=neutral)
    return replace(rates, notes=(*rates.notes, *_note_probabilities(calls.forecasts, neutral)))


def count_hits(calls: Calls, horizons: Iterable[int], *, neutral: float) -> HitRates:
    """The hit rates of calls that are aligned; see `hit_rates`."""
    rows = {}
    notes = _note_one_side(calls.forecasts, neutral)
    for horizon in horizons:
        told, came = calls.known_over(horizon)
        call, move = np.sign(told.to_numpy() - neutral), np.sign(came.to_numpy())
        is_counted = ~np.isnan(call * move) & (call * move != 0)
        n_left_out = int(told.notna().to_numpy().sum() - is_counted.sum())
        if not is_counted.any():
            raise ForecastError(
                f"no forecast that isn't {neutral:g} has a move over {count_of(horizon, 'bar')} "
                "beside it. Pass forecasts of bars that others follow."
            )
        if n_left_out:
            notes.append(
                f"Over {count_of(horizon, 'bar')}, {count_of(n_left_out, 'forecast')} "
                + ("isn't counted: it was" if n_left_out == 1 else "aren't counted: they were")
                + f" {neutral:g}, or the close didn't change."
            )
        hit = np.where(is_counted, call == move, np.nan)
        up = np.where(is_counted, move > 0, np.nan)
        of_calls, of_up, lead = (
            clustered_mean(each, horizon=horizon) for each in (hit, up, hit - up)
        )
        rows[horizon] = {
            "hit_rate": of_calls.mean,
            "hit_rate_error": of_calls.error,
            "always_up": of_up.mean,
            "always_up_error": of_up.error,
            "lead": lead.mean,
            "lead_error": lead.error,
            "lead_t": lead.t,
            "n_days": of_calls.n_days,
            "n_forecasts": of_calls.n_values,
        }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("horizon")
    return HitRates(table.astype({"n_days": int, "n_forecasts": int}), neutral, tuple(notes))


def _note_one_side(forecasts: pd.DataFrame, neutral: float) -> list[str]:
    """A sentence where all forecasts say the same, which may be a unit that was mistaken."""
    known = forecasts.to_numpy()[forecasts.notna().to_numpy()]
    if not len(known) or (known.min() < neutral < known.max()):
        return []
    missing, call = ("below", "fall") if known.min() >= neutral else ("above", "rise")
    return [f"No forecast calls a {call}: none lies {missing} {neutral:g}."]


def _note_probabilities(forecasts: pd.DataFrame, neutral: float) -> list[str]:
    """What to do where forecasts of an unknown kind may be probabilities that were mistaken."""
    known = forecasts.to_numpy()[forecasts.notna().to_numpy()]
    if neutral != 0 or not len(known) or known.min() < 0 or known.max() > 1:
        return []
    return ["If the forecasts are probabilities of a rise, pass neutral=0.5."]
