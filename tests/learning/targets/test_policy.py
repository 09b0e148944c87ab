"""The position itself: rewards by hand, utility, the prior, and what is left of it."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy import BrokerSettings, LSTMForecaster, LSTMStrategyError
from lstm_strategy.bars import bars_per_year
from lstm_strategy.learning.targets import (
    DEFAULT_COST_RATE,
    Policy,
    choose_target,
    describe_target,
)
from lstm_strategy.learning.targets.parts import AnsweredRows, SignalScale

# six bars: returns to come, and how much a position of 1 holds
RETURNS = np.array([0.01, -0.02, 0.03, 0.01, -0.01, 0.02])
SCALE = np.array([0.5, 0.5, 1.0, 1.0, 0.8, 0.8])
POSITIONS = np.array([1.0, -1.0, 1.0, 1.0, 0.0, 0.5])
LABELS = np.column_stack([RETURNS, SCALE])
# the exposure is 0.5, -0.5, 1, 1, 0, 0.4; its changes are 0, 1, 1.5, 0, 1, 0.4
EARNED = np.array([0.005, 0.01 - 0.01, 0.03 - 0.015, 0.01, -0.01, 0.008 - 0.004])


def answered(positions=POSITIONS, labels=LABELS, year=252.0):
    return AnsweredRows(
        labels=labels,
        answers=np.asarray(positions, float)[:, None],
        weights=np.ones(len(labels)),
        context=np.full((len(labels), 1), 0.01),
        bars_per_year=year,
    )


def lose(policy, positions, labels, weights):
    loss = policy.build_validation_loss()
    columns = np.column_stack([labels, weights])[None].astype(np.float32)
    return float(loss(columns, np.asarray(positions, np.float32)[None, :, None]))


def test_a_bar_earns_the_return_of_its_exposure_less_the_cost_of_changing_it():
    losses = Policy(cost_rate=0.01).row_losses(LABELS, POSITIONS[:, None])
    np.testing.assert_allclose(-losses, EARNED, atol=1e-15)


@pytest.mark.parametrize(
    ("n_markets", "share"),
    [(1, 0.5), (5, 0.1), pytest.param(25, 0.05, id="but there is always some")],
)
def test_the_loss_is_the_sharpe_ratio_of_what_the_scored_steps_earn(n_markets, share):
    policy = Policy(prior="flat", cost_rate=0.01).for_markets(n_markets)
    weights = np.array([0.0, 0, 1, 1, 1, 1])
    earned, held = EARNED[2:], (RETURNS * SCALE)[2:]
    risk = earned.var() + share**2 * (held**2).mean()
    assert lose(policy, POSITIONS, LABELS, weights) == pytest.approx(
        -math.sqrt(4) * earned.mean() / math.sqrt(risk), rel=1e-4
    )


def test_a_least_risk_that_was_chosen_stays_and_one_market_changes_nothing():
    assert Policy(least_risk=0.3).for_markets(25) == Policy(least_risk=0.3)
    assert Policy().for_markets(1) == Policy()


def test_the_cost_of_the_first_scored_step_is_that_of_leaving_the_warm_up():
    policy = Policy(cost_rate=0.5, utility="mean_variance")
    weights = np.array([0.0, 0, 1, 1, 1, 1])
    from_other_side = lose(policy, POSITIONS, LABELS, weights)
    without_a_change = lose(policy, [1.0, 2.0, *POSITIONS[2:]], LABELS, weights)
    assert from_other_side > without_a_change


def test_mean_variance_takes_half_of_five_variances_from_the_mean():
    policy = Policy(prior="flat", cost_rate=0.01, utility="mean_variance")
    weights = np.array([0.0, 1, 1, 1, 1, 1])
    earned, usual = EARNED[1:], math.sqrt(((RETURNS * SCALE)[1:] ** 2).mean())
    utility = (earned.mean() - 2.5 * earned.var()) / usual
    assert lose(policy, POSITIONS, LABELS, weights) == pytest.approx(
        -math.sqrt(5) * utility, rel=1e-4
    )


def test_prospect_counts_a_losing_chunk_two_and_a_quarter_times():
    policy = Policy(prior="flat", cost_rate=0.0, utility="prospect")
    weights = np.array([0.0, 1, 1, 1, 1, 1])
    gains = lose(policy, np.sign(RETURNS), LABELS, weights)
    losses = lose(policy, -np.sign(RETURNS), LABELS, weights)
    assert gains < 0
    assert losses == pytest.approx(-2.25 * gains, rel=1e-4)


def test_the_pull_costs_the_squared_distance_to_the_prior():
    weights = np.array([0.0, 1, 1, 1, 1, 1])
    columns = np.column_stack([LABELS, weights])[None].astype(np.float32)
    positions = np.full((1, 6, 1), 0.4, np.float32)
    policy = Policy(pull=7.0)
    apart = policy.build_loss()(columns, positions) - policy.build_validation_loss()(
        columns, positions
    )
    assert float(apart) == pytest.approx(7 * (0.9 - 0.4) ** 2, rel=1e-5)


def test_labels_are_the_next_return_and_the_scale_to_the_target_volatility():
    bars = random_walk(200, seed=1)
    labels = Policy(target_volatility=0.1).labels(bars, horizon=1)
    close = bars["close"]
    known = slice(60, -1)
    np.testing.assert_allclose(
        labels["next_return"].iloc[known], (close.shift(-1) / close - 1).iloc[known]
    )
    deviation = np.log(close).diff().ewm(span=60, min_periods=60).std()
    scale = np.minimum(0.1 / (deviation * math.sqrt(bars_per_year(bars.index))), 1.0)
    np.testing.assert_allclose(labels["exposure_scale"].iloc[known], scale.iloc[known])
    assert labels.iloc[:60].isna().all(axis=None)
    assert labels.iloc[-1:].isna().all(axis=None)


def test_a_market_that_stands_still_is_not_held():
    bars = random_walk(200, seed=1)
    bars.loc[:, ["open", "high", "low", "close"]] = 100.0
    assert (Policy().labels(bars, horizon=1)["exposure_scale"].iloc[60:-1] == 0).all()


def test_the_signal_is_the_prior_and_what_is_left_of_the_change():
    scale = SignalScale(threshold=0.9, width=1.0, confidence=0.5, bars_per_year=225.0)
    answers = np.array([[[0.5], [0.3]], [[0.9], [0.9]], [[np.nan], [0.1]]])
    volatility = np.array([[0.02], [0.01], [0.01]])  # 30%, 15% and 15% in a year of 225 bars
    exposure, position, uncertainty = Policy().build_columns(answers, scale, volatility)
    np.testing.assert_allclose(position, [0.65, 0.9, np.nan])  # halfway from 0.9 to 0.4
    np.testing.assert_allclose(exposure, [0.325, 0.9, np.nan])
    np.testing.assert_allclose(uncertainty, [0.05, 0.0, np.nan], atol=1e-12)


def test_changes_that_paid_are_kept_and_others_end_in_the_prior():
    better = np.where(RETURNS > 0, 1.0, 0.8)
    paid, lost = (
        Policy(cost_rate=0.0).fit_scale(answered(), answered(positions), horizon=1).confidence
        for positions in (better, 1.8 - better)
    )
    assert paid > 0.5
    assert lost == 0.0


def test_without_any_change_nothing_was_tried_and_nothing_changes():
    scale = Policy().fit_scale(answered(), answered(np.full(6, 0.9)), horizon=1)
    assert scale.confidence == 0.0


def test_scores_are_annual_and_beside_those_of_the_prior():
    scores = Policy(cost_rate=0.01).score(answered(year=100.0))
    assert scores["sharpe"] == pytest.approx(EARNED.mean() / EARNED.std() * 10)
    assert scores["turnover"] == pytest.approx(3.9 / 5 * 100)
    assert scores["n_rows"] == 6


def test_the_default_cost_is_that_of_the_default_broker():
    broker = BrokerSettings()
    assert broker.cost_rate == pytest.approx(DEFAULT_COST_RATE)


def test_a_policy_pays_what_the_broker_takes_unless_it_has_a_rate_of_its_own():
    def lost(policy):
        return policy.row_losses(LABELS, POSITIONS[:, None]).sum()

    told = Policy().with_costs(0.01)
    assert told == Policy(cost_rate=0.01)
    assert Policy(cost_rate=0.0).with_costs(0.01) == Policy(cost_rate=0.0)
    assert lost(Policy()) == pytest.approx(lost(Policy(cost_rate=DEFAULT_COST_RATE)))
    assert lost(told) - lost(Policy(cost_rate=0.0)) == pytest.approx(0.01 * 3.9)


def test_a_forecaster_is_told_of_costs_only_where_its_target_asks():
    direction, policy = LSTMForecaster(), LSTMForecaster(target="policy", epochs=3)
    assert direction.with_costs(0.01) is direction
    assert policy.with_costs(0.01).target == Policy(cost_rate=0.01)
    assert policy.with_costs(0.01).settings.epochs == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cost_rate": 1}, "cost_rate must be a number at least 0 and below 1, got 1"),
        ({"cost_rate": -0.1}, "cost_rate must be"),
        ({"cost_rate": math.nan}, "cost_rate must be"),
        ({"cost_rate": "1%"}, "cost_rate must be"),
        ({"prior": "short"}, "prior must be one of long, flat, got 'short'"),
        ({"utility": "log"}, "utility must be one of sharpe, mean_variance, prospect"),
        ({"target_volatility": 0}, "target_volatility must be a number above 0"),
        ({"max_exposure": 2}, "max_exposure must be a number above 0 and at most 1"),
        ({"pull": -1}, "pull must be a number at least 0"),
        ({"least_risk": -0.5}, "least_risk must be a number at least 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_name(arguments, message):
    with pytest.raises(LSTMStrategyError, match=message):
        Policy(**arguments)


def test_bars_that_never_move_are_refused():
    with pytest.raises(LSTMStrategyError, match="nothing to learn"):
        Policy().check_labels(np.column_stack([np.zeros(6), SCALE]), horizon=1)


def test_an_untrained_network_holds_the_prior_at_constant_volatility():
    bars = random_walk(420, seed=5)
    forecaster = LSTMForecaster(
        [{"kind": "rsi", "length": 5}],
        target=Policy(pull=1e6),
        units=(3,),
        lookback=10,
        epochs=1,
        members=1,
    ).fit(bars.iloc[:380], progress=False)
    frame = forecaster.forecast(bars).dropna()
    np.testing.assert_allclose(frame["forecast"], 0.9, atol=1e-3)
    scale = Policy().labels(bars, 1)["exposure_scale"].reindex(frame.index)
    np.testing.assert_allclose(frame["signal"].iloc[:-1], 0.9 * scale.iloc[:-1], rtol=1e-3)


def test_a_planted_rule_is_learned_and_streamed():
    rng = np.random.default_rng(2)
    turns = rng.random(900) < 0.05
    signs = np.ones(900)
    for bar in range(3, 900):  # each move repeats the one three bars before, nearly always
        signs[bar] = -signs[bar - 3] if turns[bar] else signs[bar - 3]
    close = 100 * np.exp(np.cumsum(0.01 * signs + 0.002 * rng.normal(size=900)))
    index = pd.bdate_range("2015-01-01", periods=900)
    bars = pd.DataFrame({"open": close, "high": close, "low": close, "close": close}, index)
    bars["volume"] = 1.0
    forecaster = LSTMForecaster(
        [{"kind": "log_return", "length": 1}],
        target=Policy(prior="flat", cost_rate=0.0),
        units=(8,),
        lookback=20,
        members=1,
        dropout=0.0,
        batch_size=4,
        mirror=False,
    ).fit(bars.iloc[:700], progress=False)
    frame = forecaster.forecast(bars)
    test = slice(700, 899)
    right = frame["signal"].to_numpy()[test] * signs[701:900]
    assert (right > 0).mean() > 0.8
    stream = forecaster.stream(bars.iloc[:890])
    for time, bar in bars.iloc[890:].iterrows():
        assert stream.update({"datetime": time, **bar}).signal == pytest.approx(
            frame.loc[time, "signal"], abs=1e-6
        )


def test_each_market_of_a_panel_pays_its_own_costs():
    policy = Policy(prior="flat", cost_rate={"A": 0.01, "B": 0.0})
    assert policy == Policy(prior="flat", cost_rate={"B": 0.0, "A": 0.01})
    bars = random_walk(100)
    for symbol, rate in (("A", 0.01), ("B", 0.0)):
        labels = policy.in_market(symbol).labels(bars, 1).dropna().to_numpy()
        alone = Policy(prior="flat", cost_rate=rate)
        np.testing.assert_array_equal(labels[:, 2], rate)
        positions = np.linspace(-1, 1, len(labels))[:, None]
        np.testing.assert_allclose(
            policy.row_losses(labels, positions), alone.row_losses(labels[:, :2], positions)
        )
        weighed = np.column_stack([labels, np.ones(len(labels))])[None].astype(np.float32)
        own, same = (
            np.asarray(of.build_loss()(chunk, positions[None].astype(np.float32)))
            for of, chunk in ((policy, weighed), (alone, weighed[..., [0, 1, 3]]))
        )
        assert own == pytest.approx(same)
        np.testing.assert_array_equal(policy.mirror_labels(labels)[:, 1:], labels[:, 1:])


@pytest.mark.parametrize(
    ("rates", "ask", "message"),
    [
        ({"A": 2.0}, lambda policy: policy, "cost_rate of A must be a number"),
        (
            {"A": 0.1},
            lambda policy: policy.in_market("AA"),
            r"no rate for the market AA.*Did you mean A",
        ),
        (
            {"A": 0.1, "B": 0.2},
            lambda policy: policy.labels(random_walk(100), 1),
            "rates of 2 markets, and these are the bars of one",
        ),
    ],
    ids=["too high", "unknown market", "one market"],
)
def test_costs_by_market_that_cannot_be_paid_are_named(rates, ask, message):
    with pytest.raises(LSTMStrategyError, match=message):
        ask(Policy(cost_rate=rates))


def test_costs_by_market_are_described_and_read_again():
    policy = Policy(cost_rate={"A": 0.1, "B": 0.2})
    described = json.loads(json.dumps(describe_target(policy)))
    assert choose_target(described) == policy


def test_a_portfolio_earns_the_mean_of_its_markets_at_each_date():
    policy = Policy(prior="flat", cost_rate=0.0, panel_utility="portfolio", least_risk=0.5)
    rng = np.random.default_rng(0)
    returns, positions = rng.normal(0, 0.01, (3, 6)), rng.uniform(-1, 1, (3, 6))
    # two markets share the first window; the third is alone in the second one
    places = np.array([np.arange(6), np.arange(6), 6 + np.arange(6)])
    weights = np.ones((3, 6))
    weights[:, 0] = 0  # the warm-up
    weights[1, 3] = 0  # the second market has no bar there
    labels = np.stack([returns, np.ones((3, 6)), places, weights], axis=-1).astype(np.float32)
    loss = float(policy.build_validation_loss()(labels, positions[..., None].astype(np.float32)))

    def mean_of_dates(values):
        first = np.where(weights[1] > 0, values[:2].mean(axis=0), values[0])[1:]
        return np.concatenate([first, values[2, 1:]])

    earned, held = mean_of_dates(positions * returns), mean_of_dates(returns)
    risk = earned.var() + 0.25 * np.square(held).mean()
    assert loss == pytest.approx(-math.sqrt(10) * earned.mean() / math.sqrt(risk), rel=1e-4)


@pytest.mark.parametrize("utility", ["sharpe", "mean_variance", "prospect"])
def test_a_portfolio_of_one_market_has_the_utility_of_its_bars(utility):
    weights = np.array([0.0, 0, 1, 1, 1, 1])
    alone = Policy(utility=utility, cost_rate=0.01)
    together = Policy(utility=utility, cost_rate=0.01, panel_utility="portfolio")
    with_places = np.column_stack([LABELS, np.arange(6)])
    assert lose(together, POSITIONS, with_places, weights) == pytest.approx(
        lose(alone, POSITIONS, LABELS, weights), rel=1e-5
    )
    assert together.for_markets(1) == alone
