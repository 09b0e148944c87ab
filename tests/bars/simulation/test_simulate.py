import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
from arch.univariate import GARCH

from lstm_strategy.bars.frequency import bars_per_year
from lstm_strategy.bars.simulation.rules import (
    KINDS,
    Draws,
    garch,
    noise,
    perpetual,
    regimes,
    remembered_news,
)
from lstm_strategy.bars.simulation.simulate import simulate_bars
from lstm_strategy.bars.validation import validate_bars
from lstm_strategy.errors import BarsError

N_BARS = 20_000
all_kinds = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(scope="module")
def news_market():
    return simulate_bars("remembered_news", N_BARS, seed=1)


def draws(shock, chance=None, volume_shock=None, extra_shocks=None):
    """Hand-set draws of one market: one row per bar."""
    n_bars = len(shock)
    shock = np.array(shock, dtype=float)
    chance = np.full((n_bars, 2), 0.99) if chance is None else np.array(chance)
    return Draws(
        shock=shock,
        volume_shock=np.zeros(n_bars) if volume_shock is None else np.array(volume_shock),
        wicks=np.zeros((n_bars, 2)),
        chance=chance,
        state_shock=shock,
        state_chance=chance,
        extra_shocks=np.zeros((n_bars, 3)) if extra_shocks is None else np.array(extra_shocks),
    )


def log_returns(market):
    """Of each close on the close before, from the second bar on."""
    return np.diff(np.log(market.bars["close"].to_numpy()))


def oracle_returns(market):
    """The log return of each bar from the second on, times the exposure asked for before it."""
    return market.oracle.to_numpy()[:-1] * log_returns(market)


def correlation(left, right):
    return np.corrcoef(left, right)[0, 1]


def slow_remembered_news(draws, *, p_news, strength, jump, vol, busy_factor, news_factor):
    """The rule, one bar at a time."""
    state, busy, rows = 0.0, 0, []
    for z, (news_chance, busy_chance) in zip(draws.shock, draws.chance, strict=True):
        drift = state * busy
        busy = 1 if busy_chance < 0.5 else -1
        volume = busy_factor if busy == 1 else 1 / busy_factor
        if news_chance < p_news:
            state = math.copysign(1, z)
            log_return = vol * jump * state
            volume *= news_factor
        else:
            log_return = vol * (z + strength * drift)
        rows.append((log_return, volume, state * busy))
    return np.array(rows).T


def test_news_decides_what_busy_bars_are_followed_by():
    news, none, busy, quiet = 0.01, 0.99, 0.1, 0.9
    path = remembered_news(
        draws(
            shock=[1.0, -0.2, 0.5, 0.0, 2.0, 0.0],
            chance=[
                (none, busy),  # no news so far: no drift
                (news, busy),  # falls by 2.5%: busy bars are followed by falls
                (none, quiet),  # falls by 0.3% on top of +0.5%
                (none, busy),  # a quiet bar went before: rises
                (news, quiet),  # rises by 2.5%: busy bars are followed by rises
                (none, quiet),  # a quiet bar went before: falls
            ],
        )
    )
    expected = [0.01, -0.025, 0.002, 0.003, 0.025, -0.003]
    np.testing.assert_allclose(path.log_return, expected, rtol=0, atol=1e-15)
    np.testing.assert_allclose(path.relative_volume, [1.5, 9, 1 / 1.5, 1.5, 4, 1 / 1.5])
    np.testing.assert_array_equal(path.oracle, [0, -1, 1, -1, -1, -1])


def test_remembered_news_is_the_rule_applied_bar_by_bar():
    params = {"p_news": 0.1, "strength": 0.4, "jump": 3.0, "vol": 0.02}
    params |= {"busy_factor": 2.0, "news_factor": 5.0}
    made = Draws.from_seed(500, 3)
    fast = remembered_news(made, **params, volume_noise=0.0)
    log_return, volume, oracle = slow_remembered_news(made, **params)
    np.testing.assert_allclose(fast.log_return, log_return, rtol=1e-12)
    np.testing.assert_allclose(fast.relative_volume, volume, rtol=1e-12)
    np.testing.assert_array_equal(fast.oracle, oracle)


