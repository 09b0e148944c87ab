"""The term structure of futures: the contract held beside one that expires before or after it.

The bars are a continuous series; `price` is the price of the contract held, `carry_price` that of
the other one, and `years` the expiry of the other less that of the contract held, in years, below
0 where the other expires first. Where one of them is missing, a feature keeps its last value.
"""

from typing import Any

import numpy as np
import pandas as pd

from lstm_strategy.learning.features.kinds.arguments import check_bars
from lstm_strategy.learning.features.kinds.derivatives.times import years_passed

_SAME_RATIO = 1e-5  # what rounding makes of it
_SAME_YEARS, _CLOSER_YEARS = 1e-3, 4e-3  # a third of a day, and a day and a half


def basis(
    bars: pd.DataFrame,
    *,
    price: str = "price",
    carry_price: str = "carry_price",
    years: str = "years_to_carry",
) -> pd.DataFrame:
    """The log of the later contract's price over the earlier one's: above 0 in contango.

    Known at the close of its row.
    """
    return pd.DataFrame({"BASIS": _basis(bars, price, carry_price, years).ffill()})


def contango(
    bars: pd.DataFrame,
    *,
    price: str = "price",
    carry_price: str = "carry_price",
    years: str = "years_to_carry",
) -> pd.DataFrame:
    """1 where the later contract is the dearer one (contango), -1 in backwardation, 0 where even.

    Known at the close of its row.
    """
    return pd.DataFrame({"CONTANGO": np.sign(_basis(bars, price, carry_price, years)).ffill()})


def roll_yield(
    bars: pd.DataFrame,
    *,
    price: str = "price",
    carry_price: str = "carry_price",
    years: str = "years_to_carry",
) -> pd.DataFrame:
    """What a long earns a year if the curve stays as it is: a log return, above 0 in backwardation.

    Known at the close of its row.

    Source:
        Koijen, Moskowitz, Pedersen & Vrugt, "Carry", Journal of Financial Economics 127 (2018),
        section 2: the return if prices don't change, here annualised by the time between expiries.
    """
    return pd.DataFrame({"ROLL_YIELD": _roll_yield(bars, price, carry_price, years).ffill()})


def roll_yield_change(
    bars: pd.DataFrame,
    *,
    length: int = 21,
    price: str = "price",
    carry_price: str = "carry_price",
    years: str = "years_to_carry",
    contract: str | None = None,
) -> pd.DataFrame:
    """The change of the roll yield over the last `length` bars, steps between contracts left out.

    A step from one pair of contracts to the next says nothing of the market and counts as 0. The
    contract changes where `contract`, a column such as 201403, does; or, without one, where the
    close and the price of the contract held keep no ratio, or `years` jumps. Known at the close of
    its row.
    """
    check_bars("roll_yield_change", length=length)
    held = bars[contract].ffill().diff() if contract else _ratio_changes(bars, price)
    pair = (held.fillna(0) != 0) | _years_jump(bars[years])
    known = _roll_yield(bars, price, carry_price, years).dropna()
    of_pair = pair.cumsum().reindex(known.index)
    steps = known.diff().where(of_pair.diff() == 0, 0.0).reindex(bars.index).fillna(0.0)
    change = steps.cumsum().diff(length)
    begun = bars.index >= known.index[0] if len(known) else np.zeros(len(bars), bool)
    return pd.DataFrame({f"ROLL_YIELD_CHANGE_{length}": change.where(begun)})


def futures_mispricing(
    bars: pd.DataFrame,
    *,
    length: int = 252,
    price: str = "price",
    carry_price: str = "carry_price",
    years: str = "years_to_carry",
) -> pd.DataFrame:
    """How much dearer the earlier contract is than its fair value, as a log ratio.

    Its fair value is the price of the later contract less the usual cost of carry between their
    expiries: later price * exp(yield * years between), where the yield is the mean roll yield of
    the last `length` bars. Known at the close of its row.

    Source:
        Hull, "Options, Futures, and Other Derivatives", chapter 5: F = S exp(cT).
    """
    check_bars("futures_mispricing", least=2, length=length)
    yields = _roll_yield(bars, price, carry_price, years).ffill()
    gap = (yields - yields.rolling(length).mean()) * bars[years].ffill().abs()
    return pd.DataFrame({f"FUTURES_MISPRICING_{length}": gap})


def futures_fair_price(bars: pd.DataFrame, **arguments: Any) -> pd.Series:
    """The close that would leave nothing of `futures_mispricing`, which takes the arguments.

    The contract held is the earlier one or, where the years are below 0, the later one.
    """
    gap = futures_mispricing(bars, **arguments).iloc[:, 0]
    years = bars[arguments.get("years", "years_to_carry")].ffill()
    fair: pd.Series = bars["close"] * np.exp(-gap * np.sign(years))
    return fair


def _basis(bars: pd.DataFrame, price: str, carry_price: str, years: str) -> pd.Series:
    """The log of the later price over the earlier one; NaN where something is missing."""
    held, other = (bars[name].where(bars[name] > 0) for name in (price, carry_price))
    logs = np.log((other / held).to_numpy(np.float64))
    return pd.Series(logs * np.sign(bars[years].ffill().to_numpy(np.float64)), bars.index)


def _roll_yield(bars: pd.DataFrame, price: str, carry_price: str, years: str) -> pd.Series:
    """The annualised roll yield; NaN where something is missing."""
    between = bars[years].ffill().abs()
    return -_basis(bars, price, carry_price, years) / between.where(between > 0)


def _ratio_changes(bars: pd.DataFrame, price: str) -> pd.Series:
    """1 where the contract held is another one than on the last bar with a price, else 0.

    Within a contract, close and price keep their ratio: features see series that are adjusted by
    difference in proportion, see `proportional_bars`.
    """
    ratio = (bars["close"] / bars[price]).ffill()
    moved: pd.Series = (ratio / ratio.shift() - 1).abs() > _SAME_RATIO
    return moved.astype(float)


def _years_jump(years: pd.Series) -> pd.Series:
    """Where the time between the expiries is another one, not just a day less."""
    distance = years.ffill().abs()
    change = distance.diff()
    beside_time = change + years_passed(years.index)
    jumps: pd.Series = (change.abs() > _SAME_YEARS) & (beside_time.abs() > _CLOSER_YEARS)
    return jumps
