"""What is known of one column of a feature, and its values free of the unit of price or volume."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Annotated, Any

import numpy as np
import pandas as pd
from pydantic import Field

from lstm_strategy.learning.features.indicators import FeatureSpec, indicator_values

_TYPICAL_VOLUME_BARS = 20
_LONGEST = 10**9  # bars
_Degree = Annotated[int, Field(ge=-9, le=9)]


@dataclass(frozen=True)
class ColumnTraits:
    """What is known of one column of a feature.

    Attributes:
        name: The name of the column.
        price_degree: The power of the price that it scales with.
        volume_degree: The power of the volume that it scales with.
        is_level: Whether it is itself a price.
        is_cumulative: Whether it counts from the first bar.
        warm_up: Rows before its first value.
        memory: Bars after which a run that started later agrees with one that started earlier, to
            1e-7 of its standard deviation.
        forgets: Whether it agrees for good; where rounding decides between two values, it may
            differ again on any bar.

    Example:
        >>> ColumnTraits("RSI_14", warm_up=14, memory=290).price_degree
        0
    """

    name: str
    price_degree: _Degree = 0
    volume_degree: _Degree = 0
    is_level: bool = False
    is_cumulative: bool = False
    warm_up: Annotated[int, Field(ge=0, le=_LONGEST)] = 0
    memory: Annotated[int, Field(ge=1, le=_LONGEST)] = 1
    forgets: bool = True

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON can hold them."""
        return asdict(self)


class UnitInputs:
    """What the columns of one set are freed of their units with: computed once for all of them."""

    def __init__(self, bars: pd.DataFrame) -> None:
        self._bars = bars

    @cached_property
    def close(self) -> np.ndarray:
        """The close of each bar."""
        return self._bars["close"].to_numpy(np.float64)

    @cached_property
    def typical_volume(self) -> np.ndarray:
        """The mean volume of the last 20 bars."""
        return self._bars["volume"].rolling(_TYPICAL_VOLUME_BARS).mean().to_numpy()


def stationary_values(known: np.ndarray, bars: UnitInputs, traits: ColumnTraits) -> np.ndarray:
    """Values without the unit of price or volume: comparable across years and assets.

    A price level becomes its distance from the close, a price difference a fraction of the
    close, a volume a multiple of the mean volume of the last 20 bars, a running total its change.
    Known at the close of its row.
    """
    with np.errstate(all="ignore"):
        if traits.is_cumulative:
            known = np.diff(known, prepend=np.nan)
        if traits.price_degree:
            known = known / bars.close**traits.price_degree
        if traits.volume_degree:
            typical = bars.typical_volume
            known = np.where(typical == 0, 0.0, known / typical**traits.volume_degree)
        return known - 1 if traits.is_level else known


def feature_values(
    spec: FeatureSpec, bars: pd.DataFrame, columns: Sequence[ColumnTraits], inputs: UnitInputs
) -> list[np.ndarray]:
    """Compute the columns of one feature, free of units.

    Args:
        spec: One feature, checked.
        bars: The bars, shape (n_bars, n_columns).
        columns: What is known of its columns.
        inputs: What they are freed of their units with, of the same bars.

    Returns:
        One array of shape (n_bars,) a column, known at the close of its row. A column that
        pandas-ta doesn't give for these bars, since they are too few, is NaN.
    """
    answer = indicator_values(spec, bars)
    absent = np.full(len(bars), np.nan)
    return [
        stationary_values(answer[column.name], inputs, column) if column.name in answer else absent
        for column in columns
    ]
