"""Collect funding, but never against the market's trend: copy this file and change the rule.

Short while the funding of the past week was positive, long while it was negative, sized by the
annual rate; and flat while the price has gone the other way over the past month.

The bars need a column `funding_rate`, which backtrader's own CSV feeds don't read, so there is no
line for `btrun`. On the command line:

    lstm-strategy backtest perpetual.csv \
        --strategy strategies/perpetual_carry.py:PerpetualCarry:full_rate=0.2 --out results

In Python, from the folder that holds `strategies`:

    from strategies.perpetual_carry import PerpetualCarry
    result = run_backtest(PerpetualCarry, bars, full_rate=0.2)

docs/how-to/perpetuals.md says how to make such bars of an exchange's files.
"""

from lstm_strategy.trading.baselines import FundingCarry


class PerpetualCarry(FundingCarry):
    """`FundingCarry`, and flat while the trend of `trend_bars` is against it."""

    params = (("trend_bars", 24 * 30),)

    def __init__(self) -> None:
        super().__init__()
        self.change = self.data.close - self.data.close(-self.p.trend_bars)

    def target_exposure(self) -> float:
        """Return the exposure to hold from the next open on: 1 is all of the equity, 0 none."""
        carry = super().target_exposure()
        return carry if carry * self.change[0] >= 0.0 else 0.0
