"""What kind of numbers an indicator gives: measured on random bars instead of listed by hand.

Every indicator is run a few times on the same random walk: as it is, cut short, started later,
with prices or volumes scaled, with prices shifted. The differences between the runs show whether
it looks ahead, how long it warms up, how much history it remembers, and what its unit is. Thus
any indicator of any pandas-ta version can be made stationary without a table.
"""

import json
from dataclasses import replace
from functools import cache

import pandas as pd

from lstm_strategy.errors import FeatureError, NeverForgetsError
from lstm_strategy.learning.features.indicators import (
    FeatureSpec,
    build_market_wide,
    format_spec,
    indicator_columns,
    is_market_wide,
    market_spec,
)
from lstm_strategy.learning.features.traits.column_traits import ColumnTraits
from lstm_strategy.learning.features.traits.made_up_bars import complete_bars, random_walk_bars
from lstm_strategy.learning.features.traits.probe import Probe

_PROBE_LENGTHS = (1_200, 4_800, 19_200)
_DISCRETE_MARGIN = 2


def measure_columns(spec: FeatureSpec) -> tuple[ColumnTraits, ...]:
    """Measure the columns that a feature gives.

    Args:
        spec: One feature, checked.

    Returns:
        The traits of each column, in the order of pandas-ta. The measurement is kept for the
        next feature with the same arguments. Those of a market-wide feature follow from the
        feature of one market that it is made of.

    Raises:
        FeatureError: If it looks ahead, never forgets where history began, never warms up, or
            depends on the unit of price or volume.

    Example:
        >>> measure_columns({"kind": "sma", "length": 5})[0].is_level
        True
    """
    if is_market_wide(spec):
        return look_across(spec, measure_columns(market_spec(spec)))
    if spec["kind"] == "column":
        return (ColumnTraits(name=spec["column"]),)
    return _measure_columns_of_json(json.dumps(spec))


def look_across(spec: FeatureSpec, columns: tuple[ColumnTraits, ...]) -> tuple[ColumnTraits, ...]:
    """The traits of a market-wide feature from those of the feature of one market.

    Units are those of the feature of one market, whose values are freed of them before any look
    across. Warm-up and memory are numbers of bars that each market needs.

    Args:
        spec: One market-wide feature, checked.
        columns: What is known of the columns that it is made of.

    Example:
        >>> mean = {"kind": "panel_mean", "of": {"kind": "rsi", "length": 14}}
        >>> look_across(mean, (ColumnTraits("RSI_14", warm_up=14, memory=290),))[0].name
        'PANEL_MEAN_RSI_14'
    """
    feature = build_market_wide(spec)
    # two markets that are nearly even change places where memories agree to 1e-7 only
    margin = _DISCRETE_MARGIN if feature.is_discrete else 1
    return tuple(
        replace(
            column,
            name=feature.name_column(column.name),
            warm_up=column.warm_up + feature.n_rows_before,
            memory=margin * column.memory + feature.n_rows_before,
        )
        for column in columns
    )


def reads_volume(spec: FeatureSpec) -> bool:
    """Measure whether a feature changes with the volume alone.

    Args:
        spec: One feature, checked.

    Example:
        >>> reads_volume({"kind": "obv"}), reads_volume({"kind": "rsi", "length": 14})
        (True, False)
    """
    return _reads_volume_of_json(json.dumps(market_spec(spec)))


@cache
def _reads_volume_of_json(spec_json: str) -> bool:
    spec = json.loads(spec_json)
    bars = _probe_bars(spec, _PROBE_LENGTHS[0])
    other = bars.assign(volume=bars["volume"].to_numpy()[::-1])
    return not indicator_columns(spec, bars).equals(indicator_columns(spec, other))


@cache
def _measure_columns_of_json(spec_json: str) -> tuple[ColumnTraits, ...]:
    spec = json.loads(spec_json)
    longest_argument = max((v for v in spec.values() if isinstance(v, int)), default=0)
    lengths = [n for n in _PROBE_LENGTHS if n > 6 * longest_argument]
    for n_bars in lengths:
        probe = Probe(spec, _probe_bars(spec, n_bars))
        measured = [probe.measure_column(name) for name in probe.names]
        columns = tuple(column for column in measured if column is not None)
        if columns and len(columns) == len(measured):
            return probe.with_steady_warm_up(columns)
    if lengths and not probe.gives_columns:
        raise FeatureError(
            f"{format_spec(spec)} doesn't give one value per bar. See its arguments in the "
            "pandas-ta documentation, or choose another kind."
        )
    if not lengths or not probe.names:
        raise FeatureError(
            f"{format_spec(spec)} gives no value within "
            f"{n_bars if lengths else _PROBE_LENGTHS[-1]:,} bars. Shorten its length."
        )
    raise NeverForgetsError(
        f"{format_spec(spec)} never forgets on which bar the history began, so a live run would "
        "differ from the backtest. Choose a kind with a finite memory."
    )


def _probe_bars(spec: FeatureSpec, n_bars: int) -> pd.DataFrame:
    """Random bars with some numbers in the columns of the user's that a feature reads."""
    return complete_bars([spec], random_walk_bars(n_bars))