def test_the_bars_alone_tell_the_oracle_to_a_reader_with_a_memory():
    market = simulate_bars("remembered_news", 3000, seed=1, volume_noise=0.05)
    bars = market.bars
    volume = bars["volume"] / 1e6
    state, read = 0, []
    for t, relative in enumerate(volume):  # nothing but bars up to t
        is_news = relative > 2.4
        busy = 1 if relative / (6 if is_news else 1) > 1 else -1
        if is_news:
            state = 1 if bars["close"].iloc[t] > bars["open"].iloc[t] else -1
        read.append(state * busy)
    np.testing.assert_array_equal(market.oracle, read)


@pytest.mark.parametrize("strength", [0.3, 1.0])
def test_the_oracle_of_remembered_news_earns_what_the_closed_form_says(strength):
    market = simulate_bars("remembered_news", 200_000, seed=2, strength=strength)
    units = oracle_returns(market) / 0.01
    p, jump = 0.04, 2.5
    mean = (1 - p) * strength
    mean_square = (1 - p) * (1 + strength**2) + p * jump**2
    deviation = math.sqrt(mean_square - mean**2)
    if strength == 0.3:
        assert mean / deviation == pytest.approx(0.261, abs=5e-4)  # as the docstring has it
    standard_error = 1 / math.sqrt(len(units))
    assert units.mean() / units.std() == pytest.approx(mean / deviation, abs=4 * standard_error)
    assert units.std() == pytest.approx(deviation, rel=0.01)
    is_right = (1 - p) * 0.5 * (1 + math.erf(strength / math.sqrt(2))) + p / 2
    assert np.mean(units > 0) == pytest.approx(is_right, abs=2 * standard_error)


def test_returns_of_remembered_news_carry_no_momentum(news_market):
    returns = log_returns(news_market)
    for lag in (1, 2, 3, 5, 10):
        assert abs(correlation(returns[:-lag], returns[lag:])) < 3 / math.sqrt(N_BARS)


def test_no_feature_of_the_last_bar_is_correlated_with_the_next_return(news_market):
    bars, following = news_market.bars.iloc[:-1], log_returns(news_market)
    features = {
        "return": np.log(bars["close"] / bars["open"]),
        "volume": np.log(bars["volume"]),
        "upper wick": np.log(bars["high"] / bars[["open", "close"]].max(axis=1)),
        "lower wick": np.log(bars[["open", "close"]].min(axis=1) / bars["low"]),
    }
    too_good = {
        name: correlation(values, following)
        for name, values in features.items()
        if abs(correlation(values, following)) > 3 / math.sqrt(N_BARS)
    }
    assert not too_good


def test_the_last_bar_tells_nothing_even_in_combination_unless_it_is_news(news_market):
    bars, following = news_market.bars.iloc[:-1], log_returns(news_market)
    move, volume = np.sign(bars["close"] - bars["open"]), np.log(bars["volume"] / 1e6)
    is_news = (volume > math.log(2.4)).to_numpy()
    guess = (move * np.sign(volume)).to_numpy()
    assert abs(correlation(guess[~is_news], following[~is_news])) < 3 / math.sqrt(N_BARS)
    on_news = move * np.sign(volume - math.log(6))
    assert correlation(on_news[is_news], following[is_news]) > 0.15  # it is the oracle there


def test_regimes_turn_one_by_one_and_carry_a_drift():
    turns, stays = 0.01, 0.99
    path = regimes(
        draws(
            shock=[1.0, 1.0, 0.0, -1.0],
            chance=[
                (0.6, 0.4),  # begins with a drift up, in a calm
                (stays, turns),  # wild
                (turns, stays),  # down
                (stays, turns),  # calm again
            ],
        )
    )
    np.testing.assert_allclose(path.log_return, [0.012, 0.032, -0.002, -0.012])
    np.testing.assert_array_equal(path.oracle, [1, 1, -1, -1])


