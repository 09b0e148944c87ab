"""What perpetuals pay: records of funding joined to bars, and what rates and marks can't be."""

from lstm_strategy.bars.funding.join import PAYMENT, add_funding
from lstm_strategy.bars.funding.marks import columns_beside_close, mark_at_open, stray_price
from lstm_strategy.bars.funding.rates import (
    HIGHEST_RATE,
    check_funding_rates,
    funding_offence,
    rate_doubt,
    rate_offence,
)
from lstm_strategy.bars.funding.settlements import (
    describe_missing_settlements,
    missing_settlements,
)

__all__ = [
    "HIGHEST_RATE",
    "PAYMENT",
    "add_funding",
    "check_funding_rates",
    "columns_beside_close",
    "describe_missing_settlements",
    "funding_offence",
    "mark_at_open",
    "missing_settlements",
    "rate_doubt",
    "rate_offence",
    "stray_price",
]
