"""The looks of lines: one for each strategy, apart by more than their colours."""

import itertools

import numpy as np
import pytest

from lstm_strategy.evaluation.looks import choose_looks, choose_market_looks
from lstm_strategy.learning.reference import learning_baselines, volatility_baselines
from lstm_strategy.trading.baselines import (
    BASELINES,
    EVERY_BASELINE,
    FUTURES_BASELINES,
    FUTURES_PORTFOLIO_BASELINES,
    PERPETUAL_BASELINES,
    PORTFOLIO_BASELINES,
)

LEARNERS = list(learning_baselines())
COMPARED = {
    "one market": [*BASELINES, *PERPETUAL_BASELINES, *FUTURES_BASELINES, *LEARNERS],
    "many markets": [*PORTFOLIO_BASELINES, *FUTURES_PORTFOLIO_BASELINES, *LEARNERS],
    "forecasts": list(volatility_baselines()),
}
HELD = ["Buy and hold", "Equal weight"]

# Machado, Oliveira and Fernandes (2009), "A physiologically-based model for simulation of color
# vision deficiency", table 1, severity 1; rows of linear red, green and blue
EYES = {
    "all cones": np.eye(3),
    "no red cones": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "no green cones": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "no blue cones": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}


def _linear(color):
    """Linear red, green and blue of a colour as "#d1242f", by IEC 61966-2-1."""
    values = np.array([int(color[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def _lab(linear):
    """CIELAB under D65, where two colours 2 apart can just be told apart side by side."""
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    xyz = to_xyz @ linear.clip(0, 1) / np.array([0.9505, 1.0, 1.0890])
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def _distance(one, other, eye):
    return np.linalg.norm(_lab(EYES[eye] @ _linear(one)) - _lab(EYES[eye] @ _linear(other)))


def test_no_two_strategies_of_a_chart_look_alike():
    names = [f"s{number}" for number in range(30)]
    looks = choose_looks(names, own="s0", held=["s1"])
    assert len(set(looks.values())) == 30


def test_only_what_a_picture_is_about_is_a_whole_line_and_neighbours_are_broken_differently():
    names = ["Mine", "Held", *"abcdefgh"]
    looks = choose_looks(names, own="Mine", held=["Held"])
    assert [name for name, look in looks.items() if not look.strokes] == ["Mine"]
    assert len({looks[name].strokes for name in ("Held", "a", "b", "c", "d")}) == 5


def test_the_look_of_a_strategy_does_not_depend_on_what_comes_after_it():
    few = choose_looks(["Mine", "a", "b"], own="Mine")
    many = choose_looks(["Mine", "a", "b", "c", "Held"], own="Mine", held=["Held"])
    assert {name: many[name] for name in few} == few


def test_markets_look_different():
    assert len(set(choose_market_looks(28))) == 28


def test_the_look_of_a_baseline_does_not_depend_on_what_it_is_compared_with():
    for name in {*EVERY_BASELINE, *LEARNERS, *volatility_baselines()}.difference(HELD):
        alone = choose_looks(["Mine", name], own="Mine")[name]
        others = ["x", "y", "Mine", "Other LSTM", name]
        assert choose_looks(others, own="Mine", held=HELD)[name] == alone, name


@pytest.mark.parametrize("compared", COMPARED.values(), ids=COMPARED)
def test_baselines_of_one_comparison_look_different_to_every_eye(compared):
    looks = choose_looks(["Mine", *compared], own="Mine", held=HELD)
    known = [looks[name] for name in compared if name not in HELD]
    for one, other in itertools.combinations(known, 2):
        if one.strokes == other.strokes:
            nearest = min(_distance(one.color, other.color, eye) for eye in EYES)
            assert nearest > 15, (one, other)


def test_two_baselines_of_one_look_differ_where_someone_compares_them():
    looks = choose_looks(["Mine", "MACD", "MACD trend"], own="Mine")
    assert len(set(looks.values())) == 3


def test_colors_contrast_with_a_white_and_a_dark_page():
    luminance = {
        color: 0.05 + _linear(color) @ [0.2126, 0.7152, 0.0722]
        for color in {look.color for look in choose_market_looks(28)} | {"#ffffff", "#14181c"}
    }
    white, dark = luminance.pop("#ffffff"), luminance.pop("#14181c")
    assert all(white / each >= 3 and each / dark >= 3 for each in luminance.values())