def test_regimes_last_as_long_as_asked_and_pay_the_oracle_accordingly():
    market = simulate_bars("regimes", 200_000, seed=4, mean_drift_bars=20, mean_vol_bars=50)
    n_turns = np.count_nonzero(np.diff(market.oracle))
    assert 200_000 / n_turns == pytest.approx(20, rel=4 * math.sqrt(20 / 200_000))
    variance = 0.01**2 * (1 + 3**2) / 2
    expected = 0.01 * 0.2 * (1 - 2 / 20)
    assert oracle_returns(market).mean() == pytest.approx(
        expected, abs=4 * math.sqrt(variance / 200_000)
    )


def test_regimes_have_a_volatility_that_owes_nothing_to_the_drift():
    market = simulate_bars("regimes", N_BARS, seed=5)
    size, drift = np.abs(log_returns(market)), market.oracle.to_numpy()[1:]
    assert correlation(size[:-1], size[1:]) > 0.2
    assert abs(correlation(size, drift)) < 0.05  # both persist: few independent spells


def test_garch_is_what_arch_simulates_from_the_same_shocks():
    made, omega = Draws.from_seed(1000, 6), 0.02**2 * (1 - 0.15 - 0.8)
    path = garch(made, vol=0.02, alpha=0.15, beta=0.8)
    shocks, variance = GARCH(p=1, q=1).simulate(
        [omega, 0.15, 0.8], 1000, lambda size: made.shock, burn=0
    )
    np.testing.assert_allclose(path.log_return, shocks - variance / 2, rtol=0, atol=1e-14)


def test_garch_knows_the_variance_of_the_next_bar():
    market = simulate_bars("garch", 400, seed=3, vol=0.02, alpha=0.15, beta=0.8)
    returns = np.log(market.bars["close"]).diff()
    h = market.variance
    for t in (10, 200, 399):
        shock = returns.iloc[t] + h.iloc[t - 1] / 2
        expected = 0.05 * 0.02**2 + 0.15 * shock**2 + 0.8 * h.iloc[t - 1]
        assert h.iloc[t] == pytest.approx(expected)
    shorter = simulate_bars("garch", 300, seed=3, vol=0.02, alpha=0.15, beta=0.8)
    pd.testing.assert_series_equal(shorter.variance, h.iloc[:300])


def test_the_range_of_a_garch_bar_is_that_of_its_variance():
    market = simulate_bars("garch", N_BARS, seed=4)
    log = np.log(market.bars.iloc[1:])
    rise, fall = log["high"] - log["open"], log["open"] - log["low"]
    move, h = log["close"] - log["open"], market.variance.to_numpy()[:-1]
    rogers_satchell = rise * (rise - move) + fall * (fall + move)
    assert (rogers_satchell / h).mean() == pytest.approx(1.0, abs=0.03)
    assert ((rise + fall) / np.sqrt(h)).mean() == pytest.approx(math.sqrt(8 / math.pi), rel=0.02)
    assert ((move**2) / h).mean() == pytest.approx(1.0, abs=0.05)


def test_the_variance_is_known_where_the_rule_is_about_nothing_else():
    assert (simulate_bars("noise", 5, vol=0.02).variance == 0.02**2).all()
    assert simulate_bars("regimes", 5).variance is None
    assert simulate_bars("remembered_news", 5).variance is None


