"""One bar at a time is judged as a frame of bars is."""

import numpy as np
import pandas as pd
import pytest

from lstm_strategy.bars import check_bar
from lstm_strategy.errors import BarsError

GOOD = {"open": 10.0, "high": 12.0, "low": 9.0, "close": 11.0, "volume": 5.0}


@pytest.mark.parametrize("name", ["open", "high", "low", "close", "volume"])
def test_a_value_that_is_not_known_is_refused(name):
    time = pd.Timestamp("2024-01-02")
    check_bar(GOOD, time)
    with pytest.raises(BarsError, match=f"{name} is NaN at 2024-01-02"):
        check_bar({**GOOD, name: np.nan}, time)
