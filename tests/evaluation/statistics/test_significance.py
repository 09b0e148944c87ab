import itertools
import math

import numpy as np
import pandas as pd
import pytest
from arch.bootstrap import MCS, SPA, StationaryBootstrap, StepM
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from lstm_strategy.bars import validate_bars
from lstm_strategy.errors import BarsError, TradingError
from lstm_strategy.evaluation.metrics import sharpe
from lstm_strategy.evaluation.statistics import sharpe_ratio as sharpe_inference
from lstm_strategy.evaluation.statistics.bootstrap import (
    at_equal_volatility,
    block_length,
    resample_means,
)
from lstm_strategy.evaluation.statistics.multiple_comparison import (
    better_than,
    model_confidence_set,
    spa_against_each,
    superior_predictive_ability,
)
from lstm_strategy.evaluation.statistics.sharpe_ratio import (
    deflated_sharpe,
    luckiest_sharpe,
    probabilistic_sharpe,
    sharpe_confidence,
    sharpe_difference_interval,
    sharpe_interval,
)
from lstm_strategy.evaluation.verdict import permutation_test
from lstm_strategy.evaluation.verdict.permutation import permute_bars

REPS = 200


def random_returns(seed=0, *, n_bars=400, sharpes=(0.0, 0.0, 0.0), volatility=0.01):
    """One column a Sharpe ratio per bar, named a, b, c, ...; independent normals."""
    rng = np.random.default_rng(seed)
    columns = [rng.normal(sharpe * volatility, volatility, n_bars) for sharpe in sharpes]
    index = pd.date_range("2020-01-01", periods=n_bars, name="datetime")
    return pd.DataFrame(dict(zip("abcdefghij", columns, strict=False)), index=index)


def autocorrelated(seed, *, n_bars=400, weight=0.3):
    noise = np.random.default_rng(seed).normal(0.0, 0.01, n_bars)
    return pd.Series(noise).ewm(alpha=1.0 - weight).mean()


def four_bars():
    return pd.DataFrame(
        {
            "open": [10.0, 11.0, 12.0, 9.0],
            "high": [10.0, 12.0, 12.0, 9.0],
            "low": [10.0, 10.0, 6.0, 4.5],
            "close": [10.0, 12.0, 6.0, 9.0],
            "volume": [1, 2, 3, 4],
            "funding": [0.1, 0.2, 0.3, 0.4],
        },
        index=pd.date_range("2020-01-01", periods=4, name="datetime"),
    )


def random_bars(seed=0, *, n_bars=60):
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, n_bars)))
    open_ = close * np.exp(rng.normal(0.0, 0.01, n_bars))
    return pd.DataFrame(
        {
            "open": open_,
            "high": np.maximum(open_, close) * (1.0 + rng.random(n_bars) * 0.01),
            "low": np.minimum(open_, close) * (1.0 - rng.random(n_bars) * 0.01),
            "close": close,
            "volume": rng.integers(1, 1000, n_bars).astype(float),
        },
        index=pd.date_range("2020-01-01", periods=n_bars, name="datetime"),
    )


def momentum_sharpe(bars):
    """Trades the sign of the last move: it earns where moves continue, and only there."""
    moves = bars["close"].pct_change().fillna(0.0)
    earned = moves * np.sign(moves.shift(fill_value=0.0))
    return earned.mean() / earned.std()


def test_returns_at_equal_volatility_have_their_sharpe_ratio_as_mean():
    returns = pd.DataFrame({"calm": [0.01, 0.03], "wild": [-0.1, 0.3], "cash": [0.0, 0.0]})
    expected = {"calm": [1.0, 3.0], "wild": [-0.5, 1.5], "cash": [0.0, 0.0]}
    for column, values in at_equal_volatility(returns).items():
        assert values.to_list() == pytest.approx(expected[column])


def test_a_constant_return_counts_as_cash():
    returns = pd.DataFrame({"interest": [0.001, 0.001, 0.001]})
    assert at_equal_volatility(returns)["interest"].to_list() == [0.0, 0.0, 0.0]


