"""Which positions of an account are liquidated, at which mark, and what that leaves."""

from collections.abc import Sequence
from dataclasses import dataclass

from lstm_strategy.trading.instruments.instrument import Instrument


@dataclass(frozen=True)
class Holding:
    """A position as its margin sees it.

    Attributes:
        instrument: What is held.
        size: Signed units.
        base: The price from which gains aren't in cash yet: the mean entry of a perpetual, the
            last settlement of a future.
        locked: The money that the broker set aside for it.
        mark: The mark price.
    """

    instrument: Instrument
    size: float
    base: float
    locked: float
    mark: float

    @property
    def is_isolated(self) -> bool:
        """Whether it has only its own margin to lose."""
        return getattr(self.instrument, "margin_mode", "cross") == "isolated"

    def gain_at(self, price: float) -> float:
        """Return what it has gained and isn't in cash yet, in money."""
        return self.size * self.instrument.multiplier * (price - self.base)

    @property
    def spare(self) -> float:
        """What it adds to the margin of others: its own and its gain, less what it needs."""
        needed = self.instrument.maintenance_margin_of(self.size, self.mark)
        return self.locked + self.gain_at(self.mark) - needed

    def is_beyond(self, liquidation_price: float) -> bool:
        """Return whether the mark is at or beyond a liquidation price; False where there is none.

        Args:
            liquidation_price: NaN for none.
        """
        if self.size > 0.0:
            return self.mark <= liquidation_price
        return self.mark >= liquidation_price


def margin_behind(holding: Holding, others: Sequence[Holding], cash: float) -> float:
    """Return the money that backs a position, before its own gain.

    An isolated position has its own margin. What funding and fees have taken beyond the cash comes
    out of the isolated margins, in proportion. A position in cross margin has the cash, its
    margin, and what the others in cross margin can spare at their marks.

    Args:
        holding: The position.
        others: All other positions of the account.
        cash: Of the account, margins set aside.

    Source:
        Binance, "How to Calculate Liquidation Price of USDⓈ-M Futures Contracts": cross wallet
        balance less the maintenance margins, plus the unrealised gains, of all other contracts.

    Example:
        >>> from lstm_strategy import Perpetual
        >>> held = Holding(Perpetual(leverage=5), 10, 100.0, 200.0, 100.0)
        >>> margin_behind(held, [], cash=-20.0), margin_behind(held, [], cash=700.0)
        (180.0, 200.0)
    """
    if holding.is_isolated:
        isolated = sum(other.locked for other in others if other.is_isolated) + holding.locked
        return holding.locked + min(cash, 0.0) * holding.locked / isolated
    return cash + holding.locked + sum(other.spare for other in others if not other.is_isolated)


def liquidation_price_of(holding: Holding, others: Sequence[Holding], cash: float) -> float:
    """Return the mark at which a position of an account is liquidated; NaN where there is none.

    Args:
        holding: The position.
        others: All other positions of the account, at their marks.
        cash: Of the account, margins set aside.
    """
    margin = margin_behind(holding, others, cash)
    return holding.instrument.liquidation_price(holding.size, holding.base, margin=margin)
