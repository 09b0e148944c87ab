import numpy as np
import pandas as pd
import pytest

from lstm_strategy.evaluation.plots import plot_epochs
from lstm_strategy.evaluation.plots.training import plot_history


def line_named(ax, name):
    return next(line for line in ax.get_lines() if line.get_label() == name)


def test_the_history_shows_both_losses_of_each_member():
    history = pd.DataFrame(
        {
            "member": [6, 6, 6, 7, 7, 7],
            "epoch": [1, 2, 3] * 2,
            "loss": [0.7, 0.6, 0.5, 0.8, 0.7, 0.6],
            "val_loss": [0.7, 0.65, 0.68, 0.8, 0.75, 0.72],
        }
    )
    panel = plot_history(history).axes[0]
    assert line_named(panel, "member 7, training").get_ydata().tolist() == [0.7, 0.6, 0.5]
    assert line_named(panel, "member 8, validation").get_ydata().tolist() == [0.8, 0.75, 0.72]
    validation = [line_named(panel, f"member {member}, validation") for member in (7, 8)]
    marked = [line.get_xydata()[line.get_markevery()].tolist() for line in validation]
    assert marked == [[[2, 0.65]], [[3, 0.72]]]


def test_no_two_of_many_members_look_alike():
    rows = [(member, epoch, 0.7, 0.7) for member in range(9) for epoch in (1, 2)]
    history = pd.DataFrame(rows, columns=["member", "epoch", "loss", "val_loss"])
    panel = plot_history(history).axes[0]
    lines = [line_named(panel, f"member {member}, validation") for member in range(1, 10)]
    assert len({(line.get_color(), line.get_marker()) for line in lines}) == 9


def test_a_history_without_validation_has_no_dot():
    history = pd.DataFrame({"loss": [0.7, 0.6], "val_loss": np.nan}, index=[1, 2])
    assert len(plot_history(history).axes[0].get_lines()) == 1


def test_a_network_that_has_stopped_counts_with_its_last_value():
    history = pd.DataFrame(
        {
            "member": [0, 0, 0, 1],
            "epoch": [0, 1, 2, 0],
            "loss": [0.5, 0.4, 0.3, 0.9],
            "val_loss": [0.6, 0.6, 0.6, 0.8],
        }
    )
    left, right = plot_epochs({"1": history}, is_utility=False).axes
    assert left.lines[0].get_ydata() == pytest.approx([0.7, 0.65, 0.6])
    assert right.lines[0].get_ydata() == pytest.approx([0.7, 0.7, 0.7])  # 0.6 if it were alone