def test_resampled_means_are_those_of_the_rows_that_arch_draws():
    values = random_returns(n_bars=50).to_numpy()
    bootstrap = StationaryBootstrap(4, values, seed=3)
    expected = [sample.mean(axis=0) for (sample,), _ in bootstrap.bootstrap(20)]
    assert np.allclose(resample_means(values, 4, reps=20, seed=3), expected, atol=1e-15)


@pytest.mark.parametrize("lead", [-0.02, 0.0, 0.05, 0.15])
def test_p_values_agree_with_arch_one_baseline_at_a_time(lead):
    returns = random_returns(1, sharpes=(lead, 0.0, 0.0, 0.02))
    result = superior_predictive_ability(returns, "a", reps=REPS, seed=5)
    scaled = at_equal_volatility(returns)
    for baseline, p_value in result.p_values.items():
        peer = SPA(-scaled[baseline], -scaled["a"], block_size=result.block_bars, reps=REPS, seed=5)
        peer.compute()
        assert p_value == pytest.approx((1 + REPS * peer.pvalues["upper"]) / (1 + REPS))
        if p_value < 0.5:
            assert peer.pvalues["consistent"] == peer.pvalues["upper"]


def test_the_overall_p_value_is_that_of_the_hardest_baseline():
    returns = random_returns(2, sharpes=(0.2, 0.0, 0.19, -0.1))
    result = superior_predictive_ability(returns, "a", reps=REPS)
    assert result.p_values.is_monotonic_decreasing
    assert set(result.p_values.index) == {"b", "c", "d"}
    assert (result.hardest_baseline, result.p_value) == ("c", result.p_values["c"])
    pd.testing.assert_series_equal(spa_against_each(returns, "a", reps=REPS), result.p_values)


def test_leverage_changes_no_p_value():
    returns = random_returns(3, sharpes=(0.1, 0.0, 0.05))
    levered = returns * [5.0, 1.0, 0.2]
    pd.testing.assert_series_equal(
        spa_against_each(returns, "a", reps=REPS), spa_against_each(levered, "a", reps=REPS)
    )


def test_a_twin_is_never_beaten():
    returns = random_returns(4, sharpes=(0.1, 0.0))
    twins = returns.assign(same=returns["a"], levered=2 * returns["a"], rounded=returns["a"] + 1e-7)
    p_values = spa_against_each(twins, "a", reps=REPS)
    assert p_values[["same", "levered", "rounded"]].to_list() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("sharpe_per_bar, is_beaten", [(0.3, True), (-0.3, False)])
def test_cash_is_beaten_by_gains_and_not_by_losses(sharpe_per_bar, is_beaten):
    returns = random_returns(5, sharpes=(sharpe_per_bar,)).assign(cash=0.0)
    assert (spa_against_each(returns, "a", reps=REPS)["cash"] < 0.05) == is_beaten


def test_a_flat_strategy_beats_no_gain_and_no_other_cash():
    returns = random_returns(6, sharpes=(0.0, 0.3)).assign(flat=0.0, cash=0.0)
    p_values = spa_against_each(returns, "flat", reps=REPS)
    assert p_values["cash"] == 1.0
    assert p_values["b"] > 0.99


