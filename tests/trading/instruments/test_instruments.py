"""Instruments as values: what they cost and need, what they refuse, worked by hand."""

import json
import math
import pickle
import re

import numpy as np
import pandas as pd
import pytest

from lstm_strategy import BrokerSettings, Future, Perpetual, Spot
from lstm_strategy.errors import TradingError
from lstm_strategy.trading.instruments.impact import PriceChanges

TIERS = ((0, 0.004), (50_000, 0.005), (250_000, 0.01))


def hourly(n_bars=6, **columns):
    index = pd.date_range("2024-01-01", periods=n_bars, freq="h")
    return pd.DataFrame({"close": 100.0, **columns}, index=index)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Spot(multiplier=50), r"a Spot is worth its price and has no multiplier, got 50\."),
        (lambda: Spot(**{"leverage": 3}), "Spot has no setting 'leverage'"),
        (lambda: Perpetual(multiplier=0.01), "counted in units of its coin and has no multiplier"),
        (lambda: Perpetual(leverage=250), "leverage must be below 200, since the maintenance"),
        (
            lambda: Perpetual(leverage=250, maintenance_margin_rate=TIERS),
            "leverage must be below 250, since the maintenance margin is 0.004",
        ),
        (
            lambda: Perpetual(maintenance_margin_rate=((1, 0.1),)),
            "maintenance_margin_rate must begin with the value 0",
        ),
        (
            lambda: Perpetual(maintenance_margin_rate=((0, 0.1), (9, 0.05))),
            "maintenance_margin_rate must have rates that don't fall",
        ),
        (
            lambda: Perpetual(maintenance_margin_rate="high"),
            "maintenance_margin_rate must be made of numbers, got 'high'. Give a fraction",
        ),
        (
            lambda: Perpetual(maintenance_margin_rate=[(0, 0.01), (100, 2)]),
            "maintenance_margin_rate must have rates between 0 and 1",
        ),
        (lambda: Perpetual(margin_mode="shared"), 'Give "isolated" or "cross" as margin_mode'),
        (lambda: Perpetual(taker_rate=5), "taker_rate must be less than 1, got 5"),
        (lambda: Future(**{"multiplier": 50}), "initial_margin is missing"),
        (lambda: Future(multiplier=0, initial_margin=9), "multiplier must be greater than 0"),
        (
            lambda: Future(multiplier=1, initial_margin=10, maintenance_margin=11),
            "maintenance_margin must be at most the initial margin of 10, got 11",
        ),
    ],
)
def test_settings_that_no_market_has_are_refused(make, message):
    with pytest.raises(TradingError, match=message):
        make()


def test_tiers_give_a_margin_without_steps():
    perpetual = Perpetual(maintenance_margin_rate=TIERS)
    # amounts: 50_000 * 0.001 = 50, and 50 + 250_000 * 0.005 = 1_300
    needed = [perpetual.maintenance_margin_of(1, value) for value in (50_000, 250_000, 1_000_000)]
    assert needed == pytest.approx([200, 1_200, 8_700], abs=1e-9)


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("value", [1_000.0, 49_000.0, 60_000.0, 700_000.0])
@pytest.mark.parametrize("leverage", [2.0, 20.0, 90.0])
def test_at_the_liquidation_price_what_is_left_is_what_must_be(side, value, leverage):
    perpetual = Perpetual(leverage=leverage, maintenance_margin_rate=TIERS, taker_rate=0.0005)
    size, entry = side * value / 100.0, 100.0
    price = perpetual.liquidation_price(size, entry)
    left = value / leverage + size * (price - entry)
    needed = perpetual.maintenance_margin_of(size, price) + 0.0005 * abs(size) * price
    assert left == pytest.approx(needed, abs=1e-9 * value)
    assert (price < entry) == (side > 0)


def test_the_liquidation_price_in_one_tier_is_that_of_the_exchanges():
    perpetual = Perpetual(leverage=4, maintenance_margin_rate=0.01, taker_rate=0.002)
    assert perpetual.liquidation_price(2, 100) == pytest.approx((100 - 25) / (1 - 0.012))
    assert perpetual.liquidation_price(-2, 100) == pytest.approx((100 + 25) / (1 + 0.012))
    assert perpetual.liquidation_price(2, 100, margin=30) == pytest.approx((100 - 15) / 0.988)


