import numpy as np
import pandas as pd
import pytest

from lstm_strategy.evaluation.plots import (
    plot_contributions,
    plot_course,
    plot_equity,
    plot_forecasts,
    plot_hidden_states,
    plot_members,
    plot_price,
)
from lstm_strategy.evaluation.thinning import MOST_ROWS, fold_pieces

N_BARS = 4 * MOST_ROWS
DATES = pd.date_range("2000-01-03", periods=N_BARS, freq="min")
PEAK, TROUGH = N_BARS // 3, N_BARS // 2  # one bar each, which a picture of each nth bar would miss
VALUES = pd.Series(100.0 + np.arange(N_BARS) % 2, DATES)
VALUES.iloc[[PEAK, TROUGH]] = 150.0, 50.0
FORECAST = pd.DataFrame({"forecast": VALUES, "uncertainty": 1.0})


def lines_of(figure):
    return [line for ax in figure.axes for line in ax.get_lines() if len(line.get_xdata()) > 2]


def equity_figure():
    return plot_equity({"a": VALUES, "b": VALUES * 3.0})


def volatility_figure():
    models = pd.DataFrame({"a": VALUES, "b": VALUES})
    losses = pd.DataFrame({"a": VALUES.diff().fillna(0.0), "b": 0.0})
    return plot_forecasts(models, VALUES, losses, reference="b", highlight="a")


DRAWN = {
    "equity": equity_figure,
    "contributions": lambda: plot_contributions(pd.DataFrame({"a": VALUES, "b": VALUES})),
    "course": lambda: plot_course({"": FORECAST}, label="Return"),
    "price": lambda: plot_price(VALUES, pd.DataFrame(), forecast=FORECAST),
    "members": lambda: plot_members(pd.DataFrame({0: VALUES, 1: VALUES}), own=VALUES),
    "volatility": volatility_figure,
}


@pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)
def test_no_line_has_more_points_than_a_picture_can_show(draw):
    assert max(len(line.get_xdata()) for line in lines_of(draw())) <= MOST_ROWS


@pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)
def test_the_ends_stay_where_bars_are_thinned(draw):
    for line in lines_of(draw()):  # means of blocks of bars end a little earlier
        dates = pd.DatetimeIndex(line.get_xdata())
        assert (
            dates[0] == DATES[0] and dates[-1] >= DATES[-180]
        )  # means of blocks of bars end there


@pytest.mark.parametrize("name", [name for name in DRAWN if name != "volatility"])
def test_a_peak_and_a_trough_of_one_bar_stay_at_their_dates(name):
    line = lines_of(DRAWN[name]())[0]
    drawn = pd.Series(line.get_ydata(), line.get_xdata())
    assert drawn.idxmax() == DATES[PEAK] and drawn.idxmin() == DATES[TROUGH]
    assert drawn.max() == 3.0 * drawn.min()


def test_the_deepest_drawdown_is_that_of_all_bars():
    depth = lines_of(equity_figure())[2].get_ydata()
    assert depth.min() == pytest.approx(50.0 / 150.0 - 1.0)


def test_what_a_model_saved_keeps_its_extremes():
    saved = lines_of(volatility_figure())[-2].get_ydata()  # the sum of the differences of VALUES
    assert (saved.min(), saved.max()) == (-50.0, 50.0)


def test_the_heat_map_of_states_has_as_many_columns_as_can_be_seen():
    bars = pd.DataFrame({"close": VALUES})
    columns = pd.MultiIndex.from_product([["cell"], [0, 1]], names=["state", "unit"])
    states = np.column_stack([VALUES, -VALUES])
    figure = plot_hidden_states(pd.DataFrame(states, DATES, columns), bars, state="cell")
    (mesh,) = figure.axes[1].collections
    assert mesh.get_array().shape == (2, 2_000)
    assert figure.axes[0].get_title(loc="left") == (
        f"cell: 2 units from one mean of {N_BARS // 2_000} bars to the next"
    )
    (close,) = figure.axes[0].get_lines()
    assert len(close.get_xdata()) <= MOST_ROWS
    assert close.get_ydata().max() == 150.0


@pytest.mark.parametrize("with_training", [True, False])
def test_a_strip_of_very_many_folds_is_drawn_in_few_pieces(with_training):
    n_folds = N_BARS // 4
    ledger = pd.DataFrame({"fold": np.arange(N_BARS) // 4 + 1}, DATES)
    if with_training:
        ledger["train_end"] = DATES[0]
    pieces = fold_pieces(ledger)
    assert 200 < len(pieces) <= 400
    assert (pieces[0].first, pieces[-1].last) == (DATES[0], DATES[-1])
    assert pieces[0].label == f"1-{-(-n_folds // 400)}"
    assert pieces[-1].label.endswith(f"{n_folds}")
    figure = plot_equity({"a": VALUES}, ledger=ledger)
    assert len(figure.axes[1].patches) == len(pieces)
