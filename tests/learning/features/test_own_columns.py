"""What kinds know of the columns they read: what can't be right, the mirror, and bar by bar."""

import logging
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy import FeatureSet, LSTMStrategyError
from lstm_strategy.errors import BarsError, FeatureError, LooksAheadError
from lstm_strategy.learning.features import (
    TrailingFeatures,
    check_causal,
    check_inputs,
    check_training_inputs,
    complete_bars,
    measure_columns,
    mirror_bars,
    settle_features,
)
from lstm_strategy.learning.features.kinds.derivatives import DERIVATIVE_KINDS
from lstm_strategy.learning.reference import LearnerForecaster

PERPETUAL = FeatureSet.preset("perpetual")


def perpetual_bars(n_bars=600, *, every=8, seed=3, **walk):
    """Hours of a perpetual that settles now and then, with gaps in the prices beside it."""
    bars = random_walk(n_bars, freq="h", start="2024-01-01", **walk)
    rng = np.random.default_rng(seed)
    rates = np.cumsum(rng.normal(0, 4e-5, n_bars)).clip(-1e-3, 1e-3)
    is_settled = bars.index.hour % every == 0
    spot = bars["close"] * np.exp(rng.normal(0, 1e-3, n_bars))
    spot.iloc[::97] = np.nan
    return bars.assign(funding_rate=np.where(is_settled, rates, np.nan), spot_close=spot)


BARS = perpetual_bars()


@pytest.mark.parametrize("kind", DERIVATIVE_KINDS)
def test_every_kind_is_free_of_the_units_of_price_and_volume(kind):
    (column,) = measure_columns({"kind": kind})
    assert (column.price_degree, column.volume_degree, column.is_level) == (0, 0, False)


def test_the_preset_reads_funding_and_spot_only():
    assert PERPETUAL.bars_columns[5:] == ["funding_rate", "spot_close"]
    frame = PERPETUAL.frame(BARS)
    assert frame.iloc[176:].notna().all(axis=None)
    check_causal(PERPETUAL, BARS, horizon=1)


@pytest.mark.parametrize(
    ("column", "reader"),
    [("funding_rate", "funding_rate()"), ("spot_close", "premium()")],
)
def test_a_missing_column_is_named_with_its_reader(column, reader):
    with pytest.raises(FeatureError) as refusal:
        PERPETUAL.frame(BARS.drop(columns=column))
    message = str(refusal.value)
    assert message.startswith(reader) and repr(column) in message
    assert "Add it to the bars, or leave" in message and "out" in message


def spoiled(column, row, value):
    bars = BARS.copy()
    bars.loc[bars.index[row], column] = value
    return bars


@pytest.mark.parametrize(
    ("bars", "message"),
    [
        pytest.param(
            spoiled("funding_rate", 16, 0.5),
            r"funding_rate is 0.5 at 2024-01-01 16:00:00\. .* at most 10%",
            id="half of the notional a settlement",
        ),
        pytest.param(
            spoiled("spot_close", 5, 0.0),
            r"spot_close is 0 at 2024-01-01 05:00:00\. It must be above 0",
            id="spot of 0",
        ),
        pytest.param(
            BARS.assign(funding_rate=100 * BARS["funding_rate"]),
            r"funding_rate looks like percent: .* from 2024-01-01 on.* Divide the column by 100",
            id="percent",
        ),
        pytest.param(
            BARS.assign(funding_rate=BARS["funding_rate"].ffill()),
            "funding_rate repeats every rate in runs of 8 bars .* NaN on the others",
            id="repeated between settlements",
        ),
        pytest.param(
            BARS.assign(funding_rate=BARS["funding_rate"].fillna(0)),
            "funding_rate is 0 on the rows between settlements, which come every 8 bars",
            id="0 between settlements",
        ),
        pytest.param(
            BARS.assign(spot_close=1_000 * BARS["spot_close"]),
            "spot_close is .* at 2024-01-01 01:00:00, where the close is .*in the same unit",
            id="spot in another unit",
        ),
        pytest.param(
            BARS.assign(spot_close=np.nan), r"spot_close isn't known on any bar", id="no spot"
        ),
    ],
)
def test_numbers_that_cant_be_right_are_refused_by_fit(bars, message):
    with pytest.raises(FeatureError, match=message):
        LearnerForecaster("logistic", features=PERPETUAL).fit(bars)


def test_a_mark_of_zero_is_refused_by_its_date():
    bars = BARS.assign(mark=BARS["close"].where(BARS.index != BARS.index[9], 0.0))
    with pytest.raises(FeatureError, match="mark is 0 at 2024-01-01 09:00:00"):
        check_inputs(FeatureSet([{"kind": "mark_premium"}]), bars)


def futures_bars():
    bars = random_walk(1_200)
    close = bars["close"]
    return bars.assign(price=close, carry_price=close * 1.01, years_to_carry=0.25)


def test_a_carry_price_that_is_missing_for_years_is_refused():
    bars = futures_bars()
    bars.iloc[100:700, bars.columns.get_loc("carry_price")] = np.nan
    with pytest.raises(FeatureError) as refusal:
        check_training_inputs(FeatureSet([{"kind": "roll_yield"}]), bars)
    first, last = bars.index[99], bars.index[700]
    assert f"carry_price is missing from {first} to {last}" in str(refusal.value)
    assert "leave the feature out" in str(refusal.value)


