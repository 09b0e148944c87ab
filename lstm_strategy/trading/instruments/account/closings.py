"""Which positions of an account are closed at a moment, and who bears what is lost."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from lstm_strategy.trading.instruments.account.liquidation import (
    Holding,
    liquidation_price_of,
    margin_behind,
)
from lstm_strategy.trading.instruments.account.market import Market
from lstm_strategy.trading.instruments.funding import FundedScheme


@dataclass
class Closing:
    """A position that is about to be closed.

    Attributes:
        holding: The position.
        mark: The liquidation price; of one that is closed with others in cross margin, its mark.
        price: At which it is closed.
        fee: Of closing, in money.
        insurance: What the insurance fund bears, in money.
    """

    holding: Holding
    mark: float
    price: float
    fee: float
    insurance: float = 0.0

    @property
    def gain(self) -> float:
        """What closing brings beside the margin, the fee paid; below 0 for a loss."""
        return self.holding.gain_at(self.price) - self.fee


def find_closings(
    held: Mapping[Market, Holding],
    worst: Mapping[Market, float],
    prices: Mapping[Market, float],
    cash: float,
    *,
    is_within: bool = False,
) -> dict[Market, Closing]:
    """Return the positions whose mark is beyond their liquidation price, as they are closed.

    Each is tried at its worst mark, with the others at theirs of the same moment. An isolated one
    loses its margin at most. Where one in cross margin is closed, all of these are that have a
    bar; what perpetuals then lose beyond the account is the insurance fund's, too.

    Args:
        held: The positions at their marks of one moment.
        worst: The mark that each is tried at.
        prices: At which those that have a bar can be closed at that moment.
        cash: Of the account, margins set aside.
        is_within: Whether one whose mark goes beyond within the bar is closed on its way.
    """
    closings: dict[Market, Closing] = {}
    for market, holding in held.items():
        others = [other for other in held.values() if other is not holding]
        mark = liquidation_price_of(holding, others, cash)
        if market not in prices or not replace(holding, mark=worst[market]).is_beyond(mark):
            continue
        price = market.price_at(mark, holding.size) if is_within else prices[market]
        closing = _closing(market, holding, mark, price)
        if holding.is_isolated:
            closing.insurance = max(0.0, -margin_behind(holding, others, cash) - closing.gain)
        closings[market] = closing
    if all(closing.holding.is_isolated for closing in closings.values()):
        return closings
    return _with_cross_margin(closings, held, prices, cash)


def _with_cross_margin(
    closings: dict[Market, Closing],
    held: Mapping[Market, Holding],
    prices: Mapping[Market, float],
    cash: float,
) -> dict[Market, Closing]:
    """The closings, with all others in cross margin that have a bar, and a debt covered."""
    shared = {market: holding for market, holding in held.items() if not holding.is_isolated}
    joined = {
        market: _closing(market, holding, holding.mark, prices[market])
        for market, holding in shared.items()
        if market in prices
    }
    closings = joined | closings
    perpetuals = [market for market in shared if isinstance(market.scheme, FundedScheme)]
    if perpetuals and len(joined) == len(shared):
        left = sum(closings[market].gain + shared[market].locked for market in shared)
        closings[perpetuals[-1]].insurance = max(0.0, -cash - left)
    return closings


def _closing(market: Market, holding: Holding, mark: float, price: float) -> Closing:
    return Closing(holding, mark, price, market.closing_fee(holding.size, price))
