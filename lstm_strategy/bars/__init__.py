"""Where prices come from.

Bars are loaded from files and frames, checked, simulated, joined with funding, made longer, cut to
a span, described and fingerprinted here; everything to the right takes them as `validate_bars`
returns them.
"""

from lstm_strategy.bars.aggregate import aggregate_bars
from lstm_strategy.bars.columns import SeveralMarketsError
from lstm_strategy.bars.fingerprint import bars_fingerprint
from lstm_strategy.bars.frequency import bar_spacing, bars_per_day, bars_per_year
from lstm_strategy.bars.funding import (
    HIGHEST_RATE,
    add_funding,
    check_funding_rates,
    columns_beside_close,
    describe_missing_settlements,
    funding_offence,
    mark_at_open,
    missing_settlements,
    rate_doubt,
    rate_offence,
    stray_price,
)
from lstm_strategy.bars.futures import (
    CARRY_PRICE,
    CONTRACT_MONTH,
    CONTRACT_PRICE,
    ContractReturns,
    find_adjustment,
    find_rolls,
    has_contract,
    is_roll_between,
    lift_bars,
    points_bars,
    proportional_bars,
)
from lstm_strategy.bars.load import load_bars, read_bars, sample_bars
from lstm_strategy.bars.oddities import MarketTraits, find_differences, measure_traits
from lstm_strategy.bars.panel import (
    ORACLE_FOLDER,
    Panel,
    as_panel,
    check_common_dates,
    describe_lone_market,
    drop_lone_markets,
    find_lone_markets,
    is_of_several_files,
    is_panel,
    load_panel,
    name_market,
    proportional_markets,
    slice_panel,
    take_bars,
)
from lstm_strategy.bars.read import LoadedBars
from lstm_strategy.bars.simulation import SimulatedMarket, SimulatedPanel, simulate_bars
from lstm_strategy.bars.sources import BarSource, disturb_bars, open_source
from lstm_strategy.bars.span import (
    bars_until,
    describe_span,
    first_bar_number,
    slice_bars,
    span_dates,
)
from lstm_strategy.bars.validation import (
    CheckedBars,
    check_bar,
    check_bars,
    hint_near_column,
    validate_bars,
)

__all__ = [
    "BarSource",
    "CARRY_PRICE",
    "CONTRACT_MONTH",
    "CONTRACT_PRICE",
    "CheckedBars",
    "HIGHEST_RATE",
    "ContractReturns",
    "LoadedBars",
    "MarketTraits",
    "ORACLE_FOLDER",
    "Panel",
    "SeveralMarketsError",
    "SimulatedMarket",
    "SimulatedPanel",
    "add_funding",
    "aggregate_bars",
    "as_panel",
    "bar_spacing",
    "bars_fingerprint",
    "bars_per_day",
    "bars_per_year",
    "bars_until",
    "check_bar",
    "check_bars",
    "check_common_dates",
    "check_funding_rates",
    "columns_beside_close",
    "describe_missing_settlements",
    "funding_offence",
    "describe_lone_market",
    "disturb_bars",
    "drop_lone_markets",
    "describe_span",
    "find_adjustment",
    "find_differences",
    "find_rolls",
    "find_lone_markets",
    "first_bar_number",
    "has_contract",
    "is_of_several_files",
    "is_panel",
    "is_roll_between",
    "lift_bars",
    "load_bars",
    "load_panel",
    "mark_at_open",
    "measure_traits",
    "missing_settlements",
    "stray_price",
    "name_market",
    "open_source",
    "points_bars",
    "proportional_bars",
    "proportional_markets",
    "rate_doubt",
    "hint_near_column",
    "rate_offence",
    "read_bars",
    "sample_bars",
    "simulate_bars",
    "slice_bars",
    "slice_panel",
    "take_bars",
    "span_dates",
    "validate_bars",
]