def test_the_same_seed_gives_the_same_p_values_and_another_seed_others():
    returns = random_returns(7, sharpes=(0.05, 0.0))
    first, again, other = (spa_against_each(returns, "a", seed=seed)["b"] for seed in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize(
    "spoil, message",
    [
        (lambda r: r.drop(columns="a"), "need a column 'a', got b, c"),
        (lambda r: r[["a"]], "needs a baseline beside 'a'"),
        (lambda r: r.head(29), "fewer than 30 bars, got 29"),
        (
            lambda r: r.assign(b=r["b"].drop(r.index[4])),
            "b is nan at 2020-01-05 .* \\(1 rows in all",
        ),
    ],
    ids=["no such column", "no baseline", "too few bars", "a NaN"],
)
def test_returns_that_cant_be_judged_are_refused(spoil, message):
    with pytest.raises(TradingError, match=message):
        superior_predictive_ability(spoil(random_returns()), "a", reps=10)


# With seed 1 all models are better, step by step, and arch's StepM stops with an error.
@pytest.mark.parametrize("seed", [0, 2, 3, 4, 5])
def test_the_set_better_than_a_benchmark_agrees_with_arch(seed):
    returns = random_returns(seed, sharpes=(0.05, 0.17, 0.25, 0.05, 0.03))
    scaled = at_equal_volatility(returns)
    leads = scaled.drop(columns="a").sub(scaled["a"], axis=0)
    leads = leads / leads.std(ddof=0)  # arch's own `studentize` leaves the statistic as it is
    block_bars = block_length(leads)
    zero = np.zeros(len(leads))
    peer = StepM(zero, -leads, block_size=block_bars, reps=REPS, seed=9)
    peer.compute()
    assert better_than(returns, "a", reps=REPS, seed=9) == list(peer.superior_models)


def test_all_models_may_be_better_than_the_benchmark():
    returns = random_returns(8, sharpes=(0.0, 0.3, 0.5, 1.0))
    assert better_than(returns, "a", reps=REPS) == ["b", "c", "d"]


def test_nothing_is_better_than_its_twin():
    returns = random_returns(9, sharpes=(0.1,))
    assert better_than(returns.assign(twin=returns["a"]), "a", reps=REPS) == []


@pytest.mark.parametrize("seed", range(4))
def test_the_confidence_set_agrees_with_arch(seed):
    returns = random_returns(seed, sharpes=(0.0, 0.1, 0.2, 0.0, -0.1))
    scaled = at_equal_volatility(returns)
    peer = MCS(-scaled, size=0.1, block_size=block_length(scaled), reps=REPS, seed=2)
    peer.compute()
    found = model_confidence_set(returns, level=0.9, reps=REPS, seed=2)
    assert found.included == peer.included
    expected = peer.pvalues["Pvalue"].sort_index()
    assert found.p_values.to_list() == pytest.approx(expected.to_list())


def test_twins_share_their_place_in_the_confidence_set():
    returns = random_returns(10, sharpes=(0.5, 0.0))
    found = model_confidence_set(returns.assign(twin=returns["a"]), reps=REPS)
    assert found.included == ["a", "twin"]


@pytest.mark.parametrize("seed", range(3))
def test_the_standard_error_is_that_of_mertens(seed):
    values = np.random.default_rng(seed).gamma(2.0, 0.01, 300) - 0.015
    ratio = values.mean() / values.std()
    variance = 1 - stats.skew(values) * ratio
    variance += (stats.kurtosis(values, fisher=False) - 1) / 4 * ratio**2
    _, error = sharpe_inference._weighted_sharpe(values[:, None], np.array([1.0]))
    assert error == pytest.approx(math.sqrt(variance / 300))


def test_the_sharpe_interval_is_the_studentised_one_worked_in_a_loop():
    returns = autocorrelated(1)
    block_bars = block_length(returns.to_frame())
    assert block_bars > 1
    estimate, error = sharpe_inference._weighted_sharpe(returns.to_numpy()[:, None], np.ones(1))
    distances = []
    for (sample,), _ in StationaryBootstrap(block_bars, returns.to_numpy(), seed=4).bootstrap(REPS):
        drawn, drawn_error = sharpe_inference._weighted_sharpe(sample[:, None], np.ones(1))
        distances.append((drawn - estimate) / drawn_error)
    low, high = np.percentile(distances, [5, 95])
    interval = sharpe_interval(returns, 252.0, level=0.9, reps=REPS, seed=4)
    year = math.sqrt(252.0)
    assert interval.low == pytest.approx((estimate - high * error) * year)
    assert interval.high == pytest.approx((estimate - low * error) * year)
    assert interval.level == 0.9


def test_the_interval_is_around_the_sharpe_ratio_of_the_metrics():
    returns = random_returns(11, sharpes=(0.1,))["a"]
    equity = pd.concat([pd.Series([1.0]), (1.0 + returns).cumprod()])
    interval = sharpe_interval(returns, 252.0, reps=REPS)
    assert interval.estimate == pytest.approx(sharpe(equity, 252.0))
    assert interval.low < interval.estimate < interval.high


def test_a_flat_series_has_no_sharpe_interval():
    interval = sharpe_interval(pd.Series(np.zeros(100)), 252.0, reps=REPS)
    assert all(math.isnan(value) for value in (interval.estimate, interval.low, interval.high))


def test_a_series_with_few_trades_still_has_an_interval():
    returns = pd.Series(np.zeros(200))
    returns[[50, 120]] = [0.02, -0.01]
    interval = sharpe_interval(returns, 252.0, reps=REPS)
    assert interval.low < 0 < interval.high


def test_what_two_strategies_share_cancels_in_their_difference():
    shared = random_returns(12)["a"]
    better = shared + random_returns(13, sharpes=(0.2,))["a"] * 0.1
    alone = sharpe_interval(better, 252.0, reps=REPS)
    between = sharpe_difference_interval(better, shared, 252.0, reps=REPS)
    assert between.high - between.low < 0.3 * (alone.high - alone.low)
    ratios = [float(returns.mean() / returns.std()) for returns in (better, shared)]
    assert between.estimate == pytest.approx((ratios[0] - ratios[1]) * math.sqrt(252.0))


def test_differing_dates_are_no_pair():
    returns = random_returns()["a"]
    with pytest.raises(TradingError, match="got 400 and 399 bars with different dates"):
        sharpe_difference_interval(returns, returns.iloc[1:], 252.0)


def test_the_probabilistic_sharpe_ratio_of_six_bars_matches_the_hand_worked_one():
    # Mean 0.01 and deviations ±0.01, ±0.01, ±0.02: variance (4·1 + 2·4) / 6 = 2 (ddof 1: 2.4),
    # no skewness, fourth moment (4·1 + 2·16) / 6 = 6, so a kurtosis of 6 / 2² = 1.5.
    returns = pd.Series([0.02, 0.0, 0.02, 0.0, 0.03, -0.01])
    ratio = 1.0 / math.sqrt(2.4)
    z = ratio * math.sqrt(5.0) / math.sqrt(1.0 + 0.5 / 4.0 * ratio**2)
    assert probabilistic_sharpe(returns) == pytest.approx(stats.norm.cdf(z))
    assert probabilistic_sharpe(returns, ratio) == pytest.approx(0.5)


def test_the_deflated_sharpe_ratio_matches_the_example_of_its_authors():
    # Bailey & López de Prado 2014, p. 102: five years of days, 100 trials, annual Sharpe 2.5
    luck = luckiest_sharpe(100, math.sqrt(0.5 / 250))
    confidence = sharpe_confidence(
        2.5 / math.sqrt(250), luck, n_bars=1250, skewness=-3.0, kurtosis=10.0
    )
    assert (round(luck, 4), round(confidence, 4)) == (0.1132, 0.9004)


def test_the_luckiest_sharpe_ratio_is_close_to_the_mean_of_the_largest_of_many_normals():
    largest = np.random.default_rng(0).normal(0.0, 2.0, (20_000, 50)).max(axis=1)
    assert luckiest_sharpe(50, 2.0) == pytest.approx(largest.mean(), rel=0.02)


def test_more_trials_deflate_more_and_one_trial_deflates_nothing():
    returns = random_returns(14, sharpes=(0.1,))["a"]
    confidences = [deflated_sharpe(returns, trials) for trials in (1, 2, 10, 1000)]
    assert confidences[0] == probabilistic_sharpe(returns)
    assert confidences == sorted(confidences, reverse=True)
    known = deflated_sharpe(returns, 10, trial_sharpe_std=1.0 / math.sqrt(399))
    assert confidences[2] == known


def test_a_flat_or_tiny_series_has_no_probabilistic_sharpe_ratio():
    assert math.isnan(probabilistic_sharpe(pd.Series([0.01, 0.01, 0.01])))
    assert math.isnan(probabilistic_sharpe(pd.Series([0.01, 0.02])))


def test_trials_that_were_made_are_at_least_one():
    with pytest.raises(TradingError, match="at least 1, got 0"):
        luckiest_sharpe(0, 1.0)


def test_permuted_bars_are_one_of_the_six_orders_worked_by_hand():
    # The three moves open, high, low, close over the close before:
    #   1.1 1.2 1.0 1.2,   1.0 1.0 0.5 0.5,   1.5 1.5 0.75 1.5
    bars = four_bars()
    moves = np.array([[1.1, 1.2, 1.0, 1.2], [1.0, 1.0, 0.5, 0.5], [1.5, 1.5, 0.75, 1.5]])
    possible = {}
    for order in itertools.permutations(range(3)):
        rows, close = [[10.0, 10.0, 10.0, 10.0, 1, 0.1]], 10.0
        for move in order:
            rows.append([*(close * moves[move]), move + 2, (move + 2) / 10])
            close *= moves[move, 3]
        possible[order] = np.array(rows)
    seen = set()
    for seed in range(30):
        permuted = permute_bars(bars, seed=seed)
        assert list(permuted.columns) == list(bars.columns)
        pd.testing.assert_index_equal(permuted.index, bars.index)
        same = [order for order, rows in possible.items() if np.allclose(permuted, rows)]
        assert len(same) == 1
        seen.update(same)
    assert seen == set(possible)


@pytest.mark.parametrize("block_bars", [3, 4, 100])
def test_one_block_is_the_same_bars(block_bars):
    bars = four_bars()
    permuted = permute_bars(bars, block_bars=block_bars, seed=1)
    pd.testing.assert_frame_equal(permuted, bars)


def test_bars_within_a_block_stay_together():
    bars = random_bars(n_bars=25)
    bars["number"] = np.arange(25)
    numbers = permute_bars(bars, block_bars=6, seed=3)["number"].to_list()
    blocks = [numbers[1 + 6 * i : 7 + 6 * i] for i in range(4)]
    assert numbers[0] == 0
    assert sorted(blocks) == [list(range(1 + 6 * i, 7 + 6 * i)) for i in range(4)]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), n_bars=st.integers(1, 80), block_bars=st.integers(1, 90))
