"""What a column of the user's is to the kinds that read it: a rate, a price, an amount, a time.

A kind names such a column by an argument, and the name of the argument says what the column is:
`funding_sum(bars, *, rate="funding_rate")` reads a rate. From its role follow the unit of the
column, its mirror image, what numbers can't be right, and what to try a kind on.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from lstm_strategy.bars import (
    HIGHEST_RATE,
    describe_missing_settlements,
    funding_offence,
    rate_offence,
    stray_price,
)

_LONGEST_GAP = pd.Timedelta(days=366)

Mirror = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""Values in the mirror, from the values, the closes and the closes in the mirror."""


@dataclass(frozen=True)
class ColumnRole:
    """What a column is.

    Attributes:
        mirror: What becomes of it where rises and falls are exchanged.
        make_up: Made-up numbers for it, from bars and a source of random numbers.
        scales_with: "price" or "volume", if its unit is theirs.
        is_event: Whether NaN means that nothing happened on a bar; if not, it means that the value
            isn't known there.
        is_impossible: Where values can't be right.
        rule: What they must be.
        may_be_percent: Whether it is a rate, that some give in percent.
        never_falls: Whether a value below the one before is wrong.
        is_beside_close: Whether the close and its moves are of the same market as it is: not so
            for the prices of single contracts beside a series that is adjusted.
        is_near_close: Whether it is a price of the same market in the same unit.
        usual_name: What a column is usually called that a kind doesn't read unless it is told to,
            though its numbers are wrong without it.
    """

    mirror: Mirror
    make_up: Callable[[pd.DataFrame, np.random.Generator], np.ndarray]
    scales_with: Literal["price", "volume"] | None = None
    is_event: bool = False
    is_impossible: Callable[[np.ndarray], np.ndarray] = lambda values: values != values
    rule: str = ""
    may_be_percent: bool = False
    never_falls: bool = False
    is_beside_close: bool = True
    is_near_close: bool = False
    usual_name: str | None = None

    def find_impossible(self, values: pd.Series, close: pd.Series | None = None) -> str | None:
        """The first value that can't be right, in words; None where there is none.

        Args:
            values: On the index of the bars.
            close: Of the bars; without it, prices aren't set beside it.
        """
        known = values.dropna()
        wrong = known[self.is_impossible(known.to_numpy(np.float64))]
        if len(wrong):
            first = f"{values.name} is {wrong.iloc[0]:g} at {wrong.index[0]}"
            return f"{first}{_count(wrong)}. {self.rule}"
        return stray_price(values, close) if self.is_near_close and close is not None else None

    def find_doubtful(self, values: pd.Series) -> str | None:
        """What is wrong with the column as a whole, in words; None where nothing is."""
        known = values.dropna()
        if self.may_be_percent:
            rule = funding_offence if self.is_event else rate_offence
            offence = rule(values, name=str(values.name))
            if offence is not None:
                return offence
        falls = np.flatnonzero(np.diff(known.to_numpy(np.float64)) < 0)
        if self.never_falls and len(falls):
            before, after = known.iloc[falls[0]], known.iloc[falls[0] + 1]
            return (
                f"{values.name} goes backwards at {known.index[falls[0] + 1]}, from {before:.10g} "
                f"to {after:.10g}. A contract gives way to one that expires later: correct or drop "
                "those rows."
            )
        return _find_gap(values)

    def describe_missing(self, values: pd.Series) -> str | None:
        """How many values are missing, and what follows, in words; None where none is."""
        if self.is_event:
            return _describe_missing_rates(values) if self.may_be_percent else None
        is_missing = values.isna().to_numpy()
        if not is_missing.any():
            return None
        return (
            f"{values.name} is missing on {is_missing.sum():,} of {len(values):,} bars, first at "
            f"{values.index[int(is_missing.argmax())]}. Features that read it keep their last "
            "values there, and are unknown before the first."
        )


def _describe_missing_rates(rates: pd.Series) -> str | None:
    gaps = describe_missing_settlements(rates)
    return f"{'; '.join(gaps)}. Nothing is counted there." if gaps else None


def _find_gap(values: pd.Series) -> str | None:
    """Where a value isn't known for so long that the last one says nothing any more."""
    known = values.index[values.notna()]
    if not len(known):
        return f"{values.name} isn't known on any bar. Add its values, or leave the feature out."
    ends = known[1:].append(values.index[-1:])
    gaps = ends - known
    longest = int(np.argmax(gaps))
    if gaps[longest] <= _LONGEST_GAP:
        return None
    return (
        f"{values.name} is missing from {known[longest]} to {ends[longest]}, and its last value "
        "would be held for all that time. Leave those bars out, for example by beginning after "
        "them, or leave the feature out."
    )


