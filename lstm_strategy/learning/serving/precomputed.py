"""Forecasts that were made before, in place of the model that made them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lstm_strategy.errors import ModelError
from lstm_strategy.learning.forecaster import (
    COMPLETE_COLUMNS,
    FORECAST_COLUMNS,
    Forecaster,
    ForecasterKind,
    ModelCard,
    Stream,
)
from lstm_strategy.support import naive_utc_index


# slots, so that the fields take the place of the properties of the base class
@dataclass(frozen=True, eq=False, slots=True)
class PrecomputedForecasts(Forecaster):
    """Forecasts that were made before, answering in place of the model that made them.

    They are small and can be pickled: worker processes and sweeps get them instead of a network.

    Attributes:
        frame: The columns signal, forecast, uncertainty and novelty on dates without a timezone
            (UTC).
        warm_up: Bars before the first forecast.
        bars_columns: The columns that bars must have.
        training_end: The last bar that the model has seen; None where it isn't known.
        kind: What the model counts as in tables and verdicts.
        ledger: Which model forecast each bar; None where one model forecast them all.
        card: Where the model came from; None where that isn't recorded.

    Example:
        >>> days = pd.to_datetime(["2024-01-02", "2024-01-03"])
        >>> frame = pd.DataFrame({"signal": [0.0, 1.0], "forecast": 0.5, "uncertainty": 0.0}, days)
        >>> forecasts = PrecomputedForecasts(frame, 0, ["close"], None)
        >>> bars = pd.DataFrame({"close": [7.0]}, days[1:])
        >>> forecasts.forecast(bars)["signal"].tolist()
        [1.0]
    """

    frame: pd.DataFrame
    warm_up: int
    bars_columns: list[str]
    training_end: pd.Timestamp | None
    kind: ForecasterKind = ForecasterKind.LSTM
    ledger: pd.DataFrame | None = None
    card: ModelCard | None = None

    def forecast(self, bars: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of `frame` that belong to `bars`, on the index of `bars`.

        Raises:
            ModelError: If a bar wasn't among those that were forecast.
        """
        times = naive_utc_index(bars.index)
        unknown = times[~times.isin(self.frame.index)]
        if len(unknown):
            raise ModelError(
                f"No forecast was made for {unknown[0]}. Forecast the same bars that you trade."
            )
        return self.frame.loc[times].set_axis(bars.index)

    def stream(self, history: pd.DataFrame | None = None) -> Stream:
        """Refuse: precomputed forecasts serve whole feeds only.

        Raises:
            ModelError: Always; a stream needs the model itself.
        """
        raise ModelError("Precomputed forecasts can't follow a live feed. Pass the model itself.")


@dataclass(frozen=True, eq=False, slots=True)
class PrecomputedPanel(Forecaster):
    """Forecasts that were made before for every market of a panel, in place of their model.

    Attributes:
        markets: The forecasts of each market, by symbol.
        warm_up: Bars of a market before its first forecast.
        bars_columns: The columns that bars must have.
        training_end: The last bar that the model has seen; None where it isn't known.
        kind: What the model counts as in tables and verdicts.
        ledger: Which model forecast each bar; None where one model forecast them all.
        card: Where the model came from; None where that isn't recorded.

    Example:
        >>> days = pd.to_datetime(["2024-01-02"])
        >>> frame = pd.DataFrame({"signal": [1.0], "forecast": 0.5, "uncertainty": 0.0}, days)
        >>> market = PrecomputedForecasts(frame, 0, ["close"], None)
        >>> panel = PrecomputedPanel({"SPY": market}, 0, ["close"], None)
        >>> panel.forecast({"SPY": pd.DataFrame({"close": [7.0]}, days)})["SPY"]["signal"].tolist()
        [1.0]
    """

    markets: dict[str, PrecomputedForecasts]
    warm_up: int
    bars_columns: list[str]
    training_end: pd.Timestamp | None
    kind: ForecasterKind = ForecasterKind.LSTM
    ledger: pd.DataFrame | None = None
    card: ModelCard | None = None
    takes_panels: bool = True

    def market(self, symbol: str) -> PrecomputedForecasts:
        """Return the forecasts of one market.

        Args:
            symbol: Its name.

        Raises:
            ModelError: If it wasn't among those that were forecast.
        """
        if symbol not in self.markets:
            raise ModelError(
                f"No forecast was made for market {symbol!r}. Forecast the markets that you trade."
            )
        return self.markets[symbol]

    def forecast(self, bars: Any) -> Any:
        """Return the rows that belong to the bars of each market, a frame by symbol.

        Raises:
            ModelError: If a market or a bar wasn't among those that were forecast.
        """
        return {symbol: self.market(symbol).forecast(frame) for symbol, frame in bars.items()}

    def stream(self, history: Any = None) -> Stream:
        """Refuse: precomputed forecasts serve whole feeds only.

        Raises:
            ModelError: Always; a stream needs the model itself.
        """
        raise ModelError("Precomputed forecasts can't follow a live feed. Pass the model itself.")


def precomputed_frame(forecasts: pd.DataFrame, bars: pd.DataFrame) -> PrecomputedForecasts:
    """Let forecasts that are known for some of the bars answer as a model.

    Args:
        forecasts: The columns signal, forecast and uncertainty on some of the dates of `bars`.
        bars: Bars that may be asked for, shape (n_bars, n_columns).

    Returns:
        A model without warm-up, whose forecasts are NaN on all other bars.

    Example:
        >>> days = pd.to_datetime(["2024-01-02", "2024-01-03"])
        >>> bars = pd.DataFrame({"close": [7.0, 8.0]}, days)
        >>> known = {"signal": 1.0, "forecast": 0.6, "uncertainty": 0.1}
        >>> frame = pd.DataFrame(known, index=days[1:])
        >>> precomputed_frame(frame, bars).forecast(bars)["signal"].tolist()
        [nan, 1.0]
    """
    known = forecasts[[*FORECAST_COLUMNS, *forecasts.columns.intersection(["novelty"])]]
    frame = known.reindex(index=bars.index, columns=COMPLETE_COLUMNS)
    return PrecomputedForecasts(
        frame.set_axis(naive_utc_index(bars.index)), 0, list(bars.columns), None
    )


def precomputed_markets(
    forecasts: Mapping[str, pd.DataFrame], panel: Mapping[str, pd.DataFrame]
) -> PrecomputedPanel:
    """Let forecasts that are known for some of the bars of a panel answer as a model.

    Args:
        forecasts: The columns signal, forecast and uncertainty of each market, on some of the dates
            of its bars; nothing is known of a market that is missing.
        panel: Bars that may be asked for.

    Returns:
        A model without warm-up, whose forecasts are NaN on all other bars.

    Example:
        >>> days = pd.to_datetime(["2024-01-02", "2024-01-03"])
        >>> panel = {"SPY": pd.DataFrame({"close": [7.0, 8.0]}, days)}
        >>> known = {"signal": 1.0, "forecast": 0.6, "uncertainty": 0.1}
        >>> model = precomputed_markets({"SPY": pd.DataFrame(known, index=days[1:])}, panel)
        >>> model.forecast(panel)["SPY"]["signal"].tolist()
        [nan, 1.0]
    """
    nothing = pd.DataFrame(columns=FORECAST_COLUMNS, dtype=float)
    markets = {
        symbol: precomputed_frame(forecasts.get(symbol, nothing), bars)
        for symbol, bars in panel.items()
    }
    columns = sorted({name for market in markets.values() for name in market.bars_columns})
    return PrecomputedPanel(markets, 0, columns, None)