def test_permuted_bars_are_valid_and_keep_every_move(seed, n_bars, block_bars):
    bars = random_bars(seed, n_bars=n_bars)
    before = bars.copy()
    permuted = permute_bars(bars, block_bars=block_bars, seed=seed)
    pd.testing.assert_frame_equal(bars, before)
    validate_bars(permuted)
    assert (permuted["high"] >= permuted[["open", "close"]].max(axis=1)).all()
    assert (permuted["low"] <= permuted[["open", "close"]].min(axis=1)).all()
    for column in ("open", "high", "low", "close"):
        moves, expected = (
            np.sort((frame[column] / frame["close"].shift()).dropna()) for frame in (permuted, bars)
        )
        assert np.allclose(moves, expected, rtol=1e-10)
    assert sorted(permuted["volume"]) == sorted(bars["volume"])
    assert permuted["close"].iloc[-1] == pytest.approx(bars["close"].iloc[-1])


@pytest.mark.parametrize(
    "spoil, message",
    [
        (lambda b: b.drop(columns="high"), "need the column 'high'"),
        (lambda b: b.assign(low=[1.0, 1.0, -2.0, 1.0]), "low is -2.0 at 2020-01-03"),
        (lambda b: b.assign(close=[1.0, np.nan, 1.0, 1.0]), "close is nan at 2020-01-02"),
    ],
    ids=["missing", "negative", "NaN"],
)
def test_bars_without_usable_prices_cant_be_permuted(spoil, message):
    with pytest.raises(BarsError, match=message):
        permute_bars(spoil(four_bars()))