def test_contract_months_must_not_go_backwards():
    bars = futures_bars().assign(contract=201403.0)
    bars.iloc[500:600, -1] = 201406.0
    features = FeatureSet([{"kind": "roll_yield_change", "contract": "contract"}])
    with pytest.raises(FeatureError) as refusal:
        check_training_inputs(features, bars)
    assert f"contract goes backwards at {bars.index[600]}, from 201406 to 201403" in str(
        refusal.value
    )


def test_contracts_that_expire_together_are_refused():
    bars = futures_bars().assign(years_to_carry=0.0)
    with pytest.raises(FeatureError, match=r"years_to_carry is 0 at 2001-01-01 .*1,200 such rows"):
        check_inputs(FeatureSet([{"kind": "roll_yield"}]), bars)


def test_missing_values_are_counted_but_not_bars_without_a_settlement(caplog):
    with caplog.at_level(logging.INFO):
        check_training_inputs(PERPETUAL, BARS)
    (line,) = caplog.messages
    assert line.startswith("spot_close is missing on 7 of 600 bars, first at 2024-01-01 00:00:00")


def test_a_settlement_that_is_missing_is_counted(caplog):
    with caplog.at_level(logging.INFO):
        check_training_inputs(
            FeatureSet([{"kind": "funding_rate"}]), spoiled("funding_rate", 80, np.nan)
        )
    (line,) = caplog.messages
    assert line.startswith("1 settlement missing from funding_rate, the first after 2024-01-04")


def test_payments_that_a_sum_leaves_out_are_named(caplog):
    bars = BARS.assign(funding_payment=0.01)
    check_training_inputs(FeatureSet([{"kind": "funding_sum"}, {"kind": "funding_run"}]), bars)
    (line,) = caplog.messages
    assert "the column funding_payment, which funding_sum() leaves out" in line
    assert line.endswith('Give the feature "payment": "funding_payment".')
    caplog.clear()
    check_training_inputs(FeatureSet([{"kind": "funding_sum", "payment": "funding_payment"}]), bars)
    assert not caplog.messages


def test_spot_that_is_a_bar_early_is_found():
    bars = BARS.assign(spot_close=BARS["close"].shift(-1))
    with pytest.raises(LooksAheadError, match=r"premium\(\) looks ahead"):
        check_causal(PERPETUAL, bars, horizon=1)


def test_funding_and_premium_are_negated_in_the_mirror():
    kinds = ["funding_rate", "funding_sum", "funding_surprise", "funding_run", "premium"]
    specs = [{"kind": kind} for kind in (*kinds, "mark_premium", "perpetual_mispricing")]
    features = FeatureSet(specs)
    bars = complete_bars(specs, BARS)
    mirrored = mirror_bars(bars, specs)
    expected = -features.frame(bars).to_numpy()
    np.testing.assert_allclose(features.frame(mirrored), expected, atol=1e-12)
    pd.testing.assert_frame_equal(mirror_bars(mirrored, specs), bars)


def test_open_interest_is_the_same_in_the_mirror():
    specs = [{"kind": "open_interest_change"}, {"kind": "open_interest_to_volume"}]
    bars = complete_bars(specs, BARS)
    mirrored = mirror_bars(bars, specs)
    pd.testing.assert_series_equal(mirrored["open_interest"], bars["open_interest"])


def test_funding_is_followed_bar_by_bar():
    features = settle_features(PERPETUAL, BARS.iloc[:400])
    assert features.forgets and features.warm_up == 168  # a week of hours
    features = features.with_columns(  # too few bars to tell levels from steps
        {c.name: replace(c, memory=min(c.memory, 180)) for c in features.columns}
    )
    later = BARS[features.bars_columns]
    trailing = TrailingFeatures(features, later.iloc[:560])
    assert trailing.n_bars < 560  # the oldest are gone
    rows = []
    for time, values in zip(later.index[560:], later.iloc[560:].to_numpy().tolist(), strict=True):
        rows.append(trailing.row_after(time, values))
        trailing.append(time, values)
    expected = features.frame(later).iloc[560:]
    np.testing.assert_allclose(rows, expected, rtol=1e-6, atol=1e-9)


def test_a_stream_counts_no_settlement_on_a_bar_without_a_rate():
    model = LearnerForecaster("logistic", features=PERPETUAL).fit(BARS.iloc[:400])
    expected = model.forecast(BARS)["forecast"].iloc[570:]
    stream = model.stream(BARS.iloc[:570])
    bars = BARS.iloc[570:]
    got = [stream.update({"datetime": time, **bar}).forecast for time, bar in bars.iterrows()]
    np.testing.assert_allclose(got, expected, rtol=1e-6)
    bar = {"datetime": BARS.index[-1] + pd.Timedelta(hours=1), **BARS.iloc[-1], "spot_close": 0}
    with pytest.raises(BarsError, match="spot_close is 0 at"):
        stream.update(bar)


def test_every_error_is_one_of_ours():
    with pytest.raises(LSTMStrategyError):
        FeatureSet([{"kind": "premium", "spot": "close"}])
