"""Which bars a model has learned from, and where out-of-sample trading may begin."""

from os import PathLike
from typing import TYPE_CHECKING, Any

import pandas as pd

from lstm_strategy.errors import TradingError

if TYPE_CHECKING:
    pass


def load_model_param(params: dict[str, Any], bars: pd.DataFrame) -> dict[str, Any]:
    """The params with a model given by its folder replaced by that model's forecasts of `bars`."""
    if not isinstance(params.get("model"), str | PathLike):
        return params
    from lstm_strategy.learning.serving import precompute_forecasts

    return params | {"model": precompute_forecasts(params["model"], bars)}


def training_end(params: dict[str, Any], bars: pd.DataFrame) -> pd.Timestamp | None:
    """Last bar that the strategy's model has learned from, on the bars' clock; None if unknown."""
    known = getattr(params.get("model"), "training_end", None)
    if known is None:
        return None
    moment, zone = pd.Timestamp(known), getattr(bars.index, "tz", None)
    if (moment.tz is None) == (zone is None):
        return moment
    # One of both is without a time zone: that one counts as UTC, as everywhere in the package.
    return moment.tz_localize("UTC") if zone else moment.tz_convert("UTC").tz_localize(None)


def first_bar_after(moment: pd.Timestamp | None, bars: pd.DataFrame) -> pd.Timestamp | None:
    """The first bar later than `moment`, or None without a moment."""
    if moment is None:
        return None
    later = bars.index[bars.index > moment]
    if later.empty:
        raise TradingError(
            f"A backtest starts after the last training bar, which is {moment}, but the bars end "
            f"at {bars.index[-1]}. Fit on fewer bars or load later ones; or pass start=... "
            "to see an in-sample result, marked as such."
        )
    return later[0]
