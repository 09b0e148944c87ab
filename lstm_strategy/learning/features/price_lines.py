"""The prices that features measure the distance from, as lines to draw over the bars."""

import numpy as np
import pandas as pd

from lstm_strategy.bars import proportional_bars, validate_bars
from lstm_strategy.errors import FeatureError
from lstm_strategy.learning.features.feature_set import FeatureSet
from lstm_strategy.learning.features.indicators import (
    FeatureSpec,
    FeatureSpecs,
    format_spec,
    indicator_columns,
    is_market_wide,
)
from lstm_strategy.learning.features.input_checks import check_inputs
from lstm_strategy.learning.features.kinds import FAIR_PRICES
from lstm_strategy.learning.features.traits import measure_columns


def price_lines(bars: pd.DataFrame, specs: FeatureSpecs) -> pd.DataFrame:
    """Compute averages, bands and fair prices in units of price.

    Args:
        bars: Bars of one market, with the columns that the features read.
        specs: Features that are prices themselves, such as `session_vwap` with its bands or `sma`,
            or the distance from a fair price: `perpetual_mispricing`, `futures_mispricing`.

    Returns:
        A column a line on the index of the bars, known at the close of its row; NaN where it isn't
        known yet. `plot_chart` draws them with `lines=`.

    Raises:
        FeatureError: For a feature that is no price, or a column that isn't there.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> lines = price_lines(sample_bars(), [{"kind": "rolling_vwap", "length": 21, "bands": 2}])
        >>> list(lines)
        ['ROLLING_VWAP_21', 'ROLLING_VWAP_21_LOWER_2', 'ROLLING_VWAP_21_UPPER_2']
    """
    features = FeatureSet(specs)
    valid = proportional_bars(validate_bars(bars))
    check_inputs(features, valid)
    lines = pd.concat([_lines_of(spec, valid) for spec in features.specs], axis=1)
    return lines.replace([np.inf, -np.inf], np.nan)


def _lines_of(spec: FeatureSpec, bars: pd.DataFrame) -> pd.DataFrame:
    if spec["kind"] in FAIR_PRICES:
        arguments = {name: value for name, value in spec.items() if name != "kind"}
        fair = FAIR_PRICES[spec["kind"]](bars, **arguments)
        return fair.to_frame(measure_columns(spec)[0].name.replace("MISPRICING", "FAIR"))
    levels = [column.name for column in measure_columns(spec) if column.is_level]
    if not levels or is_market_wide(spec):
        raise FeatureError(
            f"{format_spec(spec)} isn't a price that could be drawn over the bars. Take an average "
            "such as session_vwap, in units of price, or a mispricing."
        )
    return indicator_columns(spec, bars)[levels]
