"""One indicator, run on variations of the same bars."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from lstm_strategy.errors import DependsOnUnitError, FeatureError, LooksAheadError
from lstm_strategy.learning.features.indicators import (
    FeatureSpec,
    column_roles,
    format_spec,
    indicator_columns,
)
from lstm_strategy.learning.features.traits.column_traits import (
    ColumnTraits,
    UnitInputs,
    feature_values,
    stationary_values,
)
from lstm_strategy.learning.features.traits.made_up_bars import PRICES

_SCALES = (2.0**-30, 4.0, 2.0**30)  # powers of two, so that scaling is exact in floating point
CAUSAL_FORMS: dict[str, dict[str, Any]] = {
    "dpo": {"centered": False},
    "ichimoku": {"include_chikou": False},
}
"""The arguments that stop an indicator from looking ahead, by kind."""


def steady_warm_up(
    is_right: Callable[[int], bool],
    warm_up: int,
    *,
    n_bars: int,
    steps: Sequence[int] = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377),
) -> int:
    """Find the warm-up after which the first bars alone give what all bars give.

    On few bars pandas-ta may answer with other columns, other values or none.

    Args:
        is_right: Whether the first so many bars give the row that all bars give.
        warm_up: Rows before the first value of the full run.
        n_bars: The bars that there are.
        steps: Numbers of bars to try, counted from the warm-up.

    Returns:
        The smallest number of rows after which all numbers of bars that are tried are right.

    Example:
        >>> steady_warm_up(lambda n: n >= 30, 9, n_bars=1_000)
        29
    """
    lengths = [warm_up + step for step in steps if warm_up + step <= n_bars]
    wrong = [n for n in lengths if not is_right(n)]
    if not wrong:
        return warm_up
    low, high = wrong[-1], min((n for n in lengths if n > wrong[-1]), default=wrong[-1])
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_right(middle) else (middle, high)
    return high - 1 if high > wrong[-1] else wrong[-1]


class Probe:
    """One indicator, run on variations of the same bars."""

    def __init__(self, spec: FeatureSpec, bars: pd.DataFrame) -> None:
        self._spec = spec
        self._bars = bars
        self._base = indicator_columns(spec, bars)
        self._check_is_causal()
        self._later_start = len(bars) // 3
        self._later = indicator_columns(spec, bars.iloc[self._later_start :])
        self._with_prices = self._run_scaled([*PRICES, *self._columns_in("price")])
        self._with_volume = self._run_scaled(["volume", *self._columns_in("volume")])
        self._with_shift = self._run(lambda bars: bars[PRICES] + bars["close"].iloc[0])

    @property
    def names(self) -> list[str]:
        """The columns that have a value on every bar once they have begun."""
        begun = self._base.notna().cummax()
        steady = self._base.notna().any() & (self._base.notna() | ~begun).all()
        return [name for name in self._base.columns if steady[name]]

    @property
    def gives_columns(self) -> bool:
        """Whether pandas-ta answers with one value per bar at all."""
        return bool(self._base.shape[1])

    def with_steady_warm_up(self, columns: tuple[ColumnTraits, ...]) -> tuple[ColumnTraits, ...]:
        """The columns with a warm-up after which the first bars alone give the full run's rows."""
        full = self._rows(columns, self._bars)

        def is_right(n_bars: int) -> bool:
            try:
                row = self._rows(columns, self._bars.iloc[:n_bars])[-1]
            except FeatureError:  # some kinds raise on few bars
                return False
            return np.allclose(full[n_bars - 1], row, rtol=1e-9, atol=1e-12, equal_nan=True)

        known = max(column.warm_up for column in columns)
        warm_up = steady_warm_up(is_right, known, n_bars=len(self._bars))
        if warm_up == known:
            return columns
        return tuple(
            replace(column, warm_up=warm_up, memory=max(column.memory, warm_up + 1))
            for column in columns
        )

    def _rows(self, columns: tuple[ColumnTraits, ...], bars: pd.DataFrame) -> np.ndarray:
        """The columns side by side, shape (n_bars, n_columns)."""
        return np.column_stack(feature_values(self._spec, bars, columns, UnitInputs(bars)))

    def measure_column(self, name: str) -> ColumnTraits | None:
        """The traits of a column; None where its memory can't be told from this many bars."""
        units = self._measure_units(name)
        for is_cumulative in (False, True):
            candidate = replace(units, is_cumulative=is_cumulative)
            memory = self._measure_memory(candidate)
            if memory is not None:
                values = self._stationary_column(self._base, candidate)
                warm_up = int(values.notna().to_numpy().argmax())
                return replace(candidate, warm_up=warm_up, memory=max(memory, warm_up + 1))
        return None

    def _columns_in(self, unit: str) -> list[str]:
        """The columns of the user's that come in the unit of the price or of the volume."""
        roles = column_roles(self._spec)
        return [name for name, role in roles.items() if role.scales_with == unit]

    def _run(self, change: Callable[[pd.DataFrame], pd.DataFrame]) -> pd.DataFrame:
        return indicator_columns(self._spec, self._bars.assign(**change(self._bars)))

    def _run_scaled(self, names: list[str]) -> dict[float, pd.DataFrame]:
        """The answer where these columns are given in other units, by the scale."""
        return {scale: self._run(partial(_scale_columns, names, scale)) for scale in _SCALES}

    def _check_is_causal(self) -> None:
        for n_known in (len(self._bars) // 2, len(self._bars) * 4 // 5):
            known = indicator_columns(self._spec, self._bars.iloc[:n_known])
            for name in known.columns:
                then, now = known[name], self._base[name].iloc[:n_known]
                agrees = np.isclose(then, now, rtol=1e-9, atol=1e-12, equal_nan=True)
                if not agrees.all():
                    bars_back = n_known - int((~agrees).argmax())
                    raise LooksAheadError(
                        f"{format_spec(self._spec)} looks ahead: its column {name} changes "
                        f"{bars_back} bars back when later bars arrive. "
                        f"{causal_remedy(self._spec)}",
                        column=name,
                        bars_back=bars_back,
                    )

    def _measure_units(self, name: str) -> ColumnTraits:
        base = self._base[name]
        price_degree = self._measure_degree(name, self._with_prices, "price")
        shifted_by = (self._with_shift[name] - base).dropna()
        is_level = price_degree == 1 and np.allclose(shifted_by, self._bars["close"].iloc[0])
        return ColumnTraits(
            name,
            price_degree=price_degree,
            volume_degree=self._measure_degree(name, self._with_volume, "volume"),
            is_level=bool(is_level),
        )

    def _measure_degree(self, name: str, scaled: dict[float, pd.DataFrame], unit: str) -> int:
        """The power of a unit that a column scales with, the same over all scales."""
        base = self._base[name]
        degree = _nearest_degree(base, scaled[4.0][name], scale=4.0)
        for scale, answer in scaled.items():
            other = answer.get(name, base * np.nan)
            if not _grew_by(base, other, scale=scale, degree=degree):
                raise DependsOnUnitError(
                    f"{format_spec(self._spec)} depends on the unit of {unit}: with every {unit} "
                    f"{scale:.3g} times as large, its column {name} doesn't mean the same. Choose "
                    "another kind.",
                    unit=unit,
                )
        return degree

    def _stationary_column(self, answer: pd.DataFrame, traits: ColumnTraits) -> pd.Series:
        inputs = UnitInputs(self._bars.loc[answer.index])
        values = stationary_values(answer[traits.name].to_numpy(), inputs, traits)
        return pd.Series(values, index=answer.index)

    def _measure_memory(self, traits: ColumnTraits) -> int | None:
        full = self._stationary_column(self._base, traits).iloc[self._later_start :]
        if traits.name not in self._later:
            return None
        later = self._stationary_column(self._later, traits)
        tolerance = 1e-7 * full.std() + 1e-15
        differs = ~((full - later).abs() <= tolerance).to_numpy()
        memory = int(len(differs) - differs[::-1].argmax()) if differs.any() else 0
        return memory + 1 if memory < 0.6 * len(differs) else None


def _scale_columns(names: list[str], scale: float, bars: pd.DataFrame) -> pd.DataFrame:
    return bars[names] * scale


def _nearest_degree(base: pd.Series, scaled: pd.Series, *, scale: float) -> int:
    """The whole power of the scale by which most of a column grew."""
    pair = pd.concat([base, scaled], axis=1).dropna().to_numpy()
    weighty = pair[np.abs(pair[:, 0]) > 1e-9 * np.abs(pair[:, 0]).max(initial=0.0)]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.median(weighty[:, 1] / weighty[:, 0]) if len(weighty) else 1.0
    return round(float(np.log(ratio) / np.log(scale))) if ratio > 0 else 0


def _grew_by(base: pd.Series, scaled: pd.Series, *, scale: float, degree: int) -> bool:
    """Whether every value of a column grew by this power of the scale."""
    before = base.to_numpy(np.float64)
    after = scaled.to_numpy(np.float64) / scale**degree
    hardly = 1e-9 * float(np.abs(before[np.isfinite(before)]).max(initial=0.0))
    return bool(np.allclose(before, after, rtol=1e-6, atol=hardly, equal_nan=True))


def causal_remedy(spec: FeatureSpec) -> str:
    """What to give an indicator that looks ahead so that it doesn't; else to choose another."""
    wanted = CAUSAL_FORMS.get(spec["kind"], {})
    if isinstance(spec.get("offset"), int) and spec["offset"] < 0:
        return "An offset below 0 moves later values to earlier bars: leave it out."
    if all(spec.get(name) == value for name, value in wanted.items()):
        return "Choose another kind."
    return f"Give it {', '.join(f'{name}={value}' for name, value in wanted.items())}."