def test_a_long_paid_in_full_is_never_liquidated_and_a_lost_short_always():
    assert math.isnan(Perpetual(leverage=1).liquidation_price(2, 100))
    assert math.isnan(Spot().liquidation_price(-2, 100))
    assert Perpetual().liquidation_price(-2, 100, margin=-300) == 0.0


def test_a_contract_is_worth_its_price_times_its_multiplier():
    future = Future(multiplier=50, initial_margin=12_000, commission_per_contract=2.4)
    assert future.leverage_at(4_800) == 20
    assert future.cost_rate_at(4_800) == pytest.approx(1e-5)
    assert future.initial_margin_of(-3, 4_800) == 36_000
    assert future.maintenance_margin_of(-3, 4_800) == pytest.approx(36_000 / 1.1)
    assert Future(multiplier=1, initial_margin=1, price="price").columns == ("price",)


def test_tiers_survive_a_file_of_settings():
    perpetual = Perpetual(maintenance_margin_rate=TIERS)
    assert Perpetual(**json.loads(perpetual.model_dump_json())) == perpetual


def test_limits_become_whole_ticks_that_are_no_worse():
    future = Future(multiplier=50, initial_margin=12_000, tick_size=0.25)
    assert future.round_price(4_800.30, is_buy=True) == 4_800.25
    assert future.round_price(4_800.30, is_buy=False) == 4_800.5
    assert Perpetual(tick_size=0.1).round_price(0.3, is_buy=True) == pytest.approx(0.3)
    assert Spot().round_price(0.31, is_buy=True) == 0.31


def test_the_largest_value_is_where_the_tiers_leave_no_margin():
    perpetual = Perpetual(leverage=125, maintenance_margin_rate=TIERS)
    # initial margin 0.008 of the value, maintenance 0.01 of it less 1_300
    assert perpetual.largest_value == pytest.approx(1_300 / 0.002)
    assert Perpetual(leverage=50, maintenance_margin_rate=TIERS).largest_value == math.inf


@pytest.mark.parametrize(
    "instrument", [Spot(), Perpetual(), Future(multiplier=2, initial_margin=9)]
)
def test_a_scheme_goes_to_other_processes_with_its_instrument(instrument):
    scheme = pickle.loads(pickle.dumps(instrument.commission_info()))
    assert scheme.instrument == instrument
    assert scheme.getcommission(2, 50) == instrument.commission_info().getcommission(2, 50)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({}, "the bars of BTC have no column 'funding_rate'"),
        (
            {"funding_rate": [0, 0, 0.5, 0, 0.5, 0]},
            "funding_rate of BTC is 0.5 at 2024-01-01 02:00:00, more than 10% of the notional",
        ),
        (
            {"funding_rate": 0.0001, "mark": [100, 100, 0, 100, -1, 100]},
            r"mark of BTC must be .* got 0 at 2024-01-01 02:00:00 \(2 such rows\)",
        ),
        (
            {"funding_rate": 0.0001, "mark": [100, 100, 151, 100, 49, 100]},
            r"mark of BTC is 151 at 2024-01-01 02:00:00, where the close is 100 \(2 such rows\)",
        ),
        (
            {"funding_rate": 0.0001, "mark": [100_000.0] * 6},
            "mark of BTC is 100000 at 2024-01-01, .* in the same unit",
        ),
    ],
)
def test_columns_that_cant_be_are_refused_with_the_date(columns, message):
    with pytest.raises(TradingError, match=message):
        Perpetual().check_bars(hourly(**columns), symbol="BTC")


def test_rates_in_percent_are_spotted_by_their_size():
    rates = 0.0001 * np.random.default_rng(1).normal(1, 0.5, 60)
    bars = hourly(60, funding_rate=rates)
    Perpetual().check_bars(bars)
    with pytest.raises(TradingError, match=r"looks like percent: .* from 2024-01-01 on"):
        Perpetual().check_bars(bars.assign(funding_rate=100 * rates))


def test_rates_that_were_filled_forward_would_be_paid_many_times():
    rates = np.repeat(np.random.default_rng(1).normal(1e-4, 1e-4, 60), 8)
    with pytest.raises(TradingError, match="repeats every rate in runs of 8 bars"):
        Perpetual().check_bars(hourly(480, funding_rate=rates))
    with_holes = hourly(480, funding_rate=rates).drop(hourly(480).index[[5, 90, 91, 300]])
    with pytest.raises(TradingError, match="repeats every rate in runs of 8 bars"):
        Perpetual().check_bars(with_holes)
    kept = pd.Series(np.where(np.arange(480) % 8 == 0, rates, np.nan))
    Perpetual().check_bars(hourly(480, funding_rate=kept.to_numpy()))
    for filled in (kept.ffill(limit=3), kept.bfill(limit=2)):
        with pytest.raises(TradingError, match="repeats every rate in runs of 8 bars"):
            Perpetual().check_bars(hourly(480, funding_rate=filled.to_numpy()))