def test_a_block_holds_at_least_one_bar():
    with pytest.raises(BarsError, match="at least 1, got 0"):
        permute_bars(four_bars(), block_bars=0)


def test_the_null_test_finds_a_planted_memory():
    bars = random_bars(1, n_bars=600)
    moves = autocorrelated(2, n_bars=600, weight=0.5)
    close = 100.0 * np.exp(moves.cumsum().to_numpy())
    bars = bars.assign(open=close, high=close, low=close, close=close)
    result = permutation_test(momentum_sharpe, bars)
    assert result.p_value == pytest.approx(1 / 21)
    assert result.real > max(result.null)
    assert len(result.null) == 20


def test_blocks_longer_than_the_memory_keep_it_in_the_null():
    moves = autocorrelated(2, n_bars=600, weight=0.5)
    close = 100.0 * np.exp(moves.cumsum().to_numpy())
    bars = random_bars(1, n_bars=600).assign(open=close, high=close, low=close, close=close)
    kept = permutation_test(momentum_sharpe, bars, block_bars=50)
    assert np.mean(kept.null) > 0.8 * kept.real


def test_the_null_test_of_noise_gives_every_rank_as_often():
    p_values = [
        permutation_test(momentum_sharpe, random_bars(seed, n_bars=150), n_permutations=9).p_value
        for seed in range(60)
    ]
    assert np.mean(p_values) == pytest.approx(0.55, abs=0.12)


