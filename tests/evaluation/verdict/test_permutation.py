import math

import pytest
from made_up import random_walk

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.verdict.permutation import PermutationTest, permutation_test

BARS = random_walk(40)


class Pipeline:
    """The close of the tenth bar; counts its calls, and stops after a number of them."""

    def __init__(self, *, stops_after=math.inf):
        self.n_calls, self.stops_after = 0, stops_after

    def __call__(self, bars):
        if self.n_calls >= self.stops_after:
            raise KeyboardInterrupt
        self.n_calls += 1
        return bars["close"].iloc[9]


def test_a_test_that_was_stopped_goes_on_with_what_is_missing(tmp_path):
    file, terms = tmp_path / "permutations.csv", {"n_permutations": 5, "real": 50.0, "seed": 3}
    with pytest.raises(KeyboardInterrupt):
        permutation_test(Pipeline(stops_after=2), BARS, file=file, **terms)
    rest, steps = Pipeline(), []
    test = permutation_test(
        rest, BARS, file=file, progress=lambda *step: steps.append(step), **terms
    )
    assert (rest.n_calls, steps) == (3, [(3, 5), (4, 5), (5, 5)])
    assert test == permutation_test(Pipeline(), BARS, **terms)


def test_more_permutations_use_the_finished_ones(tmp_path):
    file = tmp_path / "permutations.csv"
    permutation_test(Pipeline(), BARS, n_permutations=3, real=50.0, file=file)
    more = Pipeline()
    test = permutation_test(more, BARS, n_permutations=5, real=50.0, file=file)
    assert (more.n_calls, len(test.null)) == (2, 5)
    fewer = permutation_test(Pipeline(stops_after=0), BARS, n_permutations=2, real=50.0, file=file)
    assert fewer.null == test.null[:2]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"bars": BARS.iloc[:-1]}, id="other bars"),
        pytest.param({"run": "wider"}, id="other settings"),
        pytest.param({"block_bars": 2}, id="other blocks"),
    ],
)
def test_the_permutations_of_another_run_are_refused_and_kept(tmp_path, other):
    file = tmp_path / "permutations.csv"
    permutation_test(Pipeline(), BARS, n_permutations=2, real=50.0, file=file)
    before = file.read_bytes()
    with pytest.raises(TradingError, match=r"permutations.csv holds permutations of another run"):
        permutation_test(
            Pipeline(), other.pop("bars", BARS), n_permutations=2, real=50.0, file=file, **other
        )
    assert file.read_bytes() == before


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "seed,statistic,run\n1,x,y\n"])
def test_a_file_that_holds_something_else_is_refused(tmp_path, text):
    (tmp_path / "permutations.csv").write_text(text)
    with pytest.raises(TradingError, match="doesn't hold permutations of a permutation test"):
        permutation_test(
            Pipeline(), BARS, n_permutations=1, real=50.0, file=tmp_path / "permutations.csv"
        )


def test_a_known_real_result_is_not_computed_again():
    pipeline = Pipeline()
    assert permutation_test(pipeline, BARS, n_permutations=2, real=1.5).real == 1.5
    assert pipeline.n_calls == 2


@pytest.mark.parametrize(
    ("real", "null", "p_value", "finding"),
    [
        (1.0, [0.0] * 19, 0.05, "is more than chance gives."),
        (1.0, [0.0] * 9, 0.1, "by so few shuffles: 19 are needed."),
        (0.0, [0.0, math.nan, -1.0], 0.75, "is within what chance gives."),
    ],
    ids=["skill", "too few", "luck"],
)
def test_the_finding_is_put_into_a_sentence(real, null, p_value, finding):
    test = PermutationTest.from_statistics(real, null, block_bars=1)
    assert test.p_value == pytest.approx(p_value)
    assert f"{test.n_as_good} of {len(null)} did as well" in str(test)
    assert str(test).endswith(finding)


def test_a_test_draws_itself():
    test = PermutationTest.from_statistics(1.0, [0.0, 0.5], block_bars=1)
    assert test.plot().axes