def test_garch_squares_are_correlated_as_theory_says_and_returns_are_not():
    market = simulate_bars("garch", 200_000, seed=7, alpha=0.1, beta=0.8)
    returns = log_returns(market)
    # Bollerslev (1986): the first autocorrelation of the squares
    expected = 0.1 * (1 - 0.1 * 0.8 - 0.8**2) / (1 - 2 * 0.1 * 0.8 - 0.8**2)
    assert correlation(returns[:-1] ** 2, returns[1:] ** 2) == pytest.approx(expected, abs=0.03)
    assert abs(correlation(returns[:-1], returns[1:])) < 4 / math.sqrt(200_000)
    assert returns.std() == pytest.approx(0.01, rel=0.02)


@pytest.mark.parametrize("rule", [noise, garch])
def test_without_memory_the_simple_return_to_expect_is_zero(rule):
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)  # the normal distribution
    returns = [rule(draws([node]), vol=0.2).log_return[0] for node in nodes]
    assert np.average(np.expm1(returns), weights=weights) == pytest.approx(0, abs=1e-12)


def test_noise_has_constant_volatility_and_no_memory_in_price_or_volume():
    bars = simulate_bars("noise", N_BARS, seed=8).bars
    returns, volume = np.diff(np.log(bars["close"])), np.log(bars["volume"].to_numpy())
    assert returns.std() == pytest.approx(0.01, rel=0.02)
    series = {"returns": returns, "sizes": np.abs(returns), "volume": volume}
    remembered = {
        name: correlation(values[:-1], values[1:])
        for name, values in series.items()
        if abs(correlation(values[:-1], values[1:])) > 3 / math.sqrt(N_BARS)
    }
    assert not remembered


@pytest.mark.parametrize("kind", ["garch", "noise"])
def test_the_oracle_stays_out_where_nothing_can_be_known(kind):
    assert (simulate_bars(kind, 500).oracle == 0).all()


@all_kinds
def test_bars_are_valid_and_come_every_business_day_or_hour(kind):
    market = simulate_bars(kind, 2000, seed=9)
    pd.testing.assert_frame_equal(validate_bars(market.bars), market.bars)
    pd.testing.assert_index_equal(market.oracle.index, market.bars.index)
    assert market.bars.index.name == "datetime"
    assert bars_per_year(market.bars.index) == (8760 if kind == "perpetual" else 252)
    assert set(market.oracle) <= {-1.0, 0.0, 1.0}


@all_kinds
def test_every_open_is_the_close_before(kind):
    bars = simulate_bars(kind, 2000, seed=10).bars
    np.testing.assert_array_equal(bars["open"].iloc[1:], bars["close"].iloc[:-1])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "garch"])
def test_wicks_are_small(kind):
    bars = simulate_bars(kind, 2000, seed=10).bars
    body = bars[["open", "close"]]
    assert (np.log(bars["high"] / body.max(axis=1)) < 0.0025 * 5).all()
    assert (np.log(body.min(axis=1) / bars["low"]) < 0.0025 * 5).all()


@all_kinds
def test_a_longer_market_begins_with_the_shorter_one(kind):
    short, long = simulate_bars(kind, 300, seed=11), simulate_bars(kind, 700, seed=11)
    pd.testing.assert_frame_equal(long.bars.iloc[:300], short.bars)
    pd.testing.assert_series_equal(long.oracle.iloc[:300], short.oracle)


def columns_of(path):
    """All arrays of a path by name."""
    plain = {name: values for name, values in vars(path).items() if isinstance(values, np.ndarray)}
    return {**plain, **path.price_factors, **path.extras}


@all_kinds
def test_later_draws_change_neither_bars_nor_oracle(kind):
    made, other = Draws.from_seed(400, 12), Draws.from_seed(400, 13)
    mixed = Draws(
        *(
            np.concatenate([getattr(made, field.name)[:150], getattr(other, field.name)[150:]])
            for field in dataclasses.fields(Draws)
        )
    )
    before, after = KINDS[kind](made), KINDS[kind](mixed)
    for name, values in columns_of(before).items():
        np.testing.assert_array_equal(values[:150], columns_of(after)[name][:150])
    assert (before.log_return[150:] != after.log_return[150:]).all()