def test_rows_between_settlements_that_were_filled_with_0_are_no_settlements():
    rates = np.where(np.arange(72) % 8 == 0, 1e-4, 0.0)
    with pytest.raises(TradingError, match=r"is 0 on the rows between .* come every 8 bars"):
        Perpetual().check_bars(hourly(72, funding_rate=rates))
    # a market that settles every hour, and often at 0
    Perpetual().check_bars(hourly(72, funding_rate=1e-4 * (np.arange(72) ** 2 % 7 > 2)))


def test_a_few_rates_in_percent_are_spotted_too():
    rates = np.where(np.arange(72) % 8 == 0, 0.01, np.nan)
    with pytest.raises(TradingError, match=r"looks like percent: .* load the bars around them"):
        Perpetual().check_bars(hourly(72, funding_rate=rates))
    Perpetual().check_bars(hourly(72, funding_rate=rates / 100))


@pytest.mark.parametrize("n_rates", [1, 3, 8])
def test_too_few_rates_to_tell_percents_from_are_doubted_aloud(n_rates):
    rates = np.where(np.arange(8 * n_rates) % 8 == 0, 0.01, np.nan)
    bars = hourly(8 * n_rates, funding_rate=rates, mark=100.0)
    Perpetual().check_bars(bars)
    (note,) = Perpetual().notes_on(bars)
    assert f"{n_rates} rate" in note
    assert note.endswith("rare in fractions: if it is in percent, divide the column by 100.")
    assert Perpetual().notes_on(bars.assign(funding_rate=rates / 100)) == []


def test_single_rates_of_a_percent_among_usual_ones_are_doubted_aloud():
    rates = np.where(np.arange(240) % 8 == 0, 0.0001, np.nan)
    assert Perpetual().notes_on(hourly(240, funding_rate=rates, mark=100.0)) == []
    rates[[80, 160]] = -0.03, 0.01
    (note,) = Perpetual().notes_on(hourly(240, funding_rate=rates, mark=100.0))
    assert note == (
        "funding_rate is 1% or more in 2 settlements, first -0.03 at 2024-01-04 08:00:00, and "
        "0.0001 in size as a rule: check that these are right, since a rate is a fraction and "
        "0.01% is 0.0001."
    )


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Perpetual(taker_rate=0.05), "5.00%: 0.05%, Perpetual(taker_rate=0.0005)"),
        (lambda: Perpetual(maker_rate=0.01), "1.00%: 0.01%, Perpetual(maker_rate=0.0001)"),
        (lambda: Spot(commission_rate=0.1), "10.00%: 0.10%, Spot(commission_rate=0.001)"),
        (lambda: Spot(half_spread_rate=0.02), "2.00%: 0.02%, Spot(half_spread_rate=0.0002)"),
        (lambda: BrokerSettings(commission_rate=0.1), "10.00%: 0.10%, commission_rate=0.001"),
        (lambda: BrokerSettings(slippage_rate=0.05), "5.00%: 0.05%, slippage_rate=0.0005"),
        (lambda: Perpetual(taker_rate=0.0099, liquidation_fee_rate=0.0125), ""),
        (lambda: BrokerSettings(commission_rate=0.009, slippage_rate=0.009), ""),
    ],
)
def test_a_rate_that_may_be_a_percentage_is_doubted_once(make, said, caplog):
    terms = make()
    pickle.loads(pickle.dumps(terms)).model_copy(update={"lot_size": 2.0})
    said_by = re.compile(r".* takes (\S+) of the value .*If (\S+) is meant, give (.*)\.$")
    texts = [said_by.sub(r"\1: \2, \3", text) for text in caplog.messages]
    assert texts == ([said] if said else [])


def test_a_contract_whose_trades_cost_a_large_share_of_its_value_is_doubted():
    costly = Future(multiplier=1, initial_margin=10, commission_per_contract=2.5)
    note, *_ = costly.notes_on(hourly())
    assert note.startswith("Each trade takes 2.50% of a contract's value of 100.00 at the median")
    cheap = Future(multiplier=50, initial_margin=10, commission_per_contract=2.5)
    assert len(cheap.notes_on(hourly())) == len(costly.notes_on(hourly())) - 1


