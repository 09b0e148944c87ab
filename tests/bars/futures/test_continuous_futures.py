"""Continuous series: how they were adjusted, and the returns of whoever held the contracts."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_strategy import load_bars, load_panel, validate_bars
from lstm_strategy.bars import points_bars, proportional_bars, read_bars
from lstm_strategy.bars.futures import (
    ContractReturns,
    describe_contracts,
    find_adjustment,
    find_rolls,
    to_months,
)
from lstm_strategy.errors import BarsError

DAYS = pd.date_range("2024-03-11", periods=6)
# the contract changes from 102 to 110 at the fourth bar: held over it, the new one lost 1
PRICES = [100.0, 101.0, 102.0, 110.0, 112.0, 111.0]
BY_DIFFERENCE = [-11.0, -10.0, -9.0, -10.0, -8.0, -9.0]
RETURNS = [1 / 100, 1 / 101, -1 / 102, 2 / 110, -1 / 112]


def continuous(closes, prices, **columns) -> pd.DataFrame:
    """Bars that are made of closes alone, beside the prices of their contracts."""
    index = pd.date_range("2024-03-11", periods=len(closes), name="datetime")
    prices_of_bars = dict.fromkeys(("open", "high", "low", "close"), closes)
    bars = pd.DataFrame(prices_of_bars, index, dtype=float)
    return bars.assign(volume=0.0, price=prices, **columns)


def long_series(n_bars: int = 400, *, by_ratio: bool = False, seed: int = 0) -> pd.DataFrame:
    """A contract that is left every 40 bars for one 3% dearer, with a gap in the price alone."""
    moves = np.random.default_rng(seed).normal(0.0, 0.01, n_bars)
    is_roll = np.arange(n_bars) % 40 == 39
    price = 100 * np.cumprod(1 + moves + np.where(is_roll, 0.03, 0.0))
    before = np.append(price[0], price[:-1])
    by_difference = np.cumsum(moves * before) - 80
    return continuous(40 * np.cumprod(1 + moves) if by_ratio else by_difference, price)


def returns_of(bars: pd.DataFrame) -> np.ndarray:
    return bars["close"].pct_change().to_numpy()[1:]


def test_returns_are_changes_of_the_close_over_the_price_of_the_contract_before():
    bars = continuous(BY_DIFFERENCE, PRICES)
    seen = proportional_bars(bars)
    assert seen["close"].iloc[0] == 100
    assert returns_of(seen) == pytest.approx(RETURNS, abs=1e-15)
    assert seen["price"].tolist() == PRICES
    assert find_rolls(bars).tolist() == [False, False, False, True, False, False]


def test_open_high_and_low_follow_in_proportion_to_the_close_before():
    bars = continuous([-10.0, -9.0], [50.0, 51.0])
    bars["open"], bars["high"], bars["low"] = [-10.5, -10.0], [-9.0, -8.5], [-11.0, -10.5]
    seen = proportional_bars(bars)
    assert seen.iloc[0, :4].tolist() == [49.5, 51.0, 49.0, 50.0]
    assert seen.iloc[1, :4].tolist() == pytest.approx([50.0, 51.5, 49.5, 51.0], abs=1e-12)


def test_closes_that_are_adjusted_by_ratio_stay_as_they_are():
    bars = long_series(by_ratio=True)
    assert proportional_bars(bars) is bars
    assert find_adjustment(bars).method == "ratio"


def test_bars_without_a_contract_stay_as_they_are():
    bars = continuous([10.0, 11.0], [1.0, 1.0]).drop(columns="price")
    assert proportional_bars(bars) is bars
    assert proportional_bars(unknown := bars.assign(price=np.nan)) is unknown


def test_a_series_in_proportion_is_not_changed_again():
    seen = proportional_bars(long_series())
    assert proportional_bars(seen) is seen


def test_a_part_of_a_series_in_proportion_is_not_changed_again():
    seen = proportional_bars(long_series())
    for first in range(0, 50, 7):
        assert proportional_bars(part := seen.iloc[first:]) is part


def test_both_ways_of_adjusting_give_the_same_returns():
    differences, ratios = (returns_of(proportional_bars(long_series(by_ratio=r))) for r in (0, 1))
    assert differences == pytest.approx(ratios, abs=1e-12)


@pytest.mark.parametrize("by_ratio", [False, True])
def test_returns_bar_by_bar_are_those_of_all_bars(by_ratio):
    bars = long_series(by_ratio=by_ratio)
    reader, closes, prices = ContractReturns(), bars["close"].tolist(), bars["price"].tolist()
    pairs = zip(pairwise(closes), pairwise(prices), strict=True)
    read = [reader.read(close, price) for close, price in pairs]
    assert read == pytest.approx(returns_of(proportional_bars(bars)), abs=1e-12)


@pytest.mark.parametrize("decimals", [2, 9])
def test_closes_adjusted_by_ratio_become_the_points_of_their_contracts(decimals):
    by_ratio, by_difference = (
        long_series(by_ratio=by_ratio).round(decimals) for by_ratio in (True, False)
    )
    points = points_bars(by_ratio)
    # what a contract earned over its last bar is known to the rounding of the closes only
    apart = np.diff(points["close"]) - np.diff(by_difference["close"])
    assert apart == pytest.approx(0.0, abs=3 * 10.0**-decimals)
    held = ~find_rolls(by_ratio)[1:]
    gains = np.diff(points["close"])[held]
    assert gains == pytest.approx(np.diff(by_ratio["price"])[held], abs=1e-9)
    assert find_rolls(points).tolist() == find_rolls(by_ratio).tolist()
    assert points_bars(points) is points
    assert points_bars(by_difference) is by_difference


def test_the_bars_of_a_contract_keep_their_range_in_its_own_points():
    bars = continuous([50.0, 55.0, 44.0], [100.0, 110.0, 88.0])
    bars["open"], bars["high"], bars["low"] = [50.0, 51, 54], [52.0, 56, 55], [49.0, 50, 43]
    points = points_bars(bars)
    assert points["high"].tolist() == pytest.approx([104, 112, 110])
    assert points["low"].tolist() == pytest.approx([98, 100, 86])
    assert points["open"].tolist() == pytest.approx([100, 102, 108])
    assert points["close"].tolist() == pytest.approx([100, 110, 88])


def test_a_price_below_0_is_refused_with_what_can_be_done():
    prices = [12.0, 8.0, -37.63, -20.0, 9.0, 11.0]
    with pytest.raises(BarsError, match=r"price is -37\.63 at 2024-03-13 .* drop those rows"):
        validate_bars(continuous(np.array(prices) + 80, prices))
    kept = [0, 1, 4, 5]
    bars = validate_bars(continuous(np.array(prices) + 80, prices).iloc[kept])
    assert find_rolls(bars).tolist() == [False] * 4
    assert bars["close"].iloc[-1] - bars["close"].iloc[0] == -1.0  # as the contract itself


def test_rounded_prices_are_told_apart_as_well():
    by_ratio, by_difference = long_series(by_ratio=True).round(2), long_series().round(2)
    assert find_adjustment(by_ratio).method == "ratio"
    assert find_adjustment(by_difference).method == "difference"
    assert find_rolls(by_difference).sum() == find_rolls(by_ratio).sum() == 10


@settings(max_examples=40)
@given(st.integers(2, 399), st.booleans(), st.integers(0, 5))
def test_later_bars_change_nothing_at_or_before_a_bar(n_known, by_ratio, seed):
    bars = long_series(by_ratio=by_ratio, seed=seed)
    other = bars.copy()
    other.iloc[n_known:] = np.abs(other.iloc[n_known:].to_numpy()[::-1]) * 1.7 + 3
    known, changed = (proportional_bars(each).iloc[:n_known] for each in (bars, other))
    scale = known["close"].iloc[0] / changed["close"].iloc[0]
    assert (changed["close"] * scale).to_numpy() == pytest.approx(known["close"].to_numpy())


def test_what_was_found_is_said():
    assert describe_contracts(continuous(BY_DIFFERENCE, PRICES)) == [
        "the closes are back-adjusted by difference, so returns are their changes over the column "
        "price",
        "the contract changes once, at 2024-03-14",
    ]
    said = describe_contracts(long_series(by_ratio=True))
    assert said == [
        "the closes are back-adjusted by ratio, so returns are their own",
        "the contract changes 10 times, first at 2024-04-19",
    ]


def test_a_carry_price_that_is_missing_for_years_is_named_with_its_dates():
    bars = long_series(900).assign(carry_price=100.0)
    bars.loc["2024-06-01":"2025-12-31", "carry_price"] = np.nan
    assert describe_contracts(bars)[-1] == (
        "the carry_price is missing from 2024-06-01 to 2025-12-31 (579 bars)"
    )
    bars.loc["2024-07-01":, "carry_price"] = 100.0
    assert len(describe_contracts(bars)) == 2


def test_valid_bars_may_lie_below_zero_beside_the_price_of_their_contract():
    bars = continuous(BY_DIFFERENCE, PRICES)
    assert validate_bars(bars)["close"].tolist() == BY_DIFFERENCE


def test_a_contract_that_stands_still_is_one_bar_after_the_other():
    bars = continuous([-2.0, -2.0, -1.0], [50.0, 50.0, 51.0])
    assert returns_of(proportional_bars(bars)) == pytest.approx([0.0, 0.02])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"price": [100, 101, 0, 110, 112, 111]}, "price is 0 at 2024-03-13", id="0"),
        pytest.param(
            {"price": [100, np.nan, 102, 110, 112, 111]}, "price is NaN at 2024-03-12", id="missing"
        ),
        pytest.param(
            {"contract": [202403, 202403, 202403, 202406, 202406, 202403]},
            "contract goes back from 202406 to 202403 at 2024-03-16",
            id="months that go backwards",
        ),
        pytest.param(
            {"contract": [202403, 202403, 202403, 202413, 202413, 202413]},
            r"contract is 202413 at 2024-03-14 \(3 such rows\). Months are written as 202403",
            id="a thirteenth month",
        ),
        pytest.param(
            {"carry_contract": [20240600, 20240600, 20240600, 20240000, 20240900, 20240900]},
            "carry_contract is 20240000 at 2024-03-14",
            id="a month of nothing beside it",
        ),
        pytest.param(
            {"low": [-11, -10, -9, -150, -8, -9]},
            "low -150 is 141 below the close before, and the contract was worth 102, at 2024-03-14",
            id="a low below nothing",
        ),
    ],
)
def test_contracts_that_cannot_be_are_refused_by_name_and_date(change, message):
    with pytest.raises(BarsError, match=message):
        validate_bars(continuous(BY_DIFFERENCE, PRICES).assign(**change))


def test_a_price_of_something_else_is_refused_naming_the_first_date():
    bars = long_series(60)
    bars["price"] = np.random.default_rng(1).uniform(50, 150, 60)
    message = r"price isn't the price of the contract behind the closes: at 2024-03-1\d .* rename"
    with pytest.raises(BarsError, match=message):
        validate_bars(bars)


def test_a_close_below_zero_without_a_contract_is_refused_with_what_to_do():
    bars = continuous(BY_DIFFERENCE, PRICES).drop(columns="price")
    with pytest.raises(BarsError, match=r"the raw price of the contract .* named price"):
        validate_bars(bars)


def test_months_are_read_with_or_without_days():
    assert to_months(np.array([202312.0, 202401.0])).tolist() == [24287, 24288]
    assert to_months(np.array([20231200.0, 20240115.0])).tolist() == [24287, 24288]
    assert to_months(np.array([202413.0])) is None


def futures_table() -> pd.DataFrame:
    """Two markets in one table, closes alone, as vendors of continuous series write them."""
    table = pd.DataFrame({"date": DAYS, "adjusted": BY_DIFFERENCE, "price": PRICES})
    return pd.concat([table.assign(instrument=name) for name in ("CORN", "GOLD")])


def test_bars_of_closes_alone_are_made_where_the_user_says_so():
    panel = load_panel(
        futures_table(), columns=dict.fromkeys(("open", "high", "low", "close"), "adjusted")
    )
    assert panel.symbols == ("CORN", "GOLD")
    assert panel["GOLD"]["low"].tolist() == BY_DIFFERENCE
    assert panel["GOLD"]["price"].tolist() == PRICES
    assert "open, high, low and close were all read from the column adjusted" in panel.notes


def test_what_to_say_for_closes_alone_is_offered():
    with pytest.raises(BarsError, match=r'closes alone: columns=\{"open": "adjusted"'):
        load_bars(futures_table(), symbol="GOLD")


def test_a_column_is_shared_by_prices_only():
    with pytest.raises(BarsError, match="asks for 'adjusted' twice"):
        load_bars(futures_table(), columns={"close": "adjusted", "volume": "adjusted"})


def test_years_to_carry_follow_from_the_months_of_the_contracts():
    table = pd.DataFrame(
        {"date": DAYS, "open": 1, "high": 9, "low": 1, "close": [2, 3, 4, 5, 6, 7]}
    )
    table["contract"] = [202403] * 3 + [202406] * 3
    table["carry_contract"] = [202406] * 3 + [202405] * 3
    assert read_bars(table).bars["years_to_carry"].tolist() == pytest.approx(
        [0.25] * 3 + [-1 / 12] * 3
    )


def test_rolls_are_found_by_price_or_by_month_and_bars_without_a_contract_have_none():
    bars = continuous(BY_DIFFERENCE, PRICES)
    by_price = [False, False, False, True, False, False]
    assert find_rolls(bars).tolist() == by_price
    assert not find_rolls(bars.drop(columns="price")).any()
    months = [202403, 202403, np.nan, 202406, 202406, 202409]
    by_both = [False, False, False, True, False, True]
    assert find_rolls(bars.assign(contract=months)).tolist() == by_both
