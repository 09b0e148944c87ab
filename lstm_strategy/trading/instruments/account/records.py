"""What an account did beside its orders: funding, the costs of fills, liquidations."""

from datetime import datetime
from typing import NamedTuple


class FundingPayment(NamedTuple):
    """What one position paid at one settlement, or where its contract was changed.

    Attributes:
        datetime: The bar, in the zone in which its feed shows dates.
        bar: Its number in the feed, counted from 1.
        symbol: The name of the feed.
        size: Signed units.
        mark: The mark price at which the rate was taken; of a roll the price of the contract left.
        rate: A fraction of the value.
        amount: Money; below 0 where the position was paid.
        is_roll: Whether it is what a change of contract costs, and no funding.
        is_within: Whether it settled within the bar, paid by what is held after the fills.
    """

    datetime: datetime
    bar: int
    symbol: str
    size: float
    mark: float
    rate: float
    amount: float
    is_roll: bool = False
    is_within: bool = False


class FillCost(NamedTuple):
    """What one fill took.

    Attributes:
        datetime: The bar, in the zone in which its feed shows dates.
        bar: Its number in the feed, counted from 1.
        symbol: The name of the feed.
        size: Signed units.
        price: At which they filled.
        fee: Money.
        spread: Half of the spread, in money.
        impact: What the size of the order took, in money.
    """

    datetime: datetime
    bar: int
    symbol: str
    size: float
    price: float
    fee: float
    spread: float
    impact: float


class Liquidation(NamedTuple):
    """One position that was closed because its margin was used up.

    Attributes:
        datetime: The bar, in the zone in which its feed shows dates.
        bar: Its number in the feed, counted from 1.
        symbol: The name of the feed.
        size: Signed units that were held.
        entry: The mean price at which they were bought or sold.
        mark: The liquidation price, which the mark was at or beyond.
        price: At which they were closed, a price of the bar.
        fee: Taker and liquidation fee, in money.
        insurance: What the loss and the fee took beyond the margin, in money; the insurance fund
            of the exchange bears it.
    """

    datetime: datetime
    bar: int
    symbol: str
    size: float
    entry: float
    mark: float
    price: float
    fee: float
    insurance: float
