import numpy as np
import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy.learning.features.causality.evidence import lookahead_evidence


@pytest.mark.parametrize("seed", range(5))
def test_noise_and_the_past_foretell_nothing(seed):
    bars = random_walk(150, seed=seed)
    noise = pd.Series(np.random.default_rng(seed).normal(size=150), bars.index)
    for column in (noise, noise.cumsum(), bars["close"].shift(1), bars["close"].pct_change(10)):
        assert lookahead_evidence(column, bars, horizon=20) is None


@pytest.mark.parametrize(
    ("foretell", "form", "answer"),
    [
        pytest.param(lambda close: close.shift(-1), "its distance from the close", "return"),
        pytest.param(lambda close: close.pct_change().shift(-1), "it", "return"),
        pytest.param(lambda close: close.pct_change().abs().shift(-1), "it", "size of the return"),
    ],
    ids=["close", "return", "size"],
)
def test_what_the_next_bar_brings_is_found_by_its_form(foretell, form, answer):
    bars = random_walk(400)
    evidence = lookahead_evidence(foretell(bars["close"]), bars)
    assert (evidence.form, evidence.answer, evidence.n_ahead) == (form, answer, 1)
    assert evidence.correlation == pytest.approx(1)


@pytest.mark.parametrize("unit", [1e-15, 1e15], ids=str)
def test_the_unit_of_a_column_hides_nothing(unit):
    bars = random_walk(400)
    evidence = lookahead_evidence(bars["close"].pct_change().shift(-1) * unit, bars)
    assert evidence.correlation == pytest.approx(1)


def crisis(n_bars=900, seed=1):
    """Bars with one wild week in the middle, and a column that is as wild in that week."""
    rng = np.random.default_rng(seed)
    scale = np.where(abs(np.arange(n_bars) - n_bars // 2) < 50, 20.0, 1.0)
    index = pd.date_range("2024-01-01", periods=n_bars, freq="h")
    close = 100 * np.exp((0.001 * scale * rng.normal(size=n_bars)).cumsum())
    stress = pd.Series(scale + rng.normal(size=n_bars), index)
    return pd.DataFrame({"close": close}, index), stress


def test_a_column_that_a_crisis_moves_as_well_is_honest():
    bars, stress = crisis()
    after = bars["close"].pct_change().abs().shift(-1)
    assert stress.corr(after) > 0.6
    assert lookahead_evidence(stress, bars) is None


def test_a_few_large_moves_foretold_are_found_though_ranks_hide_them():
    bars = random_walk(900)
    returns = bars["close"].pct_change()
    flag = (returns.abs() > 2 * returns.std()).astype(float).shift(-1)
    assert flag.corr(returns.abs().shift(-1), method="spearman") < 0.5
    assert lookahead_evidence(flag, bars).answer == "size of the return"


@pytest.mark.parametrize(
    ("echo", "before", "is_found"), [(0.2, 0.2, True), (0.5, 0.45, False)], ids=["found", "honest"]
)
def test_sizes_to_come_may_be_told_by_a_fifth_more_than_those_before(echo, before, is_found):
    rng = np.random.default_rng(0)
    moves = 0.01 * rng.standard_t(2.5, 900)
    close = pd.Series(np.exp(moves.cumsum()), pd.date_range("2024-01-01", periods=900, freq="h"))
    sizes = close.pct_change().abs()
    told = sizes.shift(-1).where(sizes.shift(-1) > sizes.quantile(0.97), 0.0)
    column = told + echo * sizes + 0.008 * rng.normal(size=900)
    assert column.corr(sizes.shift(-1)) > 0.55
    assert column.corr(sizes) == pytest.approx(before, abs=0.06)
    assert (lookahead_evidence(column, close.to_frame("close")) is not None) == is_found
