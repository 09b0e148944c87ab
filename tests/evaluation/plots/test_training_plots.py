import numpy as np
import pandas as pd

from lstm_strategy.evaluation.plots.training import plot_history


def line_named(ax, name):
    return next(line for line in ax.get_lines() if line.get_label() == name)


def test_the_history_shows_both_losses_of_each_member():
    history = pd.DataFrame(
        {
            "member": [7, 7, 7, 8, 8, 8],
            "epoch": [1, 2, 3] * 2,
            "loss": [0.7, 0.6, 0.5, 0.8, 0.7, 0.6],
            "val_loss": [0.7, 0.65, 0.68, 0.8, 0.75, 0.72],
        }
    )
    panel = plot_history(history).axes[0]
    assert line_named(panel, "member 7, training").get_ydata().tolist() == [0.7, 0.6, 0.5]
    assert line_named(panel, "member 8, validation").get_ydata().tolist() == [0.8, 0.75, 0.72]
    dots = [
        line.get_xydata()[0].tolist() for line in panel.get_lines() if len(line.get_xdata()) == 1
    ]
    assert dots == [[2, 0.65], [3, 0.72]]


def test_a_history_without_validation_has_no_dot():
    history = pd.DataFrame({"loss": [0.7, 0.6], "val_loss": np.nan}, index=[1, 2])
    assert len(plot_history(history).axes[0].get_lines()) == 1
