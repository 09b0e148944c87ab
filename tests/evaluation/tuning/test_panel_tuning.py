"""A search on a panel: one network a fold for all markets, traded as one portfolio."""

import numpy as np
import pandas as pd
import pytest
from made_up import SMALL_FEATURES, random_walk

from lstm_strategy import LSTMForecaster, tune
from lstm_strategy.bars import as_panel, slice_panel
from lstm_strategy.evaluation.tuning import TuningResult

pytestmark = pytest.mark.slow

# B begins within the first test fold, and C ends before the holdout
PANEL = {
    "A": random_walk(400, seed=1),
    "B": random_walk(200, seed=2, start="2001-07-20"),
    "C": random_walk(300, seed=3),
}
DATES = as_panel(PANEL).dates


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return tmp_path_factory.mktemp("search")


def run(folder, n_trials=2) -> TuningResult:
    base = LSTMForecaster(
        SMALL_FEATURES, target="policy", units=(3,), lookback=8, epochs=1, members=1
    )
    space = {"units": [2, 3]}
    return tune(PANEL, space, n_trials, forecaster=base, n_folds=1, folder=folder, progress=False)


@pytest.fixture(scope="module")
def found(kept):
    return run(kept)


def test_every_setting_is_traded_on_all_markets_by_date(found):
    # 320 of the 400 dates are inside, and the second half of them is forecast
    assert found.returns.index.equals(DATES[160:320])
    assert found.trials["state"].tolist() == ["complete"] * 2
    assert np.isfinite(found.trials["value"]).all()


def test_the_holdout_holds_the_markets_that_have_bars_there(found):
    held = found.holdout.result
    assert list(held.by_market.index) == ["A", "B", "C"]
    assert held.by_market.loc[["A", "B"], "exposure"].gt(0).all()
    assert held.by_market.loc["C", "exposure"] == 0
    assert (held.equity.index[0], held.equity.index[-1]) == (DATES[320], DATES[-1])


def test_a_search_on_a_panel_goes_on_in_its_folder_and_knows_other_bars(found, kept):
    again = run(kept)
    pd.testing.assert_frame_equal(again.returns, found.returns)
    with pytest.raises(ValueError, match="bars"):
        tune(slice_panel(PANEL, end="2001-12"), {"units": [2, 3]}, 2, folder=kept, progress=False)