def _count(wrong: pd.Series) -> str:
    return f" ({len(wrong):,} such rows)" if len(wrong) > 1 else ""


def negate(values: np.ndarray, close: np.ndarray, mirrored: np.ndarray) -> np.ndarray:
    """What is negated in the mirror, as a rate."""
    return -values


def keep(values: np.ndarray, close: np.ndarray, mirrored: np.ndarray) -> np.ndarray:
    """What is the same in the mirror, as an amount."""
    return values


def _turn(values: np.ndarray, close: np.ndarray, mirrored: np.ndarray) -> np.ndarray:
    """A price beside the close: what was above it is below it."""
    return np.asarray(close * mirrored / values)


def _follow(values: np.ndarray, close: np.ndarray, mirrored: np.ndarray) -> np.ndarray:
    """A price that keeps its ratio to the close."""
    return np.asarray(values * mirrored / close)


def _follow_negated(values: np.ndarray, close: np.ndarray, mirrored: np.ndarray) -> np.ndarray:
    return -_follow(values, close, mirrored)


def _make_up_rates(bars: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    return np.asarray(rng.normal(1e-4, 3e-4, len(bars)))


def _make_up_settlements(bars: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Rates on two of three bars."""
    is_settled = np.arange(len(bars)) % 3 != 1
    return np.where(is_settled, _make_up_rates(bars, rng), np.nan)


def _make_up_payments(bars: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    return np.asarray(_make_up_rates(bars, rng) * bars["close"])


def _make_up_price(bars: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    return np.asarray(bars["close"] * np.exp(rng.normal(0, 0.001, len(bars))))


def _make_up_contract_price(bars: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """The price of a contract that is changed every 60 bars."""
    return np.asarray(bars["close"] * (1 - 0.01 * (_make_up_contracts(bars, rng) % 3)))


def _make_up_amounts(bars: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    drift = np.tanh(rng.normal(0, 0.5, len(bars)))
    return np.asarray(bars["volume"].median() * np.exp(2 + 0.1 * drift))


def _make_up_years(bars: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    return np.full(len(bars), 0.25)


def _make_up_contracts(bars: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    return np.arange(len(bars)) // 60 + 1.0


def _is_not_positive(values: np.ndarray) -> np.ndarray:
    return np.asarray(values <= 0)


_PRICE_RULE = "It must be above 0: replace it with NaN where it isn't known, or drop those rows."

_PRICE = ColumnRole(
    _turn,
    _make_up_price,
    "price",
    is_impossible=_is_not_positive,
    rule=_PRICE_RULE,
    is_near_close=True,
)
_RATE = ColumnRole(
    negate,
    _make_up_rates,
    is_impossible=lambda values: np.abs(values) > HIGHEST_RATE,
    rule=(
        f"A rate is a fraction of the notional a settlement and at most {HIGHEST_RATE:.0%}: "
        "divide by 100 if it is in percent, else correct it."
    ),
    may_be_percent=True,
)
_SETTLED_RATE = replace(_RATE, make_up=_make_up_settlements, is_event=True)
_CONTRACT_PRICE = ColumnRole(
    _follow,
    _make_up_contract_price,
    "price",
    is_impossible=_is_not_positive,
    rule=_PRICE_RULE,
    is_beside_close=False,
)

COLUMN_ROLES: dict[str, ColumnRole] = {
    "rate": _SETTLED_RATE,
    "predicted": _RATE,
    "payment": ColumnRole(
        _follow_negated, _make_up_payments, "price", is_event=True, usual_name="funding_payment"
    ),
    "spot": _PRICE,
    "mark": _PRICE,
    "open_interest": ColumnRole(
        keep,
        _make_up_amounts,
        "volume",
        is_impossible=_is_not_positive,
        rule=_PRICE_RULE,
    ),
    "price": _CONTRACT_PRICE,
    "carry_price": replace(_CONTRACT_PRICE, make_up=_make_up_price),
    # with the near contract and the far one exchanged, the basis is negated
    "years": ColumnRole(
        negate,
        _make_up_years,
        is_impossible=lambda values: values == 0,
        rule=(
            "The two contracts would expire on the same day: give the expiry of the carry contract "
            "less that of the contract held, in years, below 0 where the carry contract expires "
            "first."
        ),
        is_beside_close=False,
    ),
    "contract": ColumnRole(keep, _make_up_contracts, never_falls=True, is_beside_close=False),
}
"""What the column is that an argument of a kind names, by the name of the argument."""
