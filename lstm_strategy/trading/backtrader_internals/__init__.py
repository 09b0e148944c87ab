"""What the package needs of backtrader beyond its documented interface, all in one place.

backtrader is no longer developed, yet names that begin with an underscore, and attributes that its
documentation leaves out, are no promise. Nothing here has a public counterpart; should one of them
change, this is the only room to look at. `BarsFeed` and `LSTMIndicator` also override hooks that
backtrader offers to the authors of feeds and indicators (`_load`, `_gettz`, `_plotlabel`), because
an override has to stand in its class.
"""

from lstm_strategy.trading.backtrader_internals.feeds import (
    check_filters,
    feed_name,
    index_behind,
    keep_two_bars,
    loads_unchanged_bars,
    shown_zone_of,
    start_feed,
    timeframe_of,
    zone_shown_by,
)
from lstm_strategy.trading.backtrader_internals.lines import (
    bar_number,
    fill_lines,
    keeps_bars,
    loaded_values,
    operands_of,
    owner_of,
    value_of,
)
from lstm_strategy.trading.backtrader_internals.orders import (
    hold_until_next_bar,
    list_order,
    resize_order,
    without_cash_check,
)
from lstm_strategy.trading.backtrader_internals.params import (
    declared_params,
    param_values,
)
from lstm_strategy.trading.backtrader_internals.periods import (
    minimum_period,
    minimum_periods,
    raise_minimum_period,
)
from lstm_strategy.trading.backtrader_internals.runs import (
    compute_bar_by_bar,
    exactbars_of,
    is_optimisation,
    strategies_of_last_run,
)
from lstm_strategy.trading.backtrader_internals.skipping import (
    may_skip_bars,
    skip_bars,
)

__all__ = [
    "bar_number",
    "check_filters",
    "compute_bar_by_bar",
    "declared_params",
    "exactbars_of",
    "feed_name",
    "fill_lines",
    "hold_until_next_bar",
    "index_behind",
    "is_optimisation",
    "keep_two_bars",
    "keeps_bars",
    "list_order",
    "loaded_values",
    "loads_unchanged_bars",
    "may_skip_bars",
    "minimum_period",
    "minimum_periods",
    "operands_of",
    "owner_of",
    "param_values",
    "raise_minimum_period",
    "resize_order",
    "shown_zone_of",
    "skip_bars",
    "start_feed",
    "strategies_of_last_run",
    "timeframe_of",
    "value_of",
    "without_cash_check",
    "zone_shown_by",
]
