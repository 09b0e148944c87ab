"""Continuous series of futures: back-adjusted closes with the contract that is held beside them.

The column `price` is the raw price of that contract. From it follow the way in which the closes
were adjusted, the dates on which the contract changes, and returns that mean something.
"""

from lstm_strategy.bars.futures.adjustment import (
    CARRY_PRICE,
    CONTRACT_PRICE,
    Adjustment,
    ContractReturns,
    find_adjustment,
    has_contract,
)
from lstm_strategy.bars.futures.describe import describe_contracts
from lstm_strategy.bars.futures.lift import lift_bars
from lstm_strategy.bars.futures.months import (
    CARRY_MONTH,
    CONTRACT_MONTH,
    add_years_to_carry,
    find_wrong_months,
    to_months,
)
from lstm_strategy.bars.futures.points import points_bars
from lstm_strategy.bars.futures.proportional import proportional_bars
from lstm_strategy.bars.futures.rolls import find_rolls, is_roll_between

__all__ = [
    "CARRY_MONTH",
    "CARRY_PRICE",
    "CONTRACT_MONTH",
    "CONTRACT_PRICE",
    "Adjustment",
    "ContractReturns",
    "add_years_to_carry",
    "describe_contracts",
    "find_adjustment",
    "find_rolls",
    "find_wrong_months",
    "has_contract",
    "is_roll_between",
    "lift_bars",
    "points_bars",
    "proportional_bars",
    "to_months",
]
