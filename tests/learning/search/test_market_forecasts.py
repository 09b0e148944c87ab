"""Forecasts of several markets in one table, and the returns of trading them."""

import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy.bars import as_panel
from lstm_strategy.learning.search.market_forecasts import (
    add_returns,
    dates_of,
    join_markets,
    returns_by_date,
    split_markets,
)

PANEL = {"A": random_walk(6, seed=1), "B": random_walk(6, seed=2).drop("2001-01-04")}


@pytest.mark.parametrize("zone", [None, "America/New_York"])
def test_markets_come_back_as_they_were_joined_in_the_zone_of_the_panel(zone):
    own = {symbol: bars.tz_localize(zone) for symbol, bars in PANEL.items()}
    panel = as_panel(own)
    signals = {symbol: bars[["close"]] for symbol, bars in own.items()}
    elsewhere = {symbol: s.tz_convert("UTC") if zone else s for symbol, s in signals.items()}
    joined = join_markets(elsewhere, panel, start=panel.dates[1])
    assert dates_of(joined).equals(panel.dates[1:])
    parts = split_markets(joined)
    assert list(parts) == ["A", "B"]
    for symbol, part in parts.items():
        expected = signals[symbol].loc[panel.dates[1] :]
        pd.testing.assert_frame_equal(part, expected, check_names=False, check_freq=False)


def test_returns_of_a_panel_stand_on_every_row_of_a_date_and_come_back_once():
    panel = as_panel(PANEL)
    joined = join_markets(PANEL, panel, start=panel.dates[0])
    returns = pd.Series([0.0, 0.1, 0.2, 0.3, 0.4, 0.5], panel.dates)
    kept = add_returns(joined, returns)
    assert kept.loc["B", "return"].tolist() == [0.0, 0.1, 0.2, 0.4, 0.5]
    assert returns_by_date(kept).tolist() == returns.tolist()
    single = add_returns(PANEL["A"], returns)
    assert returns_by_date(single).tolist() == returns.tolist()
    assert dates_of(single).equals(PANEL["A"].index)