@all_kinds
def test_a_market_can_be_made_again_from_what_it_says_of_itself(kind):
    market = simulate_bars(kind, 200, seed=14, vol=0.02)
    again = simulate_bars(market.kind, len(market.bars), seed=market.seed, **market.params)
    pd.testing.assert_frame_equal(market.bars, again.bars)
    assert market.params == again.params
    assert market.params["vol"] == 0.02
    assert not market.bars.equals(simulate_bars(kind, 200, seed=15, vol=0.02).bars)


def perpetual_draws(n_bars, rushes):
    """No shocks at all, but rushes of a side, +1 or -1, at some bars."""
    chance = np.full((n_bars, 2), 0.99)
    for bar, side in rushes.items():
        chance[bar] = (0.0, 0.1 if side > 0 else 0.9)
    return draws(np.zeros(n_bars), chance=chance)


def test_a_crowd_pays_for_its_rush_days_later():
    path = perpetual(perpetual_draws(12, {2: 1, 6: -1}), delay_bars=3, strength=0.5, vol=0.01)
    # known at the close of bar 4: the return of bar 5, three after the rush, is against it
    assert path.oracle.tolist() == [0, 0, 0, 0, -1, -1, -1, -1, 1, 1, 1, 1]
    np.testing.assert_allclose(path.log_return, 0.005 * np.array([0.0] * 5 + [-1] * 4 + [1] * 3))


def test_a_rush_lifts_premium_funding_and_open_interest_and_is_gone_after_some_settlements():
    path = perpetual(perpetual_draws(33, {0: 1}), rush=0.002)
    premium = -np.log(path.price_factors["spot_close"])
    np.testing.assert_allclose(premium[[0, 8, 16]], [0.002, 0.001, 0.0005])
    rate = path.extras["funding_rate"]
    assert np.flatnonzero(~np.isnan(rate)).tolist() == [8, 16, 24, 32]
    first = 0.002 * np.mean(0.5 ** (np.arange(8) / 8))  # of the eight hours before
    expected = [first - 0.0005, first / 2 - 0.0005, 0.0001, 0.0001]  # then within the clamp
    np.testing.assert_allclose(rate[[8, 16, 24, 32]], expected)
    interest = path.extras["open_interest"]
    np.testing.assert_allclose(interest[[0, 1]], 5e6 * np.exp([0.1, 0.099]))


def test_sellers_rush_the_other_way_and_open_interest_tells_no_side():
    made = [perpetual(perpetual_draws(33, {0: side})) for side in (1, -1)]
    premia = [-np.log(path.price_factors["spot_close"]) for path in made]
    np.testing.assert_allclose(premia[0], -premia[1])
    np.testing.assert_array_equal(*(path.extras["open_interest"] for path in made))
    rates = [path.extras["funding_rate"][8] for path in made]
    assert rates[0] > 0 > rates[1]


def test_funding_settles_as_often_as_asked():
    bars = simulate_bars("perpetual", 40, funding_bars=4).bars
    assert np.flatnonzero(bars["funding_rate"].notna()).tolist() == list(range(4, 40, 4))
    assert str(bars.index.tz) == "UTC"
    assert bars["funding_rate"].abs().median() == pytest.approx(0.00005)  # half the interest
    with pytest.raises(BarsError, match=r"funding_bars must be a whole number, got 2.5"):
        simulate_bars("perpetual", 40, funding_bars=2.5)


def test_the_oracle_of_a_perpetual_earns_a_plausible_sharpe_ratio_after_costs_and_funding():
    market = simulate_bars("perpetual", 400_000, seed=2)
    bars, held = market.bars, market.oracle.shift(1).fillna(0.0)
    gross = held * np.log(bars["close"]).diff().fillna(0.0)
    costs = 0.0005 * held.diff().abs().fillna(0.0) + held * bars["funding_rate"].fillna(0.0)
    year = math.sqrt(8760)
    assert gross.mean() / gross.std() * year == pytest.approx(3.93, abs=0.6)  # 4 standard errors
    assert (costs.mean() * 8760) / (gross.std() * year) == pytest.approx(0.05, abs=0.05)


