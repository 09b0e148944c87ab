"""The mirror image of bars."""

import numpy as np
import pandas as pd
import pytest
from made_up import SMALL_FEATURES, random_walk

from lstm_strategy import FeatureSet, LSTMStrategyError
from lstm_strategy.learning.features.augmentation import mirror_bars


def test_in_the_mirror_every_return_is_negated_and_highs_are_lows():
    bars = random_walk(50)
    mirror = mirror_bars(bars, SMALL_FEATURES)
    returns = np.log(bars["close"]).diff()
    np.testing.assert_allclose(np.log(mirror["close"]).diff(), -returns, atol=1e-12)
    np.testing.assert_allclose(
        np.log(mirror["high"] / mirror["close"]), np.log(bars["close"] / bars["low"])
    )
    pd.testing.assert_series_equal(mirror["volume"], bars["volume"])
    assert mirror["close"].iloc[0] == pytest.approx(bars["close"].iloc[0])


def test_the_mirror_of_the_mirror_is_the_market():
    bars = random_walk(50)
    pd.testing.assert_frame_equal(
        mirror_bars(mirror_bars(bars, SMALL_FEATURES), SMALL_FEATURES), bars
    )


@pytest.mark.parametrize(("mirrored", "sign"), [("negated", -1), ("same", 1)])
def test_a_column_of_the_user_is_mirrored_as_its_feature_says(mirrored, sign):
    bars = random_walk(50).assign(funding_rate=0.01)
    specs = [{"kind": "column", "column": "funding_rate", "mirrored": mirrored}]
    assert (mirror_bars(bars, specs)["funding_rate"] == sign * 0.01).all()


def test_a_price_of_nothing_has_no_mirror_image():
    bars = random_walk(50).assign(spot_close=0.0)
    assert mirror_bars(bars, [{"kind": "premium"}])["spot_close"].isna().all()


def test_an_unknown_mirror_image_is_refused():
    with pytest.raises(LSTMStrategyError, match="mirrored must be one of negated, same, got 'up'"):
        FeatureSet([{"kind": "column", "column": "x", "mirrored": "up"}])
