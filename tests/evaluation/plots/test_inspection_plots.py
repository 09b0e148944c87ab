"""Pictures of what moves a forecast."""

import numpy as np
import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy import LSTMStrategyError
from lstm_strategy.evaluation.plots.inspection import (
    plot_gradients,
    plot_hidden_states,
    plot_importance,
    plot_saliency,
)

BARS = random_walk(30)


def states_of(values):
    columns = pd.MultiIndex.from_product([["state 0"], range(values.shape[1])])
    return pd.DataFrame(values, BARS.index, columns.set_names(["state", "unit"]))


def test_the_loss_is_that_of_the_target():
    frame = pd.DataFrame({"qlike_rise": [0.05], "standard_error": [0.01]}, index=["rsi"])
    (ax,) = plot_importance(frame).axes
    assert ax.get_xlabel().startswith("Rise of the qlike when")


def test_a_feature_whose_interval_holds_zero_is_not_said_to_be_needed():
    frame = pd.DataFrame(
        {"log_loss_rise": [0.05, 0.01, -0.02], "standard_error": [0.01, 0.01, 0.005]},
        index=["rsi", "macd", "moon"],
    )
    (ax,) = plot_importance(frame).axes
    assert ax.get_title(loc="left") == "1 of 3 features are needed"
    assert [label.get_text() for label in ax.get_yticklabels()] == ["moon", "macd", "rsi"]
    assert [bar.get_width() for bar in ax.patches] == [-0.02, 0.01, 0.05]


def test_the_most_salient_feature_comes_first_and_zeros_are_drawn():
    index = pd.MultiIndex.from_product([["moon", "rsi"], range(3)], names=["feature", "lag"])
    saliency = [0.0, 0.0, 0.0, 0.5, 0.2, 0.1]
    frame = pd.DataFrame({"saliency": saliency, "standard_error": 0.01}, index)
    (ax,) = plot_saliency(frame).axes
    assert [line.get_label() for line in ax.get_lines()] == ["rsi", "moon"]
    assert ax.get_lines()[0].get_ydata().tolist() == [0.5, 0.2, 0.1]


def test_gradients_stand_below_the_closes_that_they_belong_to():
    gradients = pd.DataFrame({"rsi": [0.1, -0.2], "moon": [0.0, 0.0]}, BARS.index[10:12])
    close, rsi, moon = plot_gradients(gradients, BARS["close"]).axes
    assert close.get_lines()[0].get_ydata().tolist() == BARS["close"].iloc[10:12].tolist()
    assert [bar.get_height() for bar in rsi.patches] == [0.1, -0.2]
    assert [bar.get_height() for bar in moon.patches] == [0.0, 0.0]


def test_units_that_hold_on_stand_below_those_that_change_fast():
    fast, slow = np.tile([1.0, -1.0], 15), np.repeat([2.0, -2.0], 15)
    figure = plot_hidden_states(states_of(np.column_stack([slow, fast])), BARS, state="state 0")
    mesh = figure.axes[1].collections[0].get_array()
    assert mesh[0].tolist() == fast.tolist()
    assert mesh[1].tolist() == (slow / 2).tolist()


@pytest.mark.parametrize(
    "value, state, message",
    [(1.0, "cell", "state must be one of state 0"), (np.nan, "state 0", "no state after")],
    ids=["unknown", "warm-up only"],
)
def test_a_state_that_is_not_there_is_refused(value, state, message):
    with pytest.raises(LSTMStrategyError, match=message):
        plot_hidden_states(states_of(np.full((30, 2), value)), BARS, state=state)