def test_a_null_statistic_that_is_equal_or_nan_counts_against_the_pipeline():
    values = iter([1.0, 1.0, math.nan, 2.0, 0.5])
    result = permutation_test(lambda bars: next(values), four_bars(), n_permutations=4)
    assert result.p_value == pytest.approx(4 / 5)


def test_a_real_nan_is_no_evidence():
    values = iter([math.nan, 1.0, 2.0])
    result = permutation_test(lambda bars: next(values), four_bars(), n_permutations=2)
    assert result.p_value == 1.0


def test_progress_is_told_after_each_permutation():
    heard = []
    permutation_test(
        lambda bars: 0.0,
        four_bars(),
        n_permutations=3,
        progress=lambda done, of: heard.append((done, of)),
    )
    assert heard == [(1, 3), (2, 3), (3, 3)]


def test_processes_give_the_same_null_as_one():
    bars = random_bars(3)
    alone = permutation_test(momentum_sharpe, bars, n_permutations=4)
    together = permutation_test(momentum_sharpe, bars, n_permutations=4, n_jobs=2)
    assert together == alone


def test_a_null_needs_a_permutation():
    with pytest.raises(TradingError, match="at least 1, got 0"):
        permutation_test(momentum_sharpe, four_bars(), n_permutations=0)


@pytest.mark.slow
@pytest.mark.parametrize("sharpe_per_bar", [0.0, 0.1])
def test_the_sharpe_interval_covers_the_truth_as_often_as_it_says(sharpe_per_bar):
    truth = sharpe_per_bar * math.sqrt(252.0)
    n_covered = 0
    for seed in range(400):
        returns = random_returns(seed, n_bars=500, sharpes=(sharpe_per_bar,))["a"]
        interval = sharpe_interval(returns, 252.0, reps=REPS, seed=seed)
        n_covered += interval.low <= truth <= interval.high
    assert 0.91 <= n_covered / 400 <= 0.98


@pytest.mark.slow
def test_twins_of_skill_are_called_superior_about_as_often_as_the_level_says():
    p_values = [
        spa_against_each(random_returns(seed, sharpes=(0.05, 0.05)), "a", reps=REPS).iloc[0]
        for seed in range(400)
    ]
    assert 0.02 <= np.mean(np.array(p_values) <= 0.05) <= 0.08