def test_columns_of_nearly_the_right_name_are_offered():
    bars = hourly(fundng_rate=0.0001, mark_price=100.0, pric=100.0)
    hint = r'If fundng_rate is meant, load the bars with columns=\{"funding_rate": "fundng_rate"\}'
    with pytest.raises(TradingError, match=hint):
        Perpetual().check_bars(bars)
    with pytest.raises(TradingError, match="If pric is meant"):
        Future(multiplier=1, initial_margin=9, price="price").check_bars(bars)
    notes = Perpetual(funding="fundng_rate").notes_on(bars)
    assert notes[0].endswith('load the bars with columns={"mark": "mark_price"}.')


def settled_every(*intervals):
    """Rates of 40 settlements at each of these intervals in hours, NaN on the bars between."""
    hours = np.concatenate([[0], np.cumsum(np.repeat(intervals, 40))])
    rates = pd.Series(np.nan, np.arange(hours[-1] + 1))
    rates[hours] = np.random.default_rng(1).normal(1e-4, 1e-4, len(hours))
    return rates


@pytest.mark.parametrize("intervals", [(8, 4), (4, 8), (8, 1), (1, 8), (8, 1, 8), (1, 2)])
def test_rates_filled_over_a_change_of_the_interval_are_recognised(intervals):
    kept = settled_every(*intervals)
    Perpetual().check_bars(hourly(len(kept), funding_rate=kept.to_numpy()))
    with pytest.raises(TradingError, match="repeats every rate in runs"):
        Perpetual().check_bars(hourly(len(kept), funding_rate=kept.ffill().to_numpy()))
    with pytest.raises(TradingError, match="is 0 on the rows between settlements"):
        Perpetual().check_bars(hourly(len(kept), funding_rate=kept.fillna(0.0).to_numpy()))


def test_a_rate_that_often_stays_the_same_was_not_filled():
    changes = np.random.default_rng(1).random(2_000) < 0.3
    rates = np.random.default_rng(2).normal(1e-4, 1e-4, 2_000)[np.cumsum(changes)]
    Perpetual().check_bars(hourly(2_000, funding_rate=rates))
    Perpetual().check_bars(hourly(2_000, funding_rate=np.where(changes, rates, 0.0)))


def test_a_column_of_rates_without_a_rate_is_refused_like_a_missing_one():
    message = "'funding_rate' of BTC is missing on every bar from 2024-01-01 to 2024-01-03 23:00:00"
    bars = hourly(72, funding_rate=np.nan)
    with pytest.raises(TradingError, match=message):
        Perpetual().check_bars(bars, symbol="BTC")
    Perpetual(funding=None).check_bars(bars)
    Perpetual().check_bars(bars.iloc[:6])  # between two settlements
    Perpetual().check_bars(bars.assign(funding_payment=0.01))


def test_the_notes_count_what_is_missing():
    rates = pd.Series(np.where(np.arange(96) % 8 == 0, 1e-4, np.nan))
    rates[[40, 64, 72]] = np.nan
    marks = np.where(np.arange(96) == 15, np.nan, 100.0)
    notes = Perpetual().notes_on(hourly(96, funding_rate=rates.to_numpy(), mark=marks))
    assert notes == [
        "3 settlements missing from funding_rate, the first after 2024-01-02 08:00:00: nothing is "
        "paid there.",
        "At 1 settlement the mark is missing, and the close before is taken.",
    ]


def test_a_settlement_as_the_first_bar_opens_is_not_missed():
    rates = np.where(np.arange(96) % 8 == 0, 1e-4, np.nan)
    rates[0] = np.nan
    assert Perpetual().notes_on(hourly(96, funding_rate=rates, mark=100.0)) == []


@pytest.mark.parametrize(
    ("kept", "note"),
    [
        (slice(24, 96), "3 settlements missing from funding_rate before 2024-01-02, where its"),
        (slice(0, 49), "5 settlements missing from funding_rate after 2024-01-03, where its rates"),
        (slice(8, 9), "all settlements but one, at 2024-01-01 08:00:00, missing from funding_rate"),
    ],
)
def test_rates_that_begin_late_or_end_early_are_noted(kept, note):
    rates = np.full(96, np.nan)
    rates[kept] = np.where(np.arange(96) % 8 == 0, 1e-4, np.nan)[kept]
    (found,) = Perpetual().notes_on(hourly(96, funding_rate=rates, mark=100.0))
    assert found.startswith(note)
    assert found.endswith(": nothing is paid there.")


