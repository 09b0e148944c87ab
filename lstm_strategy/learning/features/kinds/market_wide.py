"""Features that look across the markets of a panel: a mean, a rank, a correlation, a volatility.

Each is made of a feature of one market. That comes as a table with a row a time and a column a
market, NaN where the market has no bar or doesn't know the feature yet: such a market is left out
at that time. A row reads no later one.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from lstm_strategy.learning.features.kinds.arguments import check_bars

_NO_DEVIATION = 1e-8  # nothing moves, and what is left is rounding
_MOST_NUMBERS = 1_000_000  # in the windows that are correlated at once


class MarketWide(ABC):
    """A feature that looks across the markets; its fields are the arguments of its kind.

    Attributes:
        is_discrete: Whether values that are nearly the same may lie a step apart.
    """

    is_discrete: ClassVar[bool] = False

    @property
    def n_rows_before(self) -> int:
        """How many earlier rows a row reads."""
        return 0

    @property
    @abstractmethod
    def market_spec(self) -> Mapping[str, Any]:
        """The feature of one market that it is made of."""

    @abstractmethod
    def name_column(self, column: str) -> str:
        """The name of its column, from that of the feature of one market."""

    @abstractmethod
    def market_column(self, name: str) -> str:
        """The column of the feature of one market that a column of that name is made of."""

    @abstractmethod
    def compute(self, values: np.ndarray, has_bar: np.ndarray) -> np.ndarray:
        """Compute it for all markets.

        Args:
            values: The feature of one market, shape (n_times, n_markets).
            has_bar: Where a market has a bar, same shape.

        Returns:
            Same shape, known at the close of the row; NaN where it isn't known.
        """


@dataclass(frozen=True)
class _OfFeature(MarketWide):
    """What looks at any feature of one market, and is named after its column."""

    of: Mapping[str, Any]

    prefix: ClassVar[str]

    @property
    def market_spec(self) -> Mapping[str, Any]:
        """The feature that it was given."""
        return self.of

    def name_column(self, column: str) -> str:
        """See `MarketWide`."""
        return self.prefix + column

    def market_column(self, name: str) -> str:
        """See `MarketWide`."""
        return name.removeprefix(self.prefix)


class PanelMean(_OfFeature):
    """The mean of a feature over the markets that have a bar at that time, this one included.

    NaN where no market knows the feature.
    """

    prefix = "PANEL_MEAN_"

    def compute(self, values: np.ndarray, has_bar: np.ndarray) -> np.ndarray:
        """See `MarketWide`."""
        return np.broadcast_to(_row_means(values)[:, None], values.shape)


class PanelRank(_OfFeature):
    """The rank of the market's feature among all markets at that time: -1 lowest, 1 highest.

    Ties share the mean of their ranks, and a market alone stands in the middle, at 0; so the
    opposite of a feature has the opposite rank. NaN where the market's own feature is.
    """

    prefix = "PANEL_RANK_"
    is_discrete = True

    def compute(self, values: np.ndarray, has_bar: np.ndarray) -> np.ndarray:
        """See `MarketWide`."""
        ranks = pd.DataFrame(values).rank(axis=1).to_numpy()
        n_others = (~np.isnan(values)).sum(axis=1, keepdims=True) - 1
        scaled: np.ndarray = 2 * (ranks - 1) / np.maximum(n_others, 1) - (n_others > 0)
        return scaled


@dataclass(frozen=True)
class PanelCorrelation(MarketWide):
    """The correlation of the market's log returns with the panel's over its last `length` bars.

    The panel's return is the mean over the markets that have a bar at that time, this one
    included. 0 where one of the two hasn't moved; NaN where one of the returns is.
    """

    length: int = 63

    def __post_init__(self) -> None:
        # two points always lie on a line
        check_bars("panel_correlation", least=3, length=self.length)

    @property
    def n_rows_before(self) -> int:
        """See `MarketWide`."""
        return self.length - 1

    @property
    def market_spec(self) -> Mapping[str, Any]:
        """The log return of one bar."""
        return {"kind": "log_return", "length": 1}

    def name_column(self, column: str) -> str:
        """See `MarketWide`."""
        return f"PANEL_CORRELATION_{self.length}"

    def market_column(self, name: str) -> str:
        """See `MarketWide`."""
        return "LOGRET_1"

    def compute(self, values: np.ndarray, has_bar: np.ndarray) -> np.ndarray:
        """See `MarketWide`."""
        of_panel = _row_means(values)
        correlations = np.full(values.shape, np.nan)
        for column, rows in enumerate(has_bar.T):
            pair = np.column_stack([values[rows, column], of_panel[rows]])
            correlations[rows, column] = _trailing_correlation(pair, self.length)
        return correlations


@dataclass(frozen=True)
class PanelVolatility(MarketWide):
    """The mean of `ewm_volatility` over the markets that have a bar at that time.

    A fraction per bar. NaN where no market knows its own.
    """

    span: int = 60

    def __post_init__(self) -> None:
        check_bars("panel_volatility", least=2, span=self.span)

    @property
    def market_spec(self) -> Mapping[str, Any]:
        """The exponentially weighted volatility."""
        return {"kind": "ewm_volatility", "span": self.span}

    def name_column(self, column: str) -> str:
        """See `MarketWide`."""
        return f"PANEL_VOLATILITY_{self.span}"

    def market_column(self, name: str) -> str:
        """See `MarketWide`."""
        return f"EWM_VOLATILITY_{self.span}"

    def compute(self, values: np.ndarray, has_bar: np.ndarray) -> np.ndarray:
        """See `MarketWide`."""
        return np.broadcast_to(_row_means(values)[:, None], values.shape)


MARKET_WIDE_KINDS: dict[str, type[MarketWide]] = {
    "panel_mean": PanelMean,
    "panel_rank": PanelRank,
    "panel_correlation": PanelCorrelation,
    "panel_volatility": PanelVolatility,
}
"""Features that need the other markets of a panel, by the name of their kind."""


def _row_means(values: np.ndarray) -> np.ndarray:
    """The mean of what is known in each row, shape (n_rows,); NaN where nothing is."""
    is_known = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        means: np.ndarray = np.where(is_known, values, 0.0).sum(axis=1) / is_known.sum(axis=1)
    return means


def _trailing_correlation(pair: np.ndarray, length: int) -> np.ndarray:
    """The correlation of two columns over the last `length` rows, shape (n_rows,)."""
    correlation = np.full(len(pair), np.nan)
    n_rows = max(1, _MOST_NUMBERS // length)
    for start in range(length - 1, len(pair), n_rows):
        rows = pair[start - length + 1 : start + n_rows]
        windows = np.lib.stride_tricks.sliding_window_view(rows, length, axis=0)
        correlation[start : start + n_rows] = _correlate(windows)
    return correlation


def _correlate(windows: np.ndarray) -> np.ndarray:
    """The correlation in each window, from shape (n_windows, 2, length); 0 where one is still."""
    centred = windows - windows.mean(axis=-1, keepdims=True)
    covariance = (centred[:, 0] * centred[:, 1]).mean(axis=-1)
    deviation = np.sqrt((centred**2).mean(axis=-1))
    is_still = (deviation <= _NO_DEVIATION).any(axis=1) & ~np.isnan(covariance)
    with np.errstate(divide="ignore", invalid="ignore"):
        quotient = np.clip(covariance / deviation.prod(axis=1), -1.0, 1.0)
    correlation: np.ndarray = np.where(is_still, 0.0, quotient)
    return correlation
