"""How many of the bars that were traded are strange to the model that forecast them."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from lstm_strategy.bars import is_panel
from lstm_strategy.learning.forecaster import Forecaster
from lstm_strategy.learning.serving.forecast_cache import forecast_with_cache
from lstm_strategy.support import naive_utc, naive_utc_index

_WORTH_SAYING = 0.05  # of new bars like those of the training, a per cent or two are strange


def novelty_of_bars(
    model: Forecaster,
    bars: pd.DataFrame | Mapping[str, pd.DataFrame],
    *,
    start: pd.Timestamp,
    end: pd.Timestamp,
) -> pd.DataFrame:
    """Return how strange each bar of a span is to a model.

    Args:
        model: Any forecaster.
        bars: Valid bars of one market, or by symbol.
        start: The first bar.
        end: The last one.

    Returns:
        The novelty, one column a market, on dates in naive UTC: above 1 the bar is strange; NaN
        where a market has no bar, and where it isn't known.

    Example:
        >>> from lstm_strategy.learning.serving import precomputed_frame
        >>> days = pd.date_range("2024-01-01", periods=3)
        >>> bars = pd.DataFrame({"close": [1.0, 2.0, 9.0]}, days)
        >>> told = pd.DataFrame({"signal": 1.0, "forecast": 0.5, "uncertainty": 0.0}, days)
        >>> model = precomputed_frame(told.assign(novelty=[0.5, 0.7, 1.5]), bars)
        >>> novelty_of_bars(model, bars, start=days[1], end=days[2])[""].tolist()
        [0.7, 1.5]
    """
    told: Any = forecast_with_cache(model, bars)
    frames = dict(told) if is_panel(bars) else {"": told}
    columns = {
        name: frame["novelty"].set_axis(naive_utc_index(frame.index))
        for name, frame in frames.items()
    }
    return pd.DataFrame(columns).sort_index().loc[naive_utc(start) : naive_utc(end)]


def strange_shares(novelty: pd.DataFrame, folds: pd.Series | None = None) -> pd.Series:
    """Return which fraction of the bars of each fold is strange, and which of all.

    Args:
        novelty: What `novelty_of_bars` gives.
        folds: The number of the fold that each row belongs to, NaN for none; None for no folds.

    Returns:
        Of the bars whose novelty is known, the fraction with one above 1: by the number of the
        fold, then "all". NaN where it is known of none.

    Example:
        >>> days = pd.date_range("2024-01-01", periods=4)
        >>> novelty = pd.DataFrame({"A": [0.5, 1.5, 0.5, 0.5], "B": [float("nan"), 1.5, 0.5, 0.5]})
        >>> strange_shares(novelty.set_axis(days), pd.Series([1, 1, 2, 2], days)).round(2).to_dict()
        {1: 0.67, 2: 0.0, 'all': 0.29}
    """
    values = novelty.to_numpy(float)
    shares: dict[int | str, float] = {}
    if folds is not None:
        numbers = folds.to_numpy(float)
        for number in np.unique(numbers[~np.isnan(numbers)]):
            shares[int(number)] = _strange_share(values[numbers == number])
    shares["all"] = _strange_share(values)
    return pd.Series(shares, dtype=float)


def describe_strange_bars(share: float) -> str:
    """Return a sentence about bars that are strange to a model; "" where they are few.

    Args:
        share: The fraction of the bars that is strange; NaN where it isn't known.

    Returns:
        The sentence for a fraction above 5%.

    Example:
        >>> describe_strange_bars(0.12)
        '12% of the bars are strange to the model: hardly any in its training was like them, so \
nothing says how good its forecasts are there.'
        >>> describe_strange_bars(0.05), describe_strange_bars(float("nan"))
        ('', '')
    """
    if math.isnan(share) or share <= _WORTH_SAYING:
        return ""
    return (
        f"{share:.0%} of the bars are strange to the model: hardly any in its training was like "
        "them, so nothing says how good its forecasts are there."
    )


def _strange_share(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float((known > 1).mean()) if known.size else math.nan
