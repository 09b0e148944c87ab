"""Prices of a perpetual side by side: its last trade, its mark and the spot market."""

from typing import Any

import numpy as np
import pandas as pd

from lstm_strategy.errors import FeatureError
from lstm_strategy.learning.features.kinds.derivatives.times import years_passed


def premium(bars: pd.DataFrame, *, spot: str = "spot_close") -> pd.DataFrame:
    """The log of the close over the spot price: the basis of a perpetual, positive above spot.

    Known at the close of its row; where the spot price is missing, the last known premium.
    """
    return pd.DataFrame(
        {_name("PREMIUM", spot, usual="spot_close"): _log_ratio(bars["close"], bars[spot])}
    )


def mark_premium(bars: pd.DataFrame, *, mark: str = "mark") -> pd.DataFrame:
    """The log of the mark price over the close, by which the position is valued and liquidated.

    Known at the close of its row; where the mark is missing, the last known value.
    """
    return pd.DataFrame(
        {_name("MARK_PREMIUM", mark, usual="mark"): _log_ratio(bars[mark], bars["close"])}
    )


def perpetual_mispricing(
    bars: pd.DataFrame,
    *,
    interest_rate: float = 0.0,
    rate: str = "funding_rate",
    spot: str = "spot_close",
) -> pd.DataFrame:
    """The premium less the fair basis of a perpetual, a fraction of the spot price.

    Who buys the perpetual instead of the spot saves the interest until the next settlement and
    pays the funding there. If the next rate is the last one and the premium is gone after it, the
    fair basis is interest less funding, and the mispricing is what a holder of the spot, short the
    perpetual, earns: premium + funding - interest. The interval is the time between the last two
    settlements. `interest_rate` is a fraction a year.

    Known at the close of its row; NaN before the second settlement. Where the spot price is
    missing, the last known premium counts.

    Source:
        Ackerer, Hugonnier & Jermann, "Perpetual Futures Pricing" (2023): where a settlement pays
        κ(f - x) + ιx, the price f over the spot x is (κ - ι)/(κ - r); here with κ = 1, ι the rate
        that is charged, and r the interest of the interval, to first order.
    """
    _check_interest(interest_rate)
    fair = perpetual_fair_basis(bars, interest_rate=interest_rate, rate=rate)
    gap = _log_ratio(bars["close"], bars[spot]) - fair
    return pd.DataFrame({_name("PERPETUAL_MISPRICING", spot, usual="spot_close"): gap})


def perpetual_fair_price(bars: pd.DataFrame, **arguments: Any) -> pd.Series:
    """The close that would leave nothing of `perpetual_mispricing`, which takes the arguments."""
    gap = perpetual_mispricing(bars, **arguments).iloc[:, 0]
    fair: pd.Series = bars["close"] * np.exp(-gap)
    return fair


def perpetual_fair_basis(
    bars: pd.DataFrame, *, interest_rate: float = 0.0, rate: str = "funding_rate"
) -> pd.Series:
    """The interest of a settlement interval less the last rate; see `perpetual_mispricing`."""
    settled = bars[rate].dropna()
    fair = interest_rate * years_passed(settled.index) - settled.to_numpy(np.float64)
    return pd.Series(fair, settled.index).reindex(bars.index).ffill()


def _check_interest(interest_rate: float) -> None:
    is_number = isinstance(interest_rate, int | float) and not isinstance(interest_rate, bool)
    if not is_number or not -1 < interest_rate < 1:
        raise FeatureError(
            "perpetual_mispricing: interest_rate must be a fraction a year between -1 and 1, such "
            f"as 0.05, got {interest_rate!r}."
        )


def _log_ratio(price: pd.Series, other: pd.Series) -> pd.Series:
    """The log of a price over another one, held where one of them is missing or isn't above 0."""
    ratio = price.where(price > 0) / other.where(other > 0)
    return pd.Series(np.log(ratio.to_numpy(np.float64)), price.index).ffill()


def _name(name: str, column: str, *, usual: str) -> str:
    return name if column == usual else f"{name}_{column}"