def test_whoever_forgets_a_perpetuals_funding_knows_nothing():
    market = simulate_bars("perpetual", 200_000, seed=3)
    bars, following = market.bars.iloc[:-1], log_returns(market)
    premium = np.log(bars["mark"] / bars["spot_close"]).to_numpy()
    features = {
        "return": np.log(bars["close"] / bars["open"]),
        "volume": np.log(bars["volume"]),
        "open interest": np.log(bars["open_interest"]).diff().fillna(0.0),
        "premium": premium,
        "funding": bars["funding_rate"].ffill().fillna(0.0),
        "open interest on the side of the return": np.log(bars["open_interest"]).diff().fillna(0.0)
        * np.sign(bars["close"] - bars["open"]),
    }
    found = {
        name: correlation(values, following)
        for name, values in features.items()
        if abs(correlation(values, following)) > 4 / math.sqrt(200_000)
    }
    assert not found
    remembered = pd.Series(np.where(np.abs(premium) > 0.0012, np.sign(premium), np.nan)).ffill()
    guess = -remembered.shift(24).fillna(0.0)
    assert correlation(guess, following) > 0.03  # the oracle has 0.042


def test_the_markets_of_a_panel_of_perpetuals_share_their_rushes():
    panel = simulate_bars("perpetual", 3_000, seed=3, n_assets=2)
    first, second = panel.bars.values()
    assert panel.oracle["A01"].equals(panel.oracle["A02"])
    premia = [np.log(bars["mark"] / bars["spot_close"]) for bars in (first, second)]
    assert correlation(*premia) > 0.6
    assert abs(correlation(*(np.diff(np.log(bars["close"])) for bars in (first, second)))) < 0.1


def test_the_markets_of_a_panel_share_their_news_and_are_busy_by_themselves():
    panel = simulate_bars("remembered_news", 4_000, seed=3, n_assets=3)
    assert panel.bars.symbols == tuple(panel.oracle) == ("A01", "A02", "A03")
    jumps = [np.isclose(np.diff(np.log(bars["close"])), 0.025) for bars in panel.bars.values()]
    assert 40 < jumps[0].sum() < 120
    assert (jumps[0] == jumps[1]).all()
    assert (jumps[0] == jumps[2]).all()
    busy = [np.where(bars["volume"] % 6e6 > 1e6, 1, -1) for bars in panel.bars.values()]
    exposures = [oracle.to_numpy() for oracle in panel.oracle.values()]
    assert abs(correlation(exposures[0], exposures[1])) < 0.05
    assert abs(correlation(busy[0], busy[1])) < 0.2


def test_every_market_of_a_panel_pays_its_oracle_as_a_single_one_does():
    panel = simulate_bars("remembered_news", 20_000, seed=1, n_assets=4)
    for symbol, bars in panel.bars.items():
        validate_bars(bars)
        earned = panel.oracle[symbol].shift(1).iloc[1:] * np.diff(np.log(bars["close"]))
        assert earned.mean() / earned.std() == pytest.approx(0.261, abs=0.03)


def test_the_markets_of_a_panel_share_drift_and_volatility():
    panel = simulate_bars("regimes", 3_000, seed=3, n_assets=3)
    assert panel.oracle["A01"].equals(panel.oracle["A02"])
    returns = [np.diff(np.log(bars["close"])) for bars in panel.bars.values()]
    assert abs(correlation(returns[0], returns[1])) < 0.1
    assert correlation(np.abs(returns[0]), np.abs(returns[1])) > 0.2