def test_a_market_that_changes_its_interval_misses_nothing():
    hours = np.array([*range(0, 80, 8), *range(80, 160, 4), *range(160, 240, 8)])
    rates = pd.Series(np.nan, np.arange(240))
    rates[hours] = 1e-4
    assert Perpetual(mark=None).notes_on(hourly(240, funding_rate=rates.to_numpy()))[1:] == []


def test_fees_and_half_the_spread_of_a_perpetual_worked_by_hand():
    perpetual = Perpetual(taker_rate=0.0005, half_spread_rate=0.0002)
    assert perpetual.cost_rate_at(50.0) == pytest.approx(0.0007, abs=1e-12)
    assert perpetual.spread_cost_of(-3.0, 50.0) == pytest.approx(0.03, abs=1e-12)


def test_the_usual_change_is_that_of_the_last_twenty_bars():
    changes = PriceChanges()
    assert changes.size() == 0.0
    changes.add(100.0)
    assert changes.size() == 0.0
    changes.add(140.0)
    assert changes.size() == 40.0
    for number in range(20):  # the jump of 40 leaves
        changes.add(140.0 + 3.0 * (number % 2 == 0))
    assert changes.size() == pytest.approx(3.0)


def test_how_funding_is_counted_is_noted_where_it_isnt_only_at_the_open():
    rates = [0.0001, -0.0002] * 3
    (summed,) = Perpetual(funding_settles="within").notes_on(hourly(funding_rate=rates, mark=100.0))
    assert summed == (
        "funding_rate is the sum of the settlements within each bar, paid at its mark by the "
        "position that is held after its fills."
    )
    paid = Perpetual().notes_on(hourly(funding_rate=rates, mark=100.0, funding_payment=0.01))
    assert paid[0] == (
        "funding_rate settles as its bar opens; funding_payment is what the other settlements "
        "within the bar cost a unit, paid by the position after its fills."
    )


def test_rates_that_are_summed_and_paid_within_the_bar_too_are_refused():
    bars = hourly(funding_rate=[0.0001, -0.0002] * 3, mark=100.0, funding_payment=0.01)
    with pytest.raises(TradingError, match=r"would be paid twice\. Leave funding_settles out"):
        Perpetual(funding_settles="within").check_bars(bars)


def test_no_position_has_no_liquidation_price():
    assert math.isnan(Perpetual(leverage=10).liquidation_price(0.0, 100.0))
    assert math.isnan(Future(multiplier=50, initial_margin=9).liquidation_price(0.0, 100.0))


@pytest.mark.parametrize(
    ("instrument", "words"),
    [
        (Spot(), "spot, commission 0.10%"),
        (
            Spot(commission_rate=0.000125, borrow_rate=0.02, lot_size=0.001, min_order_value=10),
            "spot, commission 0.0125%, borrow fee 2.00% a year, lots of 0.001 units, "
            "orders from 10",
        ),
        (Perpetual(leverage=2), "perpetual, leverage 2, taker fee 0.05%"),
        (
            Perpetual(
                margin_mode="cross", funding=None, maintenance_margin_rate=TIERS, participation=0.1
            ),
            "perpetual, leverage 1, taker fee 0.05%, maintenance margin 0.40% to 1.00% in tiers, "
            "cross margin, no funding, at most 10.00% of a bar's volume",
        ),
        (
            Future(multiplier=50, initial_margin=12_000, commission_per_contract=2.5),
            "future, 50 a point, margin 12,000, commission 2.5 a contract",
        ),
    ],
)
def test_an_instrument_says_in_words_what_it_costs(instrument, words):
    assert instrument.describe() == words


@pytest.mark.parametrize(
    ("instrument", "words"),
    [
        (
            Perpetual(leverage=3),
            "perpetual, leverage 3, taker fee 0.05%, maker fee 0.02%, half spread 0.00%, "
            "maintenance margin 0.50%, isolated margin, funding from funding_rate as bars open, "
            "liquidation fee 0.00%, mark price from mark or else the close",
        ),
        (
            Future(multiplier=50, initial_margin=11_000),
            "future, 50 a point, margin 11,000, maintenance margin 10,000, commission 0 a "
            "contract, half spread 0 points",
        ),
    ],
)
def test_an_instrument_in_full_says_what_is_usual_too(instrument, words):
    assert instrument.describe(in_full=True) == words