def test_the_markets_of_a_panel_share_the_variance_of_garch():
    panel = simulate_bars("garch", 3_000, seed=3, n_assets=2)
    variance = panel.variance["A01"]
    assert variance.equals(panel.variance["A02"])
    scaled = [
        np.diff(np.log(bars["close"])) / np.sqrt(variance.to_numpy()[:-1])
        for bars in panel.bars.values()
    ]
    assert [part.std() for part in scaled] == pytest.approx([1, 1], abs=0.04)
    assert abs(correlation(*scaled)) < 0.06
    assert panel.oracle["A01"].eq(0).all()


def test_noise_shares_nothing_between_markets():
    panel = simulate_bars("noise", 3_000, seed=3, n_assets=2)
    first, second = (np.diff(np.log(bars["close"])) for bars in panel.bars.values())
    assert abs(correlation(first, second)) < 0.06
    assert abs(correlation(np.abs(first), np.abs(second))) < 0.06


@all_kinds
def test_a_larger_panel_begins_with_the_smaller_one(kind):
    small = simulate_bars(kind, 60, seed=8, n_assets=2)
    large = simulate_bars(kind, 90, seed=8, n_assets=3)
    for symbol, bars in small.bars.items():
        pd.testing.assert_frame_equal(bars, large.bars[symbol].iloc[:60])
        pd.testing.assert_series_equal(small.oracle[symbol], large.oracle[symbol].iloc[:60])
    again = simulate_bars(small.kind, 60, seed=small.seed, n_assets=2, **small.params)
    assert again.bars.fingerprint == small.bars.fingerprint


def test_a_market_of_a_panel_whose_prices_leave_float64_is_named():
    with pytest.raises(BarsError, match="market A01: prices must stay within what float64 holds"):
        simulate_bars("noise", 40_000, seed=1, n_assets=2, vol=0.2)


def test_one_bar_and_the_year_5000_are_no_trouble():
    assert len(simulate_bars("remembered_news", 1).bars) == 1
    assert simulate_bars("noise", 900_000).bars.index[-1].year > 5000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(
            {"kind": "noise", "n_assets": 0}, "n_assets must be .* from 1", id="no assets"
        ),
        pytest.param({"kind": "garhc"}, "got 'garhc'. Did you mean garch?", id="kind"),
        pytest.param(
            {"kind": "x"}, "Known: remembered_news, regimes, garch, noise, perp", id="no idea"
        ),
        pytest.param(
            {"kind": None},
            "kind must be the rule of a market, got None. Known: remembered_news, ",
            id="no kind",
        ),
        pytest.param(
            {"kind": "remembered_news", "pnews": 0.1},
            "remembered_news has no parameter 'pnews'. Did you mean p_news",
            id="parameter",
        ),
        pytest.param({"kind": "noise", "jump": 1}, "noise has no parameter 'jump'", id="foreign"),
        pytest.param({"kind": "noise", "vol": 3}, "vol must be from 1e-06 to 0.2, got 3", id="vol"),
        pytest.param({"kind": "noise", "vol": float("nan")}, "vol must be .* got nan", id="NaN"),
        pytest.param({"kind": "noise", "vol": "1%"}, "vol must be .* got '1%'", id="text"),
        pytest.param({"kind": "garch", "beta": 0.9}, "alpha . beta must be below 1", id="garch"),
        pytest.param({"kind": "noise", "n_bars": 0}, "n_bars must be .* 2,000,000, got 0", id="0"),
        pytest.param({"kind": "noise", "n_bars": 1e4}, "n_bars must be a whole", id="float"),
        pytest.param({"kind": "noise", "seed": -1}, "seed must be a whole .* got -1", id="seed"),
        pytest.param(
            {"kind": "noise", "n_bars": 100_000, "vol": 0.2}, "Lower vol or n_bars", id="overflow"
        ),
    ],
)
def test_what_cannot_be_simulated_is_refused_with_the_remedy(arguments, message):
    with pytest.raises(BarsError, match=message):
        simulate_bars(**arguments)
